"""Convolution of any shape by register tiles (csrc/kernels/conv.h), and of 1x1 kernels as a matrix product."""
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch, max_threads, plan
from fastnet._core.memory cimport block_free, block_new
from fastnet.ops.conv cimport *
from fastnet.ops.conv_shape cimport *
from fastnet.ops.gemm cimport *

cdef extern from "groups/conv.h" nogil:
    int FN_conv_plan, FN_conv_tables, FN_conv_pack, FN_conv_apply, FN_conv_weight, FN_conv_weight_reduce
cdef extern from "kernels/conv.h" nogil:
    ctypedef struct fn_conv_args:
        fn_conv_shape shape
        int which "pass"
        const void *src
        const void *w
        const void *bias
        void *dst
        Py_ssize_t *slot
        void *packed
        char *scratch
        Py_ssize_t slots, packed_size, scratch_size, units, pack_units
        double unit_flops
    ctypedef struct fn_conv_plan_args:
        fn_conv_args *conv


cdef int run(int which, int dtype, const fn_conv_shape *s, const void *src, const void *w, const void *bias, void *dst) except -1:
    cdef fn_conv_args g
    cdef fn_conv_plan_args ask
    cdef size_t width = 4 if dtype == FN_F32 else 8, slots, packed
    cdef double pack
    g.shape, g.which, g.src, g.w, g.bias, g.dst = s[0], which, src, w, bias, dst
    ask.conv = &g
    plan(FN_conv_plan, dtype, &ask)
    slots, packed = (g.slots * sizeof(Py_ssize_t) + 127) // 128 * 128, (g.packed_size * width + 127) // 128 * 128
    cdef char *block = <char *>block_new(slots + packed + g.scratch_size * max_threads())
    try:
        g.slot, g.packed, g.scratch = <Py_ssize_t *>block, block + slots, block + slots + packed
        plan(FN_conv_tables, dtype, &ask)
        pack = byte_cost(2.0 * width * g.packed_size)
        if which != CONV_WEIGHT:
            launch(FN_conv_pack, dtype, &g, g.pack_units, pack)
            return launch(FN_conv_apply, dtype, &g, g.units, g.unit_flops * g.units * 0.0023 * width)
        launch(FN_conv_weight, dtype, &g, g.units, g.unit_flops * g.units * 0.0023 * width)
        return launch(FN_conv_weight_reduce, dtype, &g, g.pack_units, pack)
    finally:
        block_free(block)


cdef int direct_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    why[0] = b"serves every shape"
    return CONV_BEST


cdef int direct_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y) except -1:
    return run(CONV_FORWARD, dtype, s, x, w, bias, y)


cdef int direct_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx) except -1:
    return run(CONV_INPUT, dtype, s, gy, w, NULL, gx)


cdef int direct_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    return run(CONV_WEIGHT, dtype, s, x, gy, NULL, gw)


cdef int gemm_judge(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    cdef int d
    for d in range(3):
        if s.kernel[d] != 1 or s.stride[d] != 1 or s.pad[d] != 0 or s.in_[d] != s.out[d]:
            why[0] = b"the kernel is not 1x1, or there is a stride or padding"
            return CONV_CANNOT
    if s.groups != 1:
        why[0] = b"there are groups"
        return CONV_CANNOT
    why[0] = b"a 1x1 kernel is a matrix product of pixels and channels"
    return CONV_BEST


cdef int gemm_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.n * conv_pixels_out(s), s.k, s.c)
    gemm_a(&g, x, s.c, 1)
    gemm_b(&g, w, 1, s.c)
    gemm_c(&g, y, s.k, 1)
    g.bias, g.bias_cs = bias, 1
    return gemm(dtype, &g)


cdef int gemm_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.n * conv_pixels_out(s), s.c, s.k)
    gemm_a(&g, gy, s.k, 1)
    gemm_b(&g, w, s.c, 1)
    gemm_c(&g, gx, s.c, 1)
    return gemm(dtype, &g)


cdef int gemm_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_gemm_args g
    gemm_begin(&g, s.k, s.c, s.n * conv_pixels_out(s))
    gemm_a(&g, gy, 1, s.k)
    gemm_b(&g, x, s.c, 1)
    gemm_c(&g, gw, s.c, 1)
    return gemm(dtype, &g)


cdef conv_algorithm DIRECT = [b"direct", direct_judge, direct_forward, direct_input, direct_weight]
cdef conv_algorithm GEMM = [b"gemm", gemm_judge, gemm_forward, gemm_input, gemm_weight]
conv_register(&DIRECT)
conv_register(&GEMM)
