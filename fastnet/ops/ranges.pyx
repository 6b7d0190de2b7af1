"""arange, linspace, logspace: numbers in a row.  tril_indices, triu_indices: places in a triangle."""
from libc.stdint cimport int32_t, int64_t, uint8_t
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.create cimport check_options, default_dtype, finished

import math

import numpy as np


cdef Tensor _made(object values, int dtype, str op, object device, object layout, object pin_memory, object requires_grad):
    check_options(op, device, layout, pin_memory)
    return finished(from_data(values, dtype), requires_grad)


cdef object _number(object x, str op, str argument):
    if isinstance(x, Tensor):
        x = x.item()
    if isinstance(x, (int, float)):
        return x
    if hasattr(x, "__index__"):
        return x.__index__()
    try:
        return float(x)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: {argument} must be a number, got {type(x).__name__}") from None


def arange(start, end=None, step=1, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """start, start + step, ... up to, not including, end.

    Args:
        start: the first value; with one argument only, that is end, and start is 0.
        end: the bound.
        step: not 0.
        dtype: default int64 if all arguments are integers, else `get_default_dtype()`.

    Raises:
        ValueError: step is 0, or leads away from end.

    >>> import fastnet
    >>> fastnet.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if end is None:
        start, end = 0, start
    start, end, step = _number(start, "arange", "start"), _number(end, "arange", "end"), _number(step, "arange", "step")
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange: step {step} does not lead from {start} to {end}")
    if not math.isfinite(start) or not math.isfinite(end):
        raise ValueError(f"arange: start {start} and end {end} must be finite")
    check_options("arange", device, layout, pin_memory)
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        return finished(_row(len(range(start, end, step)), FN_I64 if dtype is None else dtype_index(dtype), True, start, step, 0.0, 0.0), requires_grad)
    return finished(_row(math.ceil((end - start) / step), default_dtype() if dtype is None else dtype_index(dtype), False, 0, 0, start, step),
                    requires_grad)


cdef Tensor _row(Py_ssize_t n, int dtype, bint whole, int64_t first, int64_t step, double start, double by):
    """first + i * step in integers (whole), or start + i * by."""
    cdef Tensor y = tensor_new(1, &n, dtype)
    cdef Py_ssize_t i
    cdef int64_t v
    cdef double x
    for i in range(n):
        v = first + i * step
        x = <double>v if whole else start + by * i
        if dtype == FN_F32:
            (<float *>y.t.p)[i] = <float>x
        elif dtype == FN_F64:
            (<double *>y.t.p)[i] = x
        else:
            v = v if whole else <int64_t>x
            if dtype == FN_I64:
                (<int64_t *>y.t.p)[i] = v
            elif dtype == FN_I32:
                (<int32_t *>y.t.p)[i] = <int32_t>v
            else:
                (<uint8_t *>y.t.p)[i] = <uint8_t>v if dtype == FN_U8 else x != 0
    return y


cdef object _between(object start, object end, object steps, str op):
    start, end, steps = float(_number(start, op, "start")), float(_number(end, op, "end")), _number(steps, op, "steps")
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"{op}: steps must be an integer, at least 0, got {steps}")
    step = (end - start) / (steps - 1) if steps > 1 else 0.0
    at = np.arange(steps, dtype="float64")
    return np.where(at < steps / 2, start + step * at, end - step * (steps - 1 - at)) if steps > 1 else np.full(steps, start)


def linspace(start, end, steps, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """`steps` numbers at equal distances from start to end, both included.

    >>> import fastnet
    >>> fastnet.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    return _made(_between(start, end, steps, "linspace"), default_dtype() if dtype is None else dtype_index(dtype), "linspace", device,
                 layout, pin_memory, requires_grad)


def logspace(start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """base ** linspace(start, end, steps).

    >>> import fastnet
    >>> fastnet.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    return _made(np.power(float(base), _between(start, end, steps, "logspace")), default_dtype() if dtype is None else dtype_index(dtype),
                 "logspace", device, layout, pin_memory, requires_grad)


cdef Tensor _triangle(object of, object row, object col, object offset, str op, object dtype, object device, object layout):
    if row < 0 or col < 0:
        raise ValueError(f"{op}: row {row} and col {col} must not be negative")
    return _made(np.stack(of(row, offset, col)).astype("int64"), FN_I64 if dtype is None else dtype_index(dtype), op, device, layout, False,
                 False)


def tril_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """The places on and below a diagonal of a (row, col) matrix, (2, n): row numbers, column numbers.

    >>> import fastnet
    >>> fastnet.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle(np.tril_indices, row, col, offset, "tril_indices", dtype, device, layout)


def triu_indices(row, col, offset=0, *, dtype=None, device=None, layout=None):
    """The places on and above a diagonal of a (row, col) matrix, (2, n): row numbers, column numbers.

    >>> import fastnet
    >>> fastnet.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle(np.triu_indices, row, col, offset, "triu_indices", dtype, device, layout)
