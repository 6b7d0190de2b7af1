"""cdist, pdist, dist: distances between rows and between tensors."""
from __future__ import annotations

import math
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.norm import vector_norm
from fastnet.ops.ranges import triu_indices
from fastnet.ops.where import where


def _rows(x: Any, op: str, name: str, ndim: int) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: {name} must be a Tensor, got {type(x).__name__}")
    if x.ndim < ndim or not x.is_floating_point():
        raise RuntimeError(f"{op}: {name} must be floating-point with at least {ndim} axes, got {tuple(x.shape)} of {x.dtype}")
    return x


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The distance of each row of one matrix to each row of another: (sum |a - b|^p)^(1/p).

    Args:
        x1: (..., m, d).
        x2: (..., n, d); the leading axes broadcast.
        p: the norm; 0 counts the places that differ, inf is the largest difference.
        compute_mode: for p = 2: by a matrix product (quicker, less exact for rows that are close) where m or n is above 25,
            always (``"use_mm_for_euclid_dist"``) or never (``"donot_use_mm_for_euclid_dist"``).

    Returns:
        (..., m, n). Where a distance is 0 its gradient is 0.

    Raises:
        RuntimeError: rows of different length, or a negative p.

    >>> import fastnet
    >>> fastnet.cdist(fastnet.tensor([[0.0, 0.0]]), fastnet.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    a, b = _rows(x1, "cdist", "x1", 2), _rows(x2, "cdist", "x2", 2)
    if a.shape[-1] != b.shape[-1] or p < 0:
        raise RuntimeError(f"cdist: rows of x1 {tuple(a.shape)} and x2 {tuple(b.shape)} must have one length, and p={p} not be negative")
    product = {"use_mm_for_euclid_dist": True, "donot_use_mm_for_euclid_dist": False,
               "use_mm_for_euclid_dist_if_necessary": max(a.shape[-2], b.shape[-2]) > 25}
    if compute_mode not in product:
        raise ValueError(f"cdist: compute_mode must be one of {', '.join(product)}, got {compute_mode!r}")
    if p == 2 and product[compute_mode]:
        square = (a * a).sum(-1, keepdim=True) - 2 * (a @ b.transpose(-1, -2)) + (b * b).sum(-1).unsqueeze(-2)
        far = square > 0
        return where(far, where(far, square, 1.0).sqrt(), 0.0)
    return _length(a.unsqueeze(-2) - b.unsqueeze(-3), p)


def _length(difference: Tensor, p: float) -> Tensor:
    if difference.shape[-1] == 0:
        return difference.sum(-1)
    return vector_norm(difference, math.inf if p == math.inf else p, -1)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances between all pairs of rows, those of the first row first.

    Args:
        input: (n, d).
        p: the norm, as in `cdist`.

    Returns:
        (n (n - 1) / 2,).

    Raises:
        RuntimeError: not two axes, or a negative p.

    >>> import fastnet
    >>> fastnet.pdist(fastnet.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    x = _rows(input, "pdist", "input", 2)
    if x.ndim != 2 or p < 0:
        raise RuntimeError(f"pdist: input must be (n, d) and p not negative, got {tuple(x.shape)} and p={p}")
    i, j = triu_indices(x.shape[0], x.shape[0], 1)
    return _length(x[i] - x[j], p)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other.

    Args:
        input: a floating-point tensor.
        other: one that broadcasts with it.
        p: the norm.

    >>> import fastnet
    >>> fastnet.dist(fastnet.tensor([0.0, 3.0]), fastnet.tensor([4.0, 0.0]))
    tensor(5.)
    """
    return vector_norm(_rows(input, "dist", "input", 0) - other, p)
