"""Factorisations and solvers as the top level of torch spells them; `fastnet.linalg` has the newer words."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastnet import linalg
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.linalg.solvers import matrices, turned

svd_result = NamedTuple("svd_result", [("U", Tensor), ("S", Tensor), ("V", Tensor)])
triangular_solve_result = NamedTuple("triangular_solve_result", [("solution", Tensor), ("cloned_coefficient", Tensor)])
for kind in (svd_result, triangular_solve_result):
    kind.__name__ = kind.__name__.removesuffix("_result")    # what they print; pickles know them by __qualname__


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> svd_result:
    """input = U diag(S) Vᵀ, the singular values descending; unlike `linalg.svd` it gives V.

    Args:
        input: (..., m, n), floating-point.
        some: only min(m, n) columns of U and V; False: all.
        compute_uv: False: zeros of their full shapes instead of U and V.

    >>> import fastnet
    >>> fastnet.svd(fastnet.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    tensor([3., 2.])
    """
    if not compute_uv:
        m, n = matrices(input, "svd").shape[-2:]
        return svd_result(input.new_zeros(*input.shape[:-2], m, m), linalg.svdvals(input), input.new_zeros(*input.shape[:-2], n, n))
    u, s, vh = linalg.svd(input, full_matrices=not some)
    return svd_result(u, s, turned(vh))


def qr(input: Tensor, some: bool = True) -> tuple:
    """input = Q R, as `linalg.qr`.

    Args:
        input: (..., m, n), floating-point.
        some: Q has min(m, n) columns; False: m.

    >>> import fastnet
    >>> [x.shape for x in fastnet.qr(fastnet.ones(3, 2))]
    [fastnet.Size([3, 2]), fastnet.Size([2, 2])]
    """
    return linalg.qr(input, "reduced" if some else "complete")


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """L with input = L Lᵀ, as `linalg.cholesky`.

    Args:
        input: (..., n, n), symmetric and positive definite.
        upper: give Lᵀ.
    """
    return linalg.cholesky(input, upper=upper)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B for A = L Lᵀ.

    Args:
        B: (..., n, k).
        L: (..., n, n), what `linalg.cholesky` gave.
        upper: it is Lᵀ.

    >>> import fastnet
    >>> fastnet.cholesky_solve(fastnet.tensor([[8.0]]), fastnet.tensor([[2.0]]))
    tensor([[2.]])
    """
    low = turned(matrices(L, "cholesky_solve", "L", square=True)) if upper else matrices(L, "cholesky_solve", "L", square=True)
    return linalg.solve_triangular(turned(low), linalg.solve_triangular(low, B, upper=False), upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A = L Lᵀ.

    Args:
        L: (..., n, n), what `linalg.cholesky` gave.
        upper: it is Lᵀ.

    >>> import fastnet
    >>> fastnet.cholesky_inverse(fastnet.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    one = np.eye(matrices(L, "cholesky_inverse", "L", square=True).shape[-1], dtype=L.dtype.numpy)
    return cholesky_solve(from_numpy(one).expand(L.shape), L, upper)


def triangular_solve(b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False,
                     unitriangular: bool = False) -> triangular_solve_result:
    """X with A X = b for a triangular A, as `linalg.solve_triangular`, and A.

    Args:
        b: (..., n, k).
        A: (..., n, n).
        upper: A is upper triangular.
        transpose: Aᵀ X = b.
        unitriangular: the diagonal counts as ones.

    >>> import fastnet
    >>> fastnet.triangular_solve(fastnet.tensor([[4.0]]), fastnet.tensor([[2.0]])).solution
    tensor([[2.]])
    """
    a = turned(matrices(A, "triangular_solve")) if transpose else A
    return triangular_solve_result(linalg.solve_triangular(a, b, upper=upper != transpose, unitriangular=unitriangular), A)
