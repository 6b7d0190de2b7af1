"""Adadelta: gradients scaled so that steps need no rate."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import adadelta_update
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_NAMES = ("step", "square_avg", "acc_delta")


class Adadelta(Optimizer):
    """p -= lr d, d = sqrt(a + eps) / sqrt(v + eps) g, v and a the running means of g^2 and d^2.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: factor of d.
        rho: decay of the means.
        eps: keeps the roots from 0.
        weight_decay: adds weight_decay p to the gradient.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
                 foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                                  "capturable": capturable, "foreach": foreach, "differentiable": differentiable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Invalid rho value: {group['rho']}")
        check_least("epsilon value", group["eps"])
        check_least("weight_decay value", group["weight_decay"])

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, square_avgs, acc_deltas = plan.lists
        adadelta_update(plan.params, square_avgs, acc_deltas, steps, lr=group["lr"], rho=group["rho"], eps=group["eps"],
                        weight_decay=group["weight_decay"], maximize=group["maximize"])
