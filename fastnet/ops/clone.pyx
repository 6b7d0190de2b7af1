"""clone and contiguous: y = x in memory of its own.  The gradient passes through."""
from fastnet._core.array cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

from fastnet._core.tensor import attach


cdef int clone_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    array_share(&gin[0], gy)
    return 0


cdef fn_op CLONE = [b"CloneBackward0", clone_backward, False]


cdef Tensor _copy(Tensor x, Tensor y):
    array_copy(&y.t, &x.t)
    if x.node != NULL and grad_enabled():
        node_input(record(y, &CLONE, 1, 0), 0, x.node)
    return y


def clone(input, *, memory_format=None):
    """A copy of a tensor, through which gradients flow.

    Args:
        input: any tensor.
        memory_format: None or `fastnet.preserve_format` keep a dense order of axes, `fastnet.contiguous_format` makes it row-major.

    >>> import fastnet
    >>> fastnet.clone(fastnet.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    cdef Tensor x = require_tensor(input, "clone", "input")
    if memory_format not in (None, "preserve_format", "contiguous_format"):
        raise ValueError(f"clone: memory_format {memory_format!r} is not preserve_format or contiguous_format")
    return _copy(x, tensor_new(x.t.ndim, x.t.dims, x.t.dtype) if memory_format == "contiguous_format" else tensor_like(&x.t, x.t.dtype))


def contiguous(input, memory_format=None):
    """The tensor itself where it is row-major in memory, else a row-major copy.

    >>> import fastnet
    >>> x = fastnet.tensor([1.0, 2.0])
    >>> x.contiguous() is x
    True
    """
    cdef Tensor x = require_tensor(input, "contiguous", "input")
    if memory_format not in (None, "contiguous_format"):
        raise ValueError(f"contiguous: memory_format {memory_format!r} is not contiguous_format")
    return x if is_contiguous(&x.t) else _copy(x, tensor_new(x.t.ndim, x.t.dims, x.t.dtype))


attach(clone=clone, contiguous=contiguous)
