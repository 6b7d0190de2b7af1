"""Exporters of what moves elements without changing them, and of new tensors."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.arithmetic import operand
from fastnet.onnx.ops.table import axis_of, exporter, flat, ints
from fastnet.onnx.sizes import Dim

END = np.iinfo(np.int64).max


def sliced(g: Graph, x: Any, axis: int, start: Any, stop: Any, step: int = 1) -> str:
    """x[start:stop:step] on one axis."""
    return g.op("Slice", x, g.size(start), g.size(stop), g.size(axis), g.size(step) if step != 1 else None)


@exporter("view", "reshape", "flatten", "ravel", "unflatten", "view_as", "reshape_as")
def reshape(g: Graph, input: Value, *args: Any, **options: Any) -> str:
    if g.y.dtype != input.dtype:
        raise g.refuse("bits as another dtype")
    return g.reshape(input, g.y.shape)


@exporter("permute")
def permute(g: Graph, input: Value, *order: Any, dims: Any = None) -> str:
    return g.transpose(input, [axis_of(d, input.ndim) for d in (flat(order) if dims is None else dims)])


@exporter("transpose", "swapaxes", "swapdims")
def transpose(g: Graph, input: Value, dim0: int = 0, dim1: int = 1, **options: int) -> str:
    a, b = options.values() if options else (dim0, dim1)
    order = list(range(input.ndim))
    order[a], order[b] = order[b], order[a]
    return g.transpose(input, order)


@exporter("t", "_transposed")
def t(g: Graph, input: Value) -> str:
    return g.transpose(input, range(input.ndim)[::-1])


@exporter("_matrix_transposed")
def matrix_transposed(g: Graph, input: Value) -> str:
    return transpose(g, input, -2, -1)


@exporter("movedim", "moveaxis")
def movedim(g: Graph, input: Value, source: Any, destination: Any) -> str:
    here, there = ([axis_of(d, input.ndim) for d in ints(v, 1)] for v in (source, destination))
    order = [d for d in range(input.ndim) if d not in here]
    for to, d in sorted(zip(there, here)):
        order.insert(to, d)
    return g.transpose(input, order)


@exporter("unsqueeze")
def unsqueeze(g: Graph, input: Value, dim: int) -> str:
    return g.op("Unsqueeze", input, g.const([dim], np.int64))


@exporter("squeeze")
def squeeze(g: Graph, input: Value, dim: Any = None) -> Any:
    asked = range(input.ndim) if dim is None else [axis_of(d, input.ndim) for d in ints(dim, 1)]
    axes = [d for d in asked if input.shape[d] == 1]
    return g.op("Squeeze", input, g.const(axes, np.int64)) if axes else input


@exporter("expand", "expand_as", "broadcast_to")
def expand(g: Graph, input: Value, *args: Any, **options: Any) -> str:
    return g.broadcast(input, g.y.shape, input.shape)


@exporter("broadcast_tensors")
def broadcast_tensors(g: Graph, *given: Any) -> list[str]:
    return [g.broadcast(x, y.shape, x.shape) for x, y in zip(flat(given), g.ys)]


@exporter("meshgrid")
def meshgrid(g: Graph, *given: Any, indexing: Any = None) -> list[str]:
    made = []
    for k, (x, y) in enumerate(zip(flat(given), g.ys)):
        k = 1 - k if indexing == "xy" and k < 2 else k
        shape = [n if d == k else 1 for d, n in enumerate(y.shape)]
        made.append(g.broadcast(g.reshape(x, shape), y.shape, shape))
    return made


@exporter("repeat", "tile")
def repeat(g: Graph, input: Value, *repeats: Any, size: Any = None, dims: Any = None) -> str:
    times = list(size or dims or flat(repeats))
    times = [1] * (input.ndim - len(times)) + times
    x: Any = g.reshape(input, [1] * (len(times) - input.ndim) + input.shape) if len(times) > input.ndim else input
    return g.op("Tile", x, g.sizes(times))


@exporter("repeat_interleave")
def repeat_interleave(g: Graph, input: Value, repeats: Any, dim: Any = None, *, output_size: Any = None) -> str:
    if not isinstance(repeats, int):
        raise g.refuse("repeats must be a fixed number")
    shape = input.shape if dim is not None else [g.y.shape[0]]
    d = 0 if dim is None else axis_of(dim, input.ndim)
    x: Any = input if dim is not None else g.op("Reshape", input, g.const([-1], np.int64))
    times = [1] * (len(shape) + 1)
    times[d + 1] = repeats
    y = g.op("Tile", g.op("Unsqueeze", x, g.const([d + 1], np.int64)), g.const(times, np.int64))
    return g.op("Reshape", y, g.const([-1 if k == d else 0 for k in range(d + 1)] + [n for n in shape[d + 1:]], np.int64)) \
        if not any(isinstance(n, Dim) for n in shape[d + 1:]) else g.op("Reshape", y, g.sizes(g.y.shape))


@exporter("flip", "fliplr", "flipud")
def flip(g: Graph, input: Value, *axes: Any, dims: Any = None) -> str:
    where = {"fliplr": [1], "flipud": [0]}.get(g.event.name) or list(flat(axes) if dims is None else ints(dims, 1))
    n = len(where)
    return g.op("Slice", input, g.const([-1] * n, np.int64), g.const([-END] * n, np.int64), g.const(where, np.int64),
                g.const([-1] * n, np.int64))


@exporter("roll")
def roll(g: Graph, input: Value, shifts: Any, dims: Any = None) -> str:
    if dims is None:
        raise g.refuse("dims must be given")
    y: Any = input
    for shift, d in zip(ints(shifts, 1), ints(dims, 1)):
        n = input.shape[axis_of(d, input.ndim)]
        shift = shift % n if not isinstance(n, Dim) else shift
        if shift:
            y = g.op("Concat", sliced(g, y, d, -shift, END), sliced(g, y, d, 0, -shift), axis=d)
    return y


@exporter("cat", "concat", "concatenate")
def cat(g: Graph, tensors: Any, dim: int = 0, *, axis: Any = None) -> Any:
    parts = [g.cast(x, g.y.dtype) for x in tensors if x.shape != [0]]
    return parts[0] if len(parts) == 1 else g.op("Concat", *parts, axis=dim if axis is None else axis)


@exporter("hstack", "vstack", "dstack", "column_stack")
def stacks(g: Graph, tensors: Any) -> str:
    where = {"vstack": 0, "dstack": 2}.get(g.event.name, 1 if tensors[0].ndim > 1 or g.event.name == "column_stack" else 0)
    if where >= tensors[0].ndim or g.y.ndim != tensors[0].ndim:
        raise g.refuse("tensors must have the axis already")
    return cat(g, tensors, where)


@exporter("stack")
def stack(g: Graph, tensors: Any, dim: int = 0) -> str:
    at = g.const([dim], np.int64)
    return g.op("Concat", *(g.op("Unsqueeze", g.cast(x, g.y.dtype), at) for x in tensors), axis=dim)


@exporter("split", "split_with_sizes", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit")
def split(g: Graph, tensor: Value, how: Any = None, dim: int = 0, **options: Any) -> Any:
    dim = {"hsplit": 1 if tensor.ndim > 1 else 0, "vsplit": 0, "dsplit": 2}.get(g.event.name, dim)
    sizes = [y.shape[dim] for y in g.ys]
    if len(sizes) == 1:
        return tensor
    return g.op("Split", tensor, g.sizes(sizes), outputs=len(sizes), axis=dim)


@exporter("unbind")
def unbind(g: Graph, input: Value, dim: int = 0) -> list[str]:
    return [g.op("Gather", input, g.const(k, np.int64), axis=dim) for k in range(len(g.ys))]


@exporter("select")
def select(g: Graph, input: Value, dim: int, index: Any) -> str:
    return g.op("Gather", input, g.number(index, np.int64), axis=dim)


@exporter("narrow")
def narrow(g: Graph, input: Value, dim: int, start: Any, length: Any) -> str:
    stop = g.op("Add", g.size(start), g.size(length)) if isinstance(start, Dim) or isinstance(length, Dim) else g.size(start + length)
    return g.op("Slice", input, g.size(start), stop, g.size(dim))


@exporter("tril", "triu")
def triangle(g: Graph, input: Value, diagonal: Any = 0) -> str:
    return g.op("Trilu", input, g.number(diagonal, np.int64), upper=int(g.event.name == "triu"))


@exporter("pad")
def pad(g: Graph, input: Value, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    axes = len(pad) // 2
    ends = [*pad[::2][::-1], *pad[1::2][::-1]]            # befores of the axes in order, then afters
    where = list(range(input.ndim - axes, input.ndim))
    if mode == "circular" and g.opset < 19:
        y: Any = input
        for d, before, after in zip(where, ends[:axes], ends[axes:]):
            if min(before, after) < 0:
                raise g.refuse("circular padding must not be negative")
            parts = [*([sliced(g, y, d, -before, END)] if before else []), y, *([sliced(g, y, d, 0, after)] if after else [])]
            y = g.op("Concat", *parts, axis=d) if len(parts) > 1 else y
        return y
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    return g.op("Pad", input, g.sizes(ends), g.number(value or 0, input.dtype) if mode == "constant" else None, g.const(where, np.int64),
                mode=how)


def filled(g: Graph, value: Any) -> str:
    """A tensor of one value, of the shape and dtype of the result."""
    if any(isinstance(n, Dim) for n in g.y.shape) or isinstance(value, (Dim, Value)):
        made = g.op("Expand", operand(g, value, g.y.dtype), g.sizes(g.y.shape))
        g.zeros |= {made} if isinstance(value, (int, float)) and value == 0 else set()
        return made
    return g.const(np.full(g.y.shape, value, g.y.dtype))


@exporter("zeros", "zeros_like", "new_zeros", "zero", "empty", "empty_like", "new_empty")
def zeros(g: Graph, *args: Any, **options: Any) -> str:
    return filled(g, 0)


@exporter("ones", "ones_like", "new_ones")
def ones(g: Graph, *args: Any, **options: Any) -> str:
    return filled(g, 1)


@exporter("full", "full_like", "new_full", "fill")
def full(g: Graph, like: Any, *args: Any, fill_value: Any = None, **options: Any) -> str:
    value = next((x for x in args if not isinstance(x, (tuple, list))), fill_value)
    return filled(g, value)


@exporter("new_tensor")
def new_tensor(g: Graph, input: Value, data: Any, **options: Any) -> str:
    return g.cast(data, g.y.dtype) if isinstance(data, Value) else g.const(np.asarray(data, g.y.dtype))


@exporter("copy")
def copy(g: Graph, input: Value, src: Value, non_blocking: bool = False) -> str:
    return g.broadcast(g.cast(src, g.y.dtype), g.y.shape, src.shape)


@exporter("arange")
def arange(g: Graph, start: Any, end: Any = None, step: Any = 1, **options: Any) -> str:
    start, end = (0, start) if end is None else (start, end)
    return g.op("Range", *(g.number(x, g.y.dtype) for x in (start, end, step)))


@exporter("eye", "linspace", "logspace", "tril_indices", "triu_indices")
def fixed(g: Graph, *args: Any, **options: Any) -> str:
    raise g.refuse("its size must not depend on a dynamic axis")


@exporter("one_hot")
def one_hot(g: Graph, tensor: Value, num_classes: Any = -1) -> str:
    return g.op("OneHot", tensor, g.size(g.y.shape[-1]), g.const([0, 1], np.int64))
