"""Convolution of any shape by register tiles (csrc/kernels/conv.h), and of 1x1 kernels as a matrix product."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch, max_threads, plan
from fastnet._core.memory cimport block_free, block_new
from fastnet.ops.conv cimport *
from fastnet.ops.conv_shape cimport *
from fastnet.ops.gemm cimport *

cdef extern from "groups/conv.h" nogil:
    int FN_conv_plan, FN_conv_tables, FN_conv_pack, FN_conv_apply, FN_conv_weight, FN_conv_weight_reduce
    int FN_conv_planar_pack, FN_conv_planar, FN_conv_planar_weight, FN_conv_scatter_pack, FN_conv_scatter
cdef extern from "kernels/conv.h" nogil:
    enum:
        FN_CONV_TILES, FN_CONV_PLANAR, FN_CONV_SCATTER
    ctypedef struct fn_conv_args:
        fn_conv_shape shape
        int which "pass"
        int how
        const void *src
        const void *w
        const void *bias
        void *dst
        Py_ssize_t *slot
        void *packed
        char *scratch
        Py_ssize_t slots, packed_size, scratch_size, units, pack_units, alone
        double unit_flops
        const fn_after *after
    ctypedef struct fn_conv_plan_args:
        fn_conv_args *conv


cdef int[3] PACKS = [FN_conv_pack, FN_conv_planar_pack, FN_conv_scatter_pack]
cdef int[3] APPLIES = [FN_conv_apply, FN_conv_planar, FN_conv_scatter]


cdef int run(int which, int how, int dtype, const fn_conv_shape *s, const void *src, const void *w, const void *bias,
             void *dst, const fn_after *after) except -1:
    cdef fn_conv_args g
    cdef fn_conv_plan_args ask
    cdef size_t width = 4 if dtype == FN_F32 else 8, slots, packed
    cdef double pack, cost
    cdef bint whole = which == CONV_FORWARD or (how != FN_CONV_SCATTER and s.stride[0] * s.stride[1] * s.stride[2] == 1)   # no classes of pixels
    g.shape, g.which, g.how, g.src, g.w, g.bias, g.dst, g.after = s[0], which, how, src, w, bias, dst, after if whole else NULL
    ask.conv = &g
    plan(FN_conv_plan, dtype, &ask)
    slots, packed = (g.slots * sizeof(Py_ssize_t) + 127) // 128 * 128, (g.packed_size * width + 127) // 128 * 128
    packed *= max_threads() if g.alone else 1
    cdef char *block = <char *>block_new(slots + packed + g.scratch_size * max_threads())
    try:
        g.slot, g.packed, g.scratch = <Py_ssize_t *>block, block + slots, block + slots + packed
        plan(FN_conv_tables, dtype, &ask)
        pack, cost = byte_cost(2.0 * width * g.packed_size), g.unit_flops * g.units * 0.0023 * width
        if which != CONV_WEIGHT:
            if not g.alone:
                launch(PACKS[how], dtype, &g, g.pack_units, pack)
            launch(APPLIES[how], dtype, &g, g.units, cost)
            return 0 if g.after == after else conv_finish(dtype, after)
        launch(FN_conv_planar_weight if how == FN_CONV_PLANAR else FN_conv_weight, dtype, &g, g.units, cost)
        return launch(FN_conv_weight_reduce, dtype, &g, g.pack_units, pack)
    finally:
        block_free(block)


cdef int direct_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    why[0] = b"serves every shape"
    return CONV_BEST


cdef int direct_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                        const fn_after *after) except -1:
    return run(CONV_FORWARD, FN_CONV_TILES, dtype, s, x, w, bias, y, after)


cdef int direct_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    return run(CONV_INPUT, FN_CONV_TILES, dtype, s, gy, w, NULL, gx, after)


cdef int direct_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    return run(CONV_WEIGHT, FN_CONV_TILES, dtype, s, x, gy, NULL, gw, NULL)


# Multiply-adds of vectors for one position, with what the two cost beside them: measured on a Zen 4 in float32.
cdef double planar_price(const fn_conv_shape *s) noexcept:
    """Of the input gradient, for each pixel of gx; one row of a tile feeds a quarter of the multipliers, six all."""
    cdef double taps = conv_taps(s), width = min(max(s.c, 2), 6)
    return conv_pixels_in(s) * (taps / (s.stride[0] * s.stride[1] * s.stride[2]) * s.k * s.c / 16 / (0.15 * width) + s.c)


cdef double scatter_price(const fn_conv_shape *s) noexcept:
    cdef double runs = s.kernel[0] * s.kernel[1] * ((s.kernel[2] * s.c + 15) // 16), vectors = (conv_taps(s) * s.c + 15) // 16
    return conv_pixels_out(s) * (s.k * vectors / 0.85 + 7 * runs + 20)


cdef int planar_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    cdef Py_ssize_t made = (s.c if which == CONV_INPUT else s.k) // s.groups
    if made > 16:
        why[0] = b"there are more than 16 output channels"
        return CONV_CANNOT
    if which != CONV_INPUT and s.groups == 1 and (s.stride[0] != 1 or s.stride[1] != 1 or s.stride[2] != 1):
        why[0] = b"there is a stride, and one group"
        return CONV_CAN
    if which != CONV_INPUT and (s.stride[0] > s.kernel[0] or s.stride[1] > s.kernel[1] or s.stride[2] > s.kernel[2]):
        why[0] = b"the stride is longer than the kernel"
        return CONV_CAN
    if made > (8 if dtype == FN_F32 else 4):
        why[0] = b"the output channels fill a vector"
        return CONV_CAN
    if s.groups > 1 and s.groups == s.c:
        why[0] = b"every channel has kernels of its own: depthwise makes no copy of it"
        return CONV_CAN
    why[0] = b"few output channels: lanes are better pixels"
    return CONV_BEST


cdef int planar_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                        const fn_after *after) except -1:
    return run(CONV_FORWARD, FN_CONV_PLANAR, dtype, s, x, w, bias, y, after)


cdef int planar_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    return run(CONV_INPUT, FN_CONV_PLANAR, dtype, s, gy, w, NULL, gx, after)


cdef int planar_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef Py_ssize_t i, n = s.k * (s.c // s.groups) * conv_taps(s)
    cdef double w
    run(CONV_WEIGHT, FN_CONV_PLANAR, dtype, s, x, gy, NULL, gw, NULL)
    # Zeros behind the rows of gy meet pixels of x that the tap does not see.  Where one of those is infinite, the sum is a NaN of no meaning.
    for i in range(n):
        w = (<const float *>gw)[i] if dtype == FN_F32 else (<const double *>gw)[i]
        if w != w:
            return direct_weight(dtype, s, x, gy, gw)
    return 0


cdef int scatter_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    if which != CONV_INPUT:
        why[0] = b"it has the input gradient only"
        return CONV_CANNOT
    if s.groups != 1 or s.dilation[2] != 1:
        why[0] = b"there are groups, or a dilation along the last axis"
        return CONV_CANNOT
    if s.c > (8 if dtype == FN_F32 else 4):
        why[0] = b"the output channels fill a vector"
        return CONV_CAN
    if scatter_price(s) > planar_price(s):
        why[0] = b"pixels as lanes take less time"
        return CONV_CAN
    why[0] = b"few output channels: taps and channels together fill vectors"
    return CONV_BEST


cdef int scatter_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    return run(CONV_INPUT, FN_CONV_SCATTER, dtype, s, gy, w, NULL, gx, after)


cdef int gemm_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    cdef Py_ssize_t made = s.c if which == CONV_INPUT else s.k
    cdef int d
    for d in range(3):
        if s.kernel[d] != 1 or s.pad[d] != 0 or (s.out[d] - 1) * s.stride[d] >= s.in_[d]:
            why[0] = b"the kernel is not 1x1, or there is padding"
            return CONV_CANNOT
        if which != CONV_WEIGHT and (s.stride[d] != 1 or s.in_[d] != s.out[d]):
            why[0] = b"there is a stride"
            return CONV_CANNOT
    if s.groups != 1:
        why[0] = b"there are groups"
        return CONV_CANNOT
    if dtype == FN_F32 and which != CONV_WEIGHT and 2 <= made <= 3 and s.c + s.k - made <= 128 and s.n * conv_pixels_out(s) >= 4096:
        why[0] = b"few output channels: products of so few columns leave most lanes empty"
        return CONV_CAN
    why[0] = b"a 1x1 kernel is a matrix product of pixels and channels"
    return CONV_BEST


cdef int gemm_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                      const fn_after *after) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.n * conv_pixels_out(s), s.k, s.c)
    gemm_a(&g, x, s.c, 1)
    gemm_b(&g, w, 1, s.c)
    gemm_c(&g, y, s.k, 1)
    g.bias, g.bias_cs, g.after = bias, 1, after
    gemm(dtype, &g)
    return 0 if after == g.after else conv_finish(dtype, after)


cdef int gemm_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.n * conv_pixels_out(s), s.c, s.k)
    gemm_a(&g, gy, s.k, 1)
    gemm_b(&g, w, s.c, 1)
    gemm_c(&g, gx, s.c, 1)
    g.after = after
    gemm(dtype, &g)
    return 0 if after == g.after else conv_finish(dtype, after)


cdef int product_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.k, s.c, s.n * conv_pixels_out(s))
    gemm_a(&g, gy, 1, s.k)
    gemm_b(&g, x, s.c, 1)
    gemm_c(&g, gw, s.c, 1)
    return gemm(dtype, &g)


cdef int gemm_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_tensor seen, dense
    cdef int d
    if conv_pixels_in(s) != conv_pixels_out(s):             # of x only the pixels that are seen, next to each other
        seen.p, seen.dtype, seen.ndim, seen.size = <char *>x, dtype, 5, s.n * conv_pixels_out(s) * s.c
        seen.dims[0], seen.strides[0], seen.dims[4], seen.strides[4] = s.n, conv_pixels_in(s) * s.c, s.c, 1
        for d in range(3):
            seen.dims[1 + d] = s.out[d]
            seen.strides[1 + d] = s.stride[d] * s.c * (s.in_[1] if d < 1 else 1) * (s.in_[2] if d < 2 else 1)
        array_new(&dense, 5, seen.dims, dtype)
        try:
            array_copy(&dense, &seen)
            return product_weight(dtype, s, dense.p, gy, gw)
        finally:
            array_drop(&dense)
    return product_weight(dtype, s, x, gy, gw)


cdef conv_algorithm DIRECT = [b"direct", direct_judge, direct_forward, direct_input, direct_weight]
cdef conv_algorithm PLANAR = [b"planar", planar_judge, planar_forward, planar_input, planar_weight]
cdef conv_algorithm SCATTER = [b"scatter", scatter_judge, direct_forward, scatter_input, direct_weight]
cdef conv_algorithm GEMM = [b"gemm", gemm_judge, gemm_forward, gemm_input, gemm_weight]
conv_register(&DIRECT)
conv_register(&PLANAR)
conv_register(&SCATTER)
conv_register(&GEMM)
