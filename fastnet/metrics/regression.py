"""Errors of predicted numbers: squared, absolute, relative."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.metrics.inputs import array
from fastnet.metrics.metric import Metric

TINY = 1.17e-6                                            # the least magnitude of a target that a relative error is taken of


def numbers(output: Any, target: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets as float64.

    Raises: ValueError unless they have one shape; (N, 1) and (N,) would make N x N differences.
    """
    x, y = array(output), array(target)
    if x.shape != y.shape:
        raise ValueError(f"{name}.update: output {x.shape} and target {y.shape} must have one shape")
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub":
        raise TypeError(f"{name}.update: output and target must be numbers, got {x.dtype} and {y.dtype}")
    return x.astype(np.float64), y.astype(np.float64)


class _MeanError(Metric):
    sums: tuple[str, ...] = ("total", "count")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all pieces."""
        self.total, self.count = 0.0, 0

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add numbers and what they should have been, tensors or arrays of one shape."""
        x, y = numbers(output, target, type(self).__name__)
        self.total += float(self.errors(x, y).sum())
        self.count += x.size

    def errors(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} does not define errors")

    def compute(self) -> float:
        """The mean over all numbers so far; NaN before the first."""
        return self.total / self.count if self.count else math.nan


class MeanSquaredError(_MeanError):
    """Mean of ``(output - target)^2`` over all elements (MSE), or its square root (RMSE).

    Args:
        squared: False gives the root.

    >>> from fastnet.metrics import MeanSquaredError
    >>> metric = MeanSquaredError(squared=False)
    >>> metric.update([1.0, 2.0], [4.0, 6.0])
    >>> round(metric.compute(), 4)
    3.5355
    """

    options: tuple[str, ...] = ("squared",)

    def __init__(self, squared: bool = True) -> None:
        self.squared = squared
        super().__init__()

    def errors(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``(x - y)^2``."""
        return (x - y) ** 2

    def compute(self) -> float:
        """The mean over all numbers so far, or its root; NaN before the first."""
        mean = super().compute()
        return mean if self.squared else math.sqrt(mean)


class MeanAbsoluteError(_MeanError):
    """Mean of ``|output - target|`` over all elements (MAE).

    >>> from fastnet.metrics import MeanAbsoluteError
    >>> metric = MeanAbsoluteError()
    >>> metric.update([1.0, 2.0], [4.0, 6.0])
    >>> metric.compute()
    3.5
    """

    def errors(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``|x - y|``."""
        return np.abs(x - y)


class MeanAbsolutePercentageError(_MeanError):
    """Mean of ``|output - target| / |target|`` over all elements (MAPE); 0.25 is 25 %.

    Targets nearer to 0 than 1.17e-6 count as that far.

    >>> from fastnet.metrics import MeanAbsolutePercentageError
    >>> metric = MeanAbsolutePercentageError()
    >>> metric.update([1.0, 5.0], [2.0, 5.0])
    >>> metric.compute()
    0.25
    """

    def errors(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``|x - y| / |y|``."""
        return np.abs(x - y) / np.maximum(np.abs(y), TINY)
