# Broadcasting as a view.
from fastnet._core.tensor cimport Tensor

cdef Tensor expanded(Tensor x, int ndim, const Py_ssize_t *dims, str op)  # -1 keeps an axis
