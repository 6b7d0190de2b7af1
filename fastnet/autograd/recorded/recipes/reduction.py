"""Recipes of sums, products, extremes, norms and running sums over axes."""
from __future__ import annotations

from collections.abc import Callable

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import backward, linear
from fastnet.autograd.recorded.op import Op
from fastnet.ops.where import where

import numpy as np


def axes(op: Op) -> list[int]:
    """The reduced axes, which ops keep as bits of their first integer."""
    return [d for d in range(op.like(0).ndim) if op.integers[0] >> d & 1]


def wide(op: Op, g: Tensor) -> Tensor:
    """g with the reduced axes as 1."""
    over = axes(op)
    return g.reshape([1 if d in over else n for d, n in enumerate(op.like(0).shape)])


@backward("SumBackward0", "SumBackward1", "MeanBackward0", "MeanBackward1")
def total(op: Op, gy: Tensor, k: int) -> Tensor:
    g = wide(op, gy)
    return (g if op.numbers[0] == 1 else g * op.numbers[0]).expand(op.like(0).shape)


@backward("AmaxBackward0", "AminBackward0")
def extreme(op: Op, gy: Tensor, k: int) -> Tensor:
    best = op.saved[0] == op.saved[1]
    share = best.to(gy.dtype)
    return wide(op, gy) * (share / share.sum(axes(op), keepdim=True) if axes(op) else share)


@backward("MaxBackward0", "MinBackward0")
def picked(op: Op, gy: Tensor, k: int) -> Tensor:
    zeros = op.zeros(0)
    if zeros.ndim == 0:
        return gy
    return zeros.scatter(axes(op)[0], op.saved[0], wide(op, gy))


@backward("LogsumexpBackward0")
def logsumexp(op: Op, gy: Tensor, k: int) -> Tensor:
    return wide(op, gy) * (op.input(0) - op.output(1)).exp()


@backward("VarBackward0", "StdBackward0")
def variance(op: Op, gy: Tensor, k: int) -> Tensor:
    x = op.input(0)
    centred = x - x.mean(axes(op), keepdim=True) if axes(op) else x - x
    g = wide(op, gy) * op.numbers[0]
    if op.name[0] == "V":
        return centred * (2 * g)
    y = op.output(2)
    nothing = y.detach() == 0                            # of equal values: 0, as the kernel has it
    return centred * where(nothing, 0.0, g / where(nothing, 1.0, y))


@backward("LinalgVectorNormBackward0")
def norm(op: Op, gy: Tensor, k: int) -> Tensor:
    x, g = op.input(0), wide(op, gy)
    if op.integers[1] == 1:
        return g * x.detach().sign()
    if op.integers[1] == 0:
        best = (x.detach().abs() == op.saved[1]).to(gy.dtype)
        return g * x.detach().sign() * (best / best.sum(axes(op), keepdim=True) if axes(op) else best)
    y = op.output(1)
    nothing = y.detach() == 0
    return where(nothing, 0.0, g * x / where(nothing, 1.0, y))


def _others(x: Tensor, along: int, combine: Callable) -> Tensor:
    """combine(x with each element along an axis replaced by 1 in turn): (..., n, ...) with the replaced one on axis 0."""
    n = x.shape[along]
    one = from_numpy(np.eye(n, dtype=bool)).reshape([n] + [n if d == along else 1 for d in range(x.ndim)])
    return combine(where(one, 1.0, x.unsqueeze(0)), along + 1)


@backward("ProdBackward0", "ProdBackward1")
def product(op: Op, gy: Tensor, k: int) -> Tensor:
    x, over = op.input(0), axes(op)
    if not bool((x.detach() == 0).any()):
        return wide(op, gy) * wide(op, op.output(1)) / x
    kept = [d for d in range(x.ndim) if d not in over]
    rows = x.permute(kept + over).reshape([x.shape[d] for d in kept] + [-1])
    others = _others(rows, rows.ndim - 1, lambda t, d: t.prod(d)).movedim(0, -1)
    back = (others * gy.reshape(others.shape[:-1]).unsqueeze(-1)).reshape([x.shape[d] for d in kept + over])
    return back.permute([int(i) for i in np.argsort(kept + over)])


@backward("CumprodBackward0")
def cumprod(op: Op, gy: Tensor, k: int) -> Tensor:
    x, d = op.input(0), op.integers[0]
    if x.ndim == 0:
        return gy
    if not bool((x.detach() == 0).any()):
        return reversed_sum(gy * op.output(1), d) / x
    n = x.shape[d]
    later = from_numpy(np.triu(np.ones((n, n)))).to(x.dtype).reshape([n] + [n if e == d else 1 for e in range(x.ndim)])
    return (_others(x, d, lambda t, e: t.cumprod(e)) * later * gy).sum(d + 1).movedim(0, d)


def reversed_sum(x: Tensor, d: int) -> Tensor:
    """The running sum from the end."""
    return x.flip(d).cumsum(d).flip(d)


@linear("CumsumBackward0")
def cumsum(op: Op) -> Callable:
    d = op.integers[0]
    return lambda x: x.cumsum(d)


@backward("SoftmaxBackward0")
def softmax(op: Op, gy: Tensor, k: int) -> Tensor:
    y = op.output()
    return y * (gy - (gy * y).sum(op.integers[3], keepdim=True)) if y.ndim else gy * 0


@backward("LogSoftmaxBackward0")
def log_softmax(op: Op, gy: Tensor, k: int) -> Tensor:
    y = op.output()
    return gy - y.exp() * gy.sum(op.integers[3], keepdim=True) if y.ndim else gy * 0
