"""How much of the targets' variance is explained: R2, explained variance, correlation."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.metrics.metric import Metric
from fastnet.metrics.regression import numbers

MULTIOUTPUT = ("uniform_average", "raw_values", "variance_weighted")


class Moments:
    """Count, means and central second moments of output x, target y and their difference, per column; ``+`` is exact to rounding.

    Sums of squares would lose all digits for targets far from zero; these are combined by Chan, Golub and LeVeque, 1979.
    """

    __slots__ = ("count", "mean", "square")

    def __init__(self, count: int, mean: np.ndarray, square: np.ndarray) -> None:
        self.count, self.mean, self.square = count, mean, square

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Moments:
        """The moments of a piece, outputs and targets of shape (n, columns)."""
        if not len(x):
            return cls(0, np.zeros((3, 0)), np.zeros((4, 0)))
        values = np.stack((x, y, x - y))
        mean = values.mean(1)
        d = values - mean[:, None]
        return cls(len(x), mean, np.concatenate(((d * d).sum(1), (d[:1] * d[1:2]).sum(1))))

    def __add__(self, other: Moments) -> Moments:
        if not self.count or not other.count:
            return other if other.count else self
        n = self.count + other.count
        step = other.mean - self.mean
        part = other.count / n
        products = np.concatenate((step * step, step[:1] * step[1:2]))
        return Moments(n, self.mean + step * part, self.square + other.square + products * (self.count * part))


class _Variance(Metric):
    sums: tuple[str, ...] = ("moments",)

    def reset(self) -> None:
        """Forget all pieces."""
        self.moments = Moments(0, np.zeros((3, 0)), np.zeros((4, 0)))

    def update(self, output: Any, target: Any) -> None:  # type: ignore[override]
        """Add numbers and what they should have been, tensors or arrays of one shape: (N,) or (N, columns)."""
        x, y = numbers(output, target, type(self).__name__)
        if x.ndim not in (1, 2):
            raise ValueError(f"{type(self).__name__}.update: output must be (N,) or (N, columns), got {x.shape}")
        x, y = (x[:, None], y[:, None]) if x.ndim == 1 else (x, y)
        if self.moments.count and len(x) and x.shape[1] != self.moments.mean.shape[1]:
            raise ValueError(f"{type(self).__name__}.update: output has {x.shape[1]} columns, before it had {self.moments.mean.shape[1]}")
        self.moments = self.moments + Moments.of(x, y)


class _Explained(_Variance):
    options: tuple[str, ...] = ("multioutput",)

    def __init__(self, multioutput: str = "uniform_average") -> None:
        if multioutput not in MULTIOUTPUT:
            raise ValueError(f"{type(self).__name__}: multioutput must be one of {', '.join(MULTIOUTPUT)}, got {multioutput!r}")
        self.multioutput = multioutput
        self.reset()

    def residual(self, m: Moments) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} does not define residual")

    def compute(self) -> float | np.ndarray:
        """The value over all numbers so far, or an array of one per column for "raw_values"; NaN with fewer than two.

        A column whose targets are all equal gives 1 if it was met exactly, else 0.
        """
        m = self.moments
        if m.count < 2:
            return math.nan
        left, whole = self.residual(m), m.square[1]
        raw = np.where(left == 0, 1.0, 0.0)
        np.subtract(1.0, np.divide(left, whole, out=np.ones_like(left), where=whole > 0), out=raw, where=(whole > 0) & (left != 0))
        if self.multioutput == "raw_values":
            return raw
        if self.multioutput == "variance_weighted" and whole.sum() > 0:
            return float((raw * whole).sum() / whole.sum())
        return float(raw.mean())


class R2Score(_Explained):
    """The coefficient of determination: ``1 - sum((target - output)^2) / sum((target - mean of targets)^2)``, per column.

    Args:
        multioutput: "uniform_average" is the mean over columns, "variance_weighted" weights them by the variance of their targets,
            "raw_values" gives an array.

    >>> from fastnet.metrics import R2Score
    >>> metric = R2Score()
    >>> metric.update([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0])
    >>> round(metric.compute(), 4)
    0.9486
    """

    def residual(self, m: Moments) -> np.ndarray:
        """The sum of squared errors."""
        return m.square[2] + m.count * m.mean[2] ** 2


class ExplainedVariance(_Explained):
    """``1 - Var(target - output) / Var(target)``, per column: as R2, but a constant error costs nothing.

    Args:
        multioutput: see `R2Score`.

    >>> from fastnet.metrics import ExplainedVariance
    >>> metric = ExplainedVariance()
    >>> metric.update([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    >>> metric.compute()
    1.0
    """

    def residual(self, m: Moments) -> np.ndarray:
        """The sum of squared deviations of the errors from their mean."""
        return m.square[2]


class PearsonCorrCoef(_Variance):
    """Pearson's correlation of outputs and targets, from -1 to 1.

    >>> from fastnet.metrics import PearsonCorrCoef
    >>> metric = PearsonCorrCoef()
    >>> metric.update([1.0, 2.0, 3.0], [2.0, 4.0, 6.5])
    >>> round(metric.compute(), 4)
    0.9979
    """

    def __init__(self) -> None:
        self.reset()

    def compute(self) -> float | np.ndarray:
        """The correlation over all numbers so far, an array if they have several columns; NaN if one side is constant."""
        m = self.moments
        if m.count < 2:
            return math.nan
        scale = np.sqrt(m.square[0]) * np.sqrt(m.square[1])
        r = np.divide(m.square[3], scale, out=np.full_like(scale, np.nan), where=scale > 0).clip(-1, 1)
        return float(r[0]) if len(r) == 1 else r
