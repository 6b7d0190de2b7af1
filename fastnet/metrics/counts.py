"""Counts per class, which most metrics of classifiers are made of, and the base class that keeps them."""
from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np

from fastnet.metrics.inputs import TASKS, Labels, array, outside, read
from fastnet.metrics.metric import Metric

M = TypeVar("M", bound="ClassificationMetric")
AVERAGES = ("micro", "macro", "weighted", "none")


class Counts:
    """An array of counts that grows when classes appear that were not known before; ``+`` makes a new one."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __add__(self, other: Counts) -> Counts:
        a, b = self.array, other.array
        if not a.size or not b.size:
            return Counts((a if a.size else b).copy())
        if a.shape != b.shape:
            shape = tuple(map(max, a.shape, b.shape))
            a, b = (np.pad(c, [(0, n - m) for n, m in zip(shape, c.shape)]) for c in (a, b))
        return Counts(a + b)


def average_of(values: np.ndarray, average: str, weights: np.ndarray, present: np.ndarray) -> float | np.ndarray:
    """One number from one per class: the plain mean over classes that are present, or weighted; or the values as they are."""
    if average == "none":
        return values
    w = weights if average == "weighted" else present.astype(np.float64)
    total = w.sum()
    return float((values * w).sum() / total) if total else 0.0


def ratio(a: Any, b: Any) -> np.ndarray:
    """``a / b``, and 0 where b is 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


class ClassificationMetric(Metric):
    """What the metrics of classifiers have in common: how `update` reads outputs and targets, and the counts it keeps.

    `update(output, target)` takes tensors or arrays. The task is named, or inferred from the first piece:

    - **multiclass**: output (N, C, ...) of logits or probabilities (the largest wins) for a target (N, ...) of labels; or labels of the
      target's shape in place of scores;
    - **binary**: output (N,) or (N, 1) of floats, target of its shape or (N,), of 0 and 1;
    - **multilabel**: output and target (N, L, ...), a column per label, target of 0 and 1.

    Args:
        task: "binary", "multiclass" or "multilabel"; None infers it.
        num_classes: number of classes (multiclass) or of labels (multilabel); None learns it from the outputs.
        average: what to make of the values per class. "micro" counts all decisions together; "macro" is the plain mean over classes that
            were seen or said (over all labels in a multilabel task); "weighted" weights them by how often they were right; "none" gives
            an array. A binary metric is about class 1 and ignores it.
        threshold: above it a probability means 1, in binary and multilabel tasks.
        logits: whether floats of binary and multilabel tasks are logits; None decides: they are from the first piece on that has a value
            outside [0, 1]. Say it where pieces are small, which may have no such value by chance.
        ignore_index: targets of this value do not count.

    Raises: ValueError for unknown options, for shapes that do not belong together, and for outputs that are NaN where the target counts;
        IndexError for labels that are not classes.
    """

    sums: tuple[str, ...] = ("hits", "said", "right", "count")
    options: tuple[str, ...] = ("task", "num_classes", "average", "threshold", "logits", "ignore_index")

    def __init__(self, task: str | None = None, num_classes: int | None = None, average: str = "macro", threshold: float = 0.5,
                 logits: bool | None = None, ignore_index: int | None = None) -> None:
        name = type(self).__name__
        average = "none" if average is None else average
        if task is not None and task not in TASKS:
            raise ValueError(f"{name}: task must be one of {', '.join(TASKS)} or None, got {task!r}")
        if average not in AVERAGES:
            raise ValueError(f"{name}: average must be one of {', '.join(AVERAGES)}, got {average!r}")
        if num_classes is not None and num_classes < 1:
            raise ValueError(f"{name}: num_classes must be positive, got {num_classes}")
        if not 0 <= threshold <= 1:
            raise ValueError(f"{name}: threshold must be in [0, 1], got {threshold}")
        self.task, self.num_classes, self.average = task, num_classes, average
        self.threshold, self.logits, self.ignore_index = threshold, logits, ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all pieces."""
        self.kind, self.classes, self.outside = self.task, self.num_classes, False
        n = (self.num_classes or 0) if self.task != "binary" else 2
        self.hits, self.said, self.right = (Counts(np.zeros(n, np.int64)) for _ in range(3))
        self.count = 0

    def read(self, output: Any, target: Any) -> Labels:
        """The labels of a piece, of the kind that came before."""
        logits = True if self.outside else self.logits
        piece = read(output, target, type(self).__name__, self.kind, self.classes, self.threshold, logits, self.ignore_index)
        if logits is None and piece.task != "multiclass":
            self.outside = outside(array(output))
        self.kind, self.classes = piece.task, piece.classes
        return piece

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add a piece: outputs and targets, shapes as the class describes."""
        piece = self.read(output, target)
        if piece.task == "multilabel":
            said, right = piece.said == 1, piece.right == 1
            if self.ignore_index is not None:
                kept = piece.right != self.ignore_index
                said, right = said & kept, right & kept
                self.count = self.count + kept.sum(0)
            else:
                self.count = self.count + len(right)
            self.add((said & right).sum(0), said.sum(0), right.sum(0))
        else:
            n = piece.classes or int(max(piece.said.max(initial=-1), piece.right.max(initial=-1))) + 1
            hit = piece.right[piece.said == piece.right]
            self.count += len(piece.right)
            self.add(np.bincount(hit, minlength=n), np.bincount(piece.said, minlength=n), np.bincount(piece.right, minlength=n))

    def add(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> None:
        """Add counts per class: said and right, said, right."""
        self.hits, self.said, self.right = self.hits + Counts(hits), self.said + Counts(said), self.right + Counts(right)

    def merge(self: M, *others: M) -> M:
        """Add what other metrics have seen; see `Metric.merge`."""
        kinds = {m.kind for m in (self, *others) if type(m) is type(self)} - {None}
        sizes = {m.classes for m in (self, *others) if type(m) is type(self)} - {None}
        if len(kinds) > 1 or len(sizes) > 1:
            found = sorted(map(str, kinds)) if len(kinds) > 1 else f"{sorted(map(str, sizes))} classes"
            raise ValueError(f"{type(self).__name__}.merge: the parts have seen different tasks: {found}")
        super().merge(*others)
        self.kind, self.classes = next(iter(kinds), None), next(iter(sizes), None)
        self.outside = any(m.outside for m in (self, *others))
        return self

    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True positives, what was said and what was right, per class; in a binary task of class 1 alone."""
        found = (self.hits.array, self.said.array, self.right.array)
        return tuple(a[1:] for a in found) if self.kind == "binary" else found  # type: ignore[return-value]

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The value for counts, element by element: true positives, positives said, positives."""
        raise TypeError(f"{type(self).__name__} does not define score")

    def present(self, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Which classes the plain mean is over: those that were seen or said; in a multilabel task all labels."""
        return np.ones(len(said), bool) if self.kind == "multilabel" else (said + right) > 0

    def warn_if_empty(self, counted: Any) -> None:
        """Warn the caller of `compute` where no target has been counted."""
        if not np.any(counted):
            warnings.warn(f"{type(self).__name__}.compute: no target has been counted since the metric was made or reset, so the value is "
                          "0 and says nothing; call update first", RuntimeWarning, stacklevel=3)

    def compute(self) -> float | np.ndarray:
        """The value over all pieces so far: a float, or an array per class for ``average="none"``.

        Before the first piece it is 0, with a RuntimeWarning.
        """
        self.warn_if_empty(self.count)
        hits, said, right = self.counts()
        if self.kind == "binary":
            return float(self.score(hits, said, right)[0])
        if self.average == "micro":
            return float(self.score(hits.sum(), said.sum(), right.sum()))
        return average_of(self.score(hits, said, right), self.average, right, self.present(said, right))
