"""beta input + alpha (product), for each kind of product, and products of vectors: compositions."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor, attach
from fastnet.ops.matmul import bmm, matmul, mm, mv


def _combine(op: str, input: Tensor, beta: float, product: Tensor, alpha: float) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: input must be a Tensor, got {type(input).__name__}")
    offset = product.ndim - input.ndim
    if offset < 0 or any(n not in (1, m) for n, m in zip(input.shape, product.shape[offset:])):
        raise RuntimeError(f"{op}: input {tuple(input.shape)} cannot be expanded to {tuple(product.shape)}")
    if input.dtype != product.dtype:
        raise RuntimeError(f"{op}: input is {input.dtype}, the product is {product.dtype}; they must agree")
    if alpha != 1:
        product = product * alpha
    if beta == 0:                                        # input is not looked at: NaN in it does not pass
        return product
    return product + (input if beta == 1 else input * beta)


def _operands(op: str, first: Any, second: Any, axes: tuple[int, int], names: tuple[str, str]) -> None:
    for x, n, name in zip((first, second), axes, names):
        if not isinstance(x, Tensor):
            raise TypeError(f"{op}: {name} must be a Tensor, got {type(x).__name__}")
        if x.ndim != n:
            raise RuntimeError(f"{op}: {name} must have {n} axes, got {tuple(x.shape)}")


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha (mat1 . mat2).

    Args:
        input: broadcasts to (m, n); not looked at where beta is 0.
        mat1: (m, k).
        mat2: (k, n).
        beta: factor of input.
        alpha: factor of the product.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.addmm(fastnet.ones(1), fastnet.ones(1, 2), fastnet.ones(2, 1))
    tensor([[3.]])
    """
    _operands("addmm", mat1, mat2, (2, 2), ("mat1", "mat2"))
    return _combine("addmm", input, beta, mm(mat1, mat2), alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha (mat . vec).

    Args:
        input: broadcasts to (m,); not looked at where beta is 0.
        mat: (m, k).
        vec: (k,).
        beta: factor of input.
        alpha: factor of the product.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.addmv(fastnet.zeros(1), fastnet.ones(1, 2), fastnet.ones(2))
    tensor([2.])
    """
    _operands("addmv", mat, vec, (2, 1), ("mat", "vec"))
    return _combine("addmv", input, beta, mv(mat, vec), alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha (batch1 . batch2), matrix by matrix.

    Args:
        input: broadcasts to (b, m, n); not looked at where beta is 0.
        batch1: (b, m, k).
        batch2: (b, k, n).
        beta: factor of input.
        alpha: factor of the products.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.baddbmm(fastnet.ones(1), fastnet.ones(1, 1, 2), fastnet.ones(1, 2, 1))
    tensor([[[3.]]])
    """
    _operands("baddbmm", batch1, batch2, (3, 3), ("batch1", "batch2"))
    return _combine("baddbmm", input, beta, bmm(batch1, batch2), alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha (the sum of the products of a stack of matrices).

    Args:
        input: broadcasts to (m, n); not looked at where beta is 0.
        batch1: (b, m, k).
        batch2: (b, k, n).
        beta: factor of input.
        alpha: factor of the sum.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.addbmm(fastnet.zeros(1), fastnet.ones(3, 1, 2), fastnet.ones(3, 2, 1))
    tensor([[6.]])
    """
    _operands("addbmm", batch1, batch2, (3, 3), ("batch1", "batch2"))
    return _combine("addbmm", input, beta, bmm(batch1, batch2).sum(0), alpha)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of one vector and an element of the other.

    Args:
        input: (m,).
        vec2: (n,).

    Returns:
        (m, n).

    Raises:
        RuntimeError: not vectors, or different dtypes.

    >>> import fastnet
    >>> fastnet.outer(fastnet.tensor([1.0, 2.0]), fastnet.tensor([3.0]))
    tensor([[3.],
            [6.]])
    """
    _operands("outer", input, vec2, (1, 1), ("input", "vec2"))
    return input.unsqueeze(1) * vec2


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta input + alpha (the outer product of vec1 and vec2).

    Args:
        input: broadcasts to (m, n); not looked at where beta is 0.
        vec1: (m,).
        vec2: (n,).
        beta: factor of input.
        alpha: factor of the product.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.addr(fastnet.zeros(1), fastnet.ones(1), fastnet.ones(1))
    tensor([[1.]])
    """
    _operands("addr", vec1, vec2, (1, 1), ("vec1", "vec2"))
    return _combine("addr", input, beta, outer(vec1, vec2), alpha)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Dot products over the last axes; the plain product where one of them is a number (0-dim).

    Args:
        input: (..., k).
        other: (..., k).

    Returns:
        The leading axes of input, then those of other.

    Raises:
        RuntimeError: the last axes differ.

    >>> import fastnet
    >>> fastnet.inner(fastnet.tensor([1.0, 2.0]), fastnet.tensor([3.0, 4.0]))
    tensor(11.)
    """
    for name, x in (("input", input), ("other", other)):
        if not isinstance(x, Tensor):
            raise TypeError(f"inner: {name} must be a Tensor, got {type(x).__name__}")
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(f"inner: the last axes of input {tuple(input.shape)} and other {tuple(other.shape)} differ")
    return tensordot(input, other, ([-1], [-1]))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over several axes at once.

    Args:
        a: any tensor.
        b: any tensor.
        dims: the number of last axes of a and first axes of b, or two sequences of axes that go together.

    Returns:
        The axes of a that are left, then those of b.

    Raises:
        RuntimeError: axes that go together differ in size.
        ValueError: more axes than there are, or sequences of different lengths.

    >>> import fastnet
    >>> fastnet.tensordot(fastnet.ones(2, 3, 4), fastnet.ones(3, 4, 5)).shape
    fastnet.Size([2, 5])
    """
    for name, x in (("a", a), ("b", b)):
        if not isinstance(x, Tensor):
            raise TypeError(f"tensordot: {name} must be a Tensor, got {type(x).__name__}")
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: dims is {dims}, a has {a.ndim} axes and b {b.ndim}")
        over_a, over_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        over_a, over_b = (_axes(d, x.ndim) for d, x in zip(dims, (a, b)))
    if len(over_a) != len(over_b):
        raise ValueError(f"tensordot: {len(over_a)} axes of a cannot go together with {len(over_b)} axes of b")
    sizes = [a.shape[i] for i in over_a]
    if sizes != [b.shape[i] for i in over_b]:
        raise RuntimeError(f"tensordot: axes {over_a} of a {tuple(a.shape)} and {over_b} of b {tuple(b.shape)} differ in size")
    keep_a = [i for i in range(a.ndim) if i not in over_a]
    keep_b = [i for i in range(b.ndim) if i not in over_b]
    k, m, n = _product(sizes), _product(a.shape[i] for i in keep_a), _product(b.shape[i] for i in keep_b)
    y = matmul(a.permute(keep_a + over_a).reshape(m, k), b.permute(over_b + keep_b).reshape(k, n))
    return y.reshape([a.shape[i] for i in keep_a] + [b.shape[i] for i in keep_b])


def _axes(dims: Any, ndim: int) -> list[int]:
    out = [int(d) + (ndim if d < 0 else 0) for d in ([dims] if isinstance(dims, int) else dims)]
    if any(not 0 <= d < ndim for d in out) or len(set(out)) < len(out):
        raise ValueError(f"tensordot: axes {dims} are not distinct axes of a tensor of {ndim} axes")
    return out


def _product(sizes: Any) -> int:
    total = 1
    for n in sizes:
        total *= n
    return total


ger = outer
attach(addmm=addmm, addmv=addmv, baddbmm=baddbmm, addbmm=addbmm, outer=outer, ger=ger, addr=addr, inner=inner)
