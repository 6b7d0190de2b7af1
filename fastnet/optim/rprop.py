"""Rprop: step sizes that follow the sign of the gradient."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.optim import rprop_update
from fastnet.optim.optimizer import Optimizer, check_lr

_NAMES = ("step", "prev", "step_size")


class Rprop(Optimizer):
    """Step sizes of each element grow while the sign of its gradient stays and shrink when it turns; the gradient gives the sign alone.

    Args:
        params: tensors, named tensors, or dicts of groups.
        lr: first step size.
        etas: factors of shrinking and of growing.
        step_sizes: limits.
        foreach, capturable: accepted for PyTorch's sake; there is one, fused implementation.
        maximize: go up the gradient.
        differentiable: must be False.
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False,
                 differentiable: bool = False) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
                                  "differentiable": differentiable, "capturable": capturable})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        if not 0.0 < group["etas"][0] < 1.0 < group["etas"][1]:
            raise ValueError(f"Invalid eta values: {group['etas'][0]}, {group['etas'][1]}")

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        new = super()._new_state(name, param, group)
        return new.fill_(float(group["lr"])) if name == "step_size" else new

    def _update(self, group: dict[str, Any]) -> None:
        plan = self._lists(group, _NAMES)
        steps, prevs, step_sizes = plan.lists
        (shrink, grow), (low, high) = group["etas"], group["step_sizes"]
        rprop_update(plan.params, prevs, step_sizes, steps, etaminus=shrink, etaplus=grow, step_size_min=low, step_size_max=high,
                     maximize=group["maximize"])
