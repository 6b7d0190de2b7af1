# What follows a product in the same launch (csrc/kernels/after.h); fastnet.ops.conv fills it.
cdef extern from "kernels/after.h" nogil:
    ctypedef struct fn_after:
        void (*run)(const fn_after *after, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t column, Py_ssize_t columns) noexcept
