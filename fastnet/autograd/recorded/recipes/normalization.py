"""Recipes of normalisation: the value from means and variances, which are then differentiated."""
from __future__ import annotations

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import replay
from fastnet.autograd.recorded.op import Op
from fastnet.ops.activation import hardswish, leaky_relu, relu, relu6, silu
from fastnet.ops.pad import pad
from fastnet.ops.where import where


def _normal(x: Tensor, over: list[int], eps: float) -> Tensor:
    centred = x - x.mean(over, keepdim=True)
    return centred * (centred.square().mean(over, keepdim=True) + eps).rsqrt()


@replay("NativeLayerNormBackward0", "FusedRmsNormBackward0")
def layer_norm(op: Op, x: Tensor, w: Tensor | None, b: Tensor | None) -> Tensor:
    if x.numel() == 0:
        y = x * 1.0
    else:
        rows = x.reshape(-1, op.integers[0])
        y = _normal(rows, [1], op.numbers[0]) if op.integers[1] else rows * (rows.square().mean(1, keepdim=True) + op.numbers[0]).rsqrt()
        y = y.reshape(x.shape)
    y = y if w is None else y * w
    return y if b is None else y + b


def _activated(op: Op, z: Tensor) -> Tensor:
    """The fused activation; its number is that of `NORM_ACT_...` in csrc/kernels/batch_norm.h."""
    act, slope = op.integers[2], op.numbers[1]
    if op.integers[3]:                                   # y was saved, and tells where z passes
        y = op.saved[3]
        return where(y > 0, where(y < 6, z, 0.0) if act == 2 else z, z * slope if act == 3 else 0.0)
    return (lambda z: z, relu, relu6, lambda z: leaky_relu(z, slope), silu, hardswish)[act](z)


@replay("NativeBatchNormBackward0", "NativeGroupNormBackward0")
def batch_norm(op: Op, x: Tensor, w: Tensor | None, b: Tensor | None, residual: Tensor | None) -> Tensor:
    groups, fixed, eps = op.integers[0], op.integers[1], op.numbers[0]
    channels = x.shape[1]
    along = [1, channels] + [1] * (x.ndim - 2)
    if x.numel() == 0:
        y = x * 1.0
    elif fixed:
        kept = from_numpy(op.block(x.dtype.numpy, 2 * channels).copy())
        y = (x - kept[:channels].reshape(along)) * kept[channels:].reshape(along)
    elif groups:
        y = _normal(x.reshape(x.shape[0], groups, -1), [2], eps).reshape(x.shape)
    else:
        y = _normal(x, [d for d in range(x.ndim) if d != 1], eps)
    y = y if w is None else y * w.reshape(along)
    y = y if b is None else y + b.reshape(along)
    if residual is not None and op.wants(3) or residual is not None and not op.integers[3]:
        y = y + residual
    return _activated(op, y)


@replay("LocalResponseNormBackward0")
def local_response_norm(op: Op, x: Tensor) -> Tensor:
    size, (alpha, beta, k) = op.integers[0], op.numbers[:3]
    wide = pad(x.square(), [0, 0] * (x.ndim - 2) + [size // 2, (size - 1) // 2])
    total = sum((wide.narrow(1, i, x.shape[1]) for i in range(1, size)), wide.narrow(1, 0, x.shape[1]))
    return x * (total * (alpha / size) + k) ** -beta
