"""Comparisons and logic, with bool results, and the operators == != < <= > >= & | ^ ~ << >>.  They have no gradients."""
cimport numpy as cnp
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.overwrite cimport *

import math
import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_eq, FN_ne, FN_lt, FN_le, FN_gt, FN_ge, FN_abs_eq, FN_abs_lt, FN_logical_and, FN_logical_or, FN_logical_xor


cdef Tensor _compare(object a, object b, int kernel, str op, object integers):
    cdef Operands o
    cdef Tensor y
    operands_make(&o, op, 2, a, b, None, False)
    try:
        if not is_float(o.dtype):
            return by_numpy(&o, integers)
        y = output_for(&o, op, FN_BOOL)
        run(kernel, o.dtype, &y.t, 2, &o.of[0].t, &o.of[1].t, NULL, NULL, 0)
        return y
    finally:
        operands_drop(&o)


cdef Tensor _truth(object x, str op):
    """x != 0."""
    if isinstance(x, Tensor) and (<Tensor>x).t.dtype == FN_BOOL:
        return x
    return _compare(x, 0, FN_ne, op, np.not_equal)


cdef Tensor _logic(object a, object b, int kernel, str op):
    cdef Operands o
    cdef Tensor x = _truth(a, op), z = _truth(b, op), y         # operands only borrow: x and z must live as long
    operands_make(&o, op, 2, x, z, None, False)
    try:
        y = output_for(&o, op, FN_BOOL)
        run(kernel, FN_F32, &y.t, 2, &o.of[0].t, &o.of[1].t, NULL, NULL, 0)
        return y
    finally:
        operands_drop(&o)


cdef Tensor _bitwise(object a, object b, str op, object integers):
    cdef Operands o
    operands_make(&o, op, 2, a, b, None, False)
    try:
        if is_float(o.dtype):
            raise RuntimeError(f"{op}: operands must be integers or bools, got {dtype_object(o.dtype)}")
        return by_numpy(&o, integers)
    finally:
        operands_drop(&o)


def eq(input, other):
    """input == other, element by element, with broadcasting.

    >>> import fastnet
    >>> fastnet.eq(fastnet.tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """
    return _compare(input, other, FN_eq, "eq", np.equal)


def ne(input, other):
    """input != other, element by element, with broadcasting; NaN differs from everything.

    >>> import fastnet
    >>> fastnet.ne(fastnet.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """
    return _compare(input, other, FN_ne, "ne", np.not_equal)


def lt(input, other):
    """input < other, element by element, with broadcasting.

    >>> import fastnet
    >>> fastnet.lt(fastnet.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """
    return _compare(input, other, FN_lt, "lt", np.less)


def le(input, other):
    """input <= other, element by element, with broadcasting.

    >>> import fastnet
    >>> fastnet.le(fastnet.tensor([2.0, 3.0]), 2)
    tensor([ True, False])
    """
    return _compare(input, other, FN_le, "le", np.less_equal)


def gt(input, other):
    """input > other, element by element, with broadcasting.

    >>> import fastnet
    >>> fastnet.gt(fastnet.tensor([2.0, 3.0]), 2)
    tensor([False,  True])
    """
    return _compare(input, other, FN_gt, "gt", np.greater)


def ge(input, other):
    """input >= other, element by element, with broadcasting.

    >>> import fastnet
    >>> fastnet.ge(fastnet.tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """
    return _compare(input, other, FN_ge, "ge", np.greater_equal)


def isnan(input):
    """Whether each element is NaN.

    >>> import fastnet
    >>> fastnet.isnan(fastnet.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    require_tensor(input, "isnan", "input")
    return _compare(input, input, FN_ne, "isnan", np.not_equal)


def isinf(input):
    """Whether each element is infinite.

    >>> import fastnet
    >>> fastnet.isinf(fastnet.tensor([1.0, float("inf")]))
    tensor([False,  True])
    """
    require_tensor(input, "isinf", "input")
    return _compare(input, math.inf, FN_abs_eq, "isinf", np.equal)


def isfinite(input):
    """Whether each element is neither infinite nor NaN.

    >>> import fastnet
    >>> fastnet.isfinite(fastnet.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    require_tensor(input, "isfinite", "input")
    return _compare(input, math.inf, FN_abs_lt, "isfinite", np.less)


def logical_and(input, other):
    """(input != 0) and (other != 0), element by element.

    >>> import fastnet
    >>> fastnet.logical_and(fastnet.tensor([True, True]), fastnet.tensor([False, True]))
    tensor([False,  True])
    """
    return _logic(input, other, FN_logical_and, "logical_and")


def logical_or(input, other):
    """(input != 0) or (other != 0), element by element.

    >>> import fastnet
    >>> fastnet.logical_or(fastnet.tensor([True, False]), fastnet.tensor([False, False]))
    tensor([ True, False])
    """
    return _logic(input, other, FN_logical_or, "logical_or")


def logical_xor(input, other):
    """(input != 0) != (other != 0), element by element.

    >>> import fastnet
    >>> fastnet.logical_xor(fastnet.tensor([True, True]), fastnet.tensor([False, True]))
    tensor([ True, False])
    """
    return _logic(input, other, FN_logical_xor, "logical_xor")


def logical_not(input):
    """input == 0, element by element.

    >>> import fastnet
    >>> fastnet.logical_not(fastnet.tensor([True, False]))
    tensor([False,  True])
    """
    require_tensor(input, "logical_not", "input")
    return _logic(input, tensor_scalar(True, FN_BOOL), FN_logical_xor, "logical_not")


def bitwise_and(input, other):
    """The bits set in both; for bools, logical and.

    >>> import fastnet
    >>> fastnet.bitwise_and(fastnet.tensor([6]), 3)
    tensor([2])
    """
    return _bitwise(input, other, "bitwise_and", np.bitwise_and)


def bitwise_or(input, other):
    """The bits set in either; for bools, logical or.

    >>> import fastnet
    >>> fastnet.bitwise_or(fastnet.tensor([6]), 3)
    tensor([7])
    """
    return _bitwise(input, other, "bitwise_or", np.bitwise_or)


def bitwise_xor(input, other):
    """The bits set in one but not in both; for bools, logical xor.

    >>> import fastnet
    >>> fastnet.bitwise_xor(fastnet.tensor([6]), 3)
    tensor([5])
    """
    return _bitwise(input, other, "bitwise_xor", np.bitwise_xor)


def bitwise_not(input):
    """Every bit flipped; for bools, logical not.

    >>> import fastnet
    >>> fastnet.bitwise_not(fastnet.tensor([0, 5]))
    tensor([-1, -6])
    """
    cdef Tensor x = require_tensor(input, "bitwise_not", "input")
    if is_float(x.t.dtype):
        raise RuntimeError(f"bitwise_not: input must hold integers or bools, got {x.dtype}")
    return from_data(np.asarray(np.invert(x._ndarray())), -1)


def equal(input, other) -> bool:
    """Whether two tensors have the same shape and equal elements.

    >>> import fastnet
    >>> fastnet.equal(fastnet.tensor([1.0]), fastnet.tensor([1.0]))
    True
    """
    cdef Tensor a = require_tensor(input, "equal", "input")
    cdef Tensor b = require_tensor(other, "equal", "other")
    return same_shape(&a.t, &b.t) and bool(_compare(a, b, FN_eq, "equal", np.equal)._ndarray().all())


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether |input - other| <= atol + rtol * |other|, element by element.

    Args:
        input, other: tensors of one dtype whose shapes broadcast.
        rtol, atol: relative and absolute tolerance.
        equal_nan: let NaN be close to NaN.

    >>> import fastnet
    >>> fastnet.isclose(fastnet.tensor([1.0, 2.0]), fastnet.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    cdef Tensor a = require_tensor(input, "isclose", "input")
    cdef Tensor b = require_tensor(other, "isclose", "other")
    if a.t.dtype != b.t.dtype:
        raise RuntimeError(f"isclose: input is {a.dtype}, other is {b.dtype}")
    return from_data(np.asarray(np.isclose(a._ndarray(), b._ndarray(), rtol, atol, equal_nan)), FN_BOOL)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether `isclose` holds for all elements.

    >>> import fastnet
    >>> fastnet.allclose(fastnet.tensor([1.0]), fastnet.tensor([1.0 + 1e-7]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan)._ndarray().all())


cdef object _eq(object a, object b):
    return _compare(a, b, FN_eq, "eq", np.equal) if is_operand(b) else NotImplemented


cdef object _ne(object a, object b):
    return _compare(a, b, FN_ne, "ne", np.not_equal) if is_operand(b) else NotImplemented


cdef object _lt(object a, object b):
    return _compare(a, b, FN_lt, "lt", np.less) if is_operand(b) else NotImplemented


cdef object _le(object a, object b):
    return _compare(a, b, FN_le, "le", np.less_equal) if is_operand(b) else NotImplemented


cdef object _gt(object a, object b):
    return _compare(a, b, FN_gt, "gt", np.greater) if is_operand(b) else NotImplemented


cdef object _ge(object a, object b):
    return _compare(a, b, FN_ge, "ge", np.greater_equal) if is_operand(b) else NotImplemented


cdef object _and(object a, object b):
    return _bitwise(a, b, "bitwise_and", np.bitwise_and) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _or(object a, object b):
    return _bitwise(a, b, "bitwise_or", np.bitwise_or) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _xor(object a, object b):
    return _bitwise(a, b, "bitwise_xor", np.bitwise_xor) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _lshift(object a, object b):
    return _bitwise(a, b, "bitwise_left_shift", np.left_shift) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _rshift(object a, object b):
    return _bitwise(a, b, "bitwise_right_shift", np.right_shift) if is_operand(a) and is_operand(b) else NotImplemented


cdef object _into(Tensor x, Tensor value, str op):
    write_check(x, op)
    if not same_shape(&x.t, &value.t):
        raise RuntimeError(f"{op}: the result has shape {shape_of(&value.t)}, input has {shape_of(&x.t)}")
    assign(x, &value.t)
    written(x)
    return x


cdef object _iand(object a, object b):
    return _into(a, _bitwise(a, b, "bitwise_and_", np.bitwise_and), "bitwise_and_") if is_operand(b) else NotImplemented


cdef object _ior(object a, object b):
    return _into(a, _bitwise(a, b, "bitwise_or_", np.bitwise_or), "bitwise_or_") if is_operand(b) else NotImplemented


cdef object _ixor(object a, object b):
    return _into(a, _bitwise(a, b, "bitwise_xor_", np.bitwise_xor), "bitwise_xor_") if is_operand(b) else NotImplemented


cdef object _invert(object a):
    return bitwise_not(a)


operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge = _eq, _ne, _lt, _le, _gt, _ge
operators.and_, operators.or_, operators.xor, operators.lshift, operators.rshift = _and, _or, _xor, _lshift, _rshift
operators.iand, operators.ior, operators.ixor, operators.invert = _iand, _ior, _ixor, _invert

not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
attach(eq=eq, ne=ne, lt=lt, le=le, gt=gt, ge=ge, not_equal=ne, less=lt, less_equal=le, greater=gt, greater_equal=ge, isnan=isnan, isinf=isinf,
       isfinite=isfinite, logical_and=logical_and, logical_or=logical_or, logical_xor=logical_xor, logical_not=logical_not,
       bitwise_and=bitwise_and, bitwise_or=bitwise_or, bitwise_xor=bitwise_xor, bitwise_not=bitwise_not, equal=equal, isclose=isclose,
       allclose=allclose)
