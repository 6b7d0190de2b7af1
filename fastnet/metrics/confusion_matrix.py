"""Which classes are taken for which."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.metrics.counts import ClassificationMetric, Counts, ratio

NORMALIZE = (None, "true", "pred", "all")


class ConfusionMatrix(ClassificationMetric):
    """How often class i (row: what was right) was taken for class j (column: what was said).

    Args:
        task, num_classes, threshold, logits, ignore_index: see `ClassificationMetric`.
        normalize: None gives counts; "true" divides the rows by their sums, "pred" the columns, "all" everything by the number of targets.

    Returns of `compute`: int64 or float64 of shape (C, C); (L, 2, 2) in a multilabel task.

    >>> from fastnet.metrics import ConfusionMatrix
    >>> metric = ConfusionMatrix()
    >>> metric.update([0, 1, 1, 2], [0, 1, 2, 2])
    >>> metric.compute()
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """

    sums: tuple[str, ...] = ("matrix",)
    options: tuple[str, ...] = ("normalize", "task", "num_classes", "threshold", "logits", "ignore_index")

    def __init__(self, task: str | None = None, num_classes: int | None = None, normalize: str | None = None, threshold: float = 0.5,
                 logits: bool | None = None, ignore_index: int | None = None) -> None:
        if normalize not in NORMALIZE:
            raise ValueError(f"ConfusionMatrix: normalize must be None, 'true', 'pred' or 'all', got {normalize!r}")
        self.normalize = normalize
        super().__init__(task, num_classes, "none", threshold, logits, ignore_index)

    def reset(self) -> None:
        """Forget all pieces."""
        super().reset()
        n = len(self.hits.array)
        self.matrix = Counts(np.zeros((n, 2, 2) if self.task == "multilabel" else (n, n), np.int64))

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add a piece: outputs and targets, shapes as `ClassificationMetric` describes."""
        piece = self.read(output, target)
        said, right = piece.said, piece.right
        if piece.task == "multilabel":
            cell = np.arange(said.shape[1]) * 4 + right * 2 + said
            cell = cell[right != self.ignore_index] if self.ignore_index is not None else cell
            self.add_matrix(np.bincount(cell.reshape(-1), minlength=4 * said.shape[1]).reshape(-1, 2, 2))
        else:
            n = piece.classes or int(max(said.max(initial=-1), right.max(initial=-1))) + 1
            self.add_matrix(np.bincount(right.astype(np.int64) * n + said, minlength=n * n).reshape(n, n))

    def add_matrix(self, counts: np.ndarray) -> None:
        """Add the matrix of a piece."""
        self.matrix = self.matrix + Counts(counts)

    def compute(self) -> np.ndarray:
        """The matrix over all pieces so far; before the first it is 0, with a RuntimeWarning."""
        m = self.matrix.array
        self.warn_if_empty(m)
        if self.normalize is None:
            return m.copy()
        axes: dict[str, tuple[int, ...]] = {"true": (-1,), "pred": (-2,), "all": (-2, -1)}
        return ratio(m, m.sum(axes[self.normalize], keepdims=True))
