"""Precision, recall, and their harmonic mean."""
from __future__ import annotations

import math

import numpy as np

from fastnet.metrics.counts import ClassificationMetric, ratio


class Precision(ClassificationMetric):
    """Of what was said to be a class, the part that was: ``TP / (TP + FP)``; 0 where the class was never said.

    Args: see `ClassificationMetric`.

    >>> from fastnet.metrics import Precision
    >>> metric = Precision(average="none")
    >>> metric.update([0, 0, 1, 1], [0, 1, 1, 1])
    >>> metric.compute()
    array([0.5, 1. ])
    """

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``hits / said``."""
        return ratio(hits, said)


class Recall(ClassificationMetric):
    """Of what is a class, the part that was found: ``TP / (TP + FN)``; 0 where the class never was.

    Args: see `ClassificationMetric`.

    >>> from fastnet.metrics import Recall
    >>> metric = Recall(task="binary")
    >>> metric.update([0.2, 0.9, 0.6], [1, 1, 0])
    >>> metric.compute()
    0.5
    """

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``hits / right``."""
        return ratio(hits, right)


class FBetaScore(ClassificationMetric):
    """Weighted harmonic mean of precision P and recall R: ``(1 + b^2) P R / (b^2 P + R)``; van Rijsbergen, 1979.

    Args:
        beta: how many times more recall matters than precision; 1.0 by default.
        task, num_classes, average, threshold, logits, ignore_index: see `ClassificationMetric`.

    >>> from fastnet.metrics import FBetaScore
    >>> metric = FBetaScore(beta=2.0)
    >>> metric.update([0.2, 0.9, 0.6], [1, 1, 0])
    >>> metric.compute()
    0.5
    """

    options: tuple[str, ...] = ("beta", *ClassificationMetric.options)

    def __init__(self, beta: float = 1.0, task: str | None = None, num_classes: int | None = None, average: str = "macro",
                 threshold: float = 0.5, logits: bool | None = None, ignore_index: int | None = None) -> None:
        if not 0 <= beta < math.inf:
            raise ValueError(f"{type(self).__name__}: beta must be a number from 0 on, got {beta}")
        self.beta = beta
        super().__init__(task, num_classes, average, threshold, logits, ignore_index)

    def score(self, hits: np.ndarray, said: np.ndarray, right: np.ndarray) -> np.ndarray:
        """``(1 + b^2) hits / (said + b^2 right)``: the definition, without its two divisions."""
        square = self.beta**2
        return ratio((1 + square) * hits, said + square * right)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall: `FBetaScore` with ``beta=1``.

    Args: see `ClassificationMetric`.

    >>> from fastnet.metrics import F1Score
    >>> metric = F1Score(task="binary")
    >>> metric.update([1, 1, 0, 1], [1, 0, 0, 1])
    >>> metric.compute()
    0.8
    """

    options = ClassificationMetric.options

    def __init__(self, task: str | None = None, num_classes: int | None = None, average: str = "macro", threshold: float = 0.5,
                 logits: bool | None = None, ignore_index: int | None = None) -> None:
        super().__init__(1.0, task, num_classes, average, threshold, logits, ignore_index)
