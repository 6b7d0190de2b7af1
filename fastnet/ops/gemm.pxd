# C = act(A.B + bias): the driver of csrc/kernels/gemm.h.  Fill a fn_gemm_args (or use the short forms) and call gemm.
from fastnet._core.fn cimport fn_tensor
from fastnet.ops.after cimport fn_after

cdef extern from "kernels/gemm.h" nogil:
    enum:
        FN_ACT_NONE, FN_ACT_RELU, FN_ACT_TANH, FN_ACT_SIGMOID
    ctypedef struct fn_gemm_args:
        const void *a
        const void *b
        void *c
        const void *bias
        void *scratch
        Py_ssize_t m, n, k, a_rs, a_cs, b_rs, b_cs, c_rs, c_cs, bias_rs, bias_cs, nbatch
        Py_ssize_t batch[8]
        Py_ssize_t a_bs[8]
        Py_ssize_t b_bs[8]
        Py_ssize_t c_bs[8]
        int accumulate, act
        Py_ssize_t batches, units, reduce_units, scratch_size
        double unit_flops
        const fn_after *after
    ctypedef struct fn_gemm_plan_args:
        fn_gemm_args *gemm

# Plan, take scratch, run.  g is changed by the plan.
cdef int gemm(int dtype, fn_gemm_args *g) except -1
# c (+)= a.b over the last two axes; leading axes of a and b are broadcast to those of c.  c is not checked against a and b.
cdef int gemm_arrays(const fn_tensor *c, const fn_tensor *a, const fn_tensor *b, bint accumulate) except -1
# gb[n] (contiguous) = sum over m of g[m, n]
cdef int gemm_column_sum(int dtype, Py_ssize_t m, Py_ssize_t n, const void *g, Py_ssize_t rs, Py_ssize_t cs, void *gb) except -1


cdef inline void gemm_begin(fn_gemm_args *g, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k) noexcept:
    """C (m, n) = A (m, k) . B (k, n), one batch, nothing else; gemm_a, gemm_b and gemm_c say where they are."""
    g.m, g.n, g.k, g.nbatch = m, n, k, 0
    g.bias = g.scratch = NULL
    g.after = NULL
    g.bias_rs = g.bias_cs = 0
    g.accumulate, g.act = 0, FN_ACT_NONE


cdef inline void gemm_a(fn_gemm_args *g, const void *p, Py_ssize_t rs, Py_ssize_t cs) noexcept:
    g.a, g.a_rs, g.a_cs = p, rs, cs


cdef inline void gemm_b(fn_gemm_args *g, const void *p, Py_ssize_t rs, Py_ssize_t cs) noexcept:
    g.b, g.b_rs, g.b_cs = p, rs, cs


cdef inline void gemm_c(fn_gemm_args *g, void *p, Py_ssize_t rs, Py_ssize_t cs) noexcept:
    g.c, g.c_rs, g.c_cs = p, rs, cs


cdef inline bint rows_of(const fn_tensor *x, Py_ssize_t *rows, Py_ssize_t *rs) noexcept:
    """All axes but the last as one axis of rows with one stride; False where strides do not allow it."""
    cdef int d
    cdef Py_ssize_t step = -1
    rows[0], rs[0] = 1, 0
    for d in range(x.ndim - 2, -1, -1):
        if x.dims[d] != 1:
            if step >= 0 and x.strides[d] != step:
                return False
            if step < 0:
                rs[0] = x.strides[d]
            rows[0] *= x.dims[d]
            step = x.strides[d] * x.dims[d]
            if step < 0:
                return False
    return True


cdef inline void transposed(fn_tensor *y, const fn_tensor *x) noexcept:
    """*y = x with its last two axes exchanged; no reference is counted."""
    y[0] = x[0]
    y.dims[x.ndim - 1], y.dims[x.ndim - 2] = x.dims[x.ndim - 2], x.dims[x.ndim - 1]
    y.strides[x.ndim - 1], y.strides[x.ndim - 2] = x.strides[x.ndim - 2], x.strides[x.ndim - 1]
