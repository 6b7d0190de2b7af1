"""cholesky, qr, eigh, svd: LAPACK's factorisations through NumPy, with their gradients.

The gradients are those of M. Giles (2008) for eigenvalues and singular values, of I. Murray, "Differentiation of the Cholesky
decomposition" (2016), and of S. Walter and L. Lehmann (2010) for QR.
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.function import Function
from fastnet.linalg.solvers import array_of, lapack, matrices, solved, tensor_of, turned
from fastnet.ops.triangle import diag_embed, tril
from fastnet.ops.where import where

qr_result = NamedTuple("qr_result", [("Q", Tensor), ("R", Tensor)])
eigh_result = NamedTuple("eigh_result", [("eigenvalues", Tensor), ("eigenvectors", Tensor)])
svd_result = NamedTuple("svd_result", [("U", Tensor), ("S", Tensor), ("Vh", Tensor)])
for kind in (qr_result, eigh_result, svd_result):
    kind.__name__ = kind.__name__.removesuffix("_result")    # what they print; pickles know them by __qualname__


def _one(x: Tensor) -> Tensor:
    """The identity, of x's last axis and dtype."""
    return from_numpy(np.eye(x.shape[-1], dtype=x.dtype.numpy))


class _Cholesky(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        y = tensor_of(lapack("cholesky", np.linalg.cholesky, array_of(a)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        low = ctx.saved_tensors[0]
        p = tril(turned(low) @ g)
        p = p - 0.5 * p * _one(p)
        s = turned(solved(turned(low), turned(solved(turned(low), p))))
        return (s + turned(s)) / 2


class _Qr(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, mode: str) -> tuple:
        q, r = (tensor_of(y) for y in lapack("qr", np.linalg.qr, array_of(a), mode=mode))
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, gq: Tensor, gr: Tensor) -> tuple:
        q, r = ctx.saved_tensors
        if q.shape[-1] != r.shape[-1]:
            raise RuntimeError(f"linalg.qr: no gradient for matrices {tuple(q.shape[-2:])} x {tuple(r.shape[-2:])}: it takes "
                               "mode='reduced' and at least as many rows as columns")
        m = r @ turned(gr) - turned(gq) @ q
        return turned(solved(r, turned(gq + q @ (tril(m) + turned(tril(m, -1)))))), None


class _Eigh(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, uplo: str) -> tuple:
        w, v = (tensor_of(y) for y in lapack("eigh", np.linalg.eigh, array_of(a), UPLO=uplo))
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, gw: Tensor, gv: Tensor) -> tuple:
        w, v = ctx.saved_tensors
        gap, m = w.unsqueeze(-2) - w.unsqueeze(-1), turned(v) @ gv
        nothing = ((gap == 0) & (m == 0)) | (_one(gap) == 1)        # equal eigenvalues do no harm to their own gradient
        inner = where(nothing, 0.0, m / where(nothing, 1.0, gap)) + diag_embed(gw)
        y = v @ inner @ turned(v)
        return (y + turned(y)) / 2, None


class _Svd(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple:
        u, s, vt = (tensor_of(y) for y in lapack("svd", np.linalg.svd, array_of(a), full_matrices=False))
        ctx.save_for_backward(u, s, vt)
        return u, s, vt

    @staticmethod
    def backward(ctx: Any, gu: Tensor, gs: Tensor, gvt: Tensor) -> Tensor:
        u, s, vt = ctx.saved_tensors
        if not (gu.requires_grad or gvt.requires_grad or bool((gu != 0).any()) or bool((gvt != 0).any())):
            return u * gs.unsqueeze(-2) @ vt              # singular values alone: they may be equal
        gv, v, row, column = turned(gvt), turned(vt), s.unsqueeze(-2), s.unsqueeze(-1)
        one = _one(row - column) == 1
        gap = where(one, math.inf, (row - column) * (row + column))
        a, b = turned(u) @ gu, turned(v) @ gv
        inner = (a - turned(a)) / gap * row + column * ((b - turned(b)) / gap) + diag_embed(gs)
        g = u @ inner @ vt
        if u.shape[-2] > u.shape[-1]:                     # what of gu lies outside the columns of u
            g = g + (gu - u @ a) / row @ vt
        if v.shape[-2] > v.shape[-1]:
            g = g + u / row @ turned(gv - v @ b)
        return g


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The triangular L with A = L Lᵀ.

    Args:
        A: (..., n, n), symmetric and positive definite; only its lower half is read.
        upper: give Lᵀ.

    Raises:
        LinAlgError: not positive definite.

    >>> import fastnet
    >>> fastnet.linalg.cholesky(fastnet.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    y = _Cholesky.apply(matrices(A, "cholesky", square=True))
    return y.transpose(-1, -2) if upper else y


def qr(A: Tensor, mode: str = "reduced") -> qr_result:
    """Q with orthonormal columns and a triangular R with A = Q R.

    Args:
        A: (..., m, n), floating-point.
        mode: ``"reduced"``: min(m, n) columns; ``"complete"``: m; ``"r"``: Q is empty.

    Returns:
        Q and R, by name. Gradients for "reduced" with m >= n.

    Raises:
        ValueError: another mode.

    >>> import fastnet
    >>> Q, R = fastnet.linalg.qr(fastnet.tensor([[3.0], [4.0]]))
    >>> R.abs()
    tensor([[5.]])
    """
    x = matrices(A, "qr")
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    if mode == "r":
        return qr_result(x.new_empty((0,)), tensor_of(lapack("qr", np.linalg.qr, array_of(x), mode="r")))
    return qr_result(*_Qr.apply(x, mode))


def eigh(A: Tensor, UPLO: str = "L") -> eigh_result:
    """The eigenvalues, ascending, and eigenvectors of symmetric matrices.

    Args:
        A: (..., n, n), floating-point.
        UPLO: the half that is read, ``"L"`` or ``"U"``.

    Returns:
        eigenvalues (..., n) and eigenvectors (..., n, n), one a column, by name. The gradient of eigenvectors needs distinct eigenvalues.

    Raises:
        ValueError: another half.

    >>> import fastnet
    >>> fastnet.linalg.eigh(fastnet.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    if UPLO not in ("L", "U"):
        raise ValueError(f"linalg.eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return eigh_result(*_Eigh.apply(matrices(A, "eigh", square=True), UPLO))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, ascending.

    Args:
        A: (..., n, n), floating-point.
        UPLO: the half that is read, ``"L"`` or ``"U"``.

    >>> import fastnet
    >>> fastnet.linalg.eigvalsh(fastnet.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    return eigh(A, UPLO).eigenvalues


def svd(A: Tensor, full_matrices: bool = True) -> svd_result:
    """A = U diag(S) Vh, the singular values descending.

    Args:
        A: (..., m, n), floating-point.
        full_matrices: U is (..., m, m) and Vh (..., n, n); False: only min(m, n) columns and rows.

    Returns:
        U, S and Vh, by name. Gradients, which need distinct singular values for U and Vh, for full_matrices=False, and for S always.

    >>> import fastnet
    >>> fastnet.linalg.svd(fastnet.tensor([[0.0, 2.0], [3.0, 0.0]])).S
    tensor([3., 2.])
    """
    x = matrices(A, "svd")
    u, s, vh = _Svd.apply(x)
    if not full_matrices or x.shape[-1] == x.shape[-2]:
        return svd_result(u, s, vh)
    whole = lapack("svd", np.linalg.svd, array_of(x), full_matrices=True)
    return svd_result(tensor_of(whole[0]), s, tensor_of(whole[2]))


def svdvals(A: Tensor) -> Tensor:
    """The singular values, descending.

    Args:
        A: (..., m, n), floating-point.

    >>> import fastnet
    >>> fastnet.linalg.svdvals(fastnet.tensor([[0.0, 2.0], [3.0, 0.0]]))
    tensor([3., 2.])
    """
    return _Svd.apply(matrices(A, "svdvals"))[1]
