"""Adam and AdamW: gradients scaled by their running mean square."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import adam_update
from fastnet.optim.optimizer import Optimizer, check_betas, check_least, check_lr

_PLAIN = ("step", "exp_avg", "exp_avg_sq")
_AMSGRAD = (*_PLAIN, "max_exp_avg_sq")


class Adam(Optimizer):
    """p -= lr m' / (sqrt(v') + eps), m' and v' the unbiased running means of the gradient and of its square.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: learning rate.
        betas: decay of the two means.
        eps: keeps the denominator from 0.
        weight_decay: adds weight_decay p to the gradient.
        amsgrad: use the largest v so far.
        foreach, fused, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
        decoupled_weight_decay: as `AdamW`: weight decay shrinks the parameter instead.

    >>> import fastnet as fn
    >>> w = fn.nn.Parameter(fn.tensor([1.0]))
    >>> w.grad = fn.tensor([2.0])
    >>> fn.optim.Adam([w], lr=0.5).step()
    >>> round(w.item(), 4)
    0.5
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                                  "maximize": maximize,
                                  "foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused,
                                  "decoupled_weight_decay": decoupled_weight_decay})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        check_least("epsilon value", group["eps"])
        check_betas(group["betas"])
        check_least("weight_decay value", group["weight_decay"])

    def _update(self, group: dict[str, Any]) -> None:
        amsgrad = group["amsgrad"]
        plan = self._lists(group, _AMSGRAD if amsgrad else _PLAIN)
        beta1, beta2 = group["betas"]
        lists = plan.lists
        adam_update(plan.params, lists[1], lists[2], lists[3] if amsgrad else [], lists[0], lr=group["lr"], beta1=beta1, beta2=beta2,
                    eps=group["eps"], weight_decay=group["weight_decay"], amsgrad=amsgrad, maximize=group["maximize"],
                    decoupled=group["decoupled_weight_decay"])


class AdamW(Adam):
    """Adam with decoupled weight decay: p shrinks by lr weight_decay p instead of the gradient growing.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr, betas, eps, amsgrad, maximize, foreach, fused, capturable, differentiable: as in `Adam`.
        weight_decay: fraction (times lr) of the parameter that is taken away at each step.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
                         differentiable=differentiable, fused=fused, decoupled_weight_decay=True)
