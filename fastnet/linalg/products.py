"""cross, diagonal, matmul, matrix_exp, matrix_power, multi_dot, vander, vecdot: products under linalg's names."""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.linalg.solvers import matrices as a_matrix
from fastnet.ops import matrices
from fastnet.ops.matmul import matmul
from fastnet.ops.matrices import matrix_power
from fastnet.ops.select import diagonal as _diagonal

__all__ = ["cross", "diagonal", "matmul", "matrix_exp", "matrix_power", "multi_dot", "vander", "vecdot"]


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of length 3.

    Args:
        input: any tensor with an axis of size 3.
        other: one that broadcasts with it.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.linalg.cross(fastnet.tensor([0.0, 1.0, 0.0]), fastnet.tensor([0.0, 0.0, 1.0]))
    tensor([1., 0., 0.])
    """
    return matrices.cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as a view.

    Args:
        A: (..., m, n).
        offset: above (positive) or below the main diagonal.
        dim1: the first axis of the matrices.
        dim2: the second.

    >>> import fastnet
    >>> fastnet.linalg.diagonal(fastnet.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return _diagonal(A, offset, dim1, dim2)


def matrix_exp(A: Tensor) -> Tensor:
    """The sum of A^k / k!: Taylor's series up to k = 18 of A / 2^s, squared s times, with s such that its norm is below 1/2.

    Args:
        A: (..., n, n), floating-point.

    >>> import fastnet
    >>> fastnet.linalg.matrix_exp(fastnet.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    x = a_matrix(A, "matrix_exp", square=True)
    size = float(x.detach().abs().sum(-2).max()) if x.numel() else 0.0
    if not math.isfinite(size):
        return x * math.nan
    times = max(0, math.ceil(math.log2(size)) + 1) if size else 0
    x, one = x * 0.5 ** times, from_numpy(np.eye(x.shape[-1], dtype=x.dtype.numpy))
    y = one + x / 18
    for k in range(17, 0, -1):
        y = one + (x @ y) / k
    for _ in range(times):
        y = y @ y
    return y


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order of evaluation that needs the fewest operations.

    Args:
        tensors: at least 2 matrices; the first and the last may be vectors.

    Raises:
        RuntimeError: fewer than 2, or sizes that do not fit.

    >>> import fastnet
    >>> fastnet.linalg.multi_dot([fastnet.ones(3), fastnet.ones(3, 4), fastnet.ones(4)])
    tensor(12.)
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise RuntimeError(f"linalg.multi_dot: at least 2 tensors, got {len(chain)}")
    first, last = chain[0].ndim == 1, chain[-1].ndim == 1
    if first:
        chain[0] = chain[0].unsqueeze(0)
    if last:
        chain[-1] = chain[-1].unsqueeze(1)
    y = matrices.chain_matmul(*chain)
    y = y.squeeze(-1) if last else y
    return y.squeeze(0) if first else y


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers from 0 on of the elements of vectors.

    Args:
        x: (..., n).
        N: number of columns; n by default.

    Returns:
        (..., n, N).

    >>> import fastnet
    >>> fastnet.linalg.vander(fastnet.tensor([2, 3]))
    tensor([[1, 2],
            [1, 3]])
    """
    if x.ndim < 1:
        raise RuntimeError("linalg.vander: x must have an axis")
    columns = x.shape[-1] if N is None else N
    return matrices.vander(x.reshape(-1), columns, increasing=True).reshape(*x.shape, columns)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Dot products along an axis.

    Args:
        x: any tensor.
        y: one that broadcasts with it.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.linalg.vecdot(fastnet.ones(2, 3), fastnet.ones(3))
    tensor([3., 3.])
    """
    return (x * y).sum(dim)
