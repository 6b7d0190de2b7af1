"""pad: elements added at, or taken from, the ends of axes: a constant, or elements of the array itself."""
from libc.string cimport memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.create cimport fill

import numpy as np

cdef extern from "groups/pool.h" nogil:
    int FN_pad_forward, FN_pad_backward
    ctypedef struct fn_pad_args:
        Py_ssize_t[3] in_ "in"
        Py_ssize_t[3] out
        Py_ssize_t inner, begin, end
        const Py_ssize_t *from_ "from"[3]
        const void *x
        void *y


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


# Reflect, replicate, circular: each place of a padded axis shows an element of the axis.

cdef int _check(str mode, Py_ssize_t n, Py_ssize_t before, Py_ssize_t after, int axis) except -1:
    cdef Py_ssize_t left = n + min(before, 0) + min(after, 0)
    if mode == "replicate" and n == 0 and (before > 0 or after > 0):
        raise RuntimeError(f"pad: axis {axis} of size 0 has no end to replicate")
    if mode == "circular" and (before > left or after > left):
        raise RuntimeError(f"pad: circular padding ({before}, {after}) is larger than axis {axis} of size {n}")
    if mode == "reflect" and (before >= n or after >= n) and (before > 0 or after > 0):
        raise RuntimeError(f"pad: reflect padding ({before}, {after}) must be smaller than axis {axis} of size {n}")
    return 0


cdef void _shown(Py_ssize_t *from_, str mode, Py_ssize_t n, Py_ssize_t before, Py_ssize_t after) noexcept:
    """For each place of the padded axis the index it shows; circular: round what negative padding leaves."""
    cdef Py_ssize_t o, at, left = n + min(before, 0) + min(after, 0)
    for o in range(n + before + after):
        at = o - before
        if at < 0:
            at = -at if mode == "reflect" else (0 if mode == "replicate" else at + left)
        elif at >= n:
            at = 2 * (n - 1) - at if mode == "reflect" else (n - 1 if mode == "replicate" else at - left)
        from_[o] = at


cdef struct Moved:                                      # how a call of the kernels sees the arrays
    fn_pad_args a
    Py_ssize_t outer, size


cdef int _move(int kernel, const Moved *m, int dtype, const void *x, void *y, const Py_ssize_t *tables) except -1:
    """Run a kernel; tables: those of the three axes, one after the other."""
    cdef fn_pad_args a = m.a
    cdef Py_ssize_t rows = m.outer * (a.in_[0] * a.in_[1] if kernel == FN_pad_backward else a.out[0] * a.out[1])
    a.x, a.y = x, y
    a.from_[0], a.from_[1], a.from_[2] = tables, tables + a.out[0], tables + a.out[0] + a.out[1]
    return launch(kernel, dtype, &a, rows, byte_cost(2.0 * itemsize(dtype) * m.size))


cdef int mirror_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const Moved *m = <const Moved *>n.block
    cdef bint last = n.i[0]
    cdef fn_tensor g
    if last:
        array_channels_last(&g, gy)
    else:
        array_contiguous(&g, gy)
    try:
        if last:
            array_new_channels_last(&gin[0], n.inputs[0].acc.ndim, n.inputs[0].acc.dims, gy.dtype)
        else:
            array_new(&gin[0], n.inputs[0].acc.ndim, n.inputs[0].acc.dims, gy.dtype)
        return _move(FN_pad_backward, m, gy.dtype, g.p, gin[0].p, <const Py_ssize_t *>(m + 1))
    finally:
        array_drop(&g)


cdef fn_op[3] MIRROR = [fn_op(b"ReflectionPadBackward0", mirror_backward, False), fn_op(b"ReplicationPadBackward0", mirror_backward, False),
                        fn_op(b"CircularPadBackward0", mirror_backward, False)]


cdef Tensor _mirrored(Tensor x, const Ends *e, str mode):
    """Padding of the last three axes, or of fewer; x may be channels last."""
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t *table
    cdef Moved *m = NULL
    cdef fn_tensor px, out
    cdef fn_node *n
    cdef Tensor y
    cdef int d, axis, ndim = x.t.ndim
    cdef Py_ssize_t places = 3
    cdef bint last = 3 <= ndim <= 5 and is_channels_last(&x.t) and not is_contiguous(&x.t)
    px.st = NULL
    for d in range(ndim):
        dims[d] = x.t.dims[d] + e.before[d] + e.after[d]
        if d < 2 and (e.before[d] or e.after[d]):
            last = False
        if d >= ndim - 3:
            places += dims[d]
    try:
        if last:
            array_channels_last(&px, &x.t)
            array_new_channels_last(&out, ndim, dims, x.t.dtype)
        else:
            array_contiguous(&px, &x.t)
            array_new(&out, ndim, dims, x.t.dtype)
        y = tensor_take(&out)
        m = <Moved *>block_new(sizeof(Moved) + places * sizeof(Py_ssize_t))
        m.outer, m.a.inner, m.size = 1, x.t.dims[1] if last else 1, max(x.t.size, y.t.size)
        table = <Py_ssize_t *>(m + 1)
        for d in range(3):
            axis = ndim - 3 + d
            if axis < (2 if last else 0):               # there is no such axis
                m.a.in_[d] = m.a.out[d] = 1
                table[0] = 0
            else:
                m.a.in_[d], m.a.out[d] = x.t.dims[axis], dims[axis]
                _shown(table, mode, x.t.dims[axis], e.before[axis], e.after[axis])
            table += m.a.out[d]
        for d in range(1 if last else ndim - 3):
            m.outer *= x.t.dims[d]
        m.a.begin, m.a.end = max(e.before[ndim - 1], 0), dims[ndim - 1] - max(e.after[ndim - 1], 0)
        _move(FN_pad_forward, m, x.t.dtype, px.p, y.t.p, <const Py_ssize_t *>(m + 1))
        if x.node != NULL and grad_enabled():
            n = record(y, &MIRROR[("reflect", "replicate", "circular").index(mode)], 1, 0)
            n.block, n.i[0] = m, last
            m = NULL
            node_input(n, 0, x.node)
        return y
    finally:
        block_free(m)
        array_drop(&px)


cdef Tensor _indexed(Tensor x, const Ends *e, str mode):
    """Padding of integers, or of more than three axes: one axis after the other."""
    cdef int d
    for d in range(x.t.ndim):
        if e.before[d] or e.after[d]:
            source = np.empty(x.t.dims[d] + e.before[d] + e.after[d], np.intp)
            if source.size:
                _shown(<Py_ssize_t *><size_t>source.ctypes.data, mode, x.t.dims[d], e.before[d], e.after[d])
            x = x[(slice(None),) * d + (source,)]
    return x


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
    cdef int d, k, first = -1
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
    for d in range(x.t.ndim):
        _check(mode, x.t.dims[d], e.before[d], e.after[d], d)
        first = d if first < 0 and (e.before[d] or e.after[d]) else first
    if first < 0:
        return x
    return _mirrored(x, &e, mode) if is_float(x.t.dtype) and first >= x.t.ndim - 3 else _indexed(x, &e, mode)
