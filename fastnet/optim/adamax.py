"""Adamax: Adam with the infinity norm."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import adamax_update
from fastnet.optim.optimizer import Optimizer, check_betas, check_least, check_lr

_NAMES = ("step", "exp_avg", "exp_inf")


class Adamax(Optimizer):
    """Adam with the infinity norm: p -= lr m' / u, u = max(beta2 u, |g| + eps).

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        betas: decay of the mean and of the norm.
        eps: keeps the denominator from 0.
        weight_decay: adds weight_decay p to the gradient.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("epsilon value", group["eps"])
        check_betas(group["betas"])
        check_least("weight_decay value", group["weight_decay"])

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, exp_avgs, exp_infs = plan.lists
        beta1, beta2 = group["betas"]
        adamax_update(plan.params, exp_avgs, exp_infs, steps, lr=group["lr"], beta1=beta1, beta2=beta2, eps=group["eps"],
                      weight_decay=group["weight_decay"], maximize=group["maximize"])
