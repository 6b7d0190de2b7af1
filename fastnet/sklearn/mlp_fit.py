"""How MLPClassifier and MLPRegressor are trained.

A loop of its own, not `fastnet.Trainer`: a step of a small network takes some tens of microseconds, and scikit-learn's rules (penalty by
the size of the batch, tolerance, `partial_fit`) are not the Trainer's.
"""
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"identity": nn.Identity, "logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
Loss = Callable[[Tensor, Tensor, Any], Tensor]


def build(sizes: list[int], activation: str, dtype: Any, rng: np.random.RandomState) -> nn.Sequential:
    """Linear layers with the activation between them, uniform in +-sqrt(6 / (inputs + outputs)), 2 for "logistic"; Glorot, Bengio, 2010."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layer = nn.Linear(inputs, outputs, dtype=dtype)
        bound = math.sqrt((2.0 if activation == "logistic" else 6.0) / (inputs + outputs))
        with fn.no_grad():
            layer.weight.copy_(fn.tensor(rng.uniform(-bound, bound, (inputs, outputs)).T, dtype=dtype))
            layer.bias.copy_(fn.tensor(rng.uniform(-bound, bound, outputs), dtype=dtype))
        layers += [layer, ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def weights(model: nn.Sequential) -> list[nn.Parameter]:
    """The matrices, which the penalty is about."""
    return [layer.weight for layer in model if isinstance(layer, nn.Linear)]


def optimizer_for(e: Any, model: nn.Sequential) -> Any:
    """The optimizer that the arguments of the estimator name; group 0 are the matrices."""
    groups = [{"params": weights(model)}, {"params": [layer.bias for layer in model if isinstance(layer, nn.Linear)]}]
    e._steps = 0
    if e.solver == "sgd":
        return fn.optim.SGD(groups, lr=e.learning_rate_init, momentum=e.momentum, nesterov=e.nesterovs_momentum and e.momentum > 0)
    return fn.optim.Adam(groups, lr=e.learning_rate_init, betas=(e.beta_1, e.beta_2), eps=e.epsilon)


class Batches:
    """The samples in buffers that stay, so that the tensors of the batches are made once: an epoch is one gather and no slicing."""

    def __init__(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, size: int) -> None:
        self.source = [X, y] + ([] if weight is None else [weight])
        self.buffers = [np.array(a, order="C") for a in self.source]
        cuts = range(0, len(X), size)
        none = [None] if weight is None else []
        self.pieces: list[list[Any]] = [[*(fn.from_numpy(b[i:i + size]) for b in self.buffers), *none] for i in cuts]
        self.order = np.arange(len(X))

    def shuffle(self, rng: np.random.RandomState) -> None:
        """Another order: scikit-learn's, which shuffles the last one."""
        self.order = self.order[rng.permutation(len(self.order))]
        for source, buffer in zip(self.source, self.buffers):
            np.take(source, self.order, axis=0, out=buffer)


def epoch(e: Any, batches: Batches, loss_of: Loss) -> float:
    """One pass; the mean loss, with the penalty."""
    model, optimizer = e._model, e._optimizer
    penalised = optimizer.param_groups[0]
    total = mass = 0.0
    for x, y, w in batches.pieces:
        n = float(len(y)) if w is None else float(w.sum())
        if n == 0:
            continue
        loss = loss_of(model(x), y, w)
        penalised["weight_decay"] = e.alpha / n
        if e.solver == "adam":                                # scikit-learn adds epsilon before the correction of the second moment
            e._steps += 1
            for group in optimizer.param_groups:
                group["eps"] = e.epsilon / math.sqrt(1 - e.beta_2**e._steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, mass = total + loss.item() * n, mass + n
    if e.alpha:
        total += 0.5 * e.alpha * len(batches.pieces) * penalty(model)
    return total / mass


def penalty(model: nn.Sequential) -> float:
    """Sum of the squared matrices."""
    return sum(float(np.square(w.detach().numpy(), dtype=np.float64).sum()) for w in weights(model))


def fit_stochastic(e: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, loss_of: Loss, score: Callable[[], float] | None,
                   incremental: bool) -> None:
    """Adam or SGD, until the loss, or the score on validation data, stops getting better.

    Args:
        e: the estimator, with `_model` and `_optimizer`; its attributes with an underscore at the end are written.
        score: on validation data, larger is better; None goes by the loss.
        incremental: one epoch; otherwise at most `max_iter`.
    """
    batches = Batches(X, y, weight, 200 if e.batch_size == "auto" else e.batch_size)
    best_weights, end = None, e.n_iter_ + (1 if incremental else e.max_iter)
    while e.n_iter_ < end:
        if e.shuffle:
            batches.shuffle(e._rng)
        e.loss_ = epoch(e, batches, loss_of)
        if not math.isfinite(e.loss_):
            raise ValueError(f"{type(e).__name__}: the loss is {e.loss_} after epoch {e.n_iter_ + 1}: scale the data or take a smaller "
                             f"learning_rate_init than {e.learning_rate_init}")
        e.n_iter_ += 1
        e.t_ += len(X)
        e.loss_curve_.append(e.loss_)
        if score is not None:
            e.validation_scores_.append(score())
            value, best = -e.validation_scores_[-1], -e.best_validation_score_
        else:
            value, best = e.loss_, e.best_loss_
        e._waited = e._waited + 1 if value > best - e.tol else 0
        if value < best:
            if score is not None:
                e.best_validation_score_ = e.validation_scores_[-1]
                best_weights = {name: t.clone() for name, t in e._model.state_dict().items()}
            else:
                e.best_loss_ = value
        if e.verbose:
            also = f", validation score {e.validation_scores_[-1]:.6f}" if score is not None else ""
            print(f"epoch {e.n_iter_}: loss {e.loss_:.6f}{also}")
        if e.solver == "sgd" and e.learning_rate == "invscaling":
            set_rate(e, e.learning_rate_init / (e.t_ + 1) ** e.power_t)
        if e._waited > e.n_iter_no_change:
            if e.solver == "sgd" and e.learning_rate == "adaptive" and e._optimizer.param_groups[0]["lr"] > 1e-6:
                set_rate(e, e._optimizer.param_groups[0]["lr"] / 5)
                e._waited = 0
            else:
                break
    else:
        if not incremental:
            warnings.warn(f"{type(e).__name__}: {e.max_iter} epochs (max_iter) were not enough to converge", ConvergenceWarning,
                          stacklevel=4)
    if best_weights is not None:
        e._model.load_state_dict(best_weights)


def set_rate(e: Any, rate: float) -> None:
    """Another learning rate; steps that are still in the momentum keep the one they were made with."""
    for group in e._optimizer.param_groups:
        for state in (e._optimizer.state[param] for param in group["params"]):
            if state.get("momentum_buffer") is not None:
                state["momentum_buffer"].mul_(group["lr"] / rate)
        group["lr"] = rate


def fit_lbfgs(e: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, loss_of: Loss) -> None:
    """L-BFGS on all samples at once."""
    x, target, w = fn.from_numpy(X), fn.from_numpy(y), None if weight is None else fn.from_numpy(weight)
    half = 0.5 * e.alpha / (len(X) if weight is None else float(weight.sum()))
    matrices = weights(e._model)
    optimizer = fn.optim.LBFGS(e._model.parameters(), lr=1.0, max_iter=e.max_iter, max_eval=e.max_fun, tolerance_grad=e.tol,
                               tolerance_change=2.2e-9, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(e._model(x), target, w)
        if e.alpha:
            for matrix in matrices:
                loss = loss + (matrix * matrix).sum() * half
        loss.backward()
        return loss

    optimizer.step(closure)
    with fn.no_grad():
        e.loss_ = float(loss_of(e._model(x), target, w)) + half * penalty(e._model)
    state = optimizer.state[optimizer.param_groups[0]["params"][0]]
    e.n_iter_ = int(state["n_iter"])
    e.t_ += len(X)
    e.best_loss_ = e.loss_
    if not math.isfinite(e.loss_):
        raise ValueError(f"{type(e).__name__}: the loss is {e.loss_}: scale the data")
    if e.verbose:
        print(f"{e.n_iter_} iterations: loss {e.loss_:.6f}")
    if e.n_iter_ >= e.max_iter or state["func_evals"] >= e.max_fun:
        warnings.warn(f"{type(e).__name__}: {e.n_iter_} iterations (max_iter, max_fun) were not enough to converge", ConvergenceWarning,
                      stacklevel=4)
