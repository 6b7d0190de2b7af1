"""clamp, clamp_min, clamp_max: numbers or tensors as bounds."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.binary cimport *
from fastnet.ops.elementwise cimport *
from fastnet.ops.unary cimport *

import math
import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/element.h" nogil:
    int FN_clamp, FN_clamp_backward, FN_maximum, FN_minimum, FN_pass_ge, FN_pass_lt


cdef int _bound_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, bint upper) except -1:
    """The gradient goes to the input where it is within the bound, else to the bound."""
    cdef fn_tensor t[2]
    cdef char room[2][8]
    cdef const fn_tensor *a = saved_operand(n, 0, &t[0], room[0])
    cdef const fn_tensor *b = saved_operand(n, 1, &t[1], room[1])
    for k in range(2):
        if n.inputs[k] != NULL:
            gradient_run(&gin[k], n.inputs[k], FN_pass_ge if k == 0 else FN_pass_lt, gy, b if upper else a, a if upper else b, NULL, 0)
    return 0


cdef int clamp_min_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _bound_backward(n, gy, gin, False)


cdef int clamp_max_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _bound_backward(n, gy, gin, True)


cdef object _maximum(const Binary *op, int dtype, double s0):
    return np.maximum


cdef object _minimum(const Binary *op, int dtype, double s0):
    return np.minimum


cdef Binary MIN = [b"clamp_min", FN_maximum, SAVE_BOTH, False, 0, _maximum, [b"ClampMinBackward0", clamp_min_backward, False]]
cdef Binary MAX = [b"clamp_max", FN_minimum, SAVE_BOTH, False, 0, _minimum, [b"ClampMaxBackward0", clamp_max_backward, False]]
cdef const Unary *CLAMP = unary_new("clamp", FN_clamp, FN_clamp_backward, SAVE_INPUT, 0, 0, None)


cdef Tensor _clamp(object input, object low, object high, str op, bint into):
    cdef double s[4]
    cdef Tensor x = require_tensor(input, op, "input")
    cdef object y = x
    if low is None and high is None:
        raise ValueError(f"{op}: at least one of min and max must be given")
    for bound in (low, high):
        if bound is not None and not is_operand(bound):
            raise TypeError(f"{op}: bounds are numbers or tensors, got {type(bound).__name__}")
    if is_float(x.t.dtype) and not isinstance(low, Tensor) and not isinstance(high, Tensor):
        s[0], s[1] = -math.inf if low is None else low, math.inf if high is None else high
        s[2] = s[3] = 0
        return unary_inplace(x, CLAMP, s) if into else unary(x, CLAMP, s)
    if low is not None:
        y = inplace(y, low, &MIN, 0) if into else binary(y, low, &MIN, 0)
    if high is not None:
        y = inplace(y, high, &MAX, 0) if into else binary(y, high, &MAX, 0)
    return y


def clamp(input, min=None, max=None):
    """min(max(x, min), max) for every element x: values outside [min, max] move to the nearer bound.

    Args:
        input: a tensor.
        min, max: numbers, tensors whose shapes broadcast with input's, or None for no bound.

    Returns:
        A tensor; its gradient is 0 outside the bounds and passes at them.  Where min > max, the result is max.

    Raises:
        ValueError: neither bound is given.

    >>> import fastnet
    >>> fastnet.clamp(fastnet.tensor([-2.0, 0.5, 2.0]), -1.0, 1.0)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _clamp(input, min, max, "clamp", False)


def clamp_(input, min=None, max=None):
    """`clamp` in input's memory; returns input."""
    return _clamp(input, min, max, "clamp_", True)


def clamp_min(input, min):
    """max(x, min) for every element x.

    >>> import fastnet
    >>> fastnet.clamp_min(fastnet.tensor([-2.0, 0.5]), 0.0)
    tensor([0.0000, 0.5000])
    """
    return _clamp(input, min, None, "clamp_min", False)


def clamp_min_(input, min):
    """`clamp_min` in input's memory; returns input."""
    return _clamp(input, min, None, "clamp_min_", True)


def clamp_max(input, max):
    """min(x, max) for every element x.

    >>> import fastnet
    >>> fastnet.clamp_max(fastnet.tensor([0.5, 2.0]), 1.0)
    tensor([0.5000, 1.0000])
    """
    return _clamp(input, None, max, "clamp_max", False)


def clamp_max_(input, max):
    """`clamp_max` in input's memory; returns input."""
    return _clamp(input, None, max, "clamp_max_", True)


clip, clip_ = clamp, clamp_
attach(clamp=clamp, clamp_=clamp_, clip=clamp, clip_=clamp_, clamp_min=clamp_min, clamp_min_=clamp_min_, clamp_max=clamp_max,
       clamp_max_=clamp_max_)
