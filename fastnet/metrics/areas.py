"""Areas under curves: ROC AUC and average precision."""
from __future__ import annotations

import math

import numpy as np

from fastnet.metrics.scores import ScoreMetric, counts_at_thresholds

AVERAGES = ("macro", "weighted", "none")


class _Area(ScoreMetric):
    options: tuple[str, ...] = ("average", *ScoreMetric.options)

    def __init__(self, task: str | None = None, num_classes: int | None = None, average: str = "macro", logits: bool | None = None,
                 ignore_index: int | None = None) -> None:
        average = "none" if average is None else average
        if average not in AVERAGES:
            raise ValueError(f"{type(self).__name__}: average must be one of {', '.join(AVERAGES)}, got {average!r}")
        self.average = average
        super().__init__(task, num_classes, logits, ignore_index)

    def area(self, scores: np.ndarray, positive: np.ndarray) -> float:
        raise TypeError(f"{type(self).__name__} does not define area")

    def compute(self) -> float | np.ndarray:
        """The area over all pieces so far: a float, or an array per class for ``average="none"``.

        NaN where it is not defined; the means are over the classes for which it is.
        """
        columns = self.columns()
        areas = np.array([self.area(*column) for column in columns])
        if self.kind in (None, "binary"):
            return float(areas[0])
        if self.average == "none":
            return areas
        weights = np.array([p.sum() for _, p in columns], np.float64) if self.average == "weighted" else np.ones(len(areas))
        defined = ~np.isnan(areas)
        total = weights[defined].sum()
        return float((areas * weights)[defined].sum() / total) if total else math.nan


class AUROC(_Area):
    """Area under the ROC curve: how probable it is that a positive scores more than a negative, ties counting half.

    In multiclass and multilabel tasks each class stands against the rest ("one versus rest"). Also known as ROC AUC.

    Args:
        task, num_classes, logits, ignore_index: see `ScoreMetric`.
        average: over classes: "macro" is the plain mean, "weighted" weights classes by their number, "none" gives an array.

    >>> from fastnet.metrics import AUROC
    >>> metric = AUROC()
    >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> metric.compute()
    0.75
    """

    def area(self, scores: np.ndarray, positive: np.ndarray) -> float:
        """The area of one column of scores, and which of them are positive; NaN if all are or none is."""
        tp, fp, _ = counts_at_thresholds(scores, positive)
        if not len(tp) or not tp[-1] or not fp[-1]:
            return math.nan
        y, x = np.append(0, tp), np.append(0, fp)
        return float((np.diff(x) * (y[1:] + y[:-1])).sum() / (2 * float(tp[-1]) * float(fp[-1])))       # trapezia, in whole numbers


class AveragePrecision(_Area):
    """Area under the precision-recall curve as steps: ``sum over thresholds of (R_k - R_(k-1)) P_k``, without interpolation.

    Args:
        task, num_classes, logits, ignore_index: see `ScoreMetric`.
        average: over classes: "macro" is the plain mean, "weighted" weights classes by their number, "none" gives an array.

    >>> from fastnet.metrics import AveragePrecision
    >>> metric = AveragePrecision()
    >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> round(metric.compute(), 4)
    0.8333
    """

    def area(self, scores: np.ndarray, positive: np.ndarray) -> float:
        """The area of one column of scores, and which of them are positive; NaN if none is."""
        tp, fp, _ = counts_at_thresholds(scores, positive)
        if not len(tp) or not tp[-1]:
            return math.nan
        return float((np.diff(tp, prepend=0) * (tp / (tp + fp))).sum() / tp[-1])
