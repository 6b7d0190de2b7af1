"""index_fill, index_copy, select_scatter, slice_scatter, diagonal_scatter, fill_diagonal_: a tensor with a part of it written over."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.operands import a_tensor


def _place(x: Tensor, dim: int, index: Any, op: str) -> tuple:
    """The key that picks the given slices of an axis."""
    if not -max(x.ndim, 1) <= dim < max(x.ndim, 1):
        raise IndexError(f"{op}: dim {dim} is out of range for a tensor of {x.ndim} axes")
    if isinstance(index, Tensor) and (index.ndim > 1 or index.is_floating_point()):
        raise IndexError(f"{op}: index must be integers along 1 axis, got {tuple(index.shape)} of {index.dtype}")
    return (slice(None),) * (dim % max(x.ndim, 1)) + (index,)


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Tensor | float) -> Tensor:
    """Write a number into slices of an axis, in place.

    Args:
        input: any tensor.
        dim: the axis.
        index: (n,), integers: which slices.
        value: a number, or a tensor of one element.

    Raises:
        IndexError: no such axis or slice.

    >>> import fastnet
    >>> fastnet.zeros(3).index_fill_(0, fastnet.tensor([0, 2]), 5)
    tensor([5., 0., 5.])
    """
    x = a_tensor(input, "index_fill_")
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"index_fill_: value must be a number or a tensor of no axes, got {tuple(value.shape)}")
    key = _place(x, dim, a_tensor(index, "index_fill_", "index").reshape(-1), "index_fill_")
    (x if x.ndim else x.view(1))[key] = value
    return x


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | float) -> Tensor:
    """A copy of input with a number in slices of an axis.

    Args:
        input: any tensor.
        dim: the axis.
        index: (n,), integers: which slices.
        value: a number, or a tensor of one element.

    >>> import fastnet
    >>> fastnet.index_fill(fastnet.zeros(3), 0, fastnet.tensor([1]), 5)
    tensor([0., 5., 0.])
    """
    return index_fill_(a_tensor(input, "index_fill").clone(), dim, index, value)


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Write slices over slices of an axis, in place.

    Args:
        input: any tensor.
        dim: the axis.
        index: (n,), integers: where each slice of source goes; none should occur twice.
        source: of input's shape, but n along dim, and of its dtype.

    Raises:
        IndexError: no such axis or slice.
        RuntimeError: shapes or dtypes that do not fit.

    >>> import fastnet
    >>> fastnet.zeros(3).index_copy_(0, fastnet.tensor([2, 0]), fastnet.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    x, s = a_tensor(input, "index_copy_"), a_tensor(source, "index_copy_", "source")
    i = a_tensor(index, "index_copy_", "index").reshape(-1)
    key = _place(x, dim, i, "index_copy_")
    x1, s1 = (x if x.ndim else x.view(1)), (s if s.ndim else s.reshape(1))
    want = list(x1.shape)
    want[dim % x1.ndim] = i.shape[0]
    if list(s1.shape) != want or s.dtype != x.dtype:
        raise RuntimeError(f"index_copy_: source {tuple(s.shape)} of {s.dtype} must be {tuple(want)} of {x.dtype}")
    x1[key] = s1
    return x


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of input with slices of an axis written over by others.

    Args:
        input: any tensor.
        dim: the axis.
        index: (n,), integers: where each slice of source goes.
        source: of input's shape, but n along dim.

    >>> import fastnet
    >>> fastnet.index_copy(fastnet.zeros(2), 0, fastnet.tensor([1]), fastnet.tensor([7.0]))
    tensor([0., 7.])
    """
    return index_copy_(a_tensor(input, "index_copy").clone(), dim, index, source)


def _written(y: Tensor, view: Tensor, src: Tensor, op: str) -> Tensor:
    if tuple(view.shape) != tuple(a_tensor(src, op, "src").shape):
        raise RuntimeError(f"{op}: src {tuple(src.shape)} must have the shape {tuple(view.shape)} of what it is written over")
    view.copy_(src)
    return y


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of input in which one slice of an axis is src.

    Args:
        input: any tensor.
        src: of the shape of `input.select(dim, index)`.
        dim: the axis.
        index: which slice.

    >>> import fastnet
    >>> fastnet.select_scatter(fastnet.zeros(2, 2), fastnet.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    y = a_tensor(input, "select_scatter").clone()
    return _written(y, y.select(dim, index), src, "select_scatter")


def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """A copy of input in which `input[start:end:step]` along an axis is src.

    Args:
        input: any tensor.
        src: of the shape of that slice.
        dim: the axis.
        start: as in a Python slice.
        end: as in a Python slice.
        step: as in a Python slice, positive.

    >>> import fastnet
    >>> fastnet.slice_scatter(fastnet.zeros(4), fastnet.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    y = a_tensor(input, "slice_scatter").clone()
    return _written(y, y[_place(y, dim, slice(start, end, step), "slice_scatter")], src, "slice_scatter")


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of input in which a diagonal is src.

    Args:
        input: any tensor with two axes.
        src: of the shape of `input.diagonal(offset, dim1, dim2)`.
        offset: above (positive) or below the main diagonal.
        dim1: the first axis of the matrices.
        dim2: the second.

    >>> import fastnet
    >>> fastnet.diagonal_scatter(fastnet.zeros(2, 2), fastnet.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    y = a_tensor(input, "diagonal_scatter").clone()
    return _written(y, y.diagonal(offset, dim1, dim2), src, "diagonal_scatter")


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Write a number on the main diagonal, in place.

    Args:
        input: of at least 2 axes; of more, all of one size.
        fill_value: the number.
        wrap: begin again below the end of the diagonal of a tall matrix, after a row without.

    Raises:
        RuntimeError: fewer than 2 axes, or sizes that differ.

    >>> import fastnet
    >>> fastnet.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    x = a_tensor(input, "fill_diagonal_")
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise RuntimeError(f"fill_diagonal_: input must be a matrix, or have axes of one size, got {tuple(x.shape)}")
    x.as_strided((min(x.shape),), (sum(x.stride()),), x.storage_offset()).fill_(fill_value)
    rows, columns = x.shape[0], x.shape[1]
    for top in range(columns + 1, rows, columns + 1) if wrap and x.ndim == 2 else ():
        x[top:].diagonal().fill_(fill_value)
    return x
