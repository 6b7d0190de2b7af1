"""glu: one half of a tensor gated by the sigmoid of the other."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport one_axis
from fastnet.ops.elementwise cimport *

cdef extern from "groups/element.h" nogil:
    int FN_mul_sigmoid, FN_mul_sigmoid_backward_gate


cdef void _half(fn_tensor *h, const fn_tensor *x, int axis, int which) noexcept:
    """*h = the first or second half of x along an axis (borrowed)."""
    h[0] = x[0]
    h.dims[axis] = x.dims[axis] // 2
    h.size = x.size // 2
    h.p = x.p + which * h.dims[axis] * x.strides[axis] * itemsize(x.dtype)


cdef int glu_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef fn_tensor a, b, ga, gb
    cdef int axis = <int>n.i[0]
    array_like(&gin[0], x, x.dtype)
    _half(&a, x, axis, 0)
    _half(&b, x, axis, 1)
    _half(&ga, &gin[0], axis, 0)
    _half(&gb, &gin[0], axis, 1)
    run(FN_mul_sigmoid, x.dtype, &ga, 2, gy, &b, NULL, NULL, 0.8)
    return run(FN_mul_sigmoid_backward_gate, x.dtype, &gb, 3, gy, &a, &b, NULL, 0.8)


cdef fn_op GLU = [b"GluBackward0", glu_backward, False]


def glu(input, dim=-1):
    """a * sigmoid(b), a and b being the halves of input along an axis.

    Args:
        input: a tensor whose size along dim is even.
        dim: the axis.

    Raises:
        RuntimeError: that size is odd.

    >>> import fastnet
    >>> fastnet.nn.functional.glu(fastnet.tensor([4.0, 0.0]))
    tensor([2.])
    """
    cdef Tensor x = require_tensor(input, "glu", "input")
    cdef int axis = one_axis(dim, x.t.ndim, "glu")
    cdef Tensor y
    cdef fn_tensor a, b
    cdef fn_node *n
    if not is_float(x.t.dtype) or x.t.ndim == 0:
        raise RuntimeError(f"glu: input must be floating-point and have an axis, got {x.dtype} of shape {shape_of(&x.t)}")
    if x.t.dims[axis] % 2:
        raise RuntimeError(f"glu: the size of input {shape_of(&x.t)} along dim {axis} must be even")
    _half(&a, &x.t, axis, 0)
    _half(&b, &x.t, axis, 1)
    y = Tensor.__new__(Tensor)
    if 3 <= x.t.ndim <= 5 and not is_contiguous(&x.t) and is_channels_last(&x.t):
        array_new_channels_last(&y.t, a.ndim, a.dims, a.dtype)
    else:
        array_new(&y.t, a.ndim, a.dims, a.dtype)
    run(FN_mul_sigmoid, a.dtype, &y.t, 2, &a, &b, NULL, NULL, 0.8)
    if x.node != NULL and grad_enabled():
        n = record(y, &GLU, 1, 1)
        n.i[0] = axis
        node_input(n, 0, x.node)
        node_save(n, 0, &x.t)
    return y
