"""SGD: stochastic gradient descent."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.index_select import add_rows_
from fastnet.ops.optim import sgd_update
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_PLAIN, _MOMENTUM = (), ("momentum_buffer",)


class SGD(Optimizer):
    """Stochastic gradient descent: p -= lr g, or with momentum b = momentum b + (1 - dampening) g, p -= lr b.

    Of a parameter with a sparse gradient only the rows that it names are visited; momentum and weight_decay must be 0 then.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        momentum: factor of the last step's direction.
        dampening: how much of the gradient momentum leaves out.
        weight_decay: adds weight_decay p to the gradient.
        nesterov: p -= lr (g + momentum b).
        maximize: go up the gradient.
        foreach, fused: accepted for PyTorch's sake; there is one, fused implementation.
        differentiable: must be False.

    >>> import fastnet as fn
    >>> w = fn.nn.Parameter(fn.tensor([1.0]))
    >>> w.grad = fn.tensor([2.0])
    >>> fn.optim.SGD([w], lr=0.25).step()
    >>> w.tolist()
    [0.5]
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
                 nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov,
                                  "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("momentum value", group["momentum"])
        check_least("weight_decay value", group["weight_decay"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        return None  # the first step makes the buffer

    def _check_rows(self, group: dict[str, Any]) -> None:
        for name in ("momentum", "weight_decay"):
            if group[name]:
                raise RuntimeError(f"SGD: {name} is not supported with sparse gradients, since it changes all rows; it must be 0")

    def _update_rows(self, group: dict[str, Any], param: Tensor, grad: Any) -> None:
        add_rows_(param, grad._index, grad._values(), float(group["lr"] if group["maximize"] else -group["lr"]))

    def _update(self, group: dict[str, Any]) -> None:
        momentum = group["momentum"]
        plan = self._lists(group, _MOMENTUM if momentum else _PLAIN)
        buffers = plan.lists[0] if momentum else []
        fresh = [i for i, buffer in enumerate(buffers) if buffer is None]
        sgd_update(plan.params, buffers, lr=group["lr"], momentum=momentum, dampening=group["dampening"],
                   weight_decay=group["weight_decay"],
                   nesterov=group["nesterov"], maximize=group["maximize"])
        for i in fresh:
            self.state[plan.params[i]]["momentum_buffer"] = buffers[i]
