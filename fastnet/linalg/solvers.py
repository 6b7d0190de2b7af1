"""inv, pinv, solve, solve_triangular, lstsq, det, slogdet: NumPy's LAPACK forward, the adjoint equations backward.

The gradients are those of M. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and of G. Golub and V. Pereyra (1973) for the pseudoinverse.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastnet._core.engine import is_grad_enabled
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.function import Function
from fastnet.ops.triangle import tril, triu
from fastnet.ops.where import where

slogdet_result = NamedTuple("slogdet_result", [("sign", Tensor), ("logabsdet", Tensor)])
lstsq_result = NamedTuple("lstsq_result", [("solution", Tensor), ("residuals", Tensor), ("rank", Tensor), ("singular_values", Tensor)])
for kind in (slogdet_result, lstsq_result):
    kind.__name__ = kind.__name__.removesuffix("_result")    # what they print; pickles know them by __qualname__


class LinAlgError(RuntimeError):
    """A matrix has no inverse, is not positive definite, or an iteration did not converge."""


def matrices(x: Any, op: str, name: str = "A", square: bool = False) -> Tensor:
    """The argument, once it is known to be floating-point matrices."""
    if not isinstance(x, Tensor):
        raise TypeError(f"linalg.{op}: {name} must be a Tensor, got {type(x).__name__}")
    if not x.is_floating_point():
        raise RuntimeError(f"linalg.{op}: {name} must be floating-point, got {x.dtype}")
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise RuntimeError(f"linalg.{op}: {name} must be {'square ' if square else ''}matrices (..., m, n), got {tuple(x.shape)}")
    return x


def lapack(op: str, f: Any, *arrays: np.ndarray, **options: Any) -> Any:
    """f of the arrays; NumPy's complaint becomes a LinAlgError."""
    try:
        return f(*arrays, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{op}: {error} (input {' and '.join(str(a.shape) for a in arrays)})") from None


def array_of(x: Tensor) -> np.ndarray:
    return x.detach().numpy()


def tensor_of(a: Any) -> Tensor:
    return from_numpy(np.asarray(a, order="C"))


def turned(x: Tensor) -> Tensor:
    """The transpose of each matrix."""
    return x.transpose(-1, -2)


def solved(a: Tensor, b: Tensor) -> Tensor:
    """x of a x = b, for gradients."""
    return _Solve.apply(a, b)


class _Inv(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        y = tensor_of(lapack("inv", np.linalg.inv, array_of(a)))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        t = turned(ctx.saved_tensors[0])
        return -(t @ g @ t)


class _Solve(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        x = tensor_of(lapack("solve", np.linalg.solve, array_of(a), array_of(b)))
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        a, x = ctx.saved_tensors
        gb = solved(turned(a), g)
        return -(gb @ turned(x)) if ctx.needs_input_grad[0] else None, gb


class _Det(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        y = tensor_of(np.linalg.det(array_of(a)))
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        if is_grad_enabled():                             # to be differentiated again: for matrices that have an inverse
            a, y = ctx.saved_tensors
            return (g * y).unsqueeze(-1).unsqueeze(-1) * turned(inv(a))
        # The adjugate from the singular values without each one in turn: right for singular matrices too.
        u, s, vt = np.linalg.svd(array_of(ctx.saved_tensors[0]))
        n = s.shape[-1]
        others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1) if n else s
        sign = np.linalg.det(u) * np.linalg.det(vt)
        return tensor_of((g.numpy() * sign)[..., None, None] * ((u * others[..., None, :]) @ vt).astype(s.dtype))


class _Slogdet(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple:
        sign, value = (tensor_of(y) for y in np.linalg.slogdet(array_of(a)))
        ctx.save_for_backward(a)
        ctx.mark_non_differentiable(sign)
        return sign, value

    @staticmethod
    def backward(ctx: Any, _: Any, g: Tensor) -> Tensor:
        return g.unsqueeze(-1).unsqueeze(-1) * turned(inv(ctx.saved_tensors[0]))


class _Pinv(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, rtol: Any, hermitian: bool) -> Tensor:
        p = tensor_of(lapack("pinv", np.linalg.pinv, array_of(a), rcond=rtol, hermitian=hermitian))
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        a, p = ctx.saved_tensors
        pt, gt = turned(p), turned(g)
        left, right = (from_numpy(np.eye(n, dtype=a.dtype.numpy)) - q for n, q in ((a.shape[-2], a @ p), (a.shape[-1], p @ a)))
        return -(pt @ g @ pt) + left @ gt @ p @ pt + pt @ p @ gt @ right, None, None


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices.

    Args:
        A: (..., n, n), floating-point.

    Raises:
        LinAlgError: a matrix is singular.
        RuntimeError: not square.

    >>> import fastnet
    >>> fastnet.linalg.inv(fastnet.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return _Inv.apply(matrices(A, "inv", square=True))


def pinv(A: Tensor, rtol: float | None = None, hermitian: bool = False) -> Tensor:
    """The pseudoinverse of Moore and Penrose.

    Args:
        A: (..., m, n), floating-point.
        rtol: singular values below it times the largest count as 0; max(m, n) times the dtype's epsilon by default.
        hermitian: A is symmetric.

    Returns:
        (..., n, m).

    >>> import fastnet
    >>> fastnet.linalg.pinv(fastnet.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    x = matrices(A, "pinv", square=hermitian)
    return _Pinv.apply(x, max(x.shape[-2:]) * np.finfo(array_of(x).dtype).eps if rtol is None else rtol, hermitian)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (or X A = B).

    Args:
        A: (..., n, n), floating-point.
        B: (..., n, k), or (n,), or (..., n) where A has one more axis.
        left: False: X A = B, and B is (..., k, n).

    Raises:
        LinAlgError: a matrix is singular.
        RuntimeError: shapes that do not fit.

    >>> import fastnet
    >>> fastnet.linalg.solve(fastnet.tensor([[2.0, 0.0], [0.0, 4.0]]), fastnet.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    a = matrices(A, "solve", square=True)
    if not isinstance(B, Tensor) or B.dtype != a.dtype:
        raise RuntimeError(f"linalg.solve: B must be a Tensor of {a.dtype}, got {getattr(B, 'dtype', type(B).__name__)}")
    vector = B.ndim == 1 or (B.ndim == a.ndim - 1 and tuple(B.shape) == tuple(a.shape[:-1]))
    if vector and not left:
        raise RuntimeError("linalg.solve: left=False needs B to hold matrices")
    b = B.unsqueeze(-1) if vector else B
    side = -2 if left else -1
    if b.ndim < 2 or b.shape[side] != a.shape[-1]:
        raise RuntimeError(f"linalg.solve: A {tuple(A.shape)} and B {tuple(B.shape)} do not fit")
    try:
        lead = np.broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    except ValueError:
        raise RuntimeError(f"linalg.solve: the leading axes of A {tuple(A.shape)} and B {tuple(B.shape)} do not broadcast") from None
    a, b = a.expand(*lead, *a.shape[-2:]), b.expand(*lead, *b.shape[-2:])
    x = _Solve.apply(a, b) if left else _Solve.apply(a.transpose(-1, -2), b.transpose(-1, -2)).transpose(-1, -2)
    return x.squeeze(-1) if vector else x


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """X with A X = B for a triangular A; its other half is not looked at.

    Args:
        A: (..., n, n), floating-point.
        B: (..., n, k).
        upper: A is upper triangular.
        left: False: X A = B, and B is (..., k, n).
        unitriangular: the diagonal counts as ones.

    >>> import fastnet
    >>> fastnet.linalg.solve_triangular(fastnet.tensor([[2.0, 9.0], [0.0, 4.0]]), fastnet.tensor([[0.0], [4.0]]), upper=True)
    tensor([[-4.5000],
            [ 1.0000]])
    """
    x = matrices(A, "solve_triangular", square=True)
    inside = -1 if unitriangular else 0
    a = triu(x, -inside) if upper else tril(x, inside)
    if unitriangular:
        a = a + from_numpy(np.eye(x.shape[-1], dtype=array_of(x).dtype))
    return solve(a, matrices(B, "solve_triangular", "B"), left=left)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> lstsq_result:
    """The X that makes ||A X - B|| smallest, the shortest of several.

    Args:
        A: (..., m, n), floating-point.
        B: (..., m, k).
        rcond: singular values below it times the largest count as 0.
        driver: must be None or "gelsd": it is done by singular values.

    Returns:
        solution (..., n, k); residuals, the squared length of what is left of each column, empty unless m > n and the rank is n; rank;
        singular_values.

    Raises:
        ValueError: another driver.
        RuntimeError: shapes that do not fit.

    >>> import fastnet
    >>> fastnet.linalg.lstsq(fastnet.tensor([[1.0], [1.0]]), fastnet.tensor([[1.0], [3.0]])).solution
    tensor([[2.0000]])
    """
    if driver not in (None, "gelsd"):
        raise ValueError(f"linalg.lstsq: driver must be None or 'gelsd', got {driver!r}")
    a, b = matrices(A, "lstsq"), matrices(B, "lstsq", "B")
    m, n = a.shape[-2:]
    if b.shape[-2] != m or b.dtype != a.dtype:
        raise RuntimeError(f"linalg.lstsq: A {tuple(a.shape)} of {a.dtype} and B {tuple(b.shape)} of {b.dtype} do not fit")
    values = lapack("lstsq", np.linalg.svd, array_of(a), compute_uv=False)
    limit = (max(m, n) * np.finfo(values.dtype).eps if rcond is None else rcond) * values.max(-1, keepdims=True, initial=0)
    rank = (values > limit).sum(-1)
    x = pinv(a, rtol=rcond) @ b
    full = m > n and bool((rank == n).all())
    residuals = ((a @ x - b) ** 2).sum(-2) if full else a.new_empty((0,))
    return lstsq_result(x, residuals, tensor_of(np.asarray(rank, np.int64)), tensor_of(values))


def det(A: Tensor) -> Tensor:
    """The determinant.

    Args:
        A: (..., n, n), floating-point.

    >>> import fastnet
    >>> fastnet.linalg.det(fastnet.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return _Det.apply(matrices(A, "det", square=True))


def slogdet(A: Tensor) -> slogdet_result:
    """The sign of the determinant and the logarithm of its absolute value.

    Args:
        A: (..., n, n), floating-point.

    Returns:
        sign and logabsdet, by name; 0 and -inf for a singular matrix.

    >>> import fastnet
    >>> fastnet.linalg.slogdet(fastnet.tensor([[0.0, 1.0], [1.0, 0.0]])).sign
    tensor(-1.)
    """
    return slogdet_result(*_Slogdet.apply(matrices(A, "slogdet", square=True)))


def logdet(A: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative.

    Args:
        A: (..., n, n), floating-point.

    >>> import fastnet
    >>> fastnet.logdet(fastnet.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor(0.)
    """
    sign, size = slogdet(A)
    return where(sign < 0, float("nan"), size)


inverse, pinverse = inv, pinv
