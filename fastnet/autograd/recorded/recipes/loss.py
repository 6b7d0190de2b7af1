"""Recipes of losses: their formulas, which are then differentiated."""
from __future__ import annotations

from collections.abc import Callable

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import replay
from fastnet.autograd.recorded.op import Op
from fastnet.ops.activation import relu, softplus
from fastnet.ops.softmax import log_softmax
from fastnet.ops.where import where

NONE = 0                                                 # reduction="none", as in fastnet/ops/reduction.pxd


def _smooth(d: Tensor, beta: float) -> Tensor:
    return where(d.abs() < beta, d.square() / (2 * beta) if beta else d * 0, d.abs() - beta / 2)


def _bce(x: Tensor, t: Tensor, a: float) -> Tensor:
    """Where x is 0 or 1, what has the kernel's slopes, (x - t) / 1e-12 and the difference of logarithms of -100 at least."""
    at, room = x.detach(), 1e-12
    edge = at * (1 - at) < room
    inner = where(edge, 0.5, x)
    ends = x * ((at - t.detach()) / room) + t * ((1 - at).log().clamp(min=-100.0) - at.log().clamp(min=-100.0))
    return where(edge, ends, (t - 1) * (1 - inner).log() - t * inner.log())


def _kl(x: Tensor, t: Tensor, a: float) -> Tensor:
    if a:                                                # log_target
        return t.exp() * (t - x)
    nothing = t.detach() == 0
    return where(nothing, 0.0, t * where(nothing, 1.0, t).log()) - t * x


def _logits(x: Tensor, t: Tensor, p: Tensor | None) -> Tensor:
    weight = 1 if p is None else (p - 1) * t + 1
    return (1 - t) * x + weight * softplus(-x, threshold=1e9)


# of the prediction, the target and the loss's own number
PAIRS: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "MseLoss": lambda x, t, a: (x - t).square(),
    "L1Loss": lambda x, t, a: (x - t).abs(),
    "SmoothL1Loss": lambda x, t, a: _smooth(x - t, a),
    "HuberLoss": lambda x, t, a: a * _smooth(x - t, a),
    "BinaryCrossEntropy": _bce,
    "KlDiv": _kl,
    "SoftMarginLoss": lambda x, t, a: softplus(-t * x, threshold=1e9),
    "HingeEmbeddingLoss": lambda x, t, a: where(t == 1, 0.0, relu(a - x)) + where(t == -1, 0.0, x),
}


@replay(*[name + "Backward0" for name in PAIRS], "BinaryCrossEntropyWithLogitsBackward0")
def pair(op: Op, x: Tensor, t: Tensor) -> Tensor:
    word, weight, positive = op.name.removesuffix("Backward0"), op.saved[2], op.saved[3]
    y = PAIRS[word](x, t, op.numbers[0]) if word in PAIRS else _logits(x, t, positive)
    if weight is not None:
        y = y * weight
    return y if op.integers[1] == NONE else y.sum() * op.numbers[1]


def _reduced(op: Op, rows: Tensor) -> Tensor:
    total = op.saved[4]
    if op.integers[2] == NONE:
        return rows
    y = rows.sum() * op.numbers[1]
    return y if total is None else y / total.reshape(())


def _classes(op: Op, logp: Tensor, axis: int) -> Tensor:
    """The loss of each row from log-probabilities and class indices."""
    target, weight = op.saved[1], op.saved[3]
    kept = target != op.integers[3]
    ids = where(kept, target, target * 0)
    share = kept.to(logp.dtype) if weight is None else kept.to(logp.dtype) * weight[ids]
    picked = -logp.gather(axis, ids.unsqueeze(axis)).squeeze(axis) if ids.ndim else -logp[int(ids)]
    smoothing = op.numbers[0]
    if not smoothing:
        return where(kept, picked * share, 0.0)
    along = [-1 if d == axis else 1 for d in range(logp.ndim)]
    even = -(logp if weight is None else logp * weight.reshape(along)).sum(axis) * (smoothing / logp.shape[axis])
    return where(kept, picked * share * (1 - smoothing) + even, 0.0)


@replay("NllLossBackward0")
def nll(op: Op, x: Tensor) -> Tensor:
    return _reduced(op, _classes(op, x, 0 if x.ndim == 1 else 1))


@replay("CrossEntropyLossBackward0")
def cross_entropy(op: Op, x: Tensor, probabilities: Tensor | None = None) -> Tensor:
    axis = 0 if x.ndim == 1 else 1
    logp = log_softmax(x, axis)
    if not op.integers[4]:
        return _reduced(op, _classes(op, logp, axis))
    assert probabilities is not None
    t = probabilities * (1 - op.numbers[0]) + op.numbers[0] / x.shape[axis]
    if op.saved[3] is not None:
        t = t * op.saved[3].reshape([-1 if d == axis else 1 for d in range(x.ndim)])
    return _reduced(op, -(t * logp).sum(axis))
