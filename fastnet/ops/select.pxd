# Parts of tensors, for the ops that are made of them.
from fastnet._core.tensor cimport Tensor

cdef Tensor selected_at(Tensor x, int axis, Py_ssize_t index, str op)                     # x.select(axis, index)
cdef Tensor narrowed(Tensor x, int axis, Py_ssize_t start, Py_ssize_t length)             # x.narrow(...), checked by the caller
