"""cross, kron, trace, diagflat, vander, vdot, matrix_power, chain_matmul: small products and patterns of matrices."""
from __future__ import annotations


from fastnet._core.tensor import Tensor
from fastnet.ops.create import eye, ones_like
from fastnet.ops.flip import flip
from fastnet.ops.join import stack
from fastnet.ops.matmul import dot
from fastnet.ops.operands import a_tensor
from fastnet.ops.triangle import diag_embed


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of vectors of length 3.

    Args:
        input: any tensor with an axis of size 3.
        other: one that broadcasts with it.
        dim: the axis; None: the first of size 3.

    Raises:
        RuntimeError: the axis is not of size 3, or there is none.

    >>> import fastnet
    >>> fastnet.cross(fastnet.tensor([1.0, 0.0, 0.0]), fastnet.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    x, y = a_tensor(input, "cross"), a_tensor(other, "cross", "other")
    if dim is None:
        if 3 not in x.shape:
            raise RuntimeError(f"cross: no axis of size 3 in input {tuple(x.shape)}")
        dim = x.shape.index(3)
    if not (-x.ndim <= dim < x.ndim and x.shape[dim] == 3 and y.ndim == x.ndim and y.shape[dim] == 3):
        raise RuntimeError(f"cross: axis {dim} of input {tuple(x.shape)} and other {tuple(y.shape)} must be of size 3")
    a, b, c = x.unbind(dim)
    u, v, w = y.unbind(dim)
    parts = [b * w - c * v, c * u - a * w, a * v - b * u]
    return stack(parts, dim if dim >= 0 else parts[0].ndim + 1 + dim)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: other, multiplied by each element of input.

    Args:
        input: any tensor.
        other: any tensor; the one with fewer axes gets axes of size 1 in front.

    >>> import fastnet
    >>> fastnet.kron(fastnet.tensor([1, 2]), fastnet.tensor([1, 1]))
    tensor([1, 1, 2, 2])
    """
    x, y = a_tensor(input, "kron"), a_tensor(other, "kron", "other")
    n = max(x.ndim, y.ndim)
    x, y = x.reshape([1] * (n - x.ndim) + list(x.shape)), y.reshape([1] * (n - y.ndim) + list(y.shape))
    product = x.reshape([s for d in x.shape for s in (d, 1)]) * y.reshape([s for d in y.shape for s in (1, d)])
    return product.reshape([a * b for a, b in zip(x.shape, y.shape)])


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    Args:
        input: (m, n).

    Raises:
        RuntimeError: not 2 axes.

    >>> import fastnet
    >>> fastnet.trace(fastnet.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if a_tensor(input, "trace").ndim != 2:
        raise RuntimeError(f"trace: input must be a matrix, got {tuple(input.shape)}")
    return input.diagonal().sum()


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix with the elements of input on a diagonal.

    Args:
        input: any tensor; flattened.
        offset: above (positive) or below the main diagonal.

    >>> import fastnet
    >>> fastnet.diagflat(fastnet.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(a_tensor(input, "diagflat").reshape(-1), offset)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the elements of a vector, a row for each element.

    Args:
        x: (n,).
        N: number of columns; n by default.
        increasing: powers from 0 on; False: the other way round.

    Raises:
        RuntimeError: not 1 axis, or N negative.

    >>> import fastnet
    >>> fastnet.vander(fastnet.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if a_tensor(x, "vander", "x").ndim != 1 or (N is not None and N < 0):
        raise RuntimeError(f"vander: x must have 1 axis and N not be negative, got {tuple(x.shape)} and N={N}")
    columns = x.shape[0] if N is None else N
    if not columns:
        return x.new_empty((x.shape[0], 0))
    powers = [ones_like(x)]
    for _ in range(columns - 1):
        powers.append(powers[-1] * x)
    y = stack(powers, 1)
    return y if increasing else flip(y, (1,))


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The dot product of two vectors (of real numbers: `dot`).

    Args:
        input: (n,).
        other: (n,), of the same dtype.

    >>> import fastnet
    >>> fastnet.vdot(fastnet.tensor([1.0, 2.0]), fastnet.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return dot(input, other)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """A square matrix multiplied by itself; its inverse for a negative n.

    Args:
        input: (..., m, m).
        n: how often; 0 gives the identity.

    Raises:
        RuntimeError: not square.

    >>> import fastnet
    >>> fastnet.matrix_power(fastnet.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    x = a_tensor(input, "matrix_power")
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise RuntimeError(f"matrix_power: input must be square matrices, got {tuple(x.shape)}")
    if n < 0:
        x, n = x.inverse(), -n
    if n == 0:
        return eye(x.shape[-1], dtype=x.dtype).expand(*x.shape).clone()
    y: Tensor | None = None
    while True:                                           # squares of squares: log2(n) products
        if n & 1:
            y = x if y is None else y @ x
            if n == 1:
                return y.clone() if y is input else y
        n >>= 1
        x = x @ x


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices, in the order of evaluation that needs the fewest operations.

    Args:
        matrices: of 2 axes each, of fitting sizes.

    Raises:
        RuntimeError: no matrices, or sizes that do not fit.

    >>> import fastnet
    >>> fastnet.chain_matmul(fastnet.ones(2, 3), fastnet.ones(3, 4), fastnet.ones(4, 1)).shape
    fastnet.Size([2, 1])
    """
    if not matrices:
        raise RuntimeError("chain_matmul: no matrices")
    for m in matrices:
        if a_tensor(m, "chain_matmul", "each argument").ndim != 2:
            raise RuntimeError(f"chain_matmul: every tensor must be a matrix, got {tuple(m.shape)}")
    sizes = [m.shape[0] for m in matrices] + [matrices[-1].shape[1]]
    n = len(matrices)
    cost = [[0] * n for _ in range(n)]                    # Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, 15.2
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], cut[i][j] = min((cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))

    def product(i: int, j: int) -> Tensor:
        return matrices[i] if i == j else product(i, cut[i][j]) @ product(cut[i][j] + 1, j)

    return product(0, n - 1)
