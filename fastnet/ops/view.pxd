# Views: the same memory under another shape.  What every op that moves no elements shares.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tape cimport fn_op
from fastnet._core.tensor cimport Tensor

# Which elements of x a view shows, in terms of x's axes, so that it can be applied again to an array of other strides.
cdef struct Selection:
    int ndim                        # axes of the view
    int windows                     # axis whose elements overlap with those of another axis (unfold); -1: none overlap
    Py_ssize_t start[8]             # for each axis of x
    Py_ssize_t dims[8]              # for each axis of the view: size,
    Py_ssize_t step[8]              # step,
    int axis[8]                     # axis of x that it goes along; -1: a new axis,
    int other[8]                    # second axis that it goes along (diagonal); -1: none

# One axis, negative ones counted from the end; IndexError.
cdef int axis_of(object dim, int ndim, str op, str argument) except -1
# Sizes given as f(2, 3), f((2, 3)) or f(keyword=(2, 3)); returns how many.
cdef int sizes_of(Py_ssize_t *out, tuple given, object keyword, str op, str argument) except -1
cdef tuple several(tuple given, object keyword, str op, str argument)
# Strides under which x's elements have the shape dims; False: no such strides.  The sizes must agree.
cdef bint restride(const fn_tensor *x, int ndim, const Py_ssize_t *dims, Py_ssize_t *strides) noexcept
# Replace a -1 in dims by what x's size leaves.
cdef int infer(Py_ssize_t *dims, int ndim, const fn_tensor *x, str op) except -1

# Set x.size from its dims; refuses what no index can count (a view can have it without memory).
cdef int set_size(fn_tensor *x, str op) except -1

cdef Tensor alias(Tensor x)                                              # a view of all of x, not on the tape yet
# A view with these dims and strides, which show every element of x; for the shapes that backward can reshape.
cdef Tensor restrided(Tensor x, int ndim, const Py_ssize_t *dims, const Py_ssize_t *strides)
cdef Tensor reshaped(Tensor x, int ndim, const Py_ssize_t *dims)         # a view where strides allow, else of a row-major copy
cdef Tensor permuted(Tensor x, const int *order)                         # axis d of the view is axis order[d] of x
cdef void select_all(Selection *s, const fn_tensor *x) noexcept          # a Selection that shows all of x
cdef void select_apply(fn_tensor *y, const fn_tensor *x, const Selection *s) noexcept  # *y: what s shows of x; counts no reference
cdef Tensor selected(Tensor x, const Selection *s, const fn_op *op)
cdef fn_op SLICE, SELECT, DIAGONAL, UNFOLD
