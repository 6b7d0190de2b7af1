# Shared by the ops that move elements by an index.
from fastnet._core.tensor cimport Tensor

cdef Tensor index_tensor(object index, str op)           # int64, or TypeError
