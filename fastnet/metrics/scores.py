"""What the curves are computed from: every score with its label, sorted once, and the base class that keeps them."""
from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from fastnet.metrics.inputs import TASKS, array, check_range, infer_task, integers, mismatch
from fastnet.metrics.metric import Metric

M = TypeVar("M", bound="ScoreMetric")


def counts_at_thresholds(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each distinct score, from the largest down: how many positives and negatives score at least that much, and the score.

    Args:
        scores: floats of shape (n,).
        positive: bools of shape (n,).

    Returns: true positives and false positives, int64, and thresholds, all of shape (number of distinct scores,).
    """
    order = np.argsort(-scores, kind="stable")
    s, p = scores[order], positive[order]
    last = np.flatnonzero(np.append(s[1:] != s[:-1], True)) if len(s) else np.zeros(0, np.int64)    # ties are one step
    found = np.cumsum(p, dtype=np.int64)[last]
    return found, last + 1 - found, s[last]


def softmax(x: np.ndarray) -> np.ndarray:
    """Rows as probabilities."""
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


class ScoreMetric(Metric):
    """What metrics about curves have in common. They keep all scores and labels, 4 to 16 bytes a score, because the result is exact.

    `update(output, target)` takes tensors or arrays of floats, and labels:

    - **binary**: output (N,) or (N, 1), target (N,) of 0 and 1; only the order of the scores matters;
    - **multiclass**: output (N, C), target (N,) of labels: each class against the rest;
    - **multilabel**: output and target (N, L).

    Further axes behind the second are samples too.

    Args:
        task: "binary", "multiclass" or "multilabel"; None infers it from the first piece.
        num_classes: number of classes or labels; None learns it.
        logits: whether multiclass outputs are logits, so that a softmax makes scores of different samples comparable; None decides over all
            pieces: logits if a value is outside [0, 1].
        ignore_index: targets of this value do not count.

    Raises: ValueError for unknown options, NaN, and shapes that do not belong together; IndexError for labels that are not classes.
    """

    sums: tuple[str, ...] = ("pieces",)
    options: tuple[str, ...] = ("task", "num_classes", "logits", "ignore_index")

    def __init__(self, task: str | None = None, num_classes: int | None = None, logits: bool | None = None,
                 ignore_index: int | None = None) -> None:
        if task is not None and task not in TASKS:
            raise ValueError(f"{type(self).__name__}: task must be one of {', '.join(TASKS)} or None, got {task!r}")
        self.task, self.num_classes, self.logits, self.ignore_index = task, num_classes, logits, ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all pieces."""
        self.pieces: list[tuple[np.ndarray, np.ndarray]] = []
        self.kind, self.classes = self.task, self.num_classes

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add a piece: scores and labels, shapes as the class describes."""
        name = type(self).__name__
        x, y = array(output), array(target)
        if x.dtype.kind not in "fiub" or np.isnan(x).any():
            raise ValueError(f"{name}.update: output must be numbers without NaN, got {x.dtype}")
        x = x if x.dtype.kind == "f" else x.astype(np.float64)           # unsigned numbers have no negative, by which they are sorted
        kind = self.kind or infer_task(x, y, name)
        y = integers(y, name, "target")
        if kind == "multilabel":
            if x.shape != y.shape or x.ndim < 2:
                raise ValueError(f"{name}.update: output {x.shape} and target {y.shape} must both be (N, L, ...): a column per label")
        elif kind == "multiclass" and (x.ndim != y.ndim + 1 or x.shape[:1] + x.shape[2:] != y.shape):
            raise mismatch(name, x, y)
        elif kind == "binary":
            if x.shape != y.shape and (x.ndim != y.ndim + 1 or x.shape[1] != 1 or x.size != y.size):
                raise mismatch(name, x, y)
            x, y = x.reshape(-1, 1), y.reshape(-1)
        n = x.shape[1] if kind != "binary" else self.classes
        if self.classes not in (None, n):
            raise ValueError(f"{name}.update: output {x.shape} has {n} columns, not {self.classes}")
        x = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
        y = np.moveaxis(y, 1, -1).reshape(-1, x.shape[1]) if kind == "multilabel" else y.reshape(-1)
        if kind != "multilabel" and self.ignore_index is not None:
            x, y = x[y != self.ignore_index], y[y != self.ignore_index]
        labels = y[y != self.ignore_index] if kind == "multilabel" and self.ignore_index is not None else y
        check_range(labels, n if kind == "multiclass" else 2, name, "target")
        self.kind, self.classes = kind, n
        self.pieces.append((np.array(x), np.array(y)))                  # copies: outputs are often written over

    def merge(self: M, *others: M) -> M:
        """Add what other metrics have seen; see `Metric.merge`."""
        seen = {(m.kind, m.classes) for m in (self, *others) if type(m) is type(self) and m.pieces}
        if len(seen) > 1:
            raise ValueError(f"{type(self).__name__}.merge: the parts have seen different tasks: {sorted(map(str, seen))}")
        super().merge(*others)
        self.kind, self.classes = next(iter(seen), (self.kind, self.classes))
        return self

    def columns(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(scores, positive) of each class or label; one pair in a binary task."""
        if not self.pieces:
            return [(np.zeros(0), np.zeros(0, bool))] * ((self.classes or 1) if self.kind not in (None, "binary") else 1)
        x, y = (np.concatenate(parts) for parts in zip(*self.pieces))
        if self.kind == "binary":
            return [(x[:, 0], y == 1)]
        if self.kind == "multilabel":
            kept = [slice(None) if self.ignore_index is None else y[:, k] != self.ignore_index for k in range(x.shape[1])]
            return [(x[rows, k], y[rows, k] == 1) for k, rows in enumerate(kept)]
        logits = self.logits if self.logits is not None else bool(x.size) and not (x.min() >= 0 and x.max() <= 1)
        x = softmax(x.astype(np.float64)) if logits else x
        return [(x[:, k], y == k) for k in range(x.shape[1])]
