"""linear_cross_entropy: a linear layer and its cross-entropy by blocks of rows, so that the logits are never all in memory."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.autograd.function import Function, once_differentiable
from fastnet.ops.cross_entropy import cross_entropy
from fastnet.ops.linear import linear

__all__ = ["linear_cross_entropy"]

BLOCK = 1 << 23                                           # logits of a block: 32 MB of float32


class _ByBlocks(Function):
    """The gradients are made together with the loss, block by block; backward only scales them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, target: Tensor, options: dict[str, Any], rows: int,
                scale: float) -> Tensor:
        wanted = ctx.needs_input_grad[:3]
        total: Tensor | None = None
        gx = fn.empty_like(x) if wanted[0] else None
        gw: Tensor | None = None
        gb: Tensor | None = None
        for at in range(0, x.shape[0], rows):
            part = x[at:at + rows]
            z = linear(part, w, b)
            if any(wanted):
                z.requires_grad_()
                with fn.enable_grad():
                    loss = cross_entropy(z, target[at:at + rows], reduction="sum", **options) * scale
                loss.backward()
                gz: Any = z.grad
                if gx is not None:
                    gx[at:at + rows] = gz @ w
                if wanted[1]:
                    product = gz.t() @ part
                    gw = product if gw is None else gw.add_(product)
                if wanted[2]:
                    gb = gz.sum(0) if gb is None else gb.add_(gz.sum(0))
                loss = loss.detach()
            else:
                loss = cross_entropy(z, target[at:at + rows], reduction="sum", **options) * scale
            total = loss if total is None else total + loss
        ctx.gradients = gx, gw, gb
        assert total is not None
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gy: Tensor) -> tuple:  # type: ignore[override]
        return tuple(None if g is None else g * gy for g in ctx.gradients) + (None,) * 4


def _divisor(target: Tensor, weight: Tensor | None, ignore_index: int) -> float:
    """What the sum of the losses is divided by in the mean: the weights of the targets that count."""
    ids = target.numpy()
    ids = ids[ids != ignore_index]
    return float(len(ids) if weight is None else weight.detach().numpy()[ids].sum(dtype=np.float64))


def linear_cross_entropy(input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
                         weight: Tensor | None = None, reduction: str = "mean", ignore_index: int = -100, label_smoothing: float = 0.0,
                         block_rows: int | None = None) -> Tensor:
    """cross_entropy(linear(input, linear_weight, linear_bias), target), with the logits of a block of rows in memory at a time.

    Args:
        input: (N, in_features) or (in_features,).
        linear_weight: (C, in_features).
        target: classes, int64 (N,) or (), or probabilities (N, C) or (C,).
        linear_bias: (C,) or None.
        weight, reduction, ignore_index, label_smoothing: as of `cross_entropy`.
        block_rows: rows whose logits are in memory together; None: as many as make 8 million logits.

    Returns: a scalar; (N,) or () with reduction="none".

    With more than one block, loss and gradients are computed in one go, so there is no second derivative. Where the logits are few, for
    target probabilities, and for reduction="none" with gradients, the logits are made at once.

    Raises: RuntimeError, ValueError or IndexError where shapes, dtypes or classes do not fit.

    >>> import fastnet as fn
    >>> x, w, y = fn.ones(6, 3), fn.ones(50, 3), fn.arange(6)
    >>> fn.nn.functional.linear_cross_entropy(x, w, y, block_rows=4)
    tensor(3.9120)
    """
    if input.ndim not in (1, 2) or linear_weight.ndim != 2 or input.shape[-1] != linear_weight.shape[1]:
        raise RuntimeError(f"linear_cross_entropy: input {tuple(input.shape)} must be (N, in_features) or (in_features,), linear_weight "
                           f"{tuple(linear_weight.shape)} must be (C, in_features)")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"linear_cross_entropy: reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if block_rows is not None and block_rows < 1:
        raise ValueError(f"linear_cross_entropy: block_rows must be at least 1, got {block_rows}")
    n, classes = (input.shape[0] if input.ndim == 2 else 1), linear_weight.shape[0]
    if block_rows is None:
        blocks = max(1, -(-n * classes // BLOCK))
        block_rows = -(-(-(-n // blocks)) // 16) * 16     # about equal blocks, whole tiles of the product
    options: dict[str, Any] = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
    whole = reduction == "none" or input.ndim == 1 or target.is_floating_point() or (weight is not None and weight.requires_grad)
    if n <= block_rows or whole:
        return cross_entropy(linear(input, linear_weight, linear_bias), target, reduction=reduction, **options)
    if tuple(target.shape) != (n,):
        raise ValueError(f"linear_cross_entropy: target {tuple(target.shape)} must be {(n,)}, one class for each row of input")
    ids = target.numpy()
    wrong = (ids != ignore_index) & ((ids < 0) | (ids >= classes))
    if wrong.any():
        raise IndexError(f"linear_cross_entropy: target {int(ids[wrong][0])} is outside the {classes} classes")
    divisor = _divisor(target, weight, ignore_index) if reduction == "mean" else 1.0
    return _ByBlocks.apply(input, linear_weight, linear_bias, target, options, block_rows, 1 / divisor if divisor else float("nan"))
