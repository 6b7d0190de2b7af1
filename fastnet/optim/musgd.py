"""MuSGD: for every weight a step of Muon and a step of SGD, as YOLO26 is trained."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.optim import sgd_update
from fastnet.optim.muon import newton_schulz
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_NAMES = ("mean", "momentum_buffer")


class MuSGD(Optimizer):
    """A step of Muon, times `muon`, then one of SGD with Nesterov momentum, times `sgd`; vectors get the second, undivided.

    Kernels of convolutions are matrices (out_channels, the rest). Muon: m = momentum m + (1 - momentum) g, u = momentum m +
    (1 - momentum) g, p -= lr muon O(u), O(u) the nearest orthogonal matrix, times sqrt(max(1, p.shape[-2] / p.shape[-1])).
    SGD: d = g + weight_decay p, b = momentum b + d, p -= lr sgd (d + momentum b).

    Args:
        params: tensors, named tensors, or dicts of groups, such as `MuSGD.groups` makes them.
        lr: learning rate.
        momentum: of both steps.
        weight_decay: adds weight_decay p to the gradient in the second step.
        muon, sgd: factors of the two steps of weights of two or more axes.
        lr_scale: factor on the learning rate of a group, which schedules leave alone.
        ns_coefficients, eps, ns_steps: of Newton's and Schulz's iteration, as for `Muon`.

    >>> import fastnet as fn
    >>> w, b = fn.nn.Parameter(fn.zeros(2, 2)), fn.nn.Parameter(fn.zeros(2))
    >>> optimizer = fn.optim.MuSGD([w, b], lr=0.1, momentum=0.0, sgd=0.0, muon=1.0)
    >>> ((w * fn.tensor([[1.0, 0.0], [0.0, 9.0]])).sum() + 2 * b.sum()).backward()
    >>> optimizer.step()
    >>> bool(w[0, 0] < -0.06) and bool(w[1, 1] < -0.06), [round(v, 2) for v in b.tolist()]
    (True, [-0.2, -0.2])
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 0.01, momentum: float = 0.9, weight_decay: float = 0.0, *,
                 muon: float = 0.2, sgd: float = 1.0, lr_scale: float = 1.0,
                 ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7, ns_steps: int = 5) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "muon": muon, "sgd": sgd,
                                  "lr_scale": lr_scale, "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps})

    @staticmethod
    def groups(model: Any, weight_decay: float = 0.0, scales: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
        """Groups of a model's parameters: weights with decay, vectors (biases and norms) without, each for every learning rate.

        Args:
            model: a Module.
            weight_decay: of weights of two or more axes.
            scales: beginning of names -> `lr_scale`; None: the model's `lr_scales`, if it has some.

        >>> import fastnet as fn
        >>> net = fn.nn.Sequential(fn.nn.Linear(2, 3), fn.nn.Linear(3, 1))
        >>> [(len(g["params"]), g["weight_decay"], g["lr_scale"]) for g in fn.optim.MuSGD.groups(net, 0.1, {"1.": 3.0})]
        [(1, 0.1, 1.0), (1, 0.0, 1.0), (1, 0.1, 3.0), (1, 0.0, 3.0)]
        """
        scales = getattr(model, "lr_scales", {}) if scales is None else scales
        found: dict[tuple[float, bool], list[Any]] = {}
        for name, param in model.named_parameters():
            scale = next((value for start, value in scales.items() if name.startswith(start)), 1.0)
            found.setdefault((scale, param.ndim < 2), []).append(param)
        return [{"params": params, "weight_decay": 0.0 if vector else weight_decay, "lr_scale": scale}
                for (scale, vector), params in sorted(found.items(), key=lambda item: item[0])]

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        for name in ("momentum", "weight_decay", "muon", "sgd", "lr_scale", "eps"):
            check_least(f"{name} value", group[name])
        if len(group["ns_coefficients"]) != 3 or not 0 < group["ns_steps"] < 100:
            raise ValueError(f"MuSGD: three ns_coefficients and from 1 to 99 ns_steps, got "
                             f"{group['ns_coefficients']} and {group['ns_steps']}")

    def _new_state(self, name: str, param: Tensor, group: dict[str, Any]) -> Any:
        """Vectors have no mean, which only Muon's step needs."""
        return None if name == "mean" and param.ndim < 2 else super()._new_state(name, param, group)

    def _update(self, group: dict[str, Any]) -> None:
        plan, lr = self._lists(group, _NAMES), float(group["lr"]) * group["lr_scale"]
        weights = [(p, mean, buffer) for p, mean, buffer in zip(plan.params, *plan.lists) if p.ndim > 1]
        vectors = [(p, buffer) for p, buffer in zip(plan.params, plan.lists[1]) if p.ndim < 2]
        with fn.no_grad():
            self._orthogonal_step(group, [(p, mean) for p, mean, _ in weights], lr * group["muon"])
        options = {"momentum": group["momentum"], "weight_decay": group["weight_decay"], "nesterov": True}
        sgd_update([p for p, *_ in weights], [buffer for *_, buffer in weights], lr=lr * group["sgd"], **options)
        sgd_update([p for p, _ in vectors], [buffer for _, buffer in vectors], lr=lr, **options)

    def _orthogonal_step(self, group: dict[str, Any], weights: list[tuple[Any, Any]], lr: float) -> None:
        """Muon's step; matrices of one shape go through the iteration together."""
        keep, shapes = group["momentum"], {}  # type: ignore[var-annotated]
        for param, mean in weights:
            mean.lerp_(param.grad, 1 - keep)
            if lr and param.numel():
                step = param.grad.lerp(mean, keep).reshape(param.shape[0], -1)
                wide = step.shape[0] <= step.shape[1]
                step = step if wide else step.T
                shapes.setdefault(tuple(step.shape), []).append((param, wide, step))
        for found in shapes.values():
            x = fn.stack([step for *_, step in found])
            x = x / ((x * x).sum((1, 2), keepdim=True).sqrt() + group["eps"])
            x = newton_schulz(x, group["ns_coefficients"], group["ns_steps"])
            for (param, wide, _), step in zip(found, x.unbind(0)):
                rows, columns = param.shape[-2:]
                step = (step if wide else step.T).reshape(param.shape)
                param.add_(step, alpha=-lr * max(1, rows / columns) ** 0.5)
