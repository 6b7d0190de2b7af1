"""Ops of three operands: lerp, addcmul, addcdiv; in place too."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.binary cimport ONES
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_lerp, FN_mul_rest, FN_mul_difference, FN_mul, FN_div, FN_addcmul, FN_addcdiv, FN_addcdiv_backward_divisor


cdef int _pass(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """The first operand of addcmul and addcdiv has gy as its gradient."""
    cdef fn_tensor g
    if n.inputs[0] != NULL:
        array_share(&g, gy)
        gradient_to(&gin[0], &g, n.inputs[0])
    return 0


cdef int lerp_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t[3]
    cdef char room[3][8]
    cdef const fn_tensor *weight = saved_operand(n, 2, &t[2], room[2])
    if n.inputs[0] != NULL:
        gradient_run(&gin[0], n.inputs[0], FN_mul_rest, gy, weight, NULL, NULL, 0)
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], FN_mul, gy, weight, NULL, ONES, 0)
    if n.inputs[2] != NULL:
        gradient_run(&gin[2], n.inputs[2], FN_mul_difference, gy, saved_operand(n, 1, &t[1], room[1]), saved_operand(n, 0, &t[0], room[0]), NULL, 0)
    return 0


cdef int addcmul_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t[3]
    cdef char room[3][8]
    cdef double s[4]
    s[0] = n.f[3]
    _pass(n, gy, gin)
    for k in range(1, 3):
        if n.inputs[k] != NULL:
            gradient_run(&gin[k], n.inputs[k], FN_mul, gy, saved_operand(n, 3 - k, &t[k], room[k]), NULL, s, 0)
    return 0


cdef int addcdiv_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t[3]
    cdef char room[3][8]
    cdef double s[4]
    cdef const fn_tensor *b = saved_operand(n, 2, &t[2], room[2])
    s[0] = n.f[3]
    _pass(n, gy, gin)
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], FN_div, gy, b, NULL, s, 0)
    if n.inputs[2] != NULL:
        gradient_run(&gin[2], n.inputs[2], FN_addcdiv_backward_divisor, gy, saved_operand(n, 1, &t[1], room[1]), b, s, 0)
    return 0


cdef fn_op LERP = [b"LerpBackward0", lerp_backward, False]
cdef fn_op ADDCMUL = [b"AddcmulBackward0", addcmul_backward, False]
cdef fn_op ADDCDIV = [b"AddcdivBackward0", addcdiv_backward, False]


cdef Tensor _ternary(object a, object b, object c, int kernel, const fn_op *op, str name, double s0, Tensor into):
    cdef Operands o
    cdef Tensor y
    cdef fn_node *n
    cdef double s[4]
    cdef int k
    cdef bint taped
    s[0] = s0
    operands_make(&o, name, 3, a, b, c, False)
    try:
        if not is_float(o.dtype):
            raise RuntimeError(f"{name}: operands must be floating-point, got {dtype_object(o.dtype)}")
        taped = (o.of[0].node != NULL or o.of[1].node != NULL or o.of[2].node != NULL) and grad_enabled()
        if into is None:
            y = output_for(&o, name, o.dtype)
        else:
            y = into
            if o.dtype != y.t.dtype:
                raise RuntimeError(f"{name}: a result of dtype {dtype_object(o.dtype)} cannot be stored in a {y.dtype} tensor")
            check_inplace(y, &o, o.dtype, name)
            for k in range(1, 3):
                unalias(&o.of[k], &y.t, taped)
            if taped and op == &LERP and o.of[2].node != NULL:
                copy_operand(&o.of[0])
        run(kernel, o.dtype, &y.t, 3, &o.of[0].t, &o.of[1].t, &o.of[2].t, s, 0)
        if into is not None:
            written(y)
        if taped:
            n = node_new(op, &y.t, 3, 3)
            n.f[3] = s0
            for k in range(3):
                node_input(n, k, o.of[k].node)
                if k > 0 or (op == &LERP and o.of[2].node != NULL):
                    save_operand(n, k, &o.of[k])
            replace_node(y, n)
        return y
    finally:
        operands_drop(&o)


def lerp(input, end, weight):
    """input + weight * (end - input).

    Args:
        input, end: tensors.
        weight: a number or a tensor; all shapes broadcast.

    >>> import fastnet
    >>> fastnet.lerp(fastnet.tensor([0.0, 10.0]), fastnet.tensor([4.0, 20.0]), 0.25)
    tensor([ 1.0000, 12.5000])
    """
    return _ternary(input, end, weight, FN_lerp, &LERP, "lerp", 1.0, None)


def lerp_(input, end, weight):
    """`lerp` in input's memory; returns input."""
    return _ternary(input, end, weight, FN_lerp, &LERP, "lerp_", 1.0, require_tensor(input, "lerp_", "input"))


def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2.

    >>> import fastnet
    >>> fastnet.addcmul(fastnet.tensor([1.0]), fastnet.tensor([2.0]), fastnet.tensor([3.0]), value=0.5)
    tensor([4.])
    """
    return _ternary(input, tensor1, tensor2, FN_addcmul, &ADDCMUL, "addcmul", value, None)


def addcmul_(input, tensor1, tensor2, *, value=1):
    """`addcmul` in input's memory; returns input."""
    return _ternary(input, tensor1, tensor2, FN_addcmul, &ADDCMUL, "addcmul_", value, require_tensor(input, "addcmul_", "input"))


def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2.

    >>> import fastnet
    >>> fastnet.addcdiv(fastnet.tensor([1.0]), fastnet.tensor([3.0]), fastnet.tensor([2.0]))
    tensor([2.5000])
    """
    return _ternary(input, tensor1, tensor2, FN_addcdiv, &ADDCDIV, "addcdiv", value, None)


def addcdiv_(input, tensor1, tensor2, *, value=1):
    """`addcdiv` in input's memory; returns input."""
    return _ternary(input, tensor1, tensor2, FN_addcdiv, &ADDCDIV, "addcdiv_", value, require_tensor(input, "addcdiv_", "input"))


attach(lerp=lerp, lerp_=lerp_, addcmul=addcmul, addcmul_=addcmul_, addcdiv=addcdiv, addcdiv_=addcdiv_)
