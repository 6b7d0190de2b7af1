"""Adafactor: second moments as the product of a column and a row (Shazeer and Stern, 2018)."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_MATRIX, _VECTOR = ("step", "row_var", "col_var"), ("step", "variance")


class Adafactor(Optimizer):
    """Steps relative to the size of the parameter, along g / sqrt(v), where v of a matrix is kept as means over its rows and columns.

    In step t, with b = t^beta2_decay, R and C the running means of g² over columns and rows, weighted b for the newest:
    v = R C / mean(R), u = g / sqrt(v), p -= max(eps2, rms(p)) min(lr, 1/sqrt(t)) u / max(1, rms(u) / d). This is PyTorch's form of
    the paper's algorithm.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: the largest relative step, and the rate of weight_decay.
        beta2_decay: how fast the newest gradient loses weight; negative.
        eps: the least v, as its root (None: the dtype's), and the least size that a parameter counts for.
        d: the largest rms of u.
        weight_decay: fraction (times lr) of the parameter that is taken away at each step.
        foreach: accepted for PyTorch's sake.
        maximize: go up the gradient.

    >>> import fastnet as fn
    >>> w = fn.nn.Parameter(fn.ones(3, 2))
    >>> optimizer = fn.optim.Adafactor([w], lr=0.1)
    >>> (w * fn.tensor([5.0, -0.5])).sum().backward()
    >>> optimizer.step()
    >>> w[0]
    tensor([0.9000, 1.1000], grad_fn=<SelectBackward0>)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
                 eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 foreach: bool | None = None, maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
                                  "foreach": foreach, "maximize": maximize})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {group['beta2_decay']}")
        if group["eps"][0] is not None:
            check_least("epsilon1 value", group["eps"][0])
        check_least("epsilon2 value", group["eps"][1])
        check_least("clipping threshold d, which should be >= 1,", group["d"], 1.0)
        check_least("weight_decay value", group["weight_decay"])

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        shape = tuple(param.shape)
        if name in ("row_var", "col_var"):
            return fn.zeros(*((*shape[:-1], 1) if name == "row_var" else (*shape[:-2], 1, shape[-1])), dtype=param.dtype)
        return super()._new_state(name, param, group)

    def _update(self, group: dict[str, Any]) -> None:
        with fn.no_grad():
            for param in group["params"]:
                if isinstance(param.grad, Tensor):
                    self._step_of(param, group, self._state_of(param, group, _MATRIX if param.ndim > 1 else _VECTOR))

    def _step_of(self, param: Tensor, group: dict[str, Any], state: dict[str, Any]) -> None:
        least, smallest = group["eps"]
        least = fn.finfo(param.dtype).eps if least is None else least
        lr, grad = float(group["lr"]), param.grad
        assert grad is not None
        g = -grad if group["maximize"] else grad
        state["step"] += 1
        t = state["step"].item()
        new, n = t ** group["beta2_decay"], max(1, param.numel())
        alpha = max(smallest, param.norm().item() / n ** 0.5) * min(lr, t ** -0.5)
        if group["weight_decay"]:
            param.mul_(1 - lr * group["weight_decay"])
        square = g * g
        if param.ndim > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(square.mean(-1, keepdim=True), new)
            columns.lerp_(square.mean(-2, keepdim=True), new)
            v = rows @ columns / rows.mean(-2, keepdim=True).clamp(min=least)
        else:
            v = state["variance"].lerp_(square, new)
        u = g * v.clamp(min=least * least).rsqrt()
        param.add_(u, alpha=-alpha / max(1.0, u.norm().item() / (n ** 0.5 * group["d"])))
