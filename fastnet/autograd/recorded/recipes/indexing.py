"""Recipes of indexing, gather, scatter, embeddings and dropout."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.engine import node_backward
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import backward, linear
from fastnet.autograd.recorded.op import Op
from fastnet.autograd.recorded.recipes.view import SELECTION, selected
from fastnet.ops.index_select import index_select
from fastnet.ops.pad import pad

# The structs `Lookup` and `Place`.
LOOKUP = [("ndim", "i4"), ("first", "i4"), ("found_ndim", "i4"), ("axes", "u4"), ("found", "i8", 8), ("k", "i8")]
PLACE = [("part", SELECTION), ("look", LOOKUP), ("looked_up", "i4"), ("add", "i4")]


def looked_up(table: Tensor, look: Any, positions: Tensor) -> Tensor:
    """table[index]: positions count the elements of the looked up axes in row-major order."""
    over = [d for d in range(int(look["ndim"])) if int(look["axes"]) >> d & 1]
    kept = [d for d in range(table.ndim) if d not in over]
    found = [int(n) for n in look["found"][:int(look["found_ndim"])]]
    rest = [table.shape[d] for d in kept]
    count = int(np.prod([table.shape[d] for d in over]))
    rows = index_select(table.permute(over + kept).reshape([count, *rest]), 0, positions.reshape(-1)).reshape(found + rest)
    first, f, n = int(look["first"]), len(found), len(found) + len(rest)
    order = [*range(f, f + first), *range(f), *range(f + first, n)]
    return rows.permute(order) if n else rows


@linear("IndexBackward0")
def index(op: Op) -> Callable:
    look, positions = op.block(LOOKUP), op.saved[0]
    return lambda table: looked_up(table, look, positions)


@backward("IndexPutBackward0")
def put(op: Op, gy: Tensor, k: int) -> Tensor:
    place = op.block(PLACE)
    if k == 1:                                           # the value's gradient: what arrives at its place
        part = selected(gy, place["part"])
        if place["looked_up"]:
            part = looked_up(part, place["look"], op.saved[0])
        missing = op.like(1).ndim - part.ndim
        return part.reshape([1] * missing + list(part.shape)) if missing > 0 else part
    if place["add"]:
        return gy
    ones = from_numpy(np.ones(op.shape)).to(gy.dtype)
    kept = node_backward(op.node, ones)[0]               # what stood there before has no part in the result
    assert kept is not None
    return gy * kept


@linear("GatherBackward0")
def gather(op: Op) -> Callable:
    axis, positions = op.integers[0], op.saved[0]
    return lambda x: x.gather(axis, positions)


@backward("ScatterBackward0", "ScatterAddBackward0")
def scatter(op: Op, gy: Tensor, k: int) -> Tensor:
    axis, positions = op.integers[0], op.saved[0]
    if k == 0:
        return gy if op.integers[1] else gy.scatter(axis, positions, 0.0)
    found, like = gy.gather(axis, positions), op.like(1)
    if like.ndim != found.ndim:
        return found.reshape(like.shape)
    return pad(found, [n for d in range(like.ndim - 1, -1, -1) for n in (0, like.shape[d] - found.shape[d])])


@linear("IndexSelectBackward0", "EmbeddingBackward0")
def index_select_(op: Op) -> Callable:
    axis, skipped, positions = op.integers[0], op.integers[1], op.saved[0]
    factor = op.saved[1] if len(op.saved) > 1 else None  # of scale_grad_by_freq
    shape = op.shape

    def again(x: Tensor) -> Tensor:
        y = index_select(x.reshape(1) if x.ndim == 0 else x, axis, positions.reshape(-1)).reshape(shape)
        if skipped >= 0:
            y = y * (positions != skipped).to(y.dtype).unsqueeze(-1)
        return y if factor is None else y * factor.reshape(positions.shape).to(y.dtype).unsqueeze(-1)
    return again


@backward("IndexAddBackward0")
def index_add(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy if k == 0 else index_select(gy.reshape(1) if gy.ndim == 0 else gy, op.integers[0], op.saved[0]).reshape(op.like(1).shape)


@backward("NativeDropoutBackward0")
def dropout(op: Op, gy: Tensor, k: int) -> Tensor:
    kept = node_backward(op.node, from_numpy(np.ones(op.shape)).to(gy.dtype))[0]
    assert kept is not None
    return gy * kept
