"""Adagrad: gradients scaled by the sum of their squares."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import adagrad_update
from fastnet.optim.optimizer import Optimizer, check_least, check_lr
from fastnet.optim.rows import Rows

_NAMES = ("step", "sum")


class Adagrad(Optimizer):
    """p -= lr / (1 + (step - 1) lr_decay) g / (sqrt(s) + eps), s the sum of the squared gradients.

    Of a parameter with a sparse gradient only the rows that it names are visited; weight_decay must be 0 then.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        lr_decay: how fast it falls with the steps.
        weight_decay: adds weight_decay p to the gradient.
        initial_accumulator_value: what s starts with.
        eps: keeps the denominator from 0.
        foreach, fused: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
                                  "differentiable": differentiable, "fused": fused})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("lr_decay value", group["lr_decay"])
        check_least("weight_decay value", group["weight_decay"])
        check_least("initial_accumulator_value value", group["initial_accumulator_value"])
        check_least("epsilon value", group["eps"])

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        new = super()._new_state(name, param, group)
        return new.fill_(group["initial_accumulator_value"]) if name == "sum" else new

    def _check_rows(self, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            raise RuntimeError("Adagrad: weight_decay is not supported with sparse gradients, since it changes all rows; it must be 0")

    def _update_rows(self, group: dict[str, Any], param: Tensor, grad: Any) -> None:
        state = self._state_of(param, group, _NAMES)
        with Rows(param, grad, state["sum"]) as rows:
            adagrad_update([rows.param], rows.states, [state["step"]], lr=group["lr"], lr_decay=group["lr_decay"], eps=group["eps"],
                           maximize=group["maximize"])

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, sums = plan.lists
        adagrad_update(plan.params, sums, steps, lr=group["lr"], lr_decay=group["lr_decay"], eps=group["eps"],
                       weight_decay=group["weight_decay"], maximize=group["maximize"])
