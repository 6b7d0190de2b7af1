# The argument structs of csrc/kernels/index.h, and the check of an index.
from libc.stdint cimport int64_t

cdef extern from "kernels/index.h" nogil:
    enum:
        INDEX_CHUNK
    ctypedef struct fn_index_args:
        const void *x
        const int64_t *index
        void *y
        Py_ssize_t n, k, inner, bytes, x_outer, x_inner
    ctypedef struct fn_index_bounds_args:
        const int64_t *index
        int64_t *bounds
        int64_t ignore
        Py_ssize_t n
    ctypedef struct fn_scatter_args:
        const void *x
        const int64_t *index
        void *y
        Py_ssize_t n, k, inner, bytes, y_inner, index_o, index_i, index_j, x_o, x_i, x_j
        int64_t ignore
        int fresh
        double scale

# Refuse an index outside [0, n) that is not `ignore` (INT64_MIN: none); index is contiguous int64.
from fastnet._core.fn cimport fn_tensor
cdef int check_index(const fn_tensor *index, Py_ssize_t n, int64_t ignore, str op, str argument) except -1
