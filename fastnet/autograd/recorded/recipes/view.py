"""Recipes of views and of ops that move elements by their places alone."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import backward, linear
from fastnet.autograd.recorded.op import Op
from fastnet.ops.index_select import index_select
from fastnet.ops.join import cat
from fastnet.ops.pad import pad
from fastnet.ops.unfold import fold, unfold
from fastnet.ops.where import where

# The structs that ops keep in their blocks, as C lays them out: `Selection`, `fn_tensor`, `Window`, `Ends`, `Moved`, `fn_unfold_args`.
SELECTION = [("ndim", "i4"), ("windows", "i4"), ("start", "i8", 8), ("dims", "i8", 8), ("step", "i8", 8), ("axis", "i4", 8),
             ("other", "i4", 8)]
ARRAY = [("st", "i8"), ("p", "i8"), ("size", "i8"), ("ndim", "i4"), ("dtype", "i4"), ("dims", "i8", 8), ("strides", "i8", 8)]
WINDOW = [("offset", "i8"), ("low", "i8"), ("high", "i8"), ("x", ARRAY), ("y", ARRAY)]
MOVED = [("in", "i8", 3), ("out", "i8", 3), ("inner", "i8"), ("begin", "i8"), ("end", "i8"), ("from", "i8", 3), ("x", "i8"), ("y", "i8"),
         ("outer", "i8"), ("size", "i8")]
UNFOLD = [("from", "i8"), ("to", "i8"), ("in", "i8", 2), ("out", "i8", 2), ("kernel", "i8", 2), ("stride", "i8", 2), ("pad", "i8", 2),
          ("dilation", "i8", 2)]


def pick(x: Tensor, places: np.ndarray) -> Tensor:
    """The elements of x at places of its flattened self; 0 where a place is negative."""
    flat, inside = x.reshape(-1), places >= 0
    if flat.numel() == 0 or places.size == 0:
        return x.sum() * 0 + from_numpy(np.zeros(places.shape)).to(x.dtype)
    y = index_select(flat, 0, from_numpy(np.where(inside, places, 0).reshape(-1).astype(np.int64))).reshape(places.shape)
    return y if inside.all() else where(from_numpy(np.ascontiguousarray(inside)), y, 0.0)


def _laid_out(memory: np.ndarray, t: Any, at: int) -> np.ndarray:
    """A view of memory with the shape and strides (in elements) of a `fn_tensor` whose first element is memory[at]."""
    n = int(t["ndim"])
    dims, strides = [int(d) for d in t["dims"][:n]], [int(s) * memory.itemsize for s in t["strides"][:n]]
    return np.lib.stride_tricks.as_strided(memory[at:] if 0 not in dims else memory[:0], dims, strides)


def select_places(s: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The places in a tensor of this shape that a Selection shows."""
    places = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    steps = [n // places.itemsize for n in places.strides]
    at = sum(int(s["start"][d]) * steps[d] for d in range(len(shape)))
    grid: Any = np.array(at, np.int64)
    for d in range(int(s["ndim"])):
        a, b = int(s["axis"][d]), int(s["other"][d])
        step = 0 if a < 0 else int(s["step"][d]) * (steps[a] + (steps[b] if b >= 0 else 0))
        grid = grid[..., None] + step * np.arange(int(s["dims"][d]), dtype=np.int64)
    return np.asarray(grid)


def selected(x: Tensor, s: Any) -> Tensor:
    """What a Selection shows of x: by slices where it is made of them, else by places."""
    n = int(s["ndim"])
    along = [int(a) for a in s["axis"][:n]]
    if int(s["windows"]) >= 0 or any(int(b) >= 0 for b in s["other"][:n]) or along != sorted(a for a in along if a >= 0):
        return pick(x, select_places(s, tuple(x.shape)))
    index: list[Any] = [int(s["start"][d]) for d in range(x.ndim)]
    for d, a in enumerate(along):
        first, step, size = int(s["start"][a]), int(s["step"][d]), int(s["dims"][d])
        stop = first + step * size
        index[a] = slice(first, stop if stop >= 0 else None, step) if size else slice(0, 0)
    return x[tuple(index)]


@backward("ViewBackward0", "ReshapeBackward0")
def view(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.reshape(op.like(0).shape)


@backward("PermuteBackward0")
def permute(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.permute([int(i) for i in np.argsort(op.integers[:gy.ndim])]) if gy.ndim else gy


@linear("SliceBackward0", "SelectBackward0", "DiagonalBackward0", "UnfoldBackward0")
def select(op: Op) -> Callable:
    s = op.block(SELECTION)
    return lambda x: selected(x, s)


@linear("AsStridedBackward0")
def as_strided(op: Op) -> Callable:
    w = op.block(WINDOW)
    memory = np.full(int(w["high"] - w["low"]) + 1, -1, np.int64)
    of_x = _laid_out(memory, w["x"], -int(w["low"]))
    of_x[...] = np.arange(of_x.size).reshape(of_x.shape)
    places = _laid_out(memory, w["y"], int(w["offset"] - w["low"])).copy()
    return lambda x: pick(x, places)


@linear("CopySlices")
def copy_slices(op: Op) -> Callable:
    w = op.block(WINDOW)
    memory = np.full(int(w["high"] - w["low"]) + 1, -1, np.int64)
    of_x, of_y = _laid_out(memory, w["x"], -int(w["low"])), _laid_out(memory, w["y"], int(w["offset"] - w["low"]))
    size, shape = of_x.size, tuple(of_y.shape)
    of_x[...] = np.arange(size).reshape(of_x.shape)
    of_y[...] = size + np.arange(of_y.size).reshape(shape)
    places = of_x.copy()

    def again(x: Tensor | None, y: Tensor | None) -> Tensor:
        like = x if x is not None else y
        assert like is not None
        nothing = from_numpy(np.zeros(size if x is None else of_y.size)).to(like.dtype)
        return pick(cat([nothing if x is None else x.reshape(-1), nothing if y is None else y.reshape(-1)]), places)
    return again


@backward("FlipBackward0")
def flip(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.flip([d for d in range(gy.ndim) if op.integers[0] >> d & 1])


@backward("RollBackward0")
def roll(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.roll([-op.integers[d] for d in range(gy.ndim)], list(range(gy.ndim)))


@backward("RepeatBackward0")
def repeat(op: Op, gy: Tensor, k: int) -> Tensor:
    if op.integers[1] == 0:
        return op.zeros(0)
    return gy.reshape(op.integers[:3]).sum(1).reshape(op.like(0).shape)


@backward("TrilBackward0")
def tril(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.tril(op.integers[0])


@backward("TriuBackward0")
def triu(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.triu(op.integers[0])


@backward("DiagEmbedBackward0")
def diag_embed(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.diagonal(*op.integers[:3])


@backward("CatBackward0")
def cat_(op: Op, gy: Tensor, k: int) -> Tensor:
    start = int(op.block("i8", len(op.sources))[k]) if len(op.sources) > 1 else 0
    x = op.like(k)
    return op.zeros(k) if start < 0 else gy.narrow(op.integers[0], start, x.shape[op.integers[0]])


@backward("StackBackward0")
def stack(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy.select(op.integers[0], k)


@backward("ConstantPadNdBackward0")
def constant_pad(op: Op, gy: Tensor, k: int) -> Tensor:
    ends = op.block("i8", 16)
    return pad(gy, [-int(n) for d in range(gy.ndim - 1, -1, -1) for n in (ends[d], ends[8 + d])])


@linear("ReflectionPadBackward0", "ReplicationPadBackward0", "CircularPadBackward0")
def mirror(op: Op) -> Callable:
    out = [int(n) for n in op.block(MOVED)["out"]]
    tables = np.split(op.block("i8", 16 + sum(out))[16:].copy(), np.cumsum(out)[:2])

    def again(x: Tensor) -> Tensor:
        for d, table in zip(range(x.ndim - 3, x.ndim), tables):
            if d >= 0 and not (len(table) == x.shape[d] and (table == np.arange(len(table))).all()):
                x = index_select(x, d, from_numpy(table))
        return x
    return again


@linear("Im2ColBackward0")
def im2col(op: Op) -> Callable:
    a = op.block(UNFOLD)
    kernel, dilation, padding, stride = ([int(n) for n in a[name]] for name in ("kernel", "dilation", "pad", "stride"))
    return lambda x: unfold(x, kernel, dilation, padding, stride)


@linear("Col2ImBackward0")
def col2im(op: Op) -> Callable:
    a = op.block(UNFOLD)
    size, kernel, dilation, padding, stride = ([int(n) for n in a[name]] for name in ("in", "kernel", "dilation", "pad", "stride"))
    return lambda x: fold(x, size, kernel, dilation, padding, stride)
