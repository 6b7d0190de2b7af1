"""Accuracy, also of the k best guesses."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.metrics.counts import ClassificationMetric, average_of, ratio
from fastnet.metrics.inputs import array, check_range, integers, mismatch, refuse_nan


class Accuracy(ClassificationMetric):
    """The part of the decisions that is right.

    With ``average="macro"``, "weighted" or "none" it is taken per class: of what is a class, the part that was found. In a multilabel
    task every label of every sample is a decision.

    Args:
        task, num_classes, threshold, logits, ignore_index: see `ClassificationMetric`.
        average: "micro" by default.
        top_k: a multiclass output is right if the target is among its k largest; of equal scores the earlier classes come first.

    >>> import fastnet as fn
    >>> from fastnet.metrics import Accuracy
    >>> metric = Accuracy()
    >>> metric.update(fn.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), fn.tensor([0, 1, 1]))
    >>> round(metric.compute(), 4)
    0.6667
    """

    options: tuple[str, ...] = ("top_k", *ClassificationMetric.options)

    def __init__(self, task: str | None = None, num_classes: int | None = None, average: str = "micro", threshold: float = 0.5,
                 logits: bool | None = None, ignore_index: int | None = None, top_k: int = 1) -> None:
        if top_k < 1:
            raise ValueError(f"{type(self).__name__}: top_k must be positive, got {top_k}")
        if top_k > 1 and task not in (None, "multiclass"):
            raise ValueError(f"{type(self).__name__}: top_k={top_k} is for multiclass tasks, not {task}")
        self.top_k = top_k
        super().__init__(task, num_classes, average, threshold, logits, ignore_index)

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add a piece: outputs and targets, shapes as `ClassificationMetric` describes."""
        if self.top_k > 1:
            self._update_top_k(array(output), array(target))
        else:
            super().update(output, target)

    def _update_top_k(self, x: np.ndarray, y: np.ndarray) -> None:
        name = type(self).__name__
        if x.ndim != y.ndim + 1 or x.shape[:1] + x.shape[2:] != y.shape or x.shape[1] < 2:
            raise mismatch(name, x, y) if x.shape != y.shape else ValueError(f"{name}.update: top_k={self.top_k} needs scores, got labels")
        n = x.shape[1]
        if self.classes not in (None, n):
            raise ValueError(f"{name}.update: output {x.shape} has {n} classes, not {self.classes}")
        rows, right = np.moveaxis(x, 1, -1).reshape(-1, n), integers(y, name, "target").reshape(-1)
        if self.ignore_index is not None:
            rows, right = rows[right != self.ignore_index], right[right != self.ignore_index]
        check_range(right, n, name, "target")
        if rows.dtype.kind == "f":
            refuse_nan(np.isnan(rows).any(1), right, None, name)
        own = rows[np.arange(len(rows)), right][:, None]
        before = (rows > own) | (rows == own) & (np.arange(n) < right[:, None])
        hit = right[before.sum(1) < self.top_k]
        self.kind, self.classes = "multiclass", n
        counts = np.bincount(right, minlength=n)
        self.add(np.bincount(hit, minlength=n), counts, counts)
        self.count += len(right)

    def compute(self) -> float | np.ndarray:
        """The accuracy over all pieces so far, from 0 to 1: a float, or an array per class for ``average="none"``.

        Before the first piece it is 0, with a RuntimeWarning.
        """
        self.warn_if_empty(self.count)
        hits, said, right = self.hits.array, self.said.array, self.right.array
        if self.kind == "multilabel":
            per_label = ratio(self.count - said - right + 2 * hits, self.count)     # true positives and true negatives
            if self.average == "micro":
                total = np.broadcast_to(self.count, hits.shape).sum()
                return float(ratio((self.count - said - right + 2 * hits).sum(), total))
            return average_of(per_label, self.average, right, self.present(said, right))
        if self.average == "micro" or self.kind == "binary":
            return float(ratio(hits.sum(), self.count))
        return average_of(ratio(hits, right), self.average, right, self.present(said, right))


class TopKAccuracy(Accuracy):
    """The part of the targets that are among the k largest outputs: `Accuracy` with ``top_k=k``.

    Args:
        k: how many guesses; 5 by default.
        num_classes, average, ignore_index: see `Accuracy`.

    >>> from fastnet.metrics import TopKAccuracy
    >>> metric = TopKAccuracy(k=2)
    >>> metric.update([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [1, 2])
    >>> metric.compute()
    0.5
    """

    def __init__(self, k: int = 5, num_classes: int | None = None, average: str = "micro", ignore_index: int | None = None) -> None:
        super().__init__("multiclass", num_classes, average, ignore_index=ignore_index, top_k=k)
