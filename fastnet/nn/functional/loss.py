"""Losses between a prediction and its target, composed of differentiable ops."""
from __future__ import annotations

import math

import fastnet as fn
from fastnet import Tensor
from fastnet.autograd import Function
from fastnet.nn.functional.activation import logsigmoid
from fastnet.nn.functional.reduction import check_same_shape, legacy_reduction, reduced, warn_broadcast


def _weighted(op: str, loss: Tensor, weight: Tensor | None, reduction: str, input: Tensor, by_weight: bool = True) -> Tensor:
    """Reduce `loss` times `weight`; the mean is by the sum of the weights, or by the number of elements."""
    if weight is None:
        return reduced(loss, reduction)
    check_same_shape(op, input, weight)
    loss = loss * weight
    return loss.sum() / weight.sum() if by_weight and reduction == "mean" else reduced(loss, reduction)


def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
             weight: Tensor | None = None) -> Tensor:
    """(input - target)^2.

    Args:
        input, target: tensors of one shape (others are broadcast, with a warning).
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
        weight: factor of each element, of the input's shape; the mean is then by the sum of the weights.

    >>> import fastnet as fn
    >>> fn.nn.functional.mse_loss(fn.tensor([1.0, 2.0]), fn.tensor([1.0, 4.0])).item()
    2.0
    """
    reduction = legacy_reduction("mse_loss", size_average, reduce, reduction)
    warn_broadcast("mse_loss", input, target)
    return _weighted("mse_loss", (input - target).square(), weight, reduction, input)


def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
            weight: Tensor | None = None) -> Tensor:
    """|input - target|; arguments as in `mse_loss`.

    >>> import fastnet as fn
    >>> fn.nn.functional.l1_loss(fn.tensor([1.0, 2.0]), fn.tensor([1.0, 4.0]), reduction="sum").item()
    2.0
    """
    reduction = legacy_reduction("l1_loss", size_average, reduce, reduction)
    warn_broadcast("l1_loss", input, target)
    return _weighted("l1_loss", (input - target).abs(), weight, reduction, input)


def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
                   beta: float = 1.0) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| < beta, d - beta/2 otherwise.

    Args:
        input, target: tensors of one shape (others are broadcast, with a warning).
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
        beta: where the square becomes linear; 0: `l1_loss`.
    """
    reduction = legacy_reduction("smooth_l1_loss", size_average, reduce, reduction)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    warn_broadcast("smooth_l1_loss", input, target)
    d = (input - target).abs()
    return reduced(d if beta == 0 else fn.where(d < beta, d.square() * (0.5 / beta), d - 0.5 * beta), reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None) -> Tensor:
    """d^2 / 2 where d = |input - target| <= delta, delta (d - delta/2) otherwise.

    Args:
        input, target: tensors of one shape (others are broadcast, with a warning).
        reduction: "mean", "sum" or "none".
        delta: where the square becomes linear; positive.
        weight: factor of each element, of the input's shape.
    """
    reduction = legacy_reduction("huber_loss", None, None, reduction)
    if delta <= 0:
        raise RuntimeError(f"huber_loss: delta must be positive, got {delta}")
    warn_broadcast("huber_loss", input, target)
    d = (input - target).abs()
    return _weighted("huber_loss", fn.where(d <= delta, d.square() * 0.5, (d - 0.5 * delta) * delta), weight, reduction, input, False)


class _BinaryCrossEntropy(Function):
    """-(y max(log x, -100) + (1 - y) max(log(1 - x), -100)), with PyTorch's gradient (x - y) / max(x (1 - x), 1e-12) at all x."""

    @staticmethod
    def forward(ctx, x: Tensor, y: Tensor) -> Tensor:
        log_x, log_1x = x.log().clamp(min=-100), (1 - x).log().clamp(min=-100)
        ctx.save_for_backward(x, y)
        return (y - 1) * log_1x - y * log_x

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y = ctx.saved_tensors
        gx = g * (x - y) / (x * (1 - x)).clamp(min=1e-12)
        gy = g * ((1 - x).log().clamp(min=-100) - x.log().clamp(min=-100)) if ctx.needs_input_grad[1] else None
        return gx, gy


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """-(y log x + (1 - y) log(1 - x)), each log not below -100, for probabilities x.

    Args:
        input: probabilities.
        target: of the same shape, in [0, 1].
        weight: factor of each element; broadcast.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".

    Raises: ValueError for different shapes; RuntimeError for an input outside [0, 1].
    """
    reduction = legacy_reduction("binary_cross_entropy", size_average, reduce, reduction)
    check_same_shape("binary_cross_entropy", input, target)
    values = input.detach()
    if bool(((values < 0) | (values > 1)).any()):
        raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1")
    loss = _BinaryCrossEntropy.apply(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                                     reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> Tensor:
    """-(pos_weight y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))), without overflow.

    Args:
        input: logits.
        target: of the same shape, in [0, 1].
        weight: factor of each element; broadcast.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "sum" or "none".
        pos_weight: factor of the positive term; broadcast.

    >>> import fastnet as fn
    >>> round(fn.nn.functional.binary_cross_entropy_with_logits(fn.zeros(3), fn.ones(3)).item(), 4)
    0.6931
    """
    reduction = legacy_reduction("binary_cross_entropy_with_logits", size_average, reduce, reduction)
    check_same_shape("binary_cross_entropy_with_logits", input, target)
    log_p = logsigmoid(input)
    loss = (1 - target) * input - (log_p if pos_weight is None else (1 + (pos_weight - 1) * target) * log_p)
    return reduced(loss if weight is None else loss * weight, reduction)


def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
           log_target: bool = False) -> Tensor:
    """target (log target - input), 0 where the target is 0; exp(target) (target - input) if `log_target`.

    Args:
        input: log probabilities.
        target: probabilities, or log probabilities if `log_target`; broadcast.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        reduction: "mean", "batchmean" (the sum by the size of axis 0: the Kullback-Leibler divergence), "sum" or "none".
        log_target: what the target is.
    """
    reduction = legacy_reduction("kl_div", size_average, reduce, reduction, also="batchmean")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        positive = target > 0
        loss = target * fn.where(positive, target, fn.ones_like(target)).log() - target * input
    if reduction == "batchmean":
        return loss.sum() / input.shape[0] if input.ndim else loss.sum()
    return reduced(loss, reduction)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
                     eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """exp(x) - y x, or x - y log(x + eps) if not `log_input`.

    Args:
        input: log of the expected count, or the count.
        target: counts.
        log_input: which of them the input is.
        full: add Stirling's y log y - y + log(2 pi y) / 2 where y > 1.
        size_average, reduce: PyTorch's deprecated spelling of `reduction`.
        eps: keeps the log finite.
        reduction: "mean", "sum" or "none".
    """
    reduction = legacy_reduction("poisson_nll_loss", size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        y = fn.where(target > 1, target, fn.ones_like(target))
        loss = loss + fn.where(target > 1, y * y.log() - y + (2 * math.pi * y).log() * 0.5, fn.zeros_like(target))
    return reduced(loss, reduction)


def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Tensor:
    """(log v + (x - y)^2 / v) / 2 with v = max(var, eps).

    Args:
        input: expected values x.
        target: of the same shape.
        var: variances, of the input's shape, or with 1 in one axis, or without the last one; or a number.
        full: add log(2 pi) / 2.
        eps: least variance; the gradient of var passes as if it were not there.
        reduction: "mean", "sum" or "none".

    Raises: ValueError for a negative variance or a shape that does not fit.
    """
    reduction = legacy_reduction("gaussian_nll_loss", None, None, reduction)
    if not isinstance(var, Tensor):
        var = fn.full_like(input, float(var))
    if bool((var.detach() < 0).any()):
        raise ValueError("gaussian_nll_loss: var has negative entry/entries")
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or [n for m, n in zip(input.shape, var.shape) if m != n] != [1]:
            raise ValueError(f"gaussian_nll_loss: var {tuple(var.shape)} does not fit input {tuple(input.shape)}")
    var = var.clone()
    with fn.no_grad():
        var.clamp_(min=eps)
    loss = (var.log() + (input - target).square() / var) * 0.5
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def soft_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                     reduction: str = "mean") -> Tensor:
    """log(1 + exp(-y x)), y in {-1, 1}; arguments as in `mse_loss`."""
    reduction = legacy_reduction("soft_margin_loss", size_average, reduce, reduction)
    return reduced(-logsigmoid(target * input), reduction)


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
