# The axes a reduction goes over, and how its kernels see the memory: (outer, n, inner).
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tensor cimport Tensor

cdef extern from "kernels/reduce.h" nogil:
    ctypedef struct fn_reduce_args:
        const void *x
        const void *c
        void *y
        Py_ssize_t n, inner, chunk, chunks, width, blocks
    ctypedef struct fn_spread_args:
        const void *x
        const void *gy
        const void *y
        const void *c
        void *gx
        double scale
        Py_ssize_t n, inner, chunk, chunks, width, blocks

cdef struct Rows:                       # a dense array seen as (outer, n, inner)
    Py_ssize_t outer, n, inner

# dim (None: all, an int, a sequence of ints) as bits.
cdef long axes_mask(object dim, int ndim, str op) except -1
# One axis, negative ones counted from the end.
cdef int one_axis(object dim, int ndim, str op) except -1
# (dim, keepdim) where NumPy's names of them are given instead.
cdef tuple numpy_names(object dim, object keepdim, object axis, object keepdims, str op)
# The number of elements that one result stands for.
cdef Py_ssize_t axes_count(const fn_tensor *x, long mask) noexcept
# *y = x, or a copy of x whose reduced axes are neighbours and whose kept axes are in order; r: its view as rows.
cdef int arrange(fn_tensor *y, const fn_tensor *x, long mask, Rows *r) except -1
# ... with the reduced axes innermost: r.inner == 1.
cdef int arrange_rows(fn_tensor *y, const fn_tensor *x, long mask, Rows *r) except -1
# *y = x, or a dense copy of x; r: its view along one axis.
cdef int arrange_axis(fn_tensor *y, const fn_tensor *x, int axis, Rows *r) except -1
# *y = x if it has the layout of `like`, else a copy that has.
cdef int arrange_like(fn_tensor *y, const fn_tensor *x, const fn_tensor *like) except -1
# y (not yet there): the kept axes of x in order, reduced ones as 1.
cdef int reduced_new(fn_tensor *y, const fn_tensor *x, long mask, int dtype) except -1
# Take the reduced axes (of size 1) out of y.
cdef void squeeze_axes(fn_tensor *y, long mask) noexcept
# *y = gy, which may lack the reduced axes of x, with them as axes of size 1.
cdef int unsqueeze_axes(fn_tensor *y, const fn_tensor *gy, const fn_tensor *x, long mask) except -1
# y (new, kept axes in order, reduced ones as 1) = a reduction of x: `kernel` on x, `again` on partial results.
cdef int reduce_array(fn_tensor *y, const fn_tensor *x, long mask, int kernel, int again) except -1
# ... of terms that need a centre (contiguous, of the reduced shape): sqdiff, counteq.
cdef int reduce_centred(fn_tensor *y, const fn_tensor *x, long mask, int first, int again, const fn_tensor *centre) except -1
# gx (new) = a kernel of the family spread_*, on gy, y, c of the reduced shape (y and c may be NULL).
cdef int spread_array(fn_tensor *gx, const fn_tensor *x, long mask, int kernel, const fn_tensor *gy, const fn_tensor *y, const fn_tensor *c, double scale) except -1
# y = y * scale, or its square root, in place; y is contiguous.
cdef int rescale(fn_tensor *y, double scale, bint root) except -1
# Blocks of neighbours of inner, for the kernels that take width and blocks.
cdef Py_ssize_t block_width(Py_ssize_t inner) noexcept
