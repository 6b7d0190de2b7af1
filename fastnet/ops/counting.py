"""Counting and looking up: bincount, histc, isin, searchsorted, bucketize, unique_consecutive, mode, argwhere.  NumPy does the work."""
from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.convert import as_tensor
from fastnet.ops.gather import gather
from fastnet.ops.operands import a_tensor

mode_result = NamedTuple("mode_result", [("values", Tensor), ("indices", Tensor)])
mode_result.__name__ = "mode"    # what it prints; pickles know it by __qualname__


def _array(x: Any, op: str, name: str = "input") -> np.ndarray:
    return a_tensor(x, op, name).detach().numpy()


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs.

    Args:
        input: (n,), integers, none negative.
        weights: (n,), counted in place of 1 each.
        minlength: at least so many numbers are counted.

    Returns:
        (max(input) + 1 or minlength,): int64; float64, or the weights' float32, with weights.

    Raises:
        RuntimeError: shapes that do not fit, or negative numbers.

    >>> import fastnet
    >>> fastnet.bincount(fastnet.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    a = _array(input, "bincount")
    if a.ndim != 1 or a.dtype.kind not in "iu" or (a.size and a.min() < 0):
        raise RuntimeError(f"bincount: input must be 1 axis of non-negative integers, got {tuple(a.shape)} of {input.dtype}")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength must not be negative, got {minlength}")
    if weights is None:
        return from_numpy(np.bincount(a, minlength=minlength).astype(np.int64))
    w = _array(weights, "bincount", "weights")
    if w.shape != a.shape:
        raise RuntimeError(f"bincount: weights {tuple(w.shape)} must have the shape of input {tuple(a.shape)}")
    counts = np.bincount(a, w, minlength)
    return from_numpy(counts.astype(np.float32) if w.dtype == np.float32 else counts)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of equal bins; those outside are not counted.

    Args:
        input: a floating-point tensor.
        bins: number of bins.
        min: lower end of the first bin.
        max: upper end of the last one, which includes it; where it equals min, the range of the data.

    Returns:
        (bins,), input's dtype.

    >>> import fastnet
    >>> fastnet.histc(fastnet.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    a = _array(input, "histc")
    if bins < 1 or min > max:
        raise RuntimeError(f"histc: bins must be positive and min <= max, got bins={bins}, min={min}, max={max}")
    lo, hi = (float(a.min()), float(a.max())) if min == max and a.size else (float(min), float(max))
    if lo == hi:
        lo, hi = lo - 1, hi + 1
    if not np.isfinite([lo, hi]).all():
        raise RuntimeError(f"histc: range of [{lo}, {hi}] is not finite")
    return from_numpy(np.histogram(a.ravel(), bins, (lo, hi))[0].astype(a.dtype))


def isin(elements: Tensor | float, test_elements: Tensor | float, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is one of others.

    Args:
        elements: a tensor or a number.
        test_elements: those it is looked for among.
        assume_unique: neither holds an element twice; may be quicker.
        invert: whether it is none of them.

    Returns:
        bool, of the shape of elements.

    >>> import fastnet
    >>> fastnet.isin(fastnet.tensor([1, 2, 3]), fastnet.tensor([2, 5]))
    tensor([False,  True, False])
    """
    a, b = as_tensor(elements), as_tensor(test_elements)
    return from_numpy(np.asarray(np.isin(a.detach().numpy(), b.detach().numpy(), assume_unique=assume_unique, invert=invert)))


def searchsorted(sorted_sequence: Tensor, input: Tensor | float, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Tensor | None = None) -> Tensor:
    """Where values would have to go in sorted rows to keep them sorted.

    Args:
        sorted_sequence: (..., n), ascending along the last axis; or (n,) for values of any shape.
        input: (..., m), or a number for a sequence of 1 axis.
        out_int32: the result is int32, not int64.
        right: behind equal elements, not before them.
        side: ``"left"`` or ``"right"``, another way to say `right`.
        sorter: indices that sort sorted_sequence along its last axis.

    Returns:
        Indices of the shape of input.

    Raises:
        RuntimeError: leading axes differ, or side contradicts right.

    >>> import fastnet
    >>> fastnet.searchsorted(fastnet.tensor([1, 3, 5]), fastnet.tensor([3, 6]))
    tensor([1, 3])
    """
    rows, values = _array(sorted_sequence, "searchsorted", "sorted_sequence"), as_tensor(input).detach().numpy()
    if side not in (None, "left", "right") or (side == "left" and right):
        raise RuntimeError(f"searchsorted: side={side!r} with right={right}; side is 'left' or 'right' and must not contradict right")
    if sorter is not None:
        order = _array(sorter, "searchsorted", "sorter")
        if order.shape != rows.shape:
            raise RuntimeError(f"searchsorted: sorter {order.shape} must have the shape of sorted_sequence {rows.shape}")
        rows = np.take_along_axis(rows, order, -1)
    where: Literal["left", "right"] = "right" if right or side == "right" else "left"
    if rows.ndim == 1:
        found = np.searchsorted(rows, values, where)
    elif values.ndim == rows.ndim and values.shape[:-1] == rows.shape[:-1]:
        flat = zip(rows.reshape(-1, rows.shape[-1]), values.reshape(-1, values.shape[-1]))
        found = np.array([np.searchsorted(row, v, where) for row, v in flat]).reshape(values.shape)
    else:
        raise RuntimeError(f"searchsorted: the leading axes of sorted_sequence {rows.shape} and input {values.shape} must agree")
    return from_numpy(np.asarray(found, np.int32 if out_int32 else np.int64))


def bucketize(input: Tensor | float, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket that each value falls into: boundaries[i - 1] < value <= boundaries[i].

    Args:
        input: a tensor or a number.
        boundaries: (n,), ascending.
        out_int32: the result is int32, not int64.
        right: a value that equals a boundary belongs to the bucket above it.

    Returns:
        Indices from 0 to n, of the shape of input.

    Raises:
        RuntimeError: boundaries of more than 1 axis.

    >>> import fastnet
    >>> fastnet.bucketize(fastnet.tensor([0.5, 2.0]), fastnet.tensor([1.0, 2.0, 3.0]))
    tensor([0, 1])
    """
    if _array(boundaries, "bucketize", "boundaries").ndim != 1:
        raise RuntimeError(f"bucketize: boundaries must have 1 axis, got {tuple(boundaries.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """Elements without those that equal the one before.

    Args:
        input: any tensor; flattened unless dim is given.
        return_inverse: also for each element its place in the result.
        return_counts: also how many were equal in a row.
        dim: compare slices along this axis.

    Returns:
        The tensor, or a tuple of it and what else was asked for.

    >>> import fastnet
    >>> fastnet.unique_consecutive(fastnet.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    a = _array(input, "unique_consecutive")
    rows = a.ravel() if dim is None else np.moveaxis(a, dim, 0)
    flat = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
    new = np.ones(len(rows), bool)
    new[1:] = (flat[1:] != flat[:-1]).any(1)
    starts = np.flatnonzero(new)
    out = [from_numpy(np.ascontiguousarray(rows[starts] if dim is None else np.moveaxis(rows[starts], 0, dim)))]
    if return_inverse:
        inverse = np.cumsum(new) - 1
        out.append(from_numpy(np.asarray(inverse.reshape(a.shape) if dim is None else inverse, np.int64)))
    if return_counts:
        out.append(from_numpy(np.diff(np.append(starts, len(rows))).astype(np.int64)))
    return tuple(out) if len(out) > 1 else out[0]


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> mode_result:
    """The most frequent value along an axis, the smallest of several, and where it last stands.

    Args:
        input: any tensor.
        dim: the axis.
        keepdim: keep it, with size 1.

    Raises:
        IndexError: no such axis, or an axis without elements.

    >>> import fastnet
    >>> fastnet.mode(fastnet.tensor([3, 1, 1]))
    mode(values=tensor(1), indices=tensor(2))
    """
    a = _array(input, "mode")
    if a.ndim == 0:
        return mode_result(input.clone(), as_tensor(0))
    if not -a.ndim <= dim < a.ndim or not a.shape[dim]:
        raise IndexError(f"mode: dim {dim} is no axis with elements of {tuple(a.shape)}")
    lines = np.moveaxis(a, dim, -1).reshape(-1, a.shape[dim])
    last = np.empty(len(lines), np.int64)
    for i, line in enumerate(lines):
        values, counts = np.unique(line, return_counts=True)
        often = values[counts.argmax()]
        last[i] = np.flatnonzero(line == often if often == often else line != line)[-1]
    shape = list(a.shape)
    shape[dim] = 1
    index = from_numpy(last.reshape(shape))
    found = gather(input, dim, index)
    return mode_result(*((found, index) if keepdim else (found.squeeze(dim), index.squeeze(dim))))


def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not 0, a row for each.

    Args:
        input: any tensor.

    Returns:
        (number of them, axes), int64.

    >>> import fastnet
    >>> fastnet.argwhere(fastnet.tensor([0, 3, 4]))
    tensor([[1],
            [2]])
    """
    return from_numpy(np.ascontiguousarray(np.argwhere(_array(input, "argwhere")), np.int64))
