"""prelu: a leaky relu whose slope is learnt, one for all channels or one each."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport reduce_array
from fastnet.ops.elementwise cimport *

from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_prelu, FN_prelu_backward, FN_prelu_backward_weight
cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum


cdef void _along_channels(fn_tensor *w, const fn_tensor *weight, const fn_tensor *x) noexcept:
    """*w = weight (borrowed) with x's axes: its elements along axis 1."""
    cdef int d
    w[0] = weight[0]
    w.ndim = x.ndim
    for d in range(x.ndim):
        w.dims[d], w.strides[d] = 1, 0
    if weight.size > 1:
        w.dims[1], w.strides[1] = weight.size, weight.strides[0]


cdef int prelu_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef fn_tensor w, g
    cdef long mask = (1 << x.ndim) - 1
    _along_channels(&w, &n.saved[1].t, x)
    if n.inputs[0] != NULL:
        gradient_run(&gin[0], n.inputs[0], FN_prelu_backward, gy, x, &w, NULL, 0)
    if n.inputs[1] != NULL:
        if w.size > 1:
            mask &= ~<long>2
        array_like(&g, x, x.dtype)
        try:
            run(FN_prelu_backward_weight, x.dtype, &g, 2, gy, x, NULL, NULL, 0)
            reduce_array(&gin[1], &g, mask, FN_reduce_sum, FN_reduce_sum)
        finally:
            array_drop(&g)
        gin[1].ndim = n.inputs[1].acc.ndim
        if gin[1].ndim:
            gin[1].dims[0], gin[1].strides[0] = w.size, 1
    return 0


cdef fn_op PRELU = [b"PreluBackward0", prelu_backward, False]


def prelu(input, weight):
    """x where x > 0, else weight * x, weight being one number or one of each channel.

    Args:
        input: (N, C, ...) or any shape.
        weight: (1,), () or (C,), of input's dtype.

    Raises:
        RuntimeError: the size of weight is neither 1 nor C.

    >>> import fastnet
    >>> fastnet.nn.functional.prelu(fastnet.tensor([-2.0, 3.0]), fastnet.tensor([0.5]))
    tensor([-1.,  3.])
    """
    cdef Tensor x = require_tensor(input, "prelu", "input")
    cdef Tensor weights = require_tensor(weight, "prelu", "weight")
    cdef Tensor y
    cdef fn_tensor w
    cdef fn_node *n
    if not is_float(x.t.dtype) or weights.t.dtype != x.t.dtype:
        raise RuntimeError(f"prelu: input and weight must have one floating-point dtype, got {x.dtype} and {weights.dtype}")
    if weights.t.ndim > 1 or (weights.t.size != 1 and (x.t.ndim < 2 or x.t.dims[1] != weights.t.size)):
        raise RuntimeError(f"prelu: weight of shape {shape_of(&weights.t)} does not fit input of shape {shape_of(&x.t)}: it holds one number, or "
                           "one of each channel (axis 1)")
    _along_channels(&w, &weights.t, &x.t)
    y = tensor_like(&x.t, x.t.dtype)
    run(FN_prelu, x.t.dtype, &y.t, 2, &x.t, &w, NULL, NULL, 0)
    if (x.node != NULL or weights.node != NULL) and grad_enabled():
        n = record(y, &PRELU, 2, 2)
        node_input(n, 0, x.node)
        node_input(n, 1, weights.node)
        node_save(n, 0, &x.t)
        node_save(n, 1, &weights.t)
    return y


attach(prelu=prelu)
