"""LBFGS: limited-memory BFGS, with or without a line search."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.optim.line_search import strong_wolfe
from fastnet.optim.optimizer import Optimizer, check_lr


class LBFGS(Optimizer):
    """Quasi-Newton method that keeps the last steps and gradient changes; one `step` makes up to `max_iter` iterations.

    Args:
        params: tensors, named tensors, or one dict; a single group.
        lr: length of the step (the first guess of the line search).
        max_iter: iterations of one `step`.
        max_eval: evaluations of the closure of one `step`; max_iter 5/4 by default.
        tolerance_grad: stop when no gradient is larger.
        tolerance_change: stop when no parameter, or the loss, changes more.
        history_size: steps that are kept.
        line_search_fn: None or "strong_wolfe".

    >>> import fastnet as fn
    >>> w = fn.nn.Parameter(fn.tensor([3.0]))
    >>> optimizer = fn.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> round(w.item(), 3)
    1.0
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad,
                                  "tolerance_change": tolerance_change, "history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_lr(group["lr"])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}")

    def _gradient(self) -> Tensor:
        params = self.param_groups[0]["params"]
        grads = [p.grad.to_dense() if p.grad is not None and p.grad.is_sparse else p.grad for p in params]
        return fn.cat([(fn.zeros_like(p.detach()) if g is None else g.detach()).reshape(-1) for p, g in zip(params, grads)])

    def _move(self, start: list[Tensor], t: float, direction: Tensor) -> None:
        """Put the parameters at start + t direction."""
        at = 0
        with fn.no_grad():
            for param, value in zip(self.param_groups[0]["params"], start):
                piece = direction[at:at + param.numel()].reshape(param.shape)
                param.copy_(value + piece * t)
                at += param.numel()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimise the loss that `closure` computes (with its gradients); returns the loss before the first iteration."""
        if closure is None:
            raise ValueError("LBFGS.step needs a closure that computes the loss and its gradients anew")
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[float, Tensor]:
            state["func_evals"] += 1
            with fn.enable_grad():
                loss = float(closure())
            return loss, self._gradient()

        with fn.enable_grad():
            first = closure()
        state["func_evals"] += 1
        with fn.no_grad():
            self._iterate(group, state, float(first), self._gradient(), evaluate)
        return first

    def _iterate(self, group: dict[str, Any], state: dict[str, Any], loss: float, g: Tensor, evaluate: Callable) -> None:
        begun, evals_before = state["n_iter"], state["func_evals"] - 1
        while float(g.abs().max()) > group["tolerance_grad"] and state["n_iter"] - begun < group["max_iter"]:
            state["n_iter"] += 1
            d = self._direction(group, state, g)
            state["prev_flat_grad"], state["prev_loss"] = g.clone(), loss
            slope = float((g * d).sum())
            t = float(group["lr"]) * (min(1.0, 1.0 / float(g.abs().sum())) if state["n_iter"] == 1 else 1.0)
            state["d"], state["t"] = d, t
            if slope > -group["tolerance_change"]:
                break
            start = [param.detach().clone() for param in group["params"]]
            before = loss
            if group["line_search_fn"] is not None:
                def along(step: float) -> tuple[float, Tensor, float]:
                    self._move(start, step, d)
                    value, gradient = evaluate()
                    return value, gradient, float((gradient * d).sum())
                t, loss, g = strong_wolfe(along, t, loss, g, slope, float(d.abs().max()), group["tolerance_change"])
                self._move(start, t, d)
                state["t"] = t
            else:
                self._move(start, t, d)
                if state["n_iter"] - begun < group["max_iter"]:
                    loss, g = evaluate()
            if state["func_evals"] - evals_before >= group["max_eval"]:
                break
            if float((d * t).abs().max()) <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]:
                break

    def _direction(self, group: dict[str, Any], state: dict[str, Any], g: Tensor) -> Tensor:
        """-H g, H the inverse Hessian as the kept steps s and gradient changes y tell it: the two-loop recursion."""
        if "prev_flat_grad" not in state:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
        ys = float((y * s).sum())
        changes, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        if ys > 1e-10:
            if len(changes) == group["history_size"]:
                for row in (changes, steps, ro):
                    row.pop(0)
            changes.append(y)
            steps.append(s)
            ro.append(1.0 / ys)
            state["H_diag"] = ys / float((y * y).sum())
        q, alphas = -g, []
        for y, s, r in zip(reversed(changes), reversed(steps), reversed(ro)):
            alphas.append(float((s * q).sum()) * r)
            q = q - y * alphas[-1]
        q = q * state["H_diag"]
        for y, s, r, alpha in zip(changes, steps, ro, reversed(alphas)):
            q = q + s * (alpha - float((y * q).sum()) * r)
        return q
