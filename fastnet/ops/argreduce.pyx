"""Where the extremes are: argmax, argmin, and max, min with their indices.  The first of several equal values is chosen."""
from collections import namedtuple

from libc.stdint cimport int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *
from fastnet.ops.bounds cimport *

import numpy as np
from fastnet._core.tensor import attach
from fastnet.ops.reduce import amax, amin

cdef extern from "groups/rows.h" nogil:
    int FN_argmax_rows, FN_argmin_rows, FN_argmax_columns, FN_argmin_columns, FN_reduce_max, FN_reduce_min
cdef extern from "groups/index.h" nogil:
    int FN_scatter
cdef extern from "kernels/argreduce.h" nogil:
    ctypedef struct fn_argreduce_args:
        const void *x
        const void *part
        void *value
        int64_t *index
        Py_ssize_t n, inner, chunk, chunks, width, blocks

cdef Py_ssize_t PIECE = 16384                            # of a long row: its extremes are found first, then one piece is searched

max_result = namedtuple("max", "values indices", module=__name__)
min_result = namedtuple("min", "values indices", module=__name__)
max_result.__qualname__, min_result.__qualname__ = "max_result", "min_result"    # what pickles know them by


cdef int select_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """gx = 0 except at the index.  saved[0]: indices (reduced axis as 1), saved[1]: the layout of gx."""
    cdef fn_scatter_args a
    cdef fn_tensor wide, pg
    cdef fn_tensor *layout = &n.saved[1].t
    wide.st = pg.st = NULL
    try:
        unsqueeze_axes(&wide, gy, layout, n.i[0])
        array_contiguous(&pg, &wide)
        array_like(&gin[0], layout, gy.dtype)
        a.x, a.index, a.y = pg.p, <int64_t *>n.saved[0].t.p, gin[0].p
        a.n, a.k, a.inner, a.y_inner, a.bytes = n.i[2], 1, n.i[3], n.i[3], itemsize(gy.dtype)
        a.index_o, a.index_i, a.index_j = n.i[3], 0, 1
        a.x_o, a.x_i, a.x_j = n.i[3], 0, 1
        a.ignore, a.fresh, a.scale = -1, 1, 1
        return launch(FN_scatter, gy.dtype, &a, n.i[1] * n.i[2], byte_cost(1.0 * itemsize(gy.dtype) * gin[0].size))
    finally:
        array_drop(&wide)
        array_drop(&pg)


cdef fn_op MAX = [b"MaxBackward0", select_backward, False]
cdef fn_op MIN = [b"MinBackward0", select_backward, False]


cdef tuple _extreme(Tensor x, int axis, bint keepdim, bint largest, bint want_values):
    """(values or None, indices) over one axis of a floating-point tensor."""
    cdef Tensor value = Tensor.__new__(Tensor), index = Tensor.__new__(Tensor)
    cdef fn_argreduce_args a
    cdef fn_reduce_args parts
    cdef fn_tensor px, part
    cdef fn_node *n
    cdef Rows r
    cdef long mask = 1 << axis
    cdef double cost
    cdef Py_ssize_t dims[1]
    px.st = part.st = NULL
    try:
        arrange(&px, &x.t, mask, &r)
        reduced_new(&index.t, &x.t, mask, FN_I64)
        if want_values:
            reduced_new(&value.t, &x.t, mask, x.t.dtype)
        cost = byte_cost(<double>itemsize(x.t.dtype) * x.t.size) + 5.0 * r.outer
        a.x, a.index, a.n, a.inner, a.part = px.p, <int64_t *>index.t.p, r.n, r.inner, NULL
        a.value = value.t.p if want_values else NULL
        a.width = block_width(r.inner)
        a.blocks = 1 if a.width == 0 else (r.inner + a.width - 1) // a.width
        a.chunk, a.chunks = r.n, 1
        if r.inner > 1:
            launch(FN_argmax_columns if largest else FN_argmin_columns, x.t.dtype, &a, r.outer * a.blocks, cost)
        else:
            if r.n > 2 * PIECE:
                a.chunk, a.chunks = PIECE, (r.n + PIECE - 1) // PIECE
                dims[0] = r.outer * a.chunks
                array_new(&part, 1, dims, x.t.dtype)
                parts.x, parts.c, parts.y, parts.n, parts.inner = px.p, NULL, part.p, r.n, 1
                parts.chunk, parts.chunks, parts.width, parts.blocks = a.chunk, a.chunks, 1, 1
                launch(FN_reduce_max if largest else FN_reduce_min, x.t.dtype, &parts, dims[0], cost)
                a.part = part.p
                cost = byte_cost(<double>itemsize(x.t.dtype) * r.outer * PIECE)
            launch(FN_argmax_rows if largest else FN_argmin_rows, x.t.dtype, &a, r.outer, cost)
        if want_values and x.node != NULL and grad_enabled():
            n = record(value, &MAX if largest else &MIN, 1, 2)
            node_input(n, 0, x.node)
            node_save(n, 0, &index.t)
            node_save_shape(n, 1, &px)
            n.i[0], n.i[1], n.i[2], n.i[3] = mask, r.outer, r.n, r.inner
    finally:
        array_drop(&px)
        array_drop(&part)
    if not keepdim:
        squeeze_axes(&index.t, mask)
        if want_values:
            squeeze_axes(&value.t, mask)
            if value.node != NULL:
                squeeze_axes(&value.node.acc, mask)
    return value if want_values else None, index


cdef int _axis_of(Tensor x, object dim, str op) except -1:
    cdef int axis = one_axis(dim, x.t.ndim, op)
    if x.t.ndim and x.t.dims[axis] == 0:
        raise ValueError(f"{op}: dim {axis} of a tensor of shape {shape_of(&x.t)} is empty, and {op} has no value for none")
    return axis


cdef Tensor _arg(object input, object dim, bint keepdim, bint largest, str op):
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Tensor y
    cdef int axis, d, ndim = x.t.ndim
    if dim is None:
        if x.t.size == 0:
            raise ValueError(f"{op}: a tensor of shape {shape_of(&x.t)} has no element")
        flat = x.detach().reshape(-1)
        y = _arg(flat, 0, False, largest, op)
        if keepdim:
            y.t.ndim = ndim
            for d in range(ndim):
                y.t.dims[d] = y.t.strides[d] = 1
        return y
    axis = _axis_of(x, dim, op)
    if not is_float(x.t.dtype):
        a = x._ndarray()
        picked = (np.argmax if largest else np.argmin)(a, axis=axis if a.ndim else None)
        return from_data(np.expand_dims(picked, axis) if keepdim and a.ndim else picked, FN_I64)
    return _extreme(x, axis, keepdim, largest, False)[1]


def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=None):
    """The index of the largest value, an int64 tensor; the first of several, the first NaN if there is one.

    Args:
        input: any tensor.
        dim: an axis; None: the index into the flattened tensor.
        keepdim: keep the axis, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    >>> import fastnet
    >>> fastnet.argmax(fastnet.tensor([[1.0, 5.0], [7.0, 4.0]]), dim=1)
    tensor([1, 0])
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "argmax")
    return _arg(input, dim, keepdim, True, "argmax")


def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=None):
    """The index of the smallest value, an int64 tensor; the first of several, the first NaN if there is one.

    Args:
        input: any tensor.
        dim: an axis; None: the index into the flattened tensor.
        keepdim: keep the axis, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    >>> import fastnet
    >>> fastnet.argmin(fastnet.tensor([[1.0, 5.0], [7.0, 4.0]]), dim=1)
    tensor([0, 1])
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "argmin")
    return _arg(input, dim, keepdim, False, "argmin")


cdef object _max(object input, object dim, object keepdim, object other, bint largest, str op):
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Tensor index
    cdef int axis
    if isinstance(dim, Tensor):
        dim, other = None, dim
    if other is not None:
        if dim is not None:
            raise TypeError(f"{op}: give dim or other, not both")
        return x.maximum(other) if largest else x.minimum(other)
    if dim is None:
        if x.t.size == 0:
            raise ValueError(f"{op}: a tensor of shape {shape_of(&x.t)} has no element; give dim")
        return amax(x) if largest else amin(x)
    axis = _axis_of(x, dim, op)
    result = max_result if largest else min_result
    if is_float(x.t.dtype):
        return result(*_extreme(x, axis, keepdim, largest, True))
    index = _arg(x, dim, keepdim, largest, op)
    return result((amax if largest else amin)(x, dim, keepdim), index)


def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None):
    """The largest value; with dim, the largest values along an axis and their indices; with a second tensor, `maximum`.

    Args:
        input: any tensor.
        dim: an axis, or None for all; or a tensor, which is taken as `other`.
        keepdim: keep the axis, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        other: a tensor to compare with, element by element.

    Returns:
        A tensor, or a named tuple (values, indices) if dim is given.

    >>> import fastnet
    >>> fastnet.max(fastnet.tensor([[1.0, 5.0], [7.0, 4.0]]), dim=1)
    max(values=tensor([5., 7.]), indices=tensor([1, 0]))
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "max")
    return _max(input, dim, keepdim, other, True, "max")


def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None):
    """The smallest value; with dim, the smallest values along an axis and their indices; with a second tensor, `minimum`.

    Args:
        input: any tensor.
        dim: an axis, or None for all; or a tensor, which is taken as `other`.
        keepdim: keep the axis, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        other: a tensor to compare with, element by element.

    Returns:
        A tensor, or a named tuple (values, indices) if dim is given.

    >>> import fastnet
    >>> fastnet.min(fastnet.tensor([[1.0, 5.0], [7.0, 4.0]]), dim=1)
    min(values=tensor([1., 4.]), indices=tensor([0, 1]))
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "min")
    return _max(input, dim, keepdim, other, False, "min")


attach(argmax=argmax, argmin=argmin, max=max, min=min)
