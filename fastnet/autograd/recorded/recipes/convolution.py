"""Recipes of convolutions, of pooling, and of what resamples images."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnet._core.engine import enable_grad, grad, is_grad_enabled, node_backward, node_block
from fastnet._core.tensor import Tensor
from fastnet.autograd.function import Function
from fastnet.autograd.recorded.kinds import RECIPES, linear
from fastnet.autograd.recorded.op import Op
from fastnet.ops.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from fastnet.ops.interpolate import interpolate_again
from fastnet.ops.pad import pad
from fastnet.ops.pool import POOL_BYTES, avg_pool_again, max_pool_places

# fn_conv_shape of csrc/kernels/conv.h
SHAPE = [("n", "i8"), ("c", "i8"), ("k", "i8"), ("groups", "i8"), ("in", "i8", 3), ("out", "i8", 3), ("kernel", "i8", 3),
         ("stride", "i8", 3), ("pad", "i8", 3), ("dilation", "i8", 3)]


def _again(op: Op) -> Callable[[Tensor, Tensor], Tensor]:
    """The convolution without its bias, as a function of x and w."""
    s, transposed, rank = op.block(SHAPE), bool(op.integers[0]), op.integers[1]
    stride, before, dilation = ([int(n) for n in s[name][3 - rank:]] for name in ("stride", "pad", "dilation"))
    kernel, small, large, groups = [int(n) for n in s["kernel"][3 - rank:]], s["out"][3 - rank:], s["in"][3 - rank:], int(s["groups"])
    rest = [int(large[d] - ((small[d] - 1) * stride[d] - 2 * before[d] + dilation[d] * (kernel[d] - 1) + 1)) for d in range(rank)]
    if transposed:
        f: Any = (conv_transpose1d, conv_transpose2d, conv_transpose3d)[rank - 1]
        return lambda x, w: f(x, w, None, stride, before, rest, groups, dilation)
    f = (conv1d, conv2d, conv3d)[rank - 1]
    # "same" with an even kernel has one element more behind: the shape tells how far the windows reach.
    after = [max(0, int((small[d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - large[d] - 2 * before[d])) for d in range(rank)]
    more = [n for d in range(rank - 1, -1, -1) for n in (0, after[d])]
    return lambda x, w: f(pad(x, more) if any(after) else x, w, None, stride, before, dilation, groups)


class _Products(Function):
    """gx and gw of a convolution by its kernels.  Both are products of gy with the other operand, so their own backward is convolutions."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor | None, w: Tensor | None, op: Op, again: Callable) -> tuple:
        ctx.again, ctx.wanted = again, (op.wants(0), op.wants(1))
        ctx.save_for_backward(gy, x, w)
        made = node_backward(op.node, gy, [k for k in range(2) if ctx.wanted[k]])
        return tuple(made[k] for k in range(2) if ctx.wanted[k])

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> tuple:  # type: ignore[override]
        gy, x, w = ctx.saved_tensors
        order, recording = iter(given), is_grad_enabled()
        ggx, ggw = (next(order) if wanted else None for wanted in ctx.wanted)
        parts: list[Tensor] = []
        made: list[Tensor | None] = [None, None]
        for k, (along, other) in enumerate(((ggw, x), (ggx, w))):
            if along is None or other is None:
                continue
            with enable_grad():                          # the product with `other`, and its gradient: with history where that is asked for
                leaf = other.expand(other.shape) if recording and other.requires_grad else other.detach().requires_grad_()
                y = ctx.again(leaf, along) if k == 0 else ctx.again(along, leaf)
            parts.append(y if recording else y.detach())
            if ctx.needs_input_grad[1 + k]:
                made[k], = grad(y, leaf, gy, create_graph=recording)
        ggy = None if not parts else parts[0] if len(parts) == 1 else parts[0] + parts[1]
        return ggy, made[0], made[1], None, None


def convolution(op: Op, gy: Tensor) -> list[Tensor | None]:
    made = iter(_Products.apply(gy, op.input(0), op.input(1), op, _again(op)) if op.wants(0) or op.wants(1) else ())
    gx, gw = (next(made) if op.wants(k) else None for k in range(2))
    channel = gy.ndim - op.integers[1] - 1
    return [gx, gw, gy.sum([d for d in range(gy.ndim) if d != channel]) if op.wants(2) else None]


RECIPES["ConvolutionBackward0"] = convolution


@linear("MaxPool1DBackward0", "MaxPool2DBackward0", "MaxPool3DBackward0")
def max_pool(op: Op) -> Callable:
    rank = int(op.name[7])
    places = max_pool_places(op.node)
    flat = places.reshape(list(places.shape[:-rank]) + [-1] if places.numel() else list(places.shape[:-rank]) + [0])
    shape = op.shape
    return lambda x: x.flatten(-rank).gather(-1, flat).reshape(shape) if flat.numel() else x.reshape(-1)[:0].reshape(shape)


@linear("AvgPool1DBackward0", "AvgPool2DBackward0", "AvgPool3DBackward0")
def avg_pool(op: Op) -> Callable:
    how = node_block(op.node, POOL_BYTES)
    return lambda x: avg_pool_again(x, how)


@linear("UpsampleBackward0")
def interpolate(op: Op) -> Callable:
    return lambda x: interpolate_again(x, op.node)
