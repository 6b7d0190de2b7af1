"""Running sums and products along an axis: cumsum, cumprod."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/index.h" nogil:
    int FN_cumsum, FN_cumprod, FN_cumprod_backward
cdef extern from "kernels/scan.h" nogil:
    enum:
        SCAN_WIDTH
    ctypedef struct fn_scan_args:
        const void *x
        void *y
        Py_ssize_t n, inner, blocks
        int reverse
    ctypedef struct fn_cumprod_backward_args:
        const void *x
        const void *y
        const void *gy
        void *gx
        Py_ssize_t n, inner


cdef int scan_array(fn_tensor *y, const fn_tensor *x, int axis, int kernel, bint reverse) except -1:
    """y (new, dense) = the running sum or product of x."""
    cdef fn_scan_args a
    cdef fn_tensor px
    cdef Rows r
    arrange_axis(&px, x, axis, &r)
    try:
        array_like(y, &px, x.dtype)
        a.x, a.y, a.n, a.inner, a.reverse = px.p, y.p, r.n, r.inner, reverse
        a.blocks = (r.inner + SCAN_WIDTH - 1) // SCAN_WIDTH
        return launch(kernel, x.dtype, &a, r.outer * a.blocks, 1.5 * x.size)
    finally:
        array_drop(&px)


cdef int cumsum_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return scan_array(&gin[0], gy, <int>n.i[0], FN_cumsum, True)


cdef int cumprod_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_cumprod_backward_args a
    cdef fn_tensor px, py, pg
    cdef Rows r
    px.st = py.st = pg.st = NULL
    try:
        arrange_axis(&px, &n.saved[0].t, <int>n.i[0], &r)
        arrange_like(&py, &n.saved[1].t, &px)
        arrange_like(&pg, gy, &px)
        array_like(&gin[0], &px, px.dtype)
        a.x, a.y, a.gy, a.gx, a.n, a.inner = px.p, py.p, pg.p, gin[0].p, r.n, r.inner
        return launch(FN_cumprod_backward, px.dtype, &a, r.outer * r.inner, 8.0 * px.size)
    finally:
        array_drop(&px)
        array_drop(&py)
        array_drop(&pg)


cdef fn_op CUMSUM = [b"CumsumBackward0", cumsum_backward, False]
cdef fn_op CUMPROD = [b"CumprodBackward0", cumprod_backward, False]


cdef Tensor _scan(object input, object dim, object dtype, int kernel, str op):
    cdef Tensor x = require_tensor(input, op, "input"), y
    cdef int axis = one_axis(dim, x.t.ndim, op), out = FN_I64
    cdef fn_node *n
    if dtype is not None:
        out = dtype_index(dtype)
        if out != x.t.dtype:
            x = x.to(dtype)
    if not is_float(x.t.dtype):
        if x.t.ndim == 0:
            return x.to(dtype_object(out))
        return from_data((np.cumsum if kernel == FN_cumsum else np.cumprod)(x._ndarray(), axis=axis, dtype=dtype_object(out).numpy), out)
    y = Tensor.__new__(Tensor)
    scan_array(&y.t, &x.t, axis, kernel, False)
    if x.node != NULL and grad_enabled():
        n = record(y, &CUMSUM if kernel == FN_cumsum else &CUMPROD, 1, 0 if kernel == FN_cumsum else 2)
        node_input(n, 0, x.node)
        if kernel != FN_cumsum:
            node_save(n, 0, &x.t)
            node_save(n, 1, &y.t)
        n.i[0] = axis
    return y


def cumsum(input, dim, *, dtype=None):
    """The running sum along an axis, accumulated in float64.

    Args:
        input: any tensor; integers and bools are summed as int64.
        dim: the axis.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.cumsum(fastnet.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _scan(input, dim, dtype, FN_cumsum, "cumsum")


def cumprod(input, dim, *, dtype=None):
    """The running product along an axis, accumulated in float64.

    Args:
        input: any tensor; integers and bools are multiplied as int64.
        dim: the axis.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.cumprod(fastnet.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return _scan(input, dim, dtype, FN_cumprod, "cumprod")


attach(cumsum=cumsum, cumprod=cumprod)
