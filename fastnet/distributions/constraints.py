"""Constraints: what values a parameter or a sample may have; `check` tells."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnet._core.tensor import Tensor

__all__ = ["Constraint", "boolean", "greater_than", "greater_than_eq", "integer_interval", "interval", "less_than", "nonnegative",
           "nonnegative_integer", "positive", "positive_integer", "real", "real_vector", "simplex", "unit_interval"]


class Constraint:
    """A set of values.

    Args:
        name: what it is called.
        ok: a function that tells for each of a tensor of values whether it is inside.
        event_dim: how many last axes make one value.

    >>> import fastnet
    >>> fastnet.distributions.constraints.positive.check(fastnet.tensor([1.0, -1.0]))
    tensor([ True, False])
    """

    def __init__(self, name: str, ok: Callable[[Tensor], Tensor], event_dim: int = 0) -> None:
        self.name, self._ok, self.event_dim = name, ok, event_dim

    is_discrete = False

    def check(self, value: Tensor) -> Tensor:
        """For each value, whether it is inside.

        Args:
            value: any tensor.
        """
        return self._ok(value)

    def __repr__(self) -> str:
        return self.name


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Numbers between two, which belong to it.

    Args:
        lower_bound, upper_bound: numbers or tensors.
    """
    return Constraint(f"interval({lower_bound}, {upper_bound})", lambda x: (x >= lower_bound) & (x <= upper_bound))


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Integers between two, which belong to it.

    Args:
        lower_bound, upper_bound: numbers or tensors.
    """
    inside = interval(lower_bound, upper_bound)
    return Constraint(f"integer_{inside}", lambda x: (x == x.floor()) & inside.check(x))


def greater_than(lower_bound: Any) -> Constraint:
    """Numbers above one.

    Args:
        lower_bound: a number or tensor.
    """
    return Constraint(f"greater_than({lower_bound})", lambda x: x > lower_bound)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """Numbers from one on.

    Args:
        lower_bound: a number or tensor.
    """
    return Constraint(f"greater_than_eq({lower_bound})", lambda x: x >= lower_bound)


def less_than(upper_bound: Any) -> Constraint:
    """Numbers below one.

    Args:
        upper_bound: a number or tensor.
    """
    return Constraint(f"less_than({upper_bound})", lambda x: x < upper_bound)


real = Constraint("real", lambda x: x == x)
real_vector = Constraint("real_vector", lambda x: (x == x).all(-1), 1)
boolean = Constraint("boolean", lambda x: (x == 0) | (x == 1))
positive, nonnegative, unit_interval = greater_than(0.0), greater_than_eq(0.0), interval(0.0, 1.0)
nonnegative_integer = Constraint("nonnegative_integer", lambda x: (x == x.floor()) & (x >= 0))
positive_integer = Constraint("positive_integer", lambda x: (x == x.floor()) & (x >= 1))
simplex = Constraint("simplex", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), 1)
