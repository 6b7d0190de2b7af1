"""Matrix products for ops: plan, scratch, launches."""
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch, plan
from fastnet._core.memory cimport block_free, block_new

cdef extern from "groups/gemm.h" nogil:
    int FN_gemm_plan, FN_gemm, FN_gemm_reduce

cdef float ONE_F32 = 1.0
cdef double ONE_F64 = 1.0


cdef int gemm(int dtype, fn_gemm_args *g) except -1:
    cdef fn_gemm_plan_args ask
    cdef double width = 4.0 if dtype == FN_F32 else 8.0, cost
    ask.gemm = g
    plan(FN_gemm_plan, dtype, &ask)
    if g.units == 0:
        return 0
    # 110 GFLOP/s in float32, or the time to read both operands where that is longer
    cost = g.unit_flops * g.units * 0.0023 * width + byte_cost(width * g.batches * (<double>g.m * g.k + <double>g.k * g.n))
    if g.scratch_size == 0:
        return launch(FN_gemm, dtype, g, g.units, cost)
    g.scratch = block_new(g.scratch_size * <size_t>width)
    try:
        launch(FN_gemm, dtype, g, g.units, cost)
        return launch(FN_gemm_reduce, dtype, g, g.reduce_units, byte_cost(width * g.scratch_size))
    finally:
        block_free(<void *>g.scratch)


cdef int gemm_arrays(const fn_tensor *c, const fn_tensor *a, const fn_tensor *b, bint accumulate) except -1:
    cdef fn_gemm_args g
    cdef int d, i, last = c.ndim - 1
    gemm_begin(&g, c.dims[last - 1], c.dims[last], a.dims[a.ndim - 1])
    gemm_a(&g, a.p, a.strides[a.ndim - 2], a.strides[a.ndim - 1])
    gemm_b(&g, b.p, b.strides[b.ndim - 2], b.strides[b.ndim - 1])
    gemm_c(&g, c.p, c.strides[last - 1], c.strides[last])
    g.accumulate = accumulate
    g.nbatch = c.ndim - 2
    for d in range(c.ndim - 2):
        g.batch[d] = c.dims[d]
        g.c_bs[d] = c.strides[d]
        i = d - (c.ndim - a.ndim)
        g.a_bs[d] = a.strides[i] if i >= 0 and a.dims[i] != 1 else 0
        i = d - (c.ndim - b.ndim)
        g.b_bs[d] = b.strides[i] if i >= 0 and b.dims[i] != 1 else 0
    return gemm(c.dtype, &g)


cdef int gemm_column_sum(int dtype, Py_ssize_t m, Py_ssize_t n, const void *g, Py_ssize_t rs, Py_ssize_t cs, void *gb) except -1:
    # A row of ones times g; the ones are one number with strides of 0.
    cdef fn_gemm_args args
    gemm_begin(&args, 1, n, m)
    if dtype == FN_F32:
        gemm_a(&args, &ONE_F32, 0, 0)
    else:
        gemm_a(&args, &ONE_F64, 0, 0)
    gemm_b(&args, g, rs, cs)
    gemm_c(&args, gb, n, 1)
    return gemm(dtype, &args)
