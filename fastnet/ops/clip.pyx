"""Passes over many tensors at once before a step: their norm as one vector, scaling, clamping; which have sparse gradients."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport axes_mask, reduce_array, rescale, squeeze_axes

from math import inf
from fastnet.ops.norm import vector_norm

cdef extern from "groups/rows.h" nogil:
    int FN_grad_norm, FN_grad_scale, FN_grad_clamp
cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum, FN_reduce_max
cdef extern from "kernels/optim.h" nogil:
    enum:
        OPTIM_CHUNK
    ctypedef struct fn_optim_entry:
        void *g
        Py_ssize_t n, chunk
    ctypedef struct fn_grad_args:
        const fn_optim_entry *entry
        Py_ssize_t entries
        void *part
        const void *factor
        double low, high
        int kind


cdef bint _has_rows(Tensor p):
    """Whether the gradient is a SparseTensor, which the tape keeps apart."""
    return p.node != NULL and p.node.extra != NULL and "rows" in <dict>p.node.extra


def with_rows(list params) -> list:
    """The tensors of a list whose gradient is a `SparseTensor`, in order."""
    cdef Tensor p
    return [p for p in params if _has_rows(p)]


cdef class _Run:
    """The entries of the tensors of one dtype."""
    cdef fn_optim_entry *entry
    cdef fn_grad_args a
    cdef Py_ssize_t chunks, elements
    cdef int dtype

    def __cinit__(self, list tensors, int dtype, str op):
        cdef Tensor t
        cdef Py_ssize_t k = 0
        self.entry = <fn_optim_entry *>block_new((len(tensors) + 1) * sizeof(fn_optim_entry))
        self.chunks = self.elements = 0
        self.dtype = dtype
        for t in tensors:
            if not is_float(t.t.dtype) or not is_dense(&t.t):
                raise ValueError(f"{op}: tensors must be floating-point and without gaps in memory, got {t.dtype} of shape {shape_of(&t.t)} "
                                 f"with strides {t.stride()}")
            if t.t.dtype == dtype:
                self.entry[k].g, self.entry[k].n, self.entry[k].chunk = t.t.p, t.t.size, self.chunks
                self.chunks += (t.t.size + OPTIM_CHUNK - 1) // OPTIM_CHUNK
                self.elements += t.t.size
                k += 1
        self.a.entry, self.a.entries = self.entry, k

    def __dealloc__(self):
        block_free(self.entry)

    cdef int launch(self, int kernel, double passes) except -1:
        return launch(kernel, self.dtype, &self.a, self.chunks, byte_cost(passes * (8 if self.dtype else 4) * self.elements))


def total_norm(list tensors, double norm_type=2.0):
    """The norm of all tensors taken as one vector, a 0-dim tensor; 0.0 of none.

    Args:
        tensors: floating-point tensors of one dtype or of both.
        norm_type: p of the norm, may be inf.

    >>> import fastnet
    >>> from fastnet.ops.clip import total_norm
    >>> total_norm([fastnet.tensor([3.0]), fastnet.tensor([[4.0]])])
    tensor(5.)
    """
    cdef Tensor y, t
    cdef _Run run
    cdef fn_tensor part, value
    cdef Py_ssize_t dims[1]
    cdef bint plain = norm_type == 2 or norm_type == 1 or norm_type == inf
    if not tensors:
        return tensor_scalar(0.0, FN_F32)
    y = tensors[0]
    for t in tensors:
        plain = plain and t.t.dtype == y.t.dtype and is_dense(&t.t) and t.t.size > 0
    if not plain:
        norms = [vector_norm(t.detach(), norm_type).to("float64" if any([x.itemsize == 8 for x in tensors]) else "float32") for t in tensors]
        if norm_type == inf:
            return from_data([x.item() for x in norms], (<Tensor>norms[0]).t.dtype).amax()
        return vector_norm(from_data([x.item() for x in norms], (<Tensor>norms[0]).t.dtype), norm_type)
    run = _Run(tensors, y.t.dtype, "total_norm")
    dims[0] = run.chunks
    array_new(&part, 1, dims, y.t.dtype)
    try:
        run.a.part, run.a.kind = part.p, 0 if norm_type == inf else <int>norm_type
        run.launch(FN_grad_norm, 1.0)
        reduce_array(&value, &part, 1, FN_reduce_max if norm_type == inf else FN_reduce_sum, FN_reduce_max if norm_type == inf else FN_reduce_sum)
    finally:
        array_drop(&part)
    squeeze_axes(&value, 1)
    y = tensor_take(&value)
    if norm_type == 2:
        rescale(&y.t, 1.0, True)
    return y


def scale_(list tensors, double factor) -> None:
    """Multiply all tensors by a number, in place and in one launch."""
    cdef _Run run
    cdef Tensor t
    cdef int dtype
    cdef float narrow = <float>factor
    for t in tensors:
        if t.flags & READ_ONLY:
            raise ValueError(f"scale_: the memory of a tensor of shape {shape_of(&t.t)} is read-only")
    for dtype in range(2):
        run = _Run(tensors, dtype, "scale_")
        run.a.factor = <void *>&factor if dtype else <void *>&narrow
        run.launch(FN_grad_scale, 2.0)
    for t in tensors:
        written(t)


def clamp_(list tensors, double low, double high) -> None:
    """Bring the elements of all tensors into [low, high], in place and in one launch; NaN stays."""
    cdef _Run run
    cdef Tensor t
    cdef int dtype
    for t in tensors:
        if t.flags & READ_ONLY:
            raise ValueError(f"clamp_: the memory of a tensor of shape {shape_of(&t.t)} is read-only")
    for dtype in range(2):
        run = _Run(tensors, dtype, "clamp_")
        run.a.low, run.a.high = low, high
        run.launch(FN_grad_clamp, 2.0)
    for t in tensors:
        written(t)
