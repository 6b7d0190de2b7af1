# How every kernel is run.
from fastnet._core.fn cimport fn_kernel

cdef extern from "groups/rows.h" nogil:
    int FN_copy, FN_accumulate

# Run kernel `id` for `dtype` (FN_F32 or FN_F64) over [0, n).  `cost`: estimated nanoseconds on one thread; it decides how
# many threads the launch gets and whether the GIL is released.  Raises KeyboardInterrupt between slices of long launches.
cdef int launch(int id, int dtype, const void *args, Py_ssize_t n, double cost) except -1
# Call a kernel that only decides (sizes, an algorithm) and touches no elements: at once, on this thread, as no launch.
cdef void plan(int id, int dtype, const void *args) noexcept
cdef int max_threads() noexcept                          # bound on `thread` in kernels, to size scratch

# Rough prices on one core of this decade, for `cost`.
cdef inline double byte_cost(double bytes) noexcept nogil:
    return bytes * 0.03

cdef inline double flop_cost(double flops) noexcept nogil:
    return flops * 0.006

# Bytes of the arrays of a pass beyond which its result is stored past the caches.
cdef enum:
    STREAM = 12 << 20
