"""NAdam: Adam with Nesterov momentum."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.optim import nadam_update
from fastnet.optim.optimizer import Optimizer, check_betas, check_least, check_lr

_NAMES = ("step", "mu_product", "exp_avg", "exp_avg_sq")


class NAdam(Optimizer):
    """Adam with Nesterov momentum.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        betas: decay of the two means.
        eps: keeps the denominator from 0.
        weight_decay: adds weight_decay p to the gradient.
        momentum_decay: how the momentum grows with the steps: beta1 (1 - 0.96^(step momentum_decay) / 2).
        decoupled_weight_decay: weight decay shrinks the parameter instead, as in `AdamW`.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
                 foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
                                  "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
                                  "capturable": capturable, "differentiable": differentiable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("epsilon value", group["eps"])
        check_betas(group["betas"])
        check_least("weight_decay value", group["weight_decay"])
        check_least("momentum_decay value", group["momentum_decay"])

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        return fn.ones((), dtype=fn.float32) if name == "mu_product" else super()._new_state(name, param, group)

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, mu_products, exp_avgs, exp_avg_sqs = plan.lists
        beta1, beta2 = group["betas"]
        nadam_update(plan.params, exp_avgs, exp_avg_sqs, mu_products, steps, lr=group["lr"], beta1=beta1, beta2=beta2, eps=group["eps"],
                     weight_decay=group["weight_decay"], momentum_decay=group["momentum_decay"], maximize=group["maximize"],
                     decoupled=group["decoupled_weight_decay"])
