"""batch_norm, instance_norm, group_norm: y = act((x - mean) / sqrt(var + eps) w + b + residual), channels last, two visits of x each way."""
from libc.stdint cimport int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport STREAM, byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/norm.h" nogil:
    int FN_batch_norm_stats, FN_batch_norm_merge, FN_batch_norm_running, FN_batch_norm_fixed, FN_batch_norm_coef, FN_batch_norm_forward
    int FN_batch_norm_sums, FN_batch_norm_gradient, FN_batch_norm_weight, FN_batch_norm_backward

# inputs: 0 x, 1 w, 2 b, 3 residual; saved: 0 x, 1 w, 2 b, 3 residual or y; n.block: mean, rstd (groups of all instances)
# n.i: groups, fixed, act, from_output; n.f: eps, slope


cdef Py_ssize_t _gcd(Py_ssize_t a, Py_ssize_t b) noexcept:
    while b:
        a, b = b, a % b
    return a


cdef void _split(fn_batch_norm_args *a, const fn_tensor *x, Py_ssize_t groups, int arrays) noexcept:
    """The sizes of a, from the shape of x (N, C, ...) alone; arrays: of that size, that the last pass reads and writes."""
    a.c = x.dims[1]
    a.instances = x.dims[0] if groups else 1
    a.groups = max(1, groups if groups else a.c)
    a.rows = x.size // max(1, a.c * a.instances)
    a.fold = 1
    if 0 < a.c < 64:
        a.fold = 16 // _gcd(a.c, 16)
        while a.fold * a.c < 64:
            a.fold *= 2
        if a.rows < 8 * a.fold:
            a.fold = 1
    a.width = a.fold * a.c
    a.stream = a.width % 16 == 0 and arrays * x.size * itemsize(x.dtype) > STREAM
    a.lines = a.rows // a.fold
    a.tail = (a.rows - a.lines * a.fold) * a.c
    a.chunk = max(64, 16384 // max(1, a.width))
    a.chunks = (a.lines + a.chunk - 1) // a.chunk
    a.block = 1024
    a.blocks = (a.width + a.block - 1) // a.block
    a.piece = max(1, NORM_PIECE // max(1, a.c // a.groups))
    a.pieces = (a.groups + a.piece - 1) // a.piece


cdef char *_scratch(fn_batch_norm_args *a, int dtype, bint partial) except NULL:
    """Room for coef, and for part and sum."""
    cdef Py_ssize_t width = itemsize(dtype), sums = a.instances * 2 * a.c if partial else 0
    cdef Py_ssize_t part = a.instances * a.chunks * NORM_PARTS * a.width if partial else 0
    cdef char *room = <char *>block_new(8 * sums + width * (a.instances * NORM_COEFS * a.width + part) + 64)
    a.sum = <double *>room
    a.coef = room + 8 * sums
    a.part = <char *>a.coef + width * a.instances * NORM_COEFS * a.width
    return room


cdef inline Py_ssize_t _units(fn_batch_norm_args *a) noexcept:
    return a.instances * a.chunks * a.blocks


cdef inline double _small(fn_batch_norm_args *a) noexcept:
    return 2.0 * a.instances * a.chunks * a.width        # the price of a visit of all partial results


cdef inline Py_ssize_t _channels(fn_batch_norm_args *a) noexcept:
    return (a.c + NORM_PIECE - 1) // NORM_PIECE


cdef int _image(fn_tensor *y, const fn_tensor *x) except -1:
    """*y = x with channels last."""
    return array_contiguous(y, x) if x.ndim == 2 else array_channels_last(y, x)


cdef int _image_new(fn_tensor *y, const fn_tensor *x) except -1:
    return array_new(y, 2, x.dims, x.dtype) if x.ndim == 2 else array_new_channels_last(y, x.ndim, x.dims, x.dtype)


cdef int norm_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef Py_ssize_t width = itemsize(x.dtype)
    cdef double bytes = width * x.size
    cdef bint again                         # the last pass works out gy act' anew: less to move than what sums could keep
    cdef fn_batch_norm_args a
    cdef fn_tensor g, w, b, masked
    cdef char *room = NULL
    g.st = w.st = b.st = masked.st = NULL
    _split(&a, x, n.i[0], 3)
    a.fixed, a.act, a.from_output, a.eps, a.slope = <int>n.i[1], <int>n.i[2], <int>n.i[3], n.f[0], n.f[1]
    again = not a.from_output and (a.act == NORM_ACT_RELU or a.act == NORM_ACT_RELU6 and n.saved[3].t.st == NULL)
    try:
        _image(&g, gy)
        a.mean, a.rstd = n.block, <char *>n.block + width * a.instances * a.groups
        a.w = a.b = a.r = a.g = NULL
        if n.saved[1].t.st != NULL:
            array_contiguous(&w, &n.saved[1].t)
            a.w = w.p
        if n.saved[2].t.st != NULL:
            array_contiguous(&b, &n.saved[2].t)
            a.b = b.p
        if n.saved[3].t.st != NULL:
            a.r = n.saved[3].t.p
        a.x, a.gy = x.p, g.p
        if n.inputs[3] != NULL and a.act == NORM_ACT_NONE:
            array_share(&gin[3], &g)
        elif a.act != NORM_ACT_NONE and (not again or n.inputs[3] != NULL):
            _image_new(&masked, x)
            a.g = masked.p
        room = _scratch(&a, x.dtype, True)
        launch(FN_batch_norm_coef, x.dtype, &a, a.instances, 1.0 * a.instances * a.width)
        launch(FN_batch_norm_sums, x.dtype, &a, _units(&a), byte_cost((2 + (a.r != NULL) + (a.g != NULL)) * bytes))
        launch(FN_batch_norm_gradient, x.dtype, &a, a.instances * a.pieces, _small(&a))
        a.gw = a.gb = NULL
        if n.inputs[1] != NULL:
            array_new(&gin[1], 1, &a.c, x.dtype)
            a.gw = gin[1].p
        if n.inputs[2] != NULL:
            array_new(&gin[2], 1, &a.c, x.dtype)
            a.gb = gin[2].p
        if a.gw != NULL or a.gb != NULL:
            launch(FN_batch_norm_weight, x.dtype, &a, _channels(&a), 2.0 * a.instances * a.c)
        if a.g != NULL:
            a.gy, a.act = a.g, NORM_ACT_NONE
        if n.inputs[0] != NULL:
            if masked.st != NULL and n.inputs[3] == NULL:    # in place: nobody else wants g
                array_share(&gin[0], &masked)
            else:
                _image_new(&gin[0], x)
            a.y = gin[0].p
            launch(FN_batch_norm_backward, x.dtype, &a, _units(&a), byte_cost(3 * bytes))
        if n.inputs[3] != NULL and a.g != NULL:
            array_share(&gin[3], &masked)
        return 0
    finally:
        array_drop(&g)
        array_drop(&w)
        array_drop(&b)
        array_drop(&masked)
        block_free(room)


cdef fn_op BATCH_NORM = [b"NativeBatchNormBackward0", norm_backward, False]
cdef fn_op GROUP_NORM = [b"NativeGroupNormBackward0", norm_backward, False]


cdef int _check(Tensor x, Tensor running_mean, Tensor running_var, Tensor w, Tensor b, Tensor residual, str op) except -1:
    cdef Tensor t
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be float32 or float64, got {x.dtype}")
    if not 2 <= x.t.ndim <= 5:
        raise RuntimeError(f"{op}: input must have 2 to 5 axes (N, C, ...), got shape {shape_of(&x.t)}")
    for name, each in (("running_mean", running_mean), ("running_var", running_var), ("weight", w), ("bias", b)):
        if each is not None:
            t = each
            if t.t.dtype != x.t.dtype:
                raise RuntimeError(f"{op}: input is {x.dtype}, {name} is {t.dtype}; they must agree")
            if t.t.ndim != 1 or t.t.dims[0] != x.t.dims[1]:
                raise RuntimeError(f"{op}: {name} must have the shape ({x.t.dims[1]},) for input {shape_of(&x.t)}, got {shape_of(&t.t)}")
    if (running_mean is None) != (running_var is None):
        raise RuntimeError(f"{op}: running_mean and running_var must be given together")
    if residual is not None and (residual.t.dtype != x.t.dtype or not same_shape(&residual.t, &x.t)):
        raise RuntimeError(f"{op}: residual must be {x.dtype} of shape {shape_of(&x.t)}, as input, got {residual.dtype} of {shape_of(&residual.t)}")
    return 0


cdef int _moved(Tensor running, const fn_tensor *value) except -1:
    """The running statistics, which may be a view, become what was computed."""
    if running.t.p != value.p:
        array_copy(&running.t, value)
    written(running)
    return 0


cdef int _statistics(fn_batch_norm_args *a, int dtype, Tensor running_mean, Tensor running_var, const Norm *how, double bytes, str op) except -1:
    """mean and rstd: of the input, or the running ones; the running ones move."""
    cdef fn_tensor m, v
    m.st = v.st = NULL
    try:
        if running_mean is not None:
            array_contiguous(&m, &running_mean.t)
            array_contiguous(&v, &running_var.t)
            a.running_mean, a.running_var = m.p, v.p
        if how.fixed:
            return launch(FN_batch_norm_fixed, dtype, a, _channels(a), 10.0 * a.c)
        launch(FN_batch_norm_stats, dtype, a, _units(a), byte_cost(bytes))
        launch(FN_batch_norm_merge, dtype, a, a.instances * a.pieces, 2 * _small(a))
        if running_mean is not None and a.rows > 0:
            launch(FN_batch_norm_running, dtype, a, _channels(a), 2.0 * a.instances * a.c)
            _moved(running_mean, &m)
            _moved(running_var, &v)
        return 0
    finally:
        array_drop(&m)
        array_drop(&v)


cdef Tensor norm_forward(Tensor x, Tensor running_mean, Tensor running_var, Tensor w, Tensor b, Tensor residual, const Norm *how, str op):
    cdef fn_batch_norm_args a
    cdef fn_tensor px, pr, pw, pb
    cdef fn_node *n
    cdef Tensor y
    cdef char *room = NULL
    cdef char *saved = NULL
    cdef Py_ssize_t width, k
    _check(x, running_mean, running_var, w, b, residual, op)
    if running_mean is not None and not how.fixed:
        write_check(running_mean, op)
        write_check(running_var, op)
    px.st = pr.st = pw.st = pb.st = NULL
    _split(&a, &x.t, how.groups, 2 + (residual is not None))
    a.eps, a.momentum, a.slope, a.act, a.fixed = how.eps, how.momentum, how.slope, how.act, how.fixed
    width = itemsize(x.t.dtype)
    try:
        _image(&px, &x.t)
        a.x, a.w, a.b, a.r = px.p, NULL, NULL, NULL
        if residual is not None:
            _image(&pr, &residual.t)
            a.r = pr.p
        if w is not None:
            array_contiguous(&pw, &w.t)
            a.w = pw.p
        if b is not None:
            array_contiguous(&pb, &b.t)
            a.b = pb.p
        saved = <char *>block_new(2 * width * a.instances * a.groups + 1)
        a.mean, a.rstd = saved, saved + width * a.instances * a.groups
        room = _scratch(&a, x.t.dtype, not how.fixed)
        y = Tensor.__new__(Tensor)
        _image_new(&y.t, &x.t)
        a.y = y.t.p
        _statistics(&a, x.t.dtype, running_mean, running_var, how, <double>width * x.t.size, op)
        launch(FN_batch_norm_coef, x.t.dtype, &a, a.instances, 1.0 * a.instances * a.width)
        launch(FN_batch_norm_forward, x.t.dtype, &a, _units(&a), byte_cost((2.0 + (a.r != NULL)) * width * x.t.size))
        if grad_enabled() and (x.node != NULL or (w is not None and w.node != NULL) or (b is not None and b.node != NULL)
                               or (residual is not None and residual.node != NULL)):
            n = record(y, &GROUP_NORM if how.groups else &BATCH_NORM, 4, 4)
            n.block, saved = saved, NULL
            n.i[0], n.i[1], n.i[2], n.f[0], n.f[1] = how.groups, how.fixed, how.act, how.eps, how.slope
            n.i[3] = residual is not None and (how.act in (NORM_ACT_RELU, NORM_ACT_RELU6) or (how.act == NORM_ACT_LEAKY and how.slope > 0))
            node_input(n, 0, x.node)
            node_save(n, 0, &px)
            if w is not None:
                node_input(n, 1, w.node)
                node_save(n, 1, &w.t)
            if b is not None:
                node_input(n, 2, b.node)
                if how.act != NORM_ACT_NONE and not n.i[3]:
                    node_save(n, 2, &b.t)
            if residual is not None:
                node_input(n, 3, residual.node)
                if how.act != NORM_ACT_NONE:
                    node_save(n, 3, &y.t if n.i[3] else &pr)
        return y
    finally:
        array_drop(&px)
        array_drop(&pr)
        array_drop(&pw)
        array_drop(&pb)
        block_free(room)
        block_free(saved)


def count_batch(counter):
    """Add 1 to an integer tensor of one element, in place; returns the new number.

    >>> import fastnet
    >>> from fastnet.ops.batch_norm import count_batch
    >>> count_batch(fastnet.tensor(41))
    42
    """
    cdef Tensor t = require_tensor(counter, "count_batch", "counter")
    if t.t.dtype != FN_I64 or t.t.size != 1:
        raise TypeError(f"count_batch: counter must be one int64, got {t.dtype} of shape {shape_of(&t.t)}")
    (<int64_t *>t.t.p)[0] += 1
    written(t)
    return (<int64_t *>t.t.p)[0]

include "batch_norm_public.pxi"
