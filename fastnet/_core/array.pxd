# fn_tensor, a tensor as plain data: make, share, copy, add.  Everything here wants the GIL; `st` counts references.
from fastnet._core.fn cimport FN_BOOL, FN_F32, FN_F64, FN_I32, FN_I64, FN_U8, fn_storage, fn_tensor
from fastnet._core.memory cimport storage_decref, storage_incref

# Fill *y with a new contiguous array (not initialised).  Checks that the size fits in memory.
cdef int array_new(fn_tensor *y, int ndim, const Py_ssize_t *dims, int dtype) except -1
# ... with the shape of x, and its memory order where x is dense (channels last stays channels last).
cdef int array_like(fn_tensor *y, const fn_tensor *x, int dtype) except -1
cdef int array_zeros(fn_tensor *y, const fn_tensor *x, int dtype) except -1
# *y = x where x is contiguous (shared), else a contiguous copy.
cdef int array_contiguous(fn_tensor *y, const fn_tensor *x) except -1
# The same for an image, (N, C, ...) with 1 to 3 spatial axes: channels last means that axis 1 is innermost and nothing lies between.
cdef int array_new_channels_last(fn_tensor *y, int ndim, const Py_ssize_t *dims, int dtype) except -1
cdef bint is_channels_last(const fn_tensor *x) noexcept
cdef int array_channels_last(fn_tensor *y, const fn_tensor *x) except -1
# y[...] = x, y[...] += x: one shape, one dtype, any strides.  x is broadcast if its strides say so.
cdef int array_copy(fn_tensor *y, const fn_tensor *x) except -1
cdef int array_accumulate(fn_tensor *y, const fn_tensor *x) except -1
cdef int array_fill_zero(fn_tensor *y) except -1
# True where strides are a permutation of a contiguous array's: no gap, no overlap.
cdef bint is_dense(const fn_tensor *x) noexcept
# Merge axes of one shape over nop operands; writes dims and strides (nop rows of 8), drops axes of 1, orders the axes by
# the strides of operand 0, largest first.  Returns the number of axes left, at least 1.
cdef int collapse(int ndim, const Py_ssize_t *dims, int nop, const Py_ssize_t **strides, Py_ssize_t *out_dims, Py_ssize_t *out_strides) noexcept
# One element as a Python number, and back.
cdef object array_item(const fn_tensor *x)
cdef int array_set_item(fn_tensor *x, object value) except -1


cdef inline Py_ssize_t itemsize(int dtype) noexcept:
    return 4 if dtype == FN_F32 or dtype == FN_I32 else (8 if dtype == FN_F64 or dtype == FN_I64 else 1)


cdef inline bint is_float(int dtype) noexcept:
    return dtype <= FN_F64


cdef inline bint is_contiguous(const fn_tensor *x) noexcept:
    cdef Py_ssize_t step = 1
    cdef int d
    for d in range(x.ndim - 1, -1, -1):
        if x.dims[d] != 1:
            if x.strides[d] != step:
                return x.size == 0
            step *= x.dims[d]
    return True


cdef inline bint same_shape(const fn_tensor *x, const fn_tensor *y) noexcept:
    cdef int d
    if x.ndim != y.ndim:
        return False
    for d in range(x.ndim):
        if x.dims[d] != y.dims[d]:
            return False
    return True


cdef inline bint same_layout(const fn_tensor *x, const fn_tensor *y) noexcept:
    """Shapes agree, and strides do on every axis that has more than one element."""
    cdef int d
    if x.ndim != y.ndim:
        return False
    for d in range(x.ndim):
        if x.dims[d] != y.dims[d] or (x.strides[d] != y.strides[d] and x.dims[d] != 1):
            return False
    return True


cdef inline void array_share(fn_tensor *y, const fn_tensor *x) noexcept:
    """*y = *x, counting one more reference."""
    y[0] = x[0]
    storage_incref(x.st)


cdef inline void array_drop(fn_tensor *x) noexcept:
    cdef fn_storage *st = x.st
    x.st = NULL
    storage_decref(st)
