"""softmax and log_softmax along one axis."""
import warnings

from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *

from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_softmax_forward, FN_softmax_backward, FN_log_softmax_forward, FN_log_softmax_backward
cdef extern from "kernels/softmax.h" nogil:
    ctypedef struct fn_softmax_forward_args:
        const void *x
        void *y
        Py_ssize_t n, inner, width, blocks
    ctypedef struct fn_softmax_backward_args:
        const void *y
        const void *gy
        void *gx
        Py_ssize_t n, inner, width, blocks


cdef int _backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, int kernel) except -1:
    cdef fn_softmax_backward_args a
    cdef fn_tensor *y = &n.saved[0].t
    cdef fn_tensor pg
    arrange_like(&pg, gy, y)
    try:
        array_like(&gin[0], y, y.dtype)
        a.y, a.gy, a.gx, a.n, a.inner = y.p, pg.p, gin[0].p, n.i[1], n.i[2]
        a.width = block_width(a.inner)
        a.blocks = (a.inner + a.width - 1) // a.width
        return launch(kernel, y.dtype, &a, n.i[0] * a.blocks, byte_cost(3.0 * itemsize(y.dtype) * y.size))
    finally:
        array_drop(&pg)


cdef int softmax_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, FN_softmax_backward)


cdef int log_softmax_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, FN_log_softmax_backward)


cdef fn_op SOFTMAX = [b"SoftmaxBackward0", softmax_backward, False]
cdef fn_op LOG_SOFTMAX = [b"LogSoftmaxBackward0", log_softmax_backward, False]


cdef Tensor _softmax(Tensor x, object dim, object dtype, int kernel, const fn_op *op, str name):
    cdef fn_softmax_forward_args a
    cdef fn_tensor px
    cdef fn_node *n
    cdef Tensor y
    cdef Rows r
    cdef int axis
    if dtype is not None and dtype_index(dtype) != x.t.dtype:
        x = x.to(dtype)
    if not is_float(x.t.dtype):
        raise TypeError(f"{name}: input must be floating-point, got {x.dtype}; pass dtype=")
    if dim is None:
        dim = 0 if x.t.ndim in (0, 1, 3) else 1
        warnings.warn(f"{name}: dim was not given; {dim} is taken, as in PyTorch", stacklevel=2)
    axis = one_axis(dim, x.t.ndim, name)
    arrange_axis(&px, &x.t, axis, &r)
    try:
        y = tensor_like(&px, x.t.dtype)
        a.x, a.y, a.n, a.inner = px.p, y.t.p, r.n, r.inner
        a.width = block_width(r.inner)
        a.blocks = 1 if a.width == 0 else (r.inner + a.width - 1) // a.width
        launch(kernel, x.t.dtype, &a, r.outer * a.blocks, byte_cost(3.0 * itemsize(x.t.dtype) * x.t.size))
    finally:
        array_drop(&px)
    if x.node != NULL and grad_enabled():
        n = record(y, op, 1, 1)
        node_input(n, 0, x.node)
        node_save(n, 0, &y.t)
        n.i[0], n.i[1], n.i[2], n.i[3] = r.outer, r.n, r.inner, axis
    return y


def softmax(input, dim=None, dtype=None):
    """exp(x) / sum(exp(x)) along an axis.

    Args:
        input: a floating-point tensor.
        dim: the axis; None is allowed for PyTorch's sake and warns.
        dtype: cast to it first.

    Raises:
        TypeError: input is not floating-point.

    >>> import fastnet
    >>> fastnet.softmax(fastnet.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(require_tensor(input, "softmax", "input"), dim, dtype, FN_softmax_forward, &SOFTMAX, "softmax")


def log_softmax(input, dim=None, dtype=None):
    """log(softmax(x)) along an axis, without overflow or loss of digits.

    Args:
        input: a floating-point tensor.
        dim: the axis; None is allowed for PyTorch's sake and warns.
        dtype: cast to it first.

    Raises:
        TypeError: input is not floating-point.

    >>> import fastnet
    >>> fastnet.log_softmax(fastnet.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return _softmax(require_tensor(input, "log_softmax", "input"), dim, dtype, FN_log_softmax_forward, &LOG_SOFTMAX, "log_softmax")


def softmin(input, dim=None, dtype=None):
    """softmax of -x along an axis.

    Args:
        input: a floating-point tensor.
        dim: the axis.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.nn.functional.softmin(fastnet.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return softmax(-require_tensor(input, "softmin", "input"), dim, dtype)


attach(softmax=softmax, log_softmax=log_softmax)
