"""pad: elements added at, or taken from, the ends of axes."""
from libc.string cimport memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.create cimport fill

import numpy as np


# Constant: the gradient is gy without the padding, a view; where the padding is negative, zeros around it.

cdef struct Ends:
    Py_ssize_t before[8]
    Py_ssize_t after[8]


cdef void _inside(fn_tensor *part, const fn_tensor *x, const Ends *e, int sign) noexcept:
    """*part: x less the padding (sign 1: of a padded array; -1: the cut of one that is to be padded); counts no reference."""
    cdef int d
    cdef Py_ssize_t before, after
    part[0] = x[0]
    part.size = 1
    for d in range(x.ndim):
        before, after = max(sign * e.before[d], 0), max(sign * e.after[d], 0)
        part.p += before * x.strides[d] * itemsize(x.dtype)
        part.dims[d] = x.dims[d] - before - after
        part.size *= part.dims[d]


cdef int pad_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const Ends *e = <const Ends *>n.block
    cdef fn_tensor part, to
    _inside(&part, gy, e, 1)
    if not n.i[0]:                                      # nothing was cut
        array_share(&gin[0], &part)
        return 0
    array_zeros(&gin[0], &n.inputs[0].acc, gy.dtype)
    _inside(&to, &gin[0], e, -1)
    return array_copy(&to, &part)


cdef fn_op PAD = [b"ConstantPadNdBackward0", pad_backward, False]


cdef Tensor _constant(Tensor x, const Ends *e, object value):
    cdef Py_ssize_t dims[8]
    cdef fn_tensor part, from_
    cdef fn_node *n
    cdef Tensor y
    cdef int d
    cdef bint cut = False
    for d in range(x.t.ndim):
        dims[d] = x.t.dims[d] + e.before[d] + e.after[d]
        cut = cut or e.before[d] < 0 or e.after[d] < 0
    y = _new(x, dims)
    if value == 0:
        array_fill_zero(&y.t)
    else:
        fill(&y.t, value)
    if y.t.size:
        _inside(&part, &y.t, e, 1)
        _inside(&from_, &x.t, e, -1)
        array_copy(&part, &from_)
    if x.node != NULL and grad_enabled():
        n = record(y, &PAD, 1, 0)
        n.block = block_new(sizeof(Ends))
        (<Ends *>n.block)[0] = e[0]
        n.i[0] = cut
        node_input(n, 0, x.node)
    return y


cdef Tensor _new(Tensor x, const Py_ssize_t *dims):
    """An array of x's dtype and order of axes."""
    cdef Tensor y
    cdef Py_ssize_t step = 1
    cdef int order[8]
    cdef int d, k
    y = tensor_new(x.t.ndim, dims, x.t.dtype)
    if is_contiguous(&x.t) or not is_dense(&x.t):
        return y
    for d in range(x.t.ndim):
        k = d
        while k > 0 and x.t.strides[order[k - 1]] > x.t.strides[d]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = d
    for d in range(x.t.ndim):
        y.t.strides[order[d]] = step
        step *= max(dims[order[d]], 1)
    return y


cdef object _source(str mode, Py_ssize_t n, Py_ssize_t before, Py_ssize_t after, int axis):
    """For each place of a padded axis the index it shows."""
    at = np.arange(-before, n + after)
    if mode == "replicate":
        if n == 0:
            raise RuntimeError(f"pad: axis {axis} of size 0 has no end to replicate")
        return np.clip(at, 0, n - 1)
    if mode == "circular":
        if before > n or after > n:
            raise RuntimeError(f"pad: circular padding ({before}, {after}) is larger than axis {axis} of size {n}")
        return at % max(n, 1)
    if before >= n or after >= n:
        raise RuntimeError(f"pad: reflect padding ({before}, {after}) must be smaller than axis {axis} of size {n}")
    at = np.abs(at)
    return np.where(at >= n, 2 * (n - 1) - at, at)


def pad(input, pad, mode="constant", value=None):
    """Add elements at the ends of the last axes.

    Args:
        input: (..., s2, s1).
        pad: elements before and after the last axis, then the last but one, ...: (before1, after1, before2, after2, ...); negative
            numbers take elements away.
        mode: "constant"; "reflect" (mirrored at the outer elements), "replicate" (the outer elements), "circular" (from the other end).
        value: the constant, default 0; only for "constant".

    Returns:
        (..., before2 + s2 + after2, before1 + s1 + after1)

    Raises:
        RuntimeError: pad has an odd length, names more axes than there are, or is too large for the mode.

    >>> import fastnet
    >>> fastnet.nn.functional.pad(fastnet.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    cdef Tensor x = require_tensor(input, "pad", "input")
    cdef Ends e
    cdef int d, k
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(f"pad: mode must be constant, reflect, replicate or circular, got {mode!r}")
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad: pad must be a tuple of integers, got {type(pad).__name__}")
    if len(pad) % 2 or len(pad) > 2 * x.t.ndim:
        raise RuntimeError(f"pad: pad {tuple(pad)} must hold two numbers for each of the last axes of x, of shape {shape_of(&x.t)}")
    if mode != "constant" and value:
        raise ValueError(f"pad: value {value} has no meaning in mode {mode}")
    memset(&e, 0, sizeof(e))
    for k in range(len(pad) // 2):
        d = x.t.ndim - 1 - k
        e.before[d], e.after[d] = pad[2 * k], pad[2 * k + 1]
        if x.t.dims[d] + min(e.before[d], 0) + min(e.after[d], 0) < 0:
            raise RuntimeError(f"pad: pad {tuple(pad)} takes more from axis {d} than x, of shape {shape_of(&x.t)}, has")
    if mode == "constant":
        return _constant(x, &e, 0 if value is None else value)
    sources = [(d, _source(mode, x.t.dims[d], e.before[d], e.after[d], d)) for d in range(x.t.ndim) if e.before[d] or e.after[d]]
    for d, source in sources:
        x = x[(slice(None),) * d + (source,)]
    return x
