"""Curves over all thresholds: true against false positives (ROC), and precision against recall."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.metrics.counts import ratio
from fastnet.metrics.scores import ScoreMetric, counts_at_thresholds

Curve = tuple[np.ndarray, np.ndarray, np.ndarray]


class _Curve(ScoreMetric):
    def curve(self, scores: np.ndarray, positive: np.ndarray) -> Curve:
        raise TypeError(f"{type(self).__name__} does not define curve")

    def compute(self) -> Any:
        """The curve over all pieces so far; in multiclass and multilabel tasks three lists, with an array per class."""
        found = [self.curve(*column) for column in self.columns()]
        return found[0] if self.kind in (None, "binary") else tuple(map(list, zip(*found)))


class ROC(_Curve):
    """The receiver operating characteristic: the part of the negatives and of the positives that score at least a threshold.

    Returns of `compute`: false positive rates and true positive rates, both rising from 0 to 1, and the thresholds, falling from inf
    through every score that occurs. NaN rates where there are no negatives, or no positives.

    Args: see `ScoreMetric`.

    >>> from fastnet.metrics import ROC
    >>> metric = ROC()
    >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> metric.compute()
    (array([0. , 0. , 0.5, 0.5, 1. ]), array([0. , 0.5, 0.5, 1. , 1. ]), array([ inf, 0.8 , 0.4 , 0.35, 0.1 ]))
    """

    def curve(self, scores: np.ndarray, positive: np.ndarray) -> Curve:
        """The curve of one column of scores, and which of them are positive."""
        tp, fp, thresholds = counts_at_thresholds(scores, positive)
        tpr, fpr = (np.append(0.0, c / c[-1] if len(c) and c[-1] else np.full(len(c), np.nan)) for c in (tp, fp))
        return fpr, tpr, np.append(np.inf, thresholds)


class PrecisionRecallCurve(_Curve):
    """Precision and recall of "positive from this score on", for every score that occurs.

    Returns of `compute`: precisions, recalls, and thresholds, rising; the first two have one more element, (1, 0), which belongs to no
    threshold. Without positives recall is NaN.

    Args: see `ScoreMetric`.

    >>> from fastnet.metrics import PrecisionRecallCurve
    >>> metric = PrecisionRecallCurve()
    >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> precision, recall, thresholds = metric.compute()
    >>> precision.round(3), recall
    (array([0.5  , 0.667, 0.5  , 1.   , 1.   ]), array([1. , 1. , 0.5, 0.5, 0. ]))
    """

    def curve(self, scores: np.ndarray, positive: np.ndarray) -> Curve:
        """The curve of one column of scores, and which of them are positive."""
        tp, fp, thresholds = counts_at_thresholds(scores, positive)
        recall = tp / tp[-1] if len(tp) and tp[-1] else np.full(len(tp), np.nan)
        return np.append(ratio(tp, tp + fp)[::-1], 1.0), np.append(recall[::-1], 0.0), thresholds[::-1]
