"""Losses that push apart: margin, triplet, cosine and multi-label losses, composed of differentiable ops."""
from __future__ import annotations

from collections.abc import Callable

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn.functional.distance import pairwise_distance
from fastnet.nn.functional.reduction import check_same_shape, legacy_reduction, reduced
from fastnet.ops.activation import logsigmoid


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                        reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """max(0, -y (x1 - x2) + margin), y = 1 where x1 should be the larger, -1 where x2 should.

    Args:
        input1, input2, target: tensors of one number of axes.
        margin: by how much.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("margin_ranking_loss", size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(f"margin_ranking_loss: all inputs should have same dimension, got input1 {tuple(input1.shape)}, "
                           f"input2 {tuple(input2.shape)}, target {tuple(target.shape)}")
    return reduced((margin - target * (input1 - input2)).clamp(min=0), reduction)


def _rows(op: str, input: Tensor, target: Tensor, per_class: bool) -> tuple[Tensor, Tensor]:
    """input as (N, C) and target as (N,), or as (N, C)."""
    expected = input.shape if per_class else input.shape[:-1]
    if input.ndim not in (1, 2) or tuple(target.shape) != tuple(expected) or 0 in input.shape[1:]:
        raise ValueError(f"{op}: target {tuple(target.shape)} does not fit input {tuple(input.shape)}")
    if target.is_floating_point():
        raise TypeError(f"{op}: target must hold class indices of an integer dtype, got {target.dtype}")
    return (input, target) if input.ndim == 2 else (input.unsqueeze(0), target.unsqueeze(0))


def multi_margin_loss(input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
                      size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """sum over j != y of weight[y] max(0, margin - x[y] + x[j])^p / C.

    Args:
        input: (N, C) or (C,).
        target: (N,) or (), class indices.
        p: 1 or 2.
        margin: by how much the right class must lead.
        weight: (C,) weight of each class.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("multi_margin_loss", size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p}")
    x, y = _rows("multi_margin_loss", input, target, False)
    if weight is not None and tuple(weight.shape) != (x.shape[1],):
        raise ValueError(f"multi_margin_loss: weight {tuple(weight.shape)} must be ({x.shape[1]},)")
    y = y.unsqueeze(1)
    gap = (margin - x.gather(1, y) + x).clamp(min=0)
    gap = gap.square() if p == 2 else gap
    if weight is not None:
        gap = gap * weight[y]
    loss = fn.where(y == fn.arange(x.shape[1]), fn.zeros_like(gap), gap).sum(1) / x.shape[1]
    return reduced(loss if input.ndim == 2 else loss.squeeze(0), reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                           reduction: str = "mean") -> Tensor:
    """sum over true classes y and other classes j of max(0, 1 - x[y] + x[j]) / C.

    Args:
        input: (N, C) or (C,).
        target: of the same shape: the true classes first, then -1.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("multilabel_margin_loss", size_average, reduce, reduction)
    x, y = _rows("multilabel_margin_loss", input, target, True)
    listed = (y >= 0).to(fn.int64).cumprod(1) == 1  # up to the first -1
    index = fn.where(listed, y, fn.zeros_like(y))
    true = ((index.unsqueeze(2) == fn.arange(x.shape[1])) & listed.unsqueeze(2)).any(1)  # (N, C): the class is listed
    gap = (1 - x.gather(1, index).unsqueeze(2) + x.unsqueeze(1)).clamp(min=0)  # (N, listed, other)
    loss = fn.where(listed.unsqueeze(2) & ~true.unsqueeze(1), gap, fn.zeros_like(gap)).sum((1, 2)) / x.shape[1]
    return reduced(loss if input.ndim == 2 else loss.squeeze(0), reduction)


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                          reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """1 - cos(x1, x2) where y = 1, max(0, cos(x1, x2) - margin) where y = -1.

    Args:
        input1, input2: (N, D) or (D,).
        target: (N,) or ().
        margin: cosine from which unlike pairs cost.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("cosine_embedding_loss", size_average, reduce, reduction)
    if input1.ndim not in (1, 2) or input1.ndim != input2.ndim or target.ndim != input1.ndim - 1:
        raise RuntimeError(f"cosine_embedding_loss: expects inputs (N, D) and target (N,), or (D,) and (), got "
                           f"input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)}, target {tuple(target.shape)}")
    eps = 1e-12
    norms = ((input1.square().sum(-1) + eps) * (input2.square().sum(-1) + eps)).sqrt()
    cos = (input1 * input2).sum(-1) / norms
    zero = fn.zeros_like(cos)
    return reduced(fn.where(target == 1, 1 - cos, zero) + fn.where(target == -1, (cos - margin).clamp(min=0), zero), reduction)


def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
                        swap: bool = False, size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d the p-norm of the difference.

    Args:
        anchor, positive, negative: (N, D) or (D,).
        margin: by how much the negative must be farther; positive.
        p, eps: of `pairwise_distance`.
        swap: use d(positive, negative) where it is the smaller.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("triplet_margin_loss", size_average, reduce, reduction)
    return triplet_margin_with_distance_loss(anchor, positive, negative, margin=margin, swap=swap, reduction=reduction,
                                             distance_function=lambda a, b: pairwise_distance(a, b, p, eps))


def triplet_margin_with_distance_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *,
                                      distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
                                      swap: bool = False, reduction: str = "mean") -> Tensor:
    """`triplet_margin_loss` with a distance of one's own: (x1, x2) to distances; `pairwise_distance` if None."""
    reduction = legacy_reduction("triplet_margin_with_distance_loss", None, None, reduction)
    if margin <= 0:
        raise ValueError(f"triplet_margin_with_distance_loss: margin must be positive, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("triplet_margin_with_distance_loss: anchor, positive and negative must have one number of axes, got "
                           f"{tuple(anchor.shape)}, {tuple(positive.shape)}, {tuple(negative.shape)}")
    distance = pairwise_distance if distance_function is None else distance_function
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = fn.minimum(to_negative, distance(positive, negative))
    return reduced((margin + to_positive - to_negative).clamp(min=0), reduction)


def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                                reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """-(y log sigmoid(x) + (1 - y) log sigmoid(-x)), times `weight`, averaged over the last axis, the classes.

    Args:
        input, target: (N, C) or (C,).
        weight: factor of each class; broadcast.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("multilabel_soft_margin_loss", size_average, reduce, reduction)
    check_same_shape("multilabel_soft_margin_loss", input, target)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced((loss if weight is None else loss * weight).mean(-1), reduction)
