"""gradcheck_model: the gradients of a whole model against differences, judged by the rules of CS231n."""
from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnet._core.dtypes import float64
from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor
from fastnet.ops.random import get_rng_state, set_rng_state

# Relative errors, CS231n (Neural networks 3, gradient checks).
WRONG, UNCOMFORTABLE, HAPPY = 1e-2, 1e-4, 1e-7
KINK = 1e-3                                               # one-sided differences that differ by more at the least step: a kink
SMALLER = (1.0, 0.1, 0.01)                                # steps that are tried where the first one disagrees


@dataclass
class ParameterCheck:
    """What was found for one parameter.

    Attributes:
        name, shape: of the parameter.
        points: elements that were checked.
        kinks: elements that lie at a kink, where there is no derivative; they are not judged.
        error: the largest relative error |a - n| / max(|a|, |n|), at the element `index`, of the analytic gradient a (`analytic`) and
            the centred difference n (`numerical`).
        missing: whether backward gave no gradient at all.
    """

    name: str
    shape: tuple[int, ...]
    points: int
    kinks: int
    error: float
    index: tuple[int, ...]
    analytic: float
    numerical: float
    missing: bool

    @property
    def band(self) -> str:
        """What CS231n says about an error of this size."""
        if not self.error <= WRONG:
            return "wrong"
        return "uncomfortable" if self.error > UNCOMFORTABLE else "ok" if self.error > HAPPY else "happy"


class ModelCheck:
    """The report: true where every parameter passes, and printed as a table, the worst parameter first.

    Attributes:
        parameters: a `ParameterCheck` for each, the worst first.
        loss: of the batch.
        tolerance: the largest relative error that passes.
    """

    def __init__(self, parameters: list[ParameterCheck], loss: float, tolerance: float) -> None:
        self.parameters = sorted(parameters, key=lambda p: -p.error if p.error == p.error else -math.inf)
        self.loss, self.tolerance = loss, tolerance

    @property
    def worst(self) -> ParameterCheck:
        """The parameter with the largest error."""
        return self.parameters[0]

    def __bool__(self) -> bool:
        return self.worst.error <= self.tolerance

    def __repr__(self) -> str:
        rows = [("parameter", "shape", "points", "kinks", "error", "", "at", "backward", "differences")]
        for p in self.parameters:
            rows.append((p.name, "x".join(map(str, p.shape)) or "()", str(p.points), str(p.kinks), f"{p.error:.1e}", p.band,
                         ",".join(map(str, p.index)), "none" if p.missing else f"{p.analytic:.6g}", f"{p.numerical:.6g}"))
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
        kinks = sum(p.kinks for p in self.parameters)
        end = f"passes: the largest relative error is {self.worst.error:.1e}" if self else (
            f"fails: {self.worst.name} has a relative error of {self.worst.error:.1e}"
            + ("; backward gives it no gradient" if self.worst.missing else ""))
        return "\n".join([*lines, end + (f"; {kinks} points at kinks were left out" if kinks else "")])


def gradcheck_model(model: Any, loss: Callable[[Any, Any], Tensor] | None, batch: Any, *, points: int = 8, eps: float = 1e-5,
                    tolerance: float = UNCOMFORTABLE, seed: int = 0,
                    batch_loss: Callable[[Any, Any], Any] | None = None) -> ModelCheck:
    """Check the gradients of a model's parameters on one batch, by the rules of CS231n.

    A copy of the model in float64 runs in the mode the model is in (dropout and batch norm too: random numbers and buffers are the same for
    every evaluation). For the element of each parameter with the largest gradient and some at random, the gradient is compared with
    ``(L(w + eps) - L(w - eps)) / (2 eps)``. Where they disagree, smaller steps tell a kink (ReLU, max pooling) from an error. Leave
    regularisation out of the loss: its gradient can hide that of the data. The model itself is not changed.

    Args:
        model: a Module.
        loss: ``loss(output, target)``; a batch is (inputs..., target). None with `batch_loss`.
        batch: a few samples are enough; floating-point tensors become float64.
        points: elements of each parameter.
        eps: the step.
        tolerance: the largest relative error that passes: above 1e-2 the gradient is usually wrong, 1e-4 to 1e-2 should make you feel
            uncomfortable, below 1e-4 is fine with kinks, below 1e-7 you should be happy.
        seed: of the choice of elements.
        batch_loss: ``batch_loss(model, batch)``, returning the loss or a tuple that begins with it.

    Returns:
        A `ModelCheck`, which is true where all parameters pass.

    Raises:
        ValueError: no parameter requires a gradient, both or neither of loss and batch_loss, a loss of several elements or not finite.
        RuntimeError: two evaluations of the batch differ.

    >>> import fastnet as fn
    >>> model = fn.nn.Sequential(fn.nn.Linear(4, 8), fn.nn.Tanh(), fn.nn.Linear(8, 3))
    >>> report = fn.gradcheck_model(model, fn.nn.CrossEntropyLoss(), (fn.randn(5, 4), fn.tensor([0, 1, 2, 0, 1])))
    >>> bool(report), report.worst.error < 1e-6
    (True, True)
    """
    if (loss is None) == (batch_loss is None):
        raise ValueError("gradcheck_model: give either loss or batch_loss")
    if points < 1 or not eps > 0 or not tolerance > 0:
        raise ValueError(f"gradcheck_model: points, eps and tolerance must be positive, got {points}, {eps} and {tolerance}")
    run = _Evaluation(model, loss, batch, batch_loss)
    parameters = [(name, p) for name, p in run.model.named_parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("gradcheck_model: no parameter requires a gradient")
    value, again = run.value(), run.value()
    if not math.isfinite(value):
        raise ValueError(f"gradcheck_model: the loss is {value}; fastnet.diagnose finds the op that made it")
    if value != again:
        raise RuntimeError(f"gradcheck_model: two evaluations of the batch give {value!r} and {again!r}; something in the model draws "
                           "random numbers that neither fastnet, random nor numpy.random gives, or keeps a state that is no buffer")
    run.backward()
    rng = np.random.default_rng(seed)
    gradients = {name: p.grad.to_dense() if p.grad is not None and p.grad.is_sparse else p.grad for name, p in parameters}
    checks = [_check(run, name, p, gradients[name], value, points, eps, rng) for name, p in parameters if p.numel()]
    return ModelCheck(checks, value, tolerance)


class _Evaluation:
    """The loss of the batch, as often as asked, under equal circumstances."""

    def __init__(self, model: Any, loss: Any, batch: Any, batch_loss: Any) -> None:
        self.model, self.loss = copy.deepcopy((model, loss))
        self.model.double()
        if hasattr(self.loss, "double") and hasattr(self.loss, "buffers"):
            self.loss.double()
        for p in self.model.parameters():
            p.grad = None
        self.batch, self.batch_loss = _double(batch), batch_loss
        self.buffers = [(b, b.detach().clone()) for b in self.model.buffers()]

    def run(self) -> Tensor:
        with no_grad():
            for buffer, kept in self.buffers:
                buffer.copy_(kept)
        seeds = get_rng_state(), random.getstate(), np.random.get_state()
        try:
            if self.batch_loss is not None:
                result = self.batch_loss(self.model, self.batch)
                result = result[0] if isinstance(result, tuple) else result
            else:
                result = self.loss(self.model(*self.batch[:-1]), self.batch[-1])
        finally:
            set_rng_state(seeds[0])                       # so every evaluation begins with the same random numbers
            random.setstate(seeds[1])
            np.random.set_state(seeds[2])
        if not isinstance(result, Tensor) or result.numel() != 1:
            shown = getattr(result, "shape", type(result).__name__)
            raise ValueError(f"gradcheck_model: the loss must be a tensor of one element, got {shown}")
        return result

    def value(self) -> float:
        with no_grad():
            return float(self.run().item())

    def backward(self) -> None:
        result = self.run()
        if result.requires_grad:
            result.backward()


def _double(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = Tensor(value) if value.dtype.kind == "f" else value
    if isinstance(value, Tensor):
        return value.detach().to(float64) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _double(item) for key, item in value.items()}
    return type(value)(_double(item) for item in value) if isinstance(value, (list, tuple)) else value


def _check(run: _Evaluation, name: str, p: Tensor, gradient: Any, loss: float, points: int, eps: float,
           rng: np.random.Generator) -> ParameterCheck:
    w = p.detach().numpy()                                # shares memory: elements are changed in place
    g = np.zeros(w.shape) if gradient is None else gradient.to_dense().numpy() if hasattr(gradient, "to_dense") else gradient.numpy()
    result = ParameterCheck(name, tuple(w.shape), 0, 0, 0.0, (), 0.0, 0.0, gradient is None)
    for index in _elements(g, points, rng):
        error, numerical, kink = _point(run, w, index, float(g[index]), loss, eps)
        result.points += 1
        result.kinks += kink
        if not kink and (not result.index or not error <= result.error):
            result.error, result.index, result.analytic, result.numerical = error, index, float(g[index]), numerical
    return result


def _elements(g: np.ndarray, points: int, rng: np.random.Generator) -> Iterable[tuple[int, ...]]:
    """The element with the largest gradient, and others at random."""
    flat = rng.permutation(g.size)[:points]
    largest = int(np.argmax(np.abs(g)))
    chosen = [largest, *(int(i) for i in flat if i != largest)][:points]
    return [tuple(int(k) for k in np.unravel_index(i, g.shape)) for i in chosen]


def _point(run: _Evaluation, w: np.ndarray, index: tuple[int, ...], a: float, loss: float, eps: float) -> tuple[float, float, bool]:
    """Relative error, difference, and whether there is a kink, at one element."""
    best = (math.inf, math.nan)
    for factor in SMALLER:
        step = eps * factor
        up, down = _moved(run, w, index, step), _moved(run, w, index, -step)
        numerical = (up - down) / (2 * step)
        rounding = 8 * np.finfo(np.float64).eps * max(abs(loss), 1.0) / step
        error = 0.0 if abs(a - numerical) <= rounding else abs(a - numerical) / max(abs(a), abs(numerical))
        if not error >= best[0]:
            best = (error, numerical)
        if error <= UNCOMFORTABLE:
            return error, numerical, False
        right, left = (up - loss) / step, (loss - down) / step
    slack = KINK * max(abs(right), abs(left)) + 2 * rounding
    return best[0], best[1], bool(abs(right - left) > slack)


def _moved(run: _Evaluation, w: np.ndarray, index: tuple[int, ...], by: float) -> float:
    kept = w[index]
    w[index] = kept + by
    try:
        return run.value()
    finally:
        w[index] = kept
