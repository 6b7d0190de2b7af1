"""copy_, fill_, zero_: overwrite a tensor."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

from fastnet._core.tensor import attach


cdef int copy_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """To what was copied: gy; to what was overwritten: 0."""
    cdef fn_tensor g
    if n.inputs[0] != NULL:
        array_share(&g, gy)
        gradient_to(&gin[0], &g, n.inputs[0])
    if n.inputs[1] != NULL:
        array_zeros(&gin[1], &n.inputs[1].acc, n.inputs[1].acc.dtype)
    return 0


cdef fn_op COPY = [b"CopyBackwards", copy_backward, False]
cdef fn_op FILL = [b"FillBackward0", copy_backward, False]


cdef Tensor _overwrite(Tensor x, Tensor source, const fn_op *op, str name):
    cdef Operands o
    cdef fn_node *node
    o.n = 2
    o.of[0].owned = False
    o.of[1].t, o.of[1].owned = source.t, False
    check_inplace(x, &o, x.t.dtype, name)
    unalias(&o.of[1], &x.t, False)
    try:
        assign(x, &o.of[1].t)
    finally:
        operands_drop(&o)
    written(x)
    if (x.node != NULL or source.node != NULL) and grad_enabled():
        node = node_new(op, &x.t, 2, 0)
        node_input(node, 0, source.node if is_float(x.t.dtype) else NULL)
        node_input(node, 1, x.node)
        replace_node(x, node)
    return x


def copy_(input, src, non_blocking=False):
    """Overwrite input with src, broadcast and cast; returns input.

    Args:
        input: the tensor to write.
        src: a tensor whose shape broadcasts to input's.
        non_blocking: accepted; there is no device to wait for.

    >>> import fastnet
    >>> fastnet.zeros(2).copy_(fastnet.tensor([1, 2]))
    tensor([1., 2.])
    """
    return _overwrite(require_tensor(input, "copy_", "input"), as_tensor(src, "copy_", "src"), &COPY, "copy_")


def fill_(input, value):
    """Overwrite every element of input with value, a number or a 0-dim tensor; returns input.

    >>> import fastnet
    >>> fastnet.zeros(2).fill_(3.0)
    tensor([3., 3.])
    """
    cdef Tensor x = require_tensor(input, "fill_", "input")
    cdef Tensor v
    if isinstance(value, Tensor):
        v = value
        if v.t.ndim:
            raise RuntimeError(f"fill_: value must have no axes, got shape {shape_of(&v.t)}")
    else:
        v = tensor_scalar(value, x.t.dtype)
    return _overwrite(x, v, &FILL, "fill_")


def zero_(input):
    """Overwrite every element of input with 0; returns input.

    >>> import fastnet
    >>> fastnet.ones(2).zero_()
    tensor([0., 0.])
    """
    cdef Tensor x = require_tensor(input, "zero_", "input")
    return _overwrite(x, tensor_scalar(0, x.t.dtype), &FILL, "zero_")


attach(copy_=copy_, fill_=fill_, zero_=zero_)
