"""linear: y = act(x.w' + b), and its gradients gx = gz.w, gw = gz'.x, gb = the sum of the rows of gz, with gz = gy act'(y)."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.gemm cimport *

from fastnet.ops.matmul import matmul

cdef extern from "groups/element.h" nogil:
    int FN_threshold_backward, FN_tanh_backward, FN_sigmoid_backward
cdef extern from "kernels/elementwise.h" nogil:
    ctypedef struct fn_elementwise_args:
        void *p[4]
        double s[4]
        Py_ssize_t stream, type, ndim
        Py_ssize_t dims[8]
        Py_ssize_t strides[4][8]

# inputs and saved: 0 x, 1 w, 2 b (input) or y (saved, where act needs it); n.i[0]: act


cdef int act_backward(fn_tensor *gz, const fn_tensor *gy, const fn_tensor *y, int act) except -1:
    """gz (new, contiguous) = gy act'(y); y is contiguous."""
    cdef fn_elementwise_args e
    cdef fn_tensor g
    cdef int kernel = FN_threshold_backward if act == FN_ACT_RELU else (FN_tanh_backward if act == FN_ACT_TANH else FN_sigmoid_backward)
    array_contiguous(&g, gy)
    try:
        array_new(gz, y.ndim, y.dims, y.dtype)
        e.p[0], e.p[1], e.p[2] = gz.p, g.p, y.p
        e.s[0] = e.s[1] = e.s[2] = e.s[3] = 0.0
        e.stream, e.type, e.ndim = 0, 0, 1
        e.dims[0] = y.size
        e.strides[0][0] = e.strides[1][0] = e.strides[2][0] = 1
        return launch(kernel, y.dtype, &e, y.size, byte_cost(3.0 * y.size * itemsize(y.dtype)))
    finally:
        array_drop(&g)


cdef int linear_gradients(fn_node *n, const fn_tensor *gz, Py_ssize_t m, Py_ssize_t rs, fn_tensor *gin) except -1:
    cdef fn_gemm_args g
    cdef fn_tensor *x = &n.saved[0].t
    cdef fn_tensor *w = &n.saved[1].t
    cdef Py_ssize_t out = gz.dims[gz.ndim - 1], cs = gz.strides[gz.ndim - 1], rows = 0, x_rs = 0
    cdef fn_node *to
    if n.inputs[0] != NULL:
        to = n.inputs[0]
        array_new(&gin[0], to.acc.ndim, to.acc.dims, to.acc.dtype)
        gemm_begin(&g, m, w.dims[1], out)
        gemm_a(&g, gz.p, rs, cs)
        gemm_b(&g, w.p, w.strides[0], w.strides[1])
        gemm_c(&g, gin[0].p, w.dims[1], 1)
        gemm(gz.dtype, &g)
    if n.inputs[1] != NULL:
        to = n.inputs[1]
        if is_dense(&to.acc):
            array_like(&gin[1], &to.acc, to.acc.dtype)   # in the weight's memory order, also where that is a transpose
        else:
            array_new(&gin[1], 2, to.acc.dims, to.acc.dtype)
        rows_of(x, &rows, &x_rs)
        gemm_begin(&g, out, to.acc.dims[1], m)
        gemm_a(&g, gz.p, cs, rs)
        gemm_b(&g, x.p, x_rs, x.strides[x.ndim - 1])
        gemm_c(&g, gin[1].p, gin[1].strides[0], gin[1].strides[1])
        gemm(gz.dtype, &g)
    if n.inputs[2] != NULL and m == 1:                   # the sum of one row
        array_share(&gin[2], gz)
        gin[2].ndim, gin[2].dims[0], gin[2].strides[0] = 1, out, cs
    elif n.inputs[2] != NULL:
        array_new(&gin[2], 1, &out, gz.dtype)
        gemm_column_sum(gz.dtype, m, out, gz.p, rs, cs, gin[2].p)
    return 0


cdef int linear_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor gz
    cdef Py_ssize_t m = 0, rs = 0
    if n.i[0] == FN_ACT_NONE and rows_of(gy, &m, &rs):
        return linear_gradients(n, gy, m, rs, gin)
    gz.st = NULL
    try:
        if n.i[0] != FN_ACT_NONE:
            act_backward(&gz, gy, &n.saved[2].t, <int>n.i[0])
        else:
            array_contiguous(&gz, gy)
        rows_of(&gz, &m, &rs)
        return linear_gradients(n, &gz, m, rs, gin)
    finally:
        array_drop(&gz)


cdef fn_op LINEAR = [b"LinearBackward0", linear_backward, False]


cdef int refuse(str op, Tensor x, Tensor w, Tensor b) except -1:
    """Say what does not fit."""
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be float32 or float64, got {x.dtype}")
    if w.t.dtype != x.t.dtype or (b is not None and b.t.dtype != x.t.dtype):
        raise RuntimeError(f"{op}: input is {x.dtype}, weight is {w.dtype}{'' if b is None else f', bias is {b.dtype}'}; they must agree")
    if x.t.ndim < 1 or w.t.ndim != 2 or x.t.dims[x.t.ndim - 1] != w.t.dims[1]:
        raise RuntimeError(f"{op}: weight {shape_of(&w.t)} expects input (..., {w.t.dims[w.t.ndim - 1] if w.t.ndim else '?'}), "
                           f"got {shape_of(&x.t)}")
    raise RuntimeError(f"{op}: bias must have the shape ({w.t.dims[0]},), got {shape_of(&b.t)}")


cdef Tensor linear_forward(Tensor x, Tensor w, Tensor b, int act, str op):
    cdef int last = x.t.ndim - 1, d
    cdef Tensor y
    cdef fn_gemm_args g
    cdef fn_node *n
    cdef fn_tensor rows
    cdef Py_ssize_t m = 0, rs = 0, out
    if (x.t.dtype != w.t.dtype or not is_float(x.t.dtype) or last < 0 or w.t.ndim != 2 or x.t.dims[last] != w.t.dims[1]
            or (b is not None and (b.t.dtype != x.t.dtype or b.t.ndim != 1 or b.t.dims[0] != w.t.dims[0]))):
        refuse(op, x, w, b)
    out = w.t.dims[0]
    if rows_of(&x.t, &m, &rs):
        array_share(&rows, &x.t)
    else:
        array_contiguous(&rows, &x.t)
        rows_of(&rows, &m, &rs)
    try:
        y = Tensor.__new__(Tensor)
        y.t.ndim = x.t.ndim
        for d in range(last):
            y.t.dims[d] = x.t.dims[d]
        y.t.dims[last] = out
        array_new(&y.t, y.t.ndim, y.t.dims, x.t.dtype)
        gemm_begin(&g, m, out, w.t.dims[1])
        gemm_a(&g, rows.p, rs, rows.strides[last])
        gemm_b(&g, w.t.p, w.t.strides[1], w.t.strides[0])
        gemm_c(&g, y.t.p, out, 1)
        if b is not None:
            g.bias, g.bias_cs = b.t.p, b.t.strides[0]
        g.act = act
        gemm(x.t.dtype, &g)
        if grad_enabled() and (x.node != NULL or w.node != NULL or (b is not None and b.node != NULL)):
            n = record(y, &LINEAR, 3, 3)
            n.i[0] = act
            node_input(n, 0, x.node)
            node_input(n, 1, w.node)
            if b is not None:
                node_input(n, 2, b.node)
            if w.node != NULL:
                node_save(n, 0, &rows)
            if x.node != NULL:
                node_save(n, 1, &w.t)
            if act != FN_ACT_NONE:
                node_save(n, 2, &y.t)
        return y
    finally:
        array_drop(&rows)


def linear(input, weight, bias=None):
    """y = x.w' + b, over the last axis.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features), or (in_features,) for a result without the last axis.
        bias: (out_features,), or () with a weight of one axis; None: none.

    Returns:
        (..., out_features).

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.nn.functional.linear(fastnet.ones(2, 3), fastnet.ones(1, 3), fastnet.ones(1))
    tensor([[4.],
            [4.]])
    """
    cdef Tensor x = require_tensor(input, "linear", "input"), w = require_tensor(weight, "linear", "weight")
    cdef Tensor b = None if bias is None else require_tensor(bias, "linear", "bias")
    if w.t.ndim == 1:
        y = matmul(x, w)
        return y if b is None else y + b
    return linear_forward(x, w, b, FN_ACT_NONE, "linear")


ACTIVATIONS = {None: FN_ACT_NONE, "relu": FN_ACT_RELU, "tanh": FN_ACT_TANH, "sigmoid": FN_ACT_SIGMOID}


def linear_act(input, weight, bias=None, activation=None):
    """act(x.w' + b) in one pass over the result, for fused layers.

    Args:
        input: (..., in_features).
        weight: (out_features, in_features).
        bias: (out_features,) or None.
        activation: None, "relu", "tanh" or "sigmoid".

    Returns:
        (..., out_features).

    Raises:
        RuntimeError: shapes or dtypes do not fit.
        ValueError: another activation.

    >>> import fastnet
    >>> from fastnet.ops.linear import linear_act
    >>> linear_act(fastnet.ones(1, 2), -fastnet.ones(1, 2), activation="relu")
    tensor([[0.]])
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"linear_act: activation must be one of {', '.join(map(repr, ACTIVATIONS))}, got {activation!r}")
    return linear_forward(require_tensor(input, "linear_act", "input"), require_tensor(weight, "linear_act", "weight"),
                          None if bias is None else require_tensor(bias, "linear_act", "bias"), ACTIVATIONS[activation], "linear_act")
