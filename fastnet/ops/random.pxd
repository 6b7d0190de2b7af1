# The generator: a seed and a counter; a draw takes as many counters as it needs, wherever it runs.
from libc.stdint cimport int64_t, uint64_t
from fastnet._core.fn cimport fn_tensor

cdef extern from "kernels/random.h" nogil:
    enum:
        RANDOM_LANES
    ctypedef struct fn_random_args:
        const uint64_t *key
        const void *x
        void *y
        Py_ssize_t n, x_stride
        double low, width
        int64_t first
        uint64_t span

cdef class Generator:
    cdef uint64_t key[2]                # seed, next counter
    # The key of a draw of n elements of `width` bytes; the generator moves on.
    cdef void take(self, uint64_t *key, Py_ssize_t n, int width) noexcept

cdef Generator generator_of(object generator, str op)    # None: the default one
cdef Py_ssize_t groups(Py_ssize_t n, int width) noexcept # units of a launch
