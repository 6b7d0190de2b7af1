"""Negative log likelihoods of counts and of normal variables, composed of differentiable ops."""
from __future__ import annotations

import math

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn.functional.reduction import legacy_reduction, reduced


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
