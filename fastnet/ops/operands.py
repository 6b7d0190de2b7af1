"""What composed ops ask of an operand: that it is a Tensor, that it is floating-point."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.create import get_default_dtype


def a_tensor(x: Any, op: str, name: str = "input") -> Tensor:
    """The operand, once it is known to be a Tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: {name} must be a Tensor, got {type(x).__name__}")
    return x


def as_floating(x: Any, op: str, name: str = "input") -> Tensor:
    """The operand; integers and bools in the default dtype."""
    x = a_tensor(x, op, name)
    return x if x.is_floating_point() else x.to(get_default_dtype())


def a_floating(x: Any, op: str, name: str = "input") -> Tensor:
    """The operand, once it is known to be a floating-point Tensor."""
    if not a_tensor(x, op, name).is_floating_point():
        raise RuntimeError(f"{op}: {name} must be floating-point, got {x.dtype}")
    return x
