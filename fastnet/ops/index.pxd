# What stands between the brackets of x[...].
from fastnet._core.fn cimport fn_tensor
from fastnet._core.tensor cimport Tensor
from fastnet.ops.view cimport Selection

# s: the view of x that an index takes.  Returns the tensors in it, (axis of the view, axis of x, tensor) each, or None.
cdef list parse(const fn_tensor *x, object index, Selection *s)
cdef Tensor looked_up(Tensor table, list gathers)                        # table[...], tensors among the indices
