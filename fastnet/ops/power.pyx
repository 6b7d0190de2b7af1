"""pow and the operator **.  The exponents that networks use (2, 3, 1/2, -1, -1/2, 1) have kernels of their own."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.binary cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.unary cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_pow, FN_pow_backward_base, FN_pow_backward_exponent, FN_square, FN_cube, FN_cube_backward, FN_sqrt, FN_rsqrt, FN_rsqrt_backward
    int FN_reciprocal, FN_reciprocal_backward, FN_mul, FN_div


cdef int pow_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t[2]
    cdef char room[2][8]
    cdef const fn_tensor *a = saved_operand(n, 0, &t[0], room[0])
    cdef const fn_tensor *b = saved_operand(n, 1, &t[1], room[1])
    if n.inputs[0] != NULL:
        gradient_run(&gin[0], n.inputs[0], FN_pow_backward_base, gy, a, b, NULL, 3)
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], FN_pow_backward_exponent, gy, a, b, NULL, 4)
    return 0


cdef object integers(const Binary *op, int dtype, double s0):
    return _integer_power


def _integer_power(a, b):
    if a.dtype == bool:
        raise RuntimeError("pow: a bool has no power that is a bool; make it an integer")
    if np.any(np.less(b, 0)):
        raise RuntimeError("pow: integers to negative integer powers are not integers; make the base floating-point")
    return np.power(a, b)


cdef Binary POW = [b"pow", FN_pow, SAVE_BOTH, False, 3, integers, [b"PowBackward1", pow_backward, False]]
cdef const Unary *SQUARE = unary_new("pow", FN_square, FN_mul, SAVE_INPUT, 2, 0, lambda x, s, t: np.power(x, 2))
cdef const Unary *CUBE = unary_new("pow", FN_cube, FN_cube_backward, SAVE_INPUT, 3, 0, lambda x, s, t: np.power(x, 3))
cdef const Unary *SQRT = unary_new("pow", FN_sqrt, FN_div, SAVE_OUTPUT, 0.5, 0.3, None)
cdef const Unary *RSQRT = unary_new("pow", FN_rsqrt, FN_rsqrt_backward, SAVE_OUTPUT, -0.5, 0.5, None)
cdef const Unary *RECIPROCAL = unary_new("pow", FN_reciprocal, FN_reciprocal_backward, SAVE_OUTPUT, -1, 0.3, None)


cdef const Unary *_special(object a, object b):
    """The op for this exponent, if it has one."""
    cdef double e
    if not isinstance(a, Tensor) or not (type(b) is float or type(b) is int):
        return NULL
    if not is_float((<Tensor>a).t.dtype) and type(b) is int and b < 0:
        return NULL
    e = b
    if e == 2:
        return SQUARE if is_float((<Tensor>a).t.dtype) or type(b) is int else NULL
    if e == 3:
        return CUBE if is_float((<Tensor>a).t.dtype) or type(b) is int else NULL
    if e == 0.5:
        return SQRT
    if e == -0.5:
        return RSQRT
    return RECIPROCAL if e == -1 else NULL


cdef object _pow(object a, object b):
    cdef const Unary *op = _special(a, b)
    if op != NULL:
        return unary(a, op, NULL)
    return binary(a, b, &POW, 0.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _ipow(object a, object b):
    cdef const Unary *op = _special(a, b)
    if op != NULL:
        return unary_inplace(a, op, NULL)
    return inplace(a, b, &POW, 0.0) if is_operand(b) else NotImplemented


operators.pow, operators.ipow = _pow, _ipow


def pow(input, exponent):
    """input raised to the power exponent, with broadcasting and type promotion.

    Args:
        input, exponent: tensors whose shapes broadcast, or one tensor and a number.

    Raises:
        RuntimeError: an integer tensor is raised to a negative integer power.

    >>> import fastnet
    >>> fastnet.pow(fastnet.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    cdef const Unary *op = _special(input, exponent)
    return unary(input, op, NULL) if op != NULL else binary(input, exponent, &POW, 0.0)


def pow_(input, exponent):
    """`pow` in input's memory; returns input."""
    cdef const Unary *op = _special(input, exponent)
    return unary_inplace(input, op, NULL) if op != NULL else inplace(input, exponent, &POW, 0.0)


attach(pow=pow, pow_=pow_)
