"""ASGD: gradient descent that averages the parameters."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.optim import asgd_update
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_NAMES = ("step", "eta", "mu", "ax")


class ASGD(Optimizer):
    """Gradient descent with a falling rate that also keeps the average of the parameters (`ax` in the state).

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: first learning rate.
        lambd: decay; the rate is lr / (1 + lambd lr step)^alpha, and p shrinks by lambd times the rate.
        alpha: power of that.
        t0: step from which on the average is taken.
        weight_decay: adds weight_decay p to the gradient.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
                 weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("weight_decay value", group["weight_decay"])

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        first = {"eta": float(group["lr"]), "mu": 1.0}
        return fn.tensor(first[name], dtype=fn.float32) if name in first else super()._new_state(name, param, group)

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, etas, mus, axs = plan.lists
        asgd_update(plan.params, axs, etas, mus, steps, lr=group["lr"], lambd=group["lambd"], alpha=group["alpha"], t0=group["t0"],
                    weight_decay=group["weight_decay"], maximize=group["maximize"])
