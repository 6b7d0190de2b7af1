"""repeat, tile, repeat_interleave: elements several times over; the gradient is the sum of the copies'."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport reduce_array
from fastnet.ops.view cimport *

import numpy as np

from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum


# An axis several times over: x as (outer, inner), y as (outer, times, inner).

cdef void _blocks(fn_tensor *y, Py_ssize_t outer, Py_ssize_t times, Py_ssize_t inner) noexcept:
    y.ndim = 3
    y.dims[0], y.dims[1], y.dims[2] = outer, times, inner
    y.strides[0], y.strides[1], y.strides[2] = times * inner, inner, 1


cdef int repeat_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    cdef const fn_tensor *like = &n.inputs[0].acc
    cdef Py_ssize_t step = 1
    cdef int d
    if n.i[1] == 0:
        return array_zeros(&gin[0], like, like.dtype)
    array_contiguous(&g, gy)
    try:
        _blocks(&g, n.i[0], n.i[1], n.i[2])
        reduce_array(&gin[0], &g, 2, FN_reduce_sum, FN_reduce_sum)
    finally:
        array_drop(&g)
    gin[0].ndim = like.ndim
    for d in range(like.ndim - 1, -1, -1):
        gin[0].dims[d], gin[0].strides[d] = like.dims[d], step
        step *= max(like.dims[d], 1)
    return 0


cdef fn_op REPEAT = [b"RepeatBackward0", repeat_backward, False]


cdef Tensor _times(Tensor x, int axis, Py_ssize_t times, bint each):
    """x with an axis `times` times over; each: every element by itself."""
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t outer = 1, inner = 1
    cdef fn_tensor from_, to
    cdef Tensor y
    cdef fn_node *n
    cdef int d
    for d in range(x.t.ndim):
        dims[d] = x.t.dims[d]
        if d < axis or (each and d == axis):
            outer *= dims[d]
        else:
            inner *= dims[d]
    dims[axis] *= times
    y = tensor_new(x.t.ndim, dims, x.t.dtype)
    if y.t.size:
        array_contiguous(&from_, &x.t)
        try:
            to = y.t
            _blocks(&to, outer, times, inner)
            _blocks(&from_, outer, times, inner)
            from_.strides[0], from_.strides[1] = inner, 0
            array_copy(&to, &from_)
        finally:
            array_drop(&from_)
    if x.node != NULL and grad_enabled():
        n = record(y, &REPEAT, 1, 0)
        n.i[0], n.i[1], n.i[2] = outer, times, inner
        node_input(n, 0, x.node)
    return y


cdef Tensor _repeated(Tensor x, int k, const Py_ssize_t *counts, str op):
    cdef int d
    cdef Tensor y = x
    for d in range(k):
        if counts[d] < 0:
            raise RuntimeError(f"{op}: negative number of copies in {tuple([counts[e] for e in range(k)])}")
    if k < x.t.ndim:
        raise RuntimeError(f"{op}: {k} numbers of copies for x of shape {shape_of(&x.t)}, which has {x.t.ndim} axes")
    if k > x.t.ndim:
        y = x.reshape((1,) * (k - x.t.ndim) + tuple(shape_of(&x.t)))
    for d in range(k - 1, -1, -1):                      # inner axes first: the larger copies are of long rows
        if counts[d] != 1:
            y = _times(y, d, counts[d], False)
    return y.clone() if y.t.st == x.t.st else y


def repeat(input, *repeats, size=None):
    """A copy with each axis several times over.

    Args:
        repeats: copies along each axis, as integers or one tuple; more numbers than axes make new axes in front.

    >>> import fastnet
    >>> fastnet.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    cdef Py_ssize_t counts[8]
    cdef Tensor x = require_tensor(input, "repeat", "input")
    cdef int k = sizes_of(counts, repeats, size, "repeat", "repeats")
    return _repeated(x, k, counts, "repeat")


def tile(input, *copies, dims=None):
    """`repeat`, with axes that are not named (the first ones) once.

    >>> import fastnet
    >>> fastnet.tile(fastnet.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    cdef Py_ssize_t counts[8]
    cdef Tensor x = require_tensor(input, "tile", "input")
    given = several(copies, dims, "tile", "dims")
    cdef int k = sizes_of(counts, ((1,) * (x.t.ndim - len(given)) + given,), None, "tile", "dims")
    return _repeated(x, k, counts, "tile")


def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """A copy with every element of an axis several times in a row.

    Args:
        repeats: how often: an integer, or a 1-D int64 tensor with a number for each element (or one for all).
        dim: the axis; None: over all elements in row-major order.
        output_size: the size of the result along dim, checked.

    >>> import fastnet
    >>> fastnet.repeat_interleave(fastnet.tensor([1, 2]), fastnet.tensor([1, 3]))
    tensor([1, 2, 2, 2])
    """
    cdef Tensor x = require_tensor(input, "repeat_interleave", "input")
    cdef Tensor y
    cdef int axis
    if repeats is None:                                 # repeat_interleave(repeats): the positions themselves
        if x.t.ndim != 1 or is_float(x.t.dtype):
            raise RuntimeError("repeat_interleave: repeats must be a 1-D tensor of integers")
        return from_data(np.repeat(np.arange(x.t.size), x._ndarray()), FN_I64)
    if dim is None:
        x, dim = x.reshape(-1), 0
    axis = axis_of(dim, x.t.ndim, "repeat_interleave", "dim")
    if x.t.ndim == 0:
        x = x.reshape(1)
    if isinstance(repeats, Tensor):
        if is_float((<Tensor>repeats).t.dtype) or (<Tensor>repeats).t.ndim > 1:
            raise RuntimeError("repeat_interleave: repeats must be an integer or a 1-D tensor of integers")
        repeats = repeats.tolist()
    if isinstance(repeats, (list, tuple)) and len(repeats) == 1:
        repeats = repeats[0]
    if isinstance(repeats, (list, tuple)):
        if len(repeats) != x.t.dims[axis]:
            raise RuntimeError(f"repeat_interleave: {len(repeats)} repeats for axis {axis} of size {x.t.dims[axis]}")
        if min(repeats, default=0) < 0:
            raise RuntimeError("repeat_interleave: repeats must not be negative")
        y = x[(slice(None),) * axis + (np.repeat(np.arange(x.t.dims[axis]), repeats),)]
    else:
        if repeats < 0:
            raise RuntimeError(f"repeat_interleave: repeats must not be negative, got {repeats}")
        y = _times(x, axis, repeats, True)
    if output_size is not None and output_size != y.t.dims[axis]:
        raise RuntimeError(f"repeat_interleave: output_size {output_size} is not the size {y.t.dims[axis]} of the result")
    return y


attach(repeat=repeat, tile=tile, repeat_interleave=repeat_interleave)
