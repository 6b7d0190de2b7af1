"""Arithmetic of two tensors or a tensor and a number: add, sub, mul, div and their kin, in place too, and the operators + - * / // %."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.binary cimport *
from fastnet.ops.elementwise cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_add, FN_mul, FN_div, FN_muldiv, FN_div_trunc, FN_div_floor, FN_fmod, FN_remainder, FN_maximum, FN_minimum, FN_atan2
    int FN_fmod_backward_divisor, FN_remainder_backward_divisor, FN_extremum_backward, FN_atan2_backward


cdef int add_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g, one
    cdef char room[8]
    cdef double s[4]
    s[0] = n.f[2]
    for k in range(2):
        if n.inputs[k] == NULL:
            continue
        if k == 1 and n.f[2] != 1.0:
            number_operand(&one, room, 1.0, gy.dtype)
            gradient_run(&gin[1], n.inputs[1], FN_mul, gy, &one, NULL, s, 0)
        else:
            array_share(&g, gy)
            gradient_to(&gin[k], &g, n.inputs[k])
    return 0


cdef int mul_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t
    cdef char room[8]
    for k in range(2):
        if n.inputs[k] != NULL:
            gradient_run(&gin[k], n.inputs[k], FN_mul, gy, saved_operand(n, 1 - k, &t, room), NULL, ONES, 0)
    return 0


cdef int div_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor t
    cdef char room[8]
    cdef const fn_tensor *b = saved_operand(n, 1, &t, room)
    if n.inputs[0] != NULL:
        gradient_run(&gin[0], n.inputs[0], FN_div, gy, b, NULL, ONES, 0)
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], FN_muldiv, gy, &n.saved[0].t, b, MINUS, 0)
    return 0


cdef int zero_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    for k in range(n.n_inputs):
        if n.inputs[k] != NULL:
            array_zeros(&gin[k], &n.inputs[k].acc, n.inputs[k].acc.dtype)
    return 0


cdef int _modulo_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, int kernel) except -1:
    cdef fn_tensor g
    cdef fn_tensor t[2]
    cdef char room[2][8]
    if n.inputs[0] != NULL:
        array_share(&g, gy)
        gradient_to(&gin[0], &g, n.inputs[0])
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], kernel, gy, saved_operand(n, 0, &t[0], room[0]), saved_operand(n, 1, &t[1], room[1]), ONES, 0)
    return 0


cdef int fmod_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _modulo_backward(n, gy, gin, FN_fmod_backward_divisor)


cdef int remainder_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _modulo_backward(n, gy, gin, FN_remainder_backward_divisor)


cdef int _pair_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, int kernel, bint swapped, const double *s0, const double *s1) except -1:
    """Gradients of both by one kernel, which is told about the other operand first (swapped: for the first gradient)."""
    cdef fn_tensor t[2]
    cdef char room[2][8]
    cdef const fn_tensor *a = saved_operand(n, 0, &t[0], room[0])
    cdef const fn_tensor *b = saved_operand(n, 1, &t[1], room[1])
    if n.inputs[0] != NULL:
        gradient_run(&gin[0], n.inputs[0], kernel, gy, b if swapped else a, a if swapped else b, s0, 0)
    if n.inputs[1] != NULL:
        gradient_run(&gin[1], n.inputs[1], kernel, gy, a if swapped else b, b if swapped else a, s1, 0)
    return 0


cdef int maximum_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _pair_backward(n, gy, gin, FN_extremum_backward, False, ONES, ONES)


cdef int minimum_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _pair_backward(n, gy, gin, FN_extremum_backward, True, ONES, ONES)


cdef int atan2_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _pair_backward(n, gy, gin, FN_atan2_backward, False, ONES, MINUS)

cdef double MINUS[4]
MINUS[:] = [-1.0, -1.0, -1.0, -1.0]
cdef Binary ADD = [b"add", FN_add, SAVE_NONE, False, 0, integers, [b"AddBackward0", add_backward, False]]
cdef Binary SUB = [b"sub", FN_add, SAVE_NONE, False, 0, integers, [b"SubBackward0", add_backward, False]]
cdef Binary MUL = [b"mul", FN_mul, SAVE_CROSS, False, 0, integers, [b"MulBackward0", mul_backward, False]]
cdef Binary DIV = [b"div", FN_div, SAVE_RESULT, True, 0, integers, [b"DivBackward0", div_backward, False]]
cdef Binary DIV_TRUNC = [b"div", FN_div_trunc, SAVE_NONE, False, 0, integers, [b"DivBackward1", zero_backward, False]]
cdef Binary DIV_FLOOR = [b"floor_divide", FN_div_floor, SAVE_NONE, False, 10, integers, [b"DivBackward1", zero_backward, False]]
cdef Binary FMOD = [b"fmod", FN_fmod, SAVE_BOTH, False, 10, integers, [b"FmodBackward0", fmod_backward, False]]
cdef Binary REMAINDER = [b"remainder", FN_remainder, SAVE_BOTH, False, 10, integers, [b"RemainderBackward0", remainder_backward, False]]
cdef Binary MAXIMUM = [b"maximum", FN_maximum, SAVE_BOTH, False, 0, integers, [b"MaximumBackward0", maximum_backward, False]]
cdef Binary MINIMUM = [b"minimum", FN_minimum, SAVE_BOTH, False, 0, integers, [b"MinimumBackward0", minimum_backward, False]]
cdef Binary ATAN2 = [b"atan2", FN_atan2, SAVE_BOTH, True, 10, integers, [b"Atan2Backward0", atan2_backward, False]]


cdef object integers(const Binary *op, int dtype, double s0):
    """The op on integer or bool arrays, as a NumPy function."""
    cdef str name = op.name.decode()
    if op.kernel == FN_add:
        if s0 != <long long>s0:
            raise RuntimeError(f"{name}: alpha must be an integer for integer operands, got {abs(s0)}")
        if op == &SUB:
            if dtype == FN_BOOL:
                raise RuntimeError("sub: bool tensors cannot be subtracted; use ^ or logical_xor")
            return lambda a, b: np.subtract(a, b * b.dtype.type(<long long>-s0))
        return lambda a, b: np.add(a, b * b.dtype.type(<long long>s0))
    if op.kernel in (FN_div_trunc, FN_div_floor, FN_fmod, FN_remainder):
        return lambda a, b: _INTEGER[name](a, _nonzero(b, name))
    return _INTEGER[name]


def _nonzero(b, name):
    if not np.all(b):
        raise RuntimeError(f"{name}: ZeroDivisionError: an integer divisor is 0")
    return b


def _truncated(a, b):
    q = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -q, q).astype(a.dtype)


_INTEGER = {"mul": np.multiply, "div": _truncated, "floor_divide": np.floor_divide, "fmod": np.fmod, "remainder": np.remainder,
            "maximum": np.maximum, "minimum": np.minimum}


cdef const Binary *_division(object rounding_mode) except NULL:
    if rounding_mode is None:
        return &DIV
    if rounding_mode == "trunc":
        return &DIV_TRUNC
    if rounding_mode == "floor":
        return &DIV_FLOOR
    raise ValueError(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")


def add(input, other, *, alpha=1):
    """input + alpha * other, with broadcasting and type promotion.

    Args:
        input, other: tensors whose shapes broadcast, or one tensor and a number.
        alpha: a number.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import fastnet
    >>> fastnet.add(fastnet.tensor([1.0, 2.0]), 10.0, alpha=2)
    tensor([21., 22.])
    """
    return binary(input, other, &ADD, alpha)


def add_(input, other, *, alpha=1):
    """`add` in input's memory; returns input."""
    return inplace(input, other, &ADD, alpha)


def sub(input, other, *, alpha=1):
    """input - alpha * other, with broadcasting and type promotion.

    >>> import fastnet
    >>> fastnet.sub(fastnet.tensor([1.0, 2.0]), fastnet.tensor([0.5, 0.5]))
    tensor([0.5000, 1.5000])
    """
    return binary(input, other, &SUB, -alpha)


def sub_(input, other, *, alpha=1):
    """`sub` in input's memory; returns input."""
    return inplace(input, other, &SUB, -alpha)


def rsub(input, other, *, alpha=1):
    """other - alpha * input.

    >>> import fastnet
    >>> fastnet.rsub(fastnet.tensor([1.0, 2.0]), 5)
    tensor([4., 3.])
    """
    return binary(other, input, &SUB, -alpha)


def mul(input, other):
    """input * other, with broadcasting and type promotion.

    >>> import fastnet
    >>> fastnet.mul(fastnet.tensor([[1.0], [2.0]]), fastnet.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    return binary(input, other, &MUL, 1.0)


def mul_(input, other):
    """`mul` in input's memory; returns input."""
    return inplace(input, other, &MUL, 1.0)


def div(input, other, *, rounding_mode=None):
    """input / other, with broadcasting; integers become float32 unless the quotient is rounded.

    Args:
        input, other: tensors whose shapes broadcast, or one tensor and a number.
        rounding_mode: None, "trunc" (towards zero) or "floor"; a rounded quotient has a gradient of 0.

    Raises:
        ValueError: another rounding_mode.

    >>> import fastnet
    >>> fastnet.div(fastnet.tensor([-7.0, 7.0]), 2, rounding_mode="floor")
    tensor([-4.,  3.])
    """
    return binary(input, other, _division(rounding_mode), 1.0)


def div_(input, other, *, rounding_mode=None):
    """`div` in input's memory; returns input."""
    return inplace(input, other, _division(rounding_mode), 1.0)


def floor_divide(input, other):
    """floor(input / other); it has no gradient.

    >>> import fastnet
    >>> fastnet.floor_divide(fastnet.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """
    return binary(input, other, &DIV_FLOOR, 1.0)


def floor_divide_(input, other):
    """`floor_divide` in input's memory; returns input."""
    return inplace(input, other, &DIV_FLOOR, 1.0)


def remainder(input, other):
    """input - other * floor(input / other): the modulus with the sign of other, as Python's %.

    >>> import fastnet
    >>> fastnet.remainder(fastnet.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    return binary(input, other, &REMAINDER, 1.0)


def remainder_(input, other):
    """`remainder` in input's memory; returns input."""
    return inplace(input, other, &REMAINDER, 1.0)


def fmod(input, other):
    """input - other * trunc(input / other): the modulus with the sign of input, as C's fmod.

    >>> import fastnet
    >>> fastnet.fmod(fastnet.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    return binary(input, other, &FMOD, 1.0)


def fmod_(input, other):
    """`fmod` in input's memory; returns input."""
    return inplace(input, other, &FMOD, 1.0)


def maximum(input, other):
    """The larger of two tensors, element by element; NaN wins, and a tie gives each half of the gradient.

    >>> import fastnet
    >>> fastnet.maximum(fastnet.tensor([1.0, 4.0]), fastnet.tensor([3.0, 2.0]))
    tensor([3., 4.])
    """
    return binary(input, other, &MAXIMUM, 1.0)


def minimum(input, other):
    """The smaller of two tensors, element by element; NaN wins, and a tie gives each half of the gradient.

    >>> import fastnet
    >>> fastnet.minimum(fastnet.tensor([1.0, 4.0]), fastnet.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return binary(input, other, &MINIMUM, 1.0)


def atan2(input, other):
    """The angle of the point (other, input), in (-pi, pi].

    >>> import fastnet
    >>> fastnet.atan2(fastnet.tensor([1.0]), fastnet.tensor([1.0]))
    tensor([0.7854])
    """
    return binary(input, other, &ATAN2, 1.0)


def atan2_(input, other):
    """`atan2` in input's memory; returns input."""
    return inplace(input, other, &ATAN2, 1.0)


cdef object _add(object a, object b):
    return binary(a, b, &ADD, 1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _sub(object a, object b):
    return binary(a, b, &SUB, -1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _mul(object a, object b):
    return binary(a, b, &MUL, 1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _truediv(object a, object b):
    return binary(a, b, &DIV, 1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _floordiv(object a, object b):
    return binary(a, b, &DIV_FLOOR, 1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _mod(object a, object b):
    return binary(a, b, &REMAINDER, 1.0) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _iadd(object a, object b):
    return inplace(a, b, &ADD, 1.0) if is_operand(b) else NotImplemented


cdef object _isub(object a, object b):
    return inplace(a, b, &SUB, -1.0) if is_operand(b) else NotImplemented


cdef object _imul(object a, object b):
    return inplace(a, b, &MUL, 1.0) if is_operand(b) else NotImplemented


cdef object _itruediv(object a, object b):
    return inplace(a, b, &DIV, 1.0) if is_operand(b) else NotImplemented


cdef object _ifloordiv(object a, object b):
    return inplace(a, b, &DIV_FLOOR, 1.0) if is_operand(b) else NotImplemented


cdef object _imod(object a, object b):
    return inplace(a, b, &REMAINDER, 1.0) if is_operand(b) else NotImplemented

operators.add, operators.sub, operators.mul, operators.truediv, operators.floordiv, operators.mod = _add, _sub, _mul, _truediv, _floordiv, _mod
operators.iadd, operators.isub, operators.imul = _iadd, _isub, _imul
operators.itruediv, operators.ifloordiv, operators.imod = _itruediv, _ifloordiv, _imod

subtract, multiply, divide, true_divide, arctan2 = sub, mul, div, div, atan2
attach(add=add, add_=add_, sub=sub, sub_=sub_, subtract=sub, subtract_=sub_, rsub=rsub, mul=mul, mul_=mul_, multiply=mul, multiply_=mul_,
       div=div, div_=div_, divide=div, divide_=div_, true_divide=div, true_divide_=div_, floor_divide=floor_divide, floor_divide_=floor_divide_,
       remainder=remainder, remainder_=remainder_, fmod=fmod, fmod_=fmod_, maximum=maximum, minimum=minimum,
       atan2=atan2, atan2_=atan2_, arctan2=atan2, arctan2_=atan2_)
