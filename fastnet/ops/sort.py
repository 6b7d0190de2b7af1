"""Order along an axis: sort, topk, median, unique and others.  The permutation is NumPy's, values and gradients come from gather."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastnet._core.tensor import Tensor, attach, from_numpy
from fastnet.ops.gather import gather

sort_result = NamedTuple("sort_result", [("values", Tensor), ("indices", Tensor)])
topk_result = NamedTuple("topk_result", [("values", Tensor), ("indices", Tensor)])
kthvalue_result = NamedTuple("kthvalue_result", [("values", Tensor), ("indices", Tensor)])
median_result = NamedTuple("median_result", [("values", Tensor), ("indices", Tensor)])
for kind in (sort_result, topk_result, kthvalue_result, median_result):
    kind.__name__ = kind.__name__.removesuffix("_result")    # what they print; pickles know them by __qualname__


def _array(input: Any, op: str) -> np.ndarray:
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: input must be a Tensor, got {type(input).__name__}")
    return input.detach().numpy()


def _axis(dim: int, ndim: int, op: str) -> int:
    if not -max(ndim, 1) <= dim < max(ndim, 1):
        raise IndexError(f"{op}: dim {dim} is out of range for a tensor of {ndim} axes")
    return dim % max(ndim, 1)


def _order(a: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """Stable; NaN is the largest value, as in PyTorch."""
    if a.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(a, axis=axis, kind="stable")
    mirrored = np.argsort(np.flip(a, axis), axis=axis, kind="stable")    # backwards, so that equal values keep their order
    return np.flip(a.shape[axis] - 1 - mirrored, axis)


def _few(a: np.ndarray, k: int, axis: int, largest: bool) -> np.ndarray | None:
    """The first k places of `_order`, of which all others are not sorted; None where there are NaN."""
    rows = np.moveaxis(a, axis, -1)
    n = rows.shape[-1]
    at = n - k if largest else k - 1
    last = np.partition(rows, at, -1)[..., at:at + 1]                     # the k-th value
    if a.dtype.kind == "f" and np.isnan(rows).any():
        return None
    better, equal = rows > last if largest else rows < last, rows == last
    room = k - better.sum(-1, keepdims=True)
    chosen = better | equal & (np.cumsum(equal, -1) <= room)              # of equal values the first
    places = np.nonzero(chosen)[-1].reshape(*rows.shape[:-1], k)
    order = _order(np.take_along_axis(rows, places, -1), -1, largest)
    return np.moveaxis(np.take_along_axis(places, order, -1), -1, axis)


def _pick(input: Tensor, axis: int, index: np.ndarray) -> tuple[Tensor, Tensor]:
    indices = from_numpy(np.asarray(index, np.int64, order="C"))
    return gather(input, axis, indices), indices


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> sort_result:
    """Values in order along an axis, and where they came from.

    Args:
        input: any tensor; NaN counts as the largest value.
        dim: the axis.
        descending: largest first.
        stable: accepted; equal values always keep their order.

    >>> import fastnet
    >>> fastnet.sort(fastnet.tensor([3.0, 1.0, 2.0]))
    sort(values=tensor([1., 2., 3.]), indices=tensor([1, 2, 0]))
    """
    a = _array(input, "sort")
    axis = _axis(dim, a.ndim, "sort")
    return sort_result(*_pick(input, axis, _order(a, axis, descending)))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort a tensor along an axis; stable.

    Args:
        input: any tensor; NaN counts as the largest value.
        dim: the axis.
        descending: largest first.
        stable: accepted; equal values always keep their order.

    >>> import fastnet
    >>> fastnet.argsort(fastnet.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    a = _array(input, "argsort")
    return from_numpy(np.asarray(_order(a, _axis(dim, a.ndim, "argsort"), descending), np.int64, order="C"))


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> topk_result:
    """The k largest (or smallest) values along an axis, in order, and where they are.

    Args:
        input: any tensor; NaN counts as the largest value.
        k: how many.
        dim: the axis.
        largest: False: the smallest.
        sorted: accepted; the result is always in order.

    Raises:
        ValueError: k is not from 0 to the size of the axis.

    >>> import fastnet
    >>> fastnet.topk(fastnet.tensor([3.0, 1.0, 2.0]), 2)
    topk(values=tensor([3., 2.]), indices=tensor([0, 2]))
    """
    a = _array(input, "topk")
    axis = _axis(dim, a.ndim, "topk")
    n = a.shape[axis] if a.ndim else 1
    if not 0 <= k <= n:
        raise ValueError(f"topk: k must be from 0 to {n}, the size of axis {axis}, got {k}")
    if a.ndim == 0:
        return topk_result(*_pick(input, axis, np.zeros((), np.int64)))
    few = _few(a, k, axis, largest) if 0 < 8 * k <= n else None
    return topk_result(*_pick(input, axis, np.take(_order(a, axis, largest), np.arange(k), axis) if few is None else few))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> kthvalue_result:
    """The k-th smallest value along an axis (counted from 1), and where it is.

    Args:
        input: any tensor; NaN counts as the largest value.
        k: from 1 to the size of the axis.
        dim: the axis.
        keepdim: keep the axis, with size 1.

    Raises:
        ValueError: k is out of range.

    >>> import fastnet
    >>> fastnet.kthvalue(fastnet.tensor([3.0, 1.0, 2.0]), 2)
    kthvalue(values=tensor(2.), indices=tensor(2))
    """
    a = _array(input, "kthvalue")
    axis = _axis(dim, a.ndim, "kthvalue")
    n = a.shape[axis] if a.ndim else 1
    if not 1 <= k <= n:
        raise ValueError(f"kthvalue: k must be from 1 to {n}, the size of axis {axis}, got {k}")
    return kthvalue_result(*_kth(input, a, axis, k - 1, keepdim))


def _kth(input: Tensor, a: np.ndarray, axis: int, k: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    if a.ndim == 0:
        return _pick(input, axis, np.zeros((), np.int64))
    values, indices = _pick(input, axis, np.take(_order(a, axis, False), [k], axis))
    return (values, indices) if keepdim else (values.squeeze(axis), indices.squeeze(axis))


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value, the lower one of two; NaN if there is one.

    Args:
        input: any tensor.
        dim: the axis; None: of all elements.
        keepdim: keep the axis, with size 1.

    Returns:
        A tensor, or a named tuple (values, indices) if dim is given.

    Raises:
        ValueError: there is no element.

    >>> import fastnet
    >>> fastnet.median(fastnet.tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    a = _array(input, "median")
    if dim is None:
        if a.size == 0:
            raise ValueError(f"median: a tensor of shape {a.shape} has no element")
        return median(input.reshape(-1), 0).values
    axis = _axis(dim, a.ndim, "median")
    n = a.shape[axis] if a.ndim else 1
    if n == 0:
        raise ValueError(f"median: axis {axis} of a tensor of shape {a.shape} is empty")
    if a.ndim == 0:
        return median_result(*_kth(input, a, axis, 0, keepdim))
    order = _order(a, axis, False)
    middle = np.take(order, [(n - 1) // 2], axis)
    if a.dtype.kind == "f":
        nan = np.isnan(a)
        middle = np.where(nan.any(axis, keepdims=True), nan.argmax(axis, keepdims=True), middle)
    values, indices = _pick(input, axis, middle)
    return median_result(values, indices) if keepdim else median_result(values.squeeze(axis), indices.squeeze(axis))


def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The values that occur, in order, each once.

    Args:
        input: any tensor.
        sorted: accepted; the result is always in order.
        return_inverse: also give, for each element, the index of its value.
        return_counts: also give how often each value occurs.
        dim: compare slices along this axis; None: elements.

    >>> import fastnet
    >>> fastnet.unique(fastnet.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    a = _array(input, "unique")
    got = np.unique(a, return_inverse=True, return_counts=True, axis=None if dim is None else _axis(dim, a.ndim, "unique"))
    inverse = got[1].reshape(a.shape) if dim is None else got[1].reshape(-1)
    out = [got[0]] + [inverse] * return_inverse + [got[2]] * return_counts
    tensors = tuple(from_numpy(np.asarray(x, order="C")) for x in out)
    return tensors if len(tensors) > 1 else tensors[0]


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where a tensor is not zero.

    Args:
        input: any tensor.
        as_tuple: an index tensor for each axis instead of one row for each element.

    Returns:
        int64, (elements, axes); or a tuple of int64 tensors.

    >>> import fastnet
    >>> fastnet.nonzero(fastnet.tensor([0, 5, 7]))
    tensor([[1],
            [2]])
    """
    a = _array(input, "nonzero")
    found = np.nonzero(np.atleast_1d(a))
    if as_tuple:
        return tuple(from_numpy(np.ascontiguousarray(x)) for x in found)
    return from_numpy(np.ascontiguousarray(np.stack(found, 1)[:, : a.ndim]))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask is true, in order; input and mask are broadcast.

    Args:
        input: any tensor.
        mask: bool.

    Raises:
        TypeError: mask is not bool.

    >>> import fastnet
    >>> fastnet.masked_select(fastnet.tensor([1.0, 2.0, 3.0]), fastnet.tensor([True, False, True]))
    tensor([1., 3.])
    """
    a, m = _array(input, "masked_select"), _array(mask, "masked_select")
    if m.dtype != bool:
        raise TypeError(f"masked_select: mask must be bool, got {mask.dtype}")
    shape = np.broadcast_shapes(a.shape, m.shape)
    where = np.flatnonzero(np.broadcast_to(m, shape))
    return gather(input.expand(shape).reshape(-1), 0, from_numpy(where))


attach(sort=sort, argsort=argsort, topk=topk, kthvalue=kthvalue, median=median, unique=unique, nonzero=nonzero, masked_select=masked_select)
