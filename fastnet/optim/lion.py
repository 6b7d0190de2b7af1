"""Lion: steps by the sign of the momentum."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import lion_update
from fastnet.optim.optimizer import Optimizer, check_betas, check_least, check_lr

_NAMES = ("exp_avg",)


class Lion(Optimizer):
    """p -= lr sign(beta1 m + (1 - beta1) g), m the running mean of the gradient with decay beta2; weight decay is decoupled.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate; a third to a tenth of AdamW's.
        betas: weight of the mean in the direction, and decay of the mean.
        weight_decay: fraction (times lr) of the parameter that is taken away at each step.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0,
                 *, foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize, "foreach": foreach,
                                  "capturable": capturable, "differentiable": differentiable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_betas(group["betas"])
        check_least("weight_decay value", group["weight_decay"])

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        beta1, beta2 = group["betas"]
        lion_update(plan.params, plan.lists[0], lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"],
                    maximize=group["maximize"])
