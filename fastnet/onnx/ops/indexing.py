"""Exporters of indexing, assignment, gathering and scattering."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.arithmetic import operand
from fastnet.onnx.ops.shape import END, sliced
from fastnet.onnx.ops.table import exporter
from fastnet.onnx.sizes import Dim


def _entries(g: Graph, index: Any, ndim: int) -> list[Any]:
    """An index with a slice for each axis that it leaves out."""
    entries = list(index) if isinstance(index, tuple) else [index]
    entries = [np.asarray(e) if isinstance(e, (list, np.ndarray)) else e for e in entries]
    used = sum(e is not None and e is not Ellipsis for e in entries)
    at = next((k for k, e in enumerate(entries) if e is Ellipsis), None)
    rest = [slice(None)] * (ndim - used)
    return [*entries, *rest] if at is None else [*entries[:at], *rest, *entries[at + 1:]]


def _is_int(e: Any) -> bool:
    return isinstance(e, (int, np.integer)) and not isinstance(e, bool) or isinstance(e, Dim)


@exporter("getitem")
def getitem(g: Graph, input: Value, index: Any) -> Any:
    y: Any = input
    axis = 0                                              # of y
    made: list[Any] = []                                  # axes of the result: None is new
    arrays: list[tuple[int, Any]] = []                    # tensors of indices with their axes
    for e in _entries(g, index, input.ndim):
        if e is None:
            made.append(None)
        elif isinstance(e, slice):
            if any(isinstance(n, Value) for n in (e.start, e.stop, e.step)):
                raise g.refuse("the ends of slices must be numbers")
            step = 1 if e.step is None else e.step
            size = input.shape[axis + sum(m == "gone" for m in made)]
            if not (e.start in (None, 0) and (e.stop is None or e.stop == size) and step == 1):
                y = sliced(g, y, axis, 0 if e.start is None else e.start, END if e.stop is None else e.stop, step)
            made.append(axis)
            axis += 1
        elif _is_int(e) or isinstance(e, Value) and e.shape == [] and e.dtype.kind in "iu":
            y = g.op("Gather", y, e if isinstance(e, Value) else g.number(e, np.int64), axis=axis)
            made.append("gone")
        elif isinstance(e, (Value, np.ndarray)) and e.dtype.kind in "iu":
            arrays.append((axis, e))
            made.append(axis)
            axis += 1
        else:
            raise g.refuse("an index must be made of numbers, slices, None and integer tensors; bool masks give results of no known size: "
                           "fastnet.where can often stand for them")
    news = [k for k, m in enumerate([m for m in made if m != "gone"]) if m is None]
    if arrays:
        y = _gathered(g, y, arrays, bool(news))
    y = g.op("Unsqueeze", y, g.const(news, np.int64)) if news else y
    g.zeros |= {y} if input.name in g.zeros and isinstance(y, str) else set()
    return y


def _gathered(g: Graph, y: Any, arrays: list[tuple[int, Any]], news: bool) -> str:
    if len(arrays) == 1:
        axis, index = arrays[0]
        if news and len(index.shape) != 1:
            raise g.refuse("None beside a tensor of indices must be a step of its own")
        return g.op("Gather", y, index if isinstance(index, Value) else g.const(index, np.int64), axis=axis)
    axes = [axis for axis, _ in arrays]
    if axes != list(range(len(axes))) or news:
        raise g.refuse("several tensors of indices must be those of the first axes")
    ndim = max(len(index.shape) for _, index in arrays)
    parts, shape = [], [1] * ndim
    for _, index in arrays:
        own = [1] * (ndim - len(index.shape)) + list(index.shape)
        shape = [b if a == 1 else a for a, b in zip(shape, own)]
    for _, index in arrays:
        x = g.cast(index, np.int64) if isinstance(index, Value) else g.const(index, np.int64)
        parts.append(g.op("Unsqueeze", g.broadcast(x, shape, index.shape), g.const([-1], np.int64)))
    return g.op("GatherND", y, g.op("Concat", *parts, axis=-1))


@exporter("setitem")
def setitem(g: Graph, input: Value, index: Any, value: Any) -> str:
    """The tensor is put together from its parts around the piece that is written."""
    new = operand(g, value, input.dtype)
    if isinstance(index, Value) and index.dtype == np.bool_ and (not isinstance(value, Value) or value.ndim == 0):
        mask: Any = index
        if index.ndim < input.ndim:
            mask = g.op("Unsqueeze", index, g.const(list(range(index.ndim, input.ndim)), np.int64))
        return g.op("Where", mask, new, input)
    entries = _entries(g, index, input.ndim)
    if not all(_is_int(e) or isinstance(e, slice) and e.step in (None, 1) for e in entries):
        raise g.refuse("what is assigned to must be given by numbers and slices of step 1, or by a bool mask for one number")
    gone = [d for d, e in enumerate(entries) if _is_int(e)]
    if isinstance(value, Value) and value.ndim:           # axes of the value that the numbers took
        missing = [d - input.ndim for d in gone if input.ndim - d <= value.ndim + len([k for k in gone if k >= d])]
        new = g.op("Unsqueeze", new, g.const(missing, np.int64)) if missing else new

    def put(x: Any, d: int) -> str:
        """x with the piece on the axes from d on."""
        while d < len(entries) and isinstance(entries[d], slice) and entries[d].start in (None, 0) and (
                entries[d].stop is None or entries[d].stop == input.shape[d]):
            d += 1
        if d == len(entries):
            return g.op("Expand", new, g.op("Shape", x))
        e = entries[d]
        low, high = (e.start or 0, e.stop) if isinstance(e, slice) else (e, e + 1 if e != -1 else None)
        high = END if high is None else high
        if isinstance(e, slice) and not any(isinstance(n, Dim) for n in (low, high, input.shape[d])) and not len(
                range(input.shape[d])[low:high]):
            return g.input(x, None)                       # nothing is written
        parts = [sliced(g, x, d, 0, low)] if low != 0 else []
        parts.append(put(sliced(g, x, d, low, high), d + 1))
        if high != END and high != input.shape[d]:
            parts.append(sliced(g, x, d, high, END))
        return g.op("Concat", *parts, axis=d) if len(parts) > 1 else parts[0]

    return put(input, 0)


@exporter("gather")
def gather(g: Graph, input: Value, dim: int, index: Value, *, sparse_grad: bool = False) -> str:
    return g.op("GatherElements", input, index, axis=dim)


@exporter("take_along_dim")
def take_along_dim(g: Graph, input: Value, indices: Value, dim: Any = None) -> str:
    if dim is None or any(a != b for k, (a, b) in enumerate(zip(input.shape, indices.shape)) if k != dim % input.ndim):
        raise g.refuse("dim must be given, and all other axes must be alike")
    return g.op("GatherElements", input, indices, axis=dim)


@exporter("scatter", "scatter_add")
def scatter(g: Graph, input: Value, dim: int, index: Value, src: Any = None, *, value: Any = None, reduce: Any = None) -> str:
    how = "add" if g.event.name == "scatter_add" else {None: None, "add": "add", "multiply": "mul"}[reduce]
    new = src if src is not None else value
    if isinstance(new, Value) and new.ndim:
        if new.shape != index.shape:
            raise g.refuse("src must have the shape of index")
        updates = g.cast(new, input.dtype)
    else:
        updates = g.op("Expand", operand(g, new, input.dtype), g.sizes(index.shape))
    return g.op("ScatterElements", input, index, updates, axis=dim, reduction=how)


@exporter("index_select")
def index_select(g: Graph, input: Value, dim: int, index: Value) -> str:
    return g.op("Gather", input, index, axis=dim)


@exporter("index_add")
def index_add(g: Graph, input: Value, dim: int, index: Value, source: Value, *, alpha: Any = 1) -> str:
    shape = [n if d == dim % input.ndim else 1 for d, n in enumerate(source.shape)]
    places = g.broadcast(g.reshape(index, shape), source.shape, shape)
    more = g.cast(source, input.dtype)
    more = more if alpha == 1 else g.op("Mul", more, g.number(alpha, input.dtype))
    return g.op("ScatterElements", input, places, more, axis=dim, reduction="add")


@exporter("take")
def take(g: Graph, input: Value, index: Value) -> str:
    return g.op("Gather", g.op("Reshape", input, g.const([-1], np.int64)), index)


@exporter("embedding")
def embedding(g: Graph, input: Value, weight: Value, padding_idx: Any = None, max_norm: Any = None, *args: Any, **options: Any) -> str:
    if max_norm is not None:
        raise g.refuse("max_norm: it writes into the table")
    return g.op("Gather", weight, input)


