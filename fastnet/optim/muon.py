"""Muon: momentum whose matrices are made orthogonal (Jordan et al., 2024)."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.optim.optimizer import Optimizer, check_least, check_lr

_NAMES = ("momentum_buffer",)
_RATES = {None: "original", "original": "original", "match_rms_adamw": "match_rms_adamw"}


def orthogonal(g: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """The nearest matrix with singular values about 1, by steps of X <- a X + (b X Xᵀ + c (X Xᵀ)²) X, Newton's and Schulz's.

    Args:
        g: (m, n).
        coefficients: a, b, c.
        steps: how many.
        eps: the smallest norm that is divided by.
    """
    x = g.T if g.shape[0] > g.shape[1] else g
    x = newton_schulz(x / x.norm().clamp(min=eps), coefficients, steps)
    return x.T if g.shape[0] > g.shape[1] else x


def newton_schulz(x: Tensor, coefficients: tuple[float, float, float], steps: int) -> Tensor:
    """The iteration of `orthogonal` on matrices (..., m, n) with m <= n whose norms are at most 1.

    Where n is large, its factors a + b X Xᵀ + c (X Xᵀ)² are found from X Xᵀ alone, and their product is multiplied with X once.
    """
    a, b, c = coefficients
    if x.shape[-1] > 2 * x.shape[-2] and steps > 1:
        square, product = x @ x.mT, None
        one = fn.eye(x.shape[-2], dtype=x.dtype)
        for step in range(steps):
            factor = a * one + b * square + c * (square @ square)
            product = factor if product is None else factor @ product
            if step < steps - 1:
                square = factor @ square @ factor
        return product @ x  # type: ignore[operator]
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * (square @ square)) @ x
    return x


class Muon(Optimizer):
    """For the weight matrices of hidden layers: m = momentum m + (1 - momentum) g, and a step along the orthogonal matrix nearest to m.

    Embeddings, the last layer, biases and norms belong to another optimizer, AdamW for instance.

    Args:
        params: tensors of 2 axes, named tensors, or dicts of groups.
        lr: learning rate.
        weight_decay: fraction (times lr) of the parameter that is taken away at each step.
        momentum: decay of the running mean of gradients.
        nesterov: look ahead: the mean of m and the gradient.
        ns_coefficients: a, b, c of the iteration.
        eps: the smallest norm of a gradient that is divided by.
        ns_steps: steps of the iteration.
        adjust_lr_fn: how the rate depends on the shape (m, n): None or "original", times sqrt(max(1, m / n)); "match_rms_adamw",
            times 0.2 sqrt(max(m, n)), which gives updates the size of AdamW's.

    Raises:
        ValueError: a parameter without 2 axes, or a bad option.

    >>> import fastnet as fn
    >>> w = fn.nn.Parameter(fn.zeros(3, 2))
    >>> optimizer = fn.optim.Muon([w], lr=0.1)
    >>> (w * fn.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])).sum().backward()
    >>> optimizer.step()
    >>> bool(w[0, 0] < -0.08) and bool(w[1, 1] < -0.08)         # one step for each direction, whatever the gradient's size
    True
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7,
                 ns_steps: int = 5, adjust_lr_fn: str | None = None) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                                  "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn})

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        for name in ("weight_decay", "momentum", "eps"):
            check_least(f"{name} value", group[name])
        if group["adjust_lr_fn"] not in _RATES:
            raise ValueError(f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', got {group['adjust_lr_fn']!r}")
        if len(group["ns_coefficients"]) != 3 or not 0 < group["ns_steps"] < 100:
            raise ValueError(f"Muon: three ns_coefficients and from 1 to 99 ns_steps, got "
                             f"{group['ns_coefficients']} and {group['ns_steps']}")
        for param in group["params"]:
            if param.ndim != 2:
                raise ValueError(f"Muon: only parameters of 2 axes, got {tuple(param.shape)}; give others to another optimizer")

    def _update(self, group: dict[str, Any]) -> None:
        plan, lr, keep = self._lists(group, _NAMES), float(group["lr"]), group["momentum"]
        with fn.no_grad():
            for param, mean in zip(plan.params, plan.lists[0]):
                grad = param.grad
                if grad is None or not param.numel():
                    continue
                mean.lerp_(grad, 1 - keep)
                m, n = param.shape
                step = orthogonal(grad.lerp(mean, keep) if group["nesterov"] else mean, group["ns_coefficients"], group["ns_steps"],
                                  group["eps"])
                by_shape = 0.2 * max(m, n) ** 0.5 if group["adjust_lr_fn"] == "match_rms_adamw" else max(1, m / n) ** 0.5
                param.mul_(1 - lr * group["weight_decay"])
                param.add_(step, alpha=-lr * by_shape)
