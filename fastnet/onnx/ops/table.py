"""The table of exporters, and what several of them share."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnet.onnx.graph import Graph, Value

EXPORTERS: dict[str, Callable[..., Any]] = {}


def exporter(*names: str) -> Callable[[Any], Any]:
    """Enter a function into the table under the names of ops."""
    def enter(function: Any) -> Any:
        EXPORTERS.update(dict.fromkeys(names, function))
        return function
    return enter


def ints(value: Any, count: int) -> list[int]:
    """One number for each axis."""
    values = list(value) if isinstance(value, (tuple, list)) else [value]
    return values * count if len(values) == 1 else values


def axis_of(dim: int, ndim: int) -> int:
    """An axis counted from the front."""
    return dim % max(ndim, 1)


def flat(values: tuple) -> list[Any]:
    """f(1, 2) and f((1, 2)) alike."""
    return list(values[0]) if len(values) == 1 and isinstance(values[0], (tuple, list)) else list(values)


def batched(g: Graph, x: Value, ndim: int) -> tuple[Any, bool]:
    """x with a first axis of one picture, where it has none; whether it had one."""
    return (x, True) if x.ndim == ndim else (g.op("Unsqueeze", x, g.const([0], "int64")), False)


def unbatched(g: Graph, y: str, had: bool) -> str:
    """The result without the axis that `batched` gave."""
    return y if had else g.op("Squeeze", y, g.const([0], "int64"))
