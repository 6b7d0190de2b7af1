# Parts of tensors, for the ops that are made of them.
from fastnet._core.tensor cimport Tensor

cdef Tensor selected_at(Tensor x, int axis, Py_ssize_t index, str op)                     # x.select(axis, index)
cdef Tensor narrowed(Tensor x, int axis, Py_ssize_t start, Py_ssize_t length)             # x.narrow(...), checked by the caller

# After an in-place op on the tape: x.node is the node of that op.  If x is a view, its base gets a history too; all views of the base
# that live show the new values, and get the history that belongs to them.
cdef int new_history(Tensor x) except -1
