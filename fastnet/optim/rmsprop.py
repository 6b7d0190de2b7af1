"""RMSprop: gradients scaled by their running mean square."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import rmsprop_update
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_NAMES = {(centered, momentum): ("step", "square_avg", *["grad_avg"] * centered, *["momentum_buffer"] * momentum)
          for centered in (False, True) for momentum in (False, True)}


class RMSprop(Optimizer):
    """p -= lr g / (sqrt(v) + eps), v the running mean of the squared gradient.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        alpha: decay of the mean.
        eps: keeps the denominator from 0.
        weight_decay: adds weight_decay p to the gradient.
        momentum: factor of the last step's direction.
        centered: v is the variance: the squared mean gradient is taken from it.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
                 momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
                                  "differentiable": differentiable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("epsilon value", group["eps"])
        check_least("momentum value", group["momentum"])
        check_least("weight_decay value", group["weight_decay"])
        check_least("alpha value", group["alpha"])

    def _update(self, group: dict[str, Any]) -> None:
        centered, momentum = bool(group["centered"]), group["momentum"]
        plan = self._lists(group, _NAMES[centered, momentum != 0])
        steps, square_avgs, *rest = plan.lists
        rmsprop_update(plan.params, square_avgs, rest[0] if centered else [], rest[-1] if momentum else [], steps, lr=group["lr"],
                       alpha=group["alpha"], eps=group["eps"], weight_decay=group["weight_decay"], momentum=momentum, centered=centered,
                       maximize=group["maximize"])
