"""Depthwise convolutions, each input channel with kernels of its own (csrc/kernels/depthwise.h): an algorithm of fastnet.ops.conv."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet.ops.conv cimport *
from fastnet.ops.conv_shape cimport *

cdef extern from "groups/pool.h" nogil:
    int FN_depthwise_pack, FN_depthwise_forward, FN_depthwise_input, FN_depthwise_weight, FN_depthwise_reduce
    enum:
        DW_BLOCK
    ctypedef struct fn_depthwise_args:
        fn_conv_shape s
        const void *x
        const void *w
        const void *bias
        void *y
        Py_ssize_t band
        int far, stream
        const fn_after *after
    ctypedef struct fn_depthwise_weight_args:
        fn_conv_shape s
        const void *x
        const void *gy
        void *parts
        Py_ssize_t count, band
        int far
    ctypedef struct fn_depthwise_pack_args:
        const void *w
        void *packed
        Py_ssize_t c, taps, count
        int flip

cdef enum:
    MOST_PARTS = 16                 # partial sums of the weight gradient
    MOST_ROWS = 16                  # of a band
    FAR = 10 << 20                  # bytes of both images: beyond L2 and what L3 gives without being asked in advance
    STREAM = 20 << 20               # beyond L3


cdef inline double _bytes(int dtype, const fn_conv_shape *s) noexcept:
    return itemsize(dtype) * <double>s.n * s.c * (conv_pixels_in(s) + conv_pixels_out(s))


cdef inline double _cost(int dtype, const fn_conv_shape *s) noexcept:
    return byte_cost(_bytes(dtype, s)) + 0.003 * itemsize(dtype) * conv_flops(s)


cdef int _apply(int kernel, int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y, bint flip,
                const Py_ssize_t *rows, double cost, const fn_after *after) except -1:
    """Pack the weights (flip: turned round) and run a kernel over bands of rows (rows: planes and rows in each of what is written)."""
    cdef fn_depthwise_pack_args pack
    cdef fn_depthwise_args a
    cdef Py_ssize_t planes = s.n * rows[0]
    a.band = min(max(planes * rows[1] // 16, 4), MOST_ROWS)
    a.s, a.x, a.bias, a.y, a.far, a.after = s[0], x, bias, y, _bytes(dtype, s) > FAR, after
    a.stream = _bytes(dtype, s) > STREAM and s.c * itemsize(dtype) % 64 == 0 and after == NULL
    pack.w, pack.c, pack.taps, pack.count, pack.flip = w, s.c, conv_taps(s), 1, flip
    pack.packed = block_new(itemsize(dtype) * s.c * conv_taps(s))
    try:
        launch(FN_depthwise_pack, dtype, &pack, pack.taps, byte_cost(2.0 * itemsize(dtype) * s.c * pack.taps))
        a.w = pack.packed
        return launch(kernel, dtype, &a, planes * ((rows[1] + a.band - 1) // a.band), cost)
    finally:
        block_free(pack.packed)


# With several kernels to a channel (k = m c) x is written out m times, channel by channel, and the gradients of those copies are added.

cdef void _copies(fn_tensor *wide, fn_tensor *one, int dtype, Py_ssize_t pixels, Py_ssize_t c, Py_ssize_t m, const void *p, const void *q) noexcept:
    """Views: wide (pixels, c, m) over p; one, (pixels, c) over q with its last axis repeated."""
    cdef Py_ssize_t[3] dims = [pixels, c, m]
    cdef int d
    wide.st = one.st = NULL
    wide.p, one.p = <char *>p, <char *>q
    wide.ndim = one.ndim = 3
    wide.dtype = one.dtype = dtype
    wide.size = one.size = pixels * c * m
    for d in range(3):
        wide.dims[d] = one.dims[d] = dims[d]
    wide.strides[0], wide.strides[1], wide.strides[2] = c * m, m, 1
    one.strides[0], one.strides[1], one.strides[2] = c, 1, 0


cdef void *_repeated(int dtype, const fn_conv_shape *s, const void *x) except NULL:
    """A block: x with each channel m times."""
    cdef fn_tensor wide, one
    cdef void *block = block_new(itemsize(dtype) * s.n * conv_pixels_in(s) * s.k)
    _copies(&wide, &one, dtype, s.n * conv_pixels_in(s), s.c, s.k // s.c, block, x)
    try:
        array_copy(&wide, &one)
    except BaseException:
        block_free(block)
        raise
    return block


cdef int depthwise_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    if s.groups != s.c:
        why[0] = b"a group has several channels"
        return CONV_CANNOT
    why[0] = b"every channel has kernels of its own"
    return CONV_BEST if s.c > 1 else CONV_CAN


cdef int depthwise_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                           const fn_after *after) except -1:
    cdef fn_conv_shape each = s[0]
    cdef void *block = NULL
    if s.k != s.c:
        block = _repeated(dtype, s, x)
        each.c = each.groups = s.k
    try:
        return _apply(FN_depthwise_forward, dtype, &each, x if block == NULL else block, w, bias, y, False, each.out, _cost(dtype, &each),
                      after)
    finally:
        block_free(block)


cdef int _input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    cdef fn_conv_shape turned = s[0]
    cdef int d
    for d in range(3):
        turned.in_[d], turned.out[d], turned.pad[d] = s.out[d], s.in_[d], (s.kernel[d] - 1) * s.dilation[d] - s.pad[d]
    if s.stride[0] == 1 and s.stride[1] == 1 and s.stride[2] == 1:
        return _apply(FN_depthwise_forward, dtype, &turned, gy, w, NULL, gx, True, s.in_, _cost(dtype, s), after)
    _apply(FN_depthwise_input, dtype, s, gy, w, NULL, gx, False, s.in_, _cost(dtype, s), NULL)
    return 0 if after == NULL else conv_finish(dtype, after)


cdef int depthwise_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    cdef fn_conv_shape each = s[0]
    cdef fn_tensor wide, one
    cdef Py_ssize_t j, m = s.k // s.c
    cdef void *block
    if m == 1:
        return _input(dtype, s, gy, w, gx, after)
    each.c = each.groups = s.k
    block = block_new(itemsize(dtype) * s.n * conv_pixels_in(s) * s.k)
    try:
        _input(dtype, &each, gy, w, block, NULL)
        _copies(&wide, &one, dtype, s.n * conv_pixels_in(s), s.c, m, block, gx)
        wide.dims[2] = one.dims[2] = 1
        wide.size = one.size = wide.size // m
        array_copy(&one, &wide)
        for j in range(1, m):
            wide.p += itemsize(dtype)
            array_accumulate(&one, &wide)
        return 0 if after == NULL else conv_finish(dtype, after)
    finally:
        block_free(block)


cdef int depthwise_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_depthwise_weight_args a
    cdef fn_depthwise_pack_args reduce
    cdef Py_ssize_t taps = conv_taps(s)
    cdef void *block = NULL
    cdef void *parts = NULL
    a.s = s[0]
    a.s.c = a.s.groups = s.k
    a.band, a.far = MOST_ROWS, _bytes(dtype, &a.s) > FAR
    a.count = min(s.n * s.out[0] * ((s.out[1] + MOST_ROWS - 1) // MOST_ROWS), MOST_PARTS)
    try:
        if s.k != s.c:
            block = _repeated(dtype, s, x)
        parts = block_new(itemsize(dtype) * a.count * taps * (s.k + DW_BLOCK))
        a.x, a.gy, a.parts = x if block == NULL else block, gy, parts
        launch(FN_depthwise_weight, dtype, &a, a.count, _cost(dtype, &a.s))
        reduce.w, reduce.packed, reduce.c, reduce.taps, reduce.count, reduce.flip = parts, gw, s.k, taps, a.count, 0
        return launch(FN_depthwise_reduce, dtype, &reduce, s.k, byte_cost(2.0 * itemsize(dtype) * a.count * taps * s.k))
    finally:
        block_free(block)
        block_free(parts)


cdef conv_algorithm DEPTHWISE = [b"depthwise", depthwise_judge, depthwise_forward, depthwise_input, depthwise_weight]
conv_register(&DEPTHWISE)
