"""cummax, cummin: the largest and the smallest element so far along an axis, and where it is."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.gather import gather

cummax_result = NamedTuple("cummax_result", [("values", Tensor), ("indices", Tensor)])
cummin_result = NamedTuple("cummin_result", [("values", Tensor), ("indices", Tensor)])
for kind in (cummax_result, cummin_result):
    kind.__name__ = kind.__name__.removesuffix("_result")    # what they print; pickles know them by __qualname__


def _running(x: Any, dim: int, op: str, better: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: input must be a Tensor, got {type(x).__name__}")
    if not -max(x.ndim, 1) <= dim < max(x.ndim, 1):
        raise IndexError(f"{op}: dim {dim} is out of range for a tensor of {x.ndim} axes")
    a = x.detach().numpy().reshape(x.shape or (1,))
    lines = np.moveaxis(a, dim, 0)
    index = np.empty(lines.shape, np.int64)
    if len(lines):
        best, at = lines[0].copy(), np.zeros(lines.shape[1:], np.int64)
        for k, line in enumerate(lines):
            take = better(line, best) | (line != line)    # the last of equal ones; NaN stays
            take &= ~((best != best) & (line == line))
            best, at = np.where(take, line, best), np.where(take, k, at)
            index[k] = at
    indices = from_numpy(np.ascontiguousarray(np.moveaxis(index, 0, dim)).reshape(x.shape))
    return gather(x, dim, indices), indices


def cummax(input: Tensor, dim: int) -> cummax_result:
    """The largest element so far along an axis, and the index of the last that is as large.

    Args:
        input: any tensor; NaN counts as the largest.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.cummax(fastnet.tensor([1.0, 3.0, 2.0]), 0)
    cummax(values=tensor([1., 3., 3.]), indices=tensor([0, 1, 1]))
    """
    return cummax_result(*_running(input, dim, "cummax", np.greater_equal))


def cummin(input: Tensor, dim: int) -> cummin_result:
    """The smallest element so far along an axis, and the index of the last that is as small.

    Args:
        input: any tensor; NaN counts as the smallest.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.cummin(fastnet.tensor([3.0, 1.0, 2.0]), 0)
    cummin(values=tensor([3., 1., 1.]), indices=tensor([0, 1, 1]))
    """
    return cummin_result(*_running(input, dim, "cummin", np.less_equal))
