"""Metric: what all metrics have in common: they are fed piece by piece, and those of several parts can be merged."""
from __future__ import annotations

from typing import Any, TypeVar

M = TypeVar("M", bound="Metric")


class Metric:
    """A number about a whole data set, computed from pieces of it.

    A metric keeps sums, and the data themselves only where the value needs them (curves, detections). `update` adds a piece, `merge` adds
    what other metrics of the same class and options have seen (the parts may have been counted in different threads or processes),
    `compute` gives the value so far, `reset` forgets.

    To define one: set the sums to zero in `reset` and list their names in `sums`; define `update` and `compute`. Options are set in
    `__init__`, which then calls `reset`, and listed in `options`: only metrics whose options are equal can be merged. Sums are added with
    ``+``, which must make a new object: numbers, NumPy arrays and lists will do.
    """

    sums: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def reset(self) -> None:
        """Forget all pieces."""
        raise TypeError(f"{type(self).__name__} does not define reset")

    def update(self, *args: Any) -> None:
        """Add a piece."""
        raise TypeError(f"{type(self).__name__} does not define update")

    def compute(self) -> Any:
        """The value over all pieces so far."""
        raise TypeError(f"{type(self).__name__} does not define compute")

    def merge(self: M, *others: M) -> M:
        """Add what other metrics have seen; they stay as they are.

        Returns: this metric.

        Raises: TypeError for a metric of another class; ValueError for one with other options. Then nothing is added.
        """
        for other in others:
            if type(other) is not type(self):
                raise TypeError(f"{type(self).__name__}.merge: got a {type(other).__name__}")
            for name in self.options:
                here, there = getattr(self, name), getattr(other, name)
                if here != there:
                    raise ValueError(f"{type(self).__name__}.merge: {name} is {here!r} here and {there!r} there")
        for other in others:
            for name in self.sums:
                setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.options)})"
