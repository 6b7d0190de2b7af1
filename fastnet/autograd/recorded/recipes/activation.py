"""Recipes of activations."""
from __future__ import annotations

import math
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import backward, replay
from fastnet.autograd.recorded.op import Op
from fastnet.autograd.recorded.recipes.unary import masked, pointwise
from fastnet.ops.activation import softplus
from fastnet.ops.where import where


def _gelu(x: Tensor, f: list[float]) -> Tensor:
    if f[0] == 1:                                        # approximate="tanh"
        c = math.sqrt(2 / math.pi)
        t = (c * x * (1 + 0.044715 * x * x)).tanh()
        return 0.5 * (1 + t) + 0.5 * c * x * (1 - t * t) * (1 + 3 * 0.044715 * x * x)
    return 0.5 * (1 + (x * math.sqrt(0.5)).erf()) + x * (-0.5 * x * x).exp() / math.sqrt(2 * math.pi)


def _silu(x: Tensor, f: Any = None) -> Tensor:
    s = x.sigmoid()
    return s + x * s * (1 - s)


def _mish(x: Tensor, f: list[float]) -> Tensor:
    t = softplus(x).tanh()
    return t + x * (1 - t * t) * x.sigmoid()


def _hardswish(x: Tensor, f: Any = None) -> Tensor:
    return where(x <= -3, 0.0, where(x < 3, (2 * x + 3) / 6, 1.0))


pointwise({
    "Gelu": _gelu,
    "Silu": _silu,
    "Mish": _mish,
    "Hardswish": _hardswish,
    "LogSigmoid": lambda x, f: (-x).sigmoid(),
    "Softplus": lambda x, f: where(x * f[0] > f[1], 1.0, (x * f[0]).sigmoid()),
    "Softsign": lambda x, f: 1 / (1 + x.abs()).square(),
    "Tanhshrink": lambda x, f: x.tanh().square(),
}, False)
masked({
    "Relu": lambda y, f: y <= 0,
    "Hardtanh": lambda y, f: (y <= f[0]) | (y >= f[1]),
    "Clamp": lambda x, f: ~((x >= f[0]) & (x <= f[1])),
    "Threshold": lambda x, f: x <= f[0],
    "Hardshrink": lambda x, f: x.abs() <= f[0],
    "Softshrink": lambda x, f: x.abs() <= f[0],
})


@backward("LeakyReluBackward0")
def leaky_relu(op: Op, gy: Tensor, k: int) -> Tensor:
    return where(op.saved[0] > 0, gy, gy * op.numbers[0])   # x, or y of the same sign


@backward("HardsigmoidBackward0")
def hardsigmoid(op: Op, gy: Tensor, k: int) -> Tensor:
    x = op.saved[0]
    return where((x > -3) & (x < 3), gy / 6, 0.0)


@backward("EluBackward0")
def elu(op: Op, gy: Tensor, k: int) -> Tensor:
    alpha, scale, inner = op.numbers[:3]
    if alpha >= 0:                                       # y was saved, else x
        y = op.output()
        return gy * where(y <= 0, inner * (y + alpha), scale)
    x = op.input(0)
    return gy * where(x <= 0, alpha * inner * (x.clamp(max=0) * inner).exp(), scale)


@backward("PreluBackward0")
def prelu(op: Op, gy: Tensor, k: int) -> Tensor:
    x, w = op.input(0), op.input(1)
    shape = (1, -1) + (1,) * (x.ndim - 2) if w.numel() > 1 else (1,) * x.ndim
    if k == 0:
        return gy * where(x > 0, 1.0, w.reshape(shape))
    g = where(x > 0, 0.0, gy * x)
    return g.sum([d for d in range(x.ndim) if d != 1 or w.numel() == 1]).reshape(w.shape)


@replay("GluBackward0")
def glu(op: Op, x: Tensor) -> Tensor:
    a, b = x.chunk(2, op.integers[0])
    return a * b.sigmoid()
