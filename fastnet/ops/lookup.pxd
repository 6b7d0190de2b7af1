# Tensors as indices: their positions, and moves to and from there.
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tensor cimport Tensor

# Which axes of a table are looked up, and the shape of what is found there.
cdef struct Lookup:
    int ndim                        # of the table
    int first                       # axis of the result at which the index's axes stand
    int found_ndim                  # of the index
    unsigned axes                   # bits: axes of the table that are looked up
    Py_ssize_t found[8]             # shape of the index
    Py_ssize_t k                    # its size

# gathers: (axis of the table, axis to name in errors, Tensor of int64, int32 or bool).
# index: 1-D int64, the positions in row-major order over the looked up axes, all in range.
cdef int lookup_make(Lookup *l, fn_tensor *index, const fn_tensor *table, list gathers) except -1
# The same for table[t], t of int64 or int32.
cdef int lookup_rows(Lookup *l, fn_tensor *index, const fn_tensor *table, const fn_tensor *t) except -1
# rows (new, contiguous) = table[index], shaped as the result is.
cdef int lookup_get(fn_tensor *rows, const Lookup *l, const fn_tensor *table, const fn_tensor *index) except -1
# table[index] = rows or += rows; rows is contiguous of the result's shape, or one element; of the table's dtype.
cdef int lookup_put(fn_tensor *table, const Lookup *l, const fn_tensor *index, const fn_tensor *rows, bint add) except -1
cdef int lookup_dims(Py_ssize_t *dims, const Lookup *l, const fn_tensor *table) except -1     # the result's shape; returns ndim
# x.nonzero() of a mask as one row-major position each (new, 1-D int64).
cdef int mask_positions(fn_tensor *y, const fn_tensor *mask) except -1
