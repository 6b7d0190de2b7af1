"""norm, matrix_norm, matrix_rank, cond."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.linalg.decompositions import svdvals
from fastnet.linalg.solvers import inv, lapack, matrices, tensor_of
from fastnet.ops.norm import vector_norm


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of vectors or matrices: of all elements where nothing is said.

    Args:
        A: a floating-point tensor.
        ord: as `vector_norm`'s, or as `matrix_norm`'s where there are two axes; None: the root of the sum of squares.
        dim: an axis (vectors) or two (matrices); None: all elements, or the two axes of a matrix if ord is given.
        keepdim: keep the axes, with size 1.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.linalg.norm(fastnet.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    pair = dim is not None and not isinstance(dim, int) and len(dim) == 2
    if pair or (dim is None and A.ndim == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    if dim is None and A.ndim > 2:
        raise RuntimeError(f"linalg.norm: with ord, input must have 1 or 2 axes or dim be given, got {tuple(A.shape)}")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def matrix_norm(A: Tensor, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of matrices.

    Args:
        A: (..., m, n), floating-point.
        ord: ``"fro"``; ``"nuc"``, the sum of the singular values; 2 and -2, the largest and smallest of them; 1 and -1, the largest and
            smallest sum of absolute values of a column; inf and -inf, of a row.
        dim: the axes of the matrices.
        keepdim: keep them, with size 1.
        dtype: cast to it first.

    Raises:
        ValueError: another order.

    >>> import fastnet
    >>> fastnet.linalg.matrix_norm(fastnet.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    x = matrices(A if dtype is None else A.to(dtype), "matrix_norm")
    rows, columns = (d % x.ndim for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dim {tuple(dim)} names one axis twice")
    if ord == "fro":
        return vector_norm(x, 2, (rows, columns), keepdim)
    x = x.movedim((rows, columns), (-2, -1))
    if ord in ("nuc", 2, -2):
        s = svdvals(x)
        y = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord == 2 else s.amin(-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = x.abs().sum(-2 if abs(ord) == 1 else -1)
        y = sums.amax(-1) if ord > 0 else sums.amin(-1)
    else:
        raise ValueError(f"linalg.matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if keepdim:
        for d in sorted((rows, columns)):
            y = y.unsqueeze(d)
    return y


def matrix_rank(A: Tensor, *, atol: Tensor | float | None = None, rtol: Tensor | float | None = None,
                hermitian: bool = False) -> Tensor:
    """The number of singular values above max(atol, rtol times the largest).

    Args:
        A: (..., m, n), floating-point.
        atol: absolute, a number or one for each matrix; 0 by default.
        rtol: relative, likewise; max(m, n) times the dtype's epsilon by default, 0 where atol is given.
        hermitian: A is symmetric: its eigenvalues' sizes are taken.

    Returns:
        int64.

    >>> import fastnet
    >>> fastnet.linalg.matrix_rank(fastnet.ones(3, 3))
    tensor(1)
    """
    a = matrices(A, "matrix_rank", square=hermitian).detach().numpy()
    s = np.abs(lapack("matrix_rank", np.linalg.eigvalsh, a)) if hermitian else lapack("matrix_rank", np.linalg.svd, a, compute_uv=False)
    limits: list[Any] = [t.detach().numpy()[..., None] if isinstance(t, Tensor) else t for t in (0 if atol is None else atol, rtol)]
    absolute, relative = limits
    if relative is None:
        relative = max(a.shape[-2:]) * np.finfo(a.dtype).eps * (np.asarray(absolute) <= 0)
    limit = np.maximum(absolute, relative * s.max(-1, keepdims=True, initial=0))
    return tensor_of(np.asarray((s > limit).sum(-1), np.int64))


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number: the norm times that of the inverse; the ratio of the singular values' ends for p = 2.

    Args:
        A: (..., m, n), floating-point; square unless p is None, 2 or -2.
        p: an order of `matrix_norm`; None is 2.

    >>> import fastnet
    >>> fastnet.linalg.cond(fastnet.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.)
    """
    if p in (None, 2, -2):
        s = svdvals(matrices(A, "cond"))
        return s.amin(-1) / s.amax(-1) if p == -2 else s.amax(-1) / s.amin(-1)
    return matrix_norm(matrices(A, "cond", square=True), p) * matrix_norm(inv(A), p)
