"""clone, contiguous, is_contiguous: y = x in memory of its own, in an order of axes.  The gradient passes through."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
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


cdef int _rank(const fn_tensor *x, object memory_format, str op) except -1:
    """Axes between channels and batch, if the format puts channels last; 0: row-major."""
    if memory_format is None or memory_format == "contiguous_format":
        return 0
    if memory_format not in ("channels_last", "channels_last_3d"):
        raise ValueError(f"{op}: memory_format {memory_format!r} is not contiguous_format, channels_last or channels_last_3d")
    rank = 4 if memory_format == "channels_last" else 5
    if x.ndim != rank:
        raise RuntimeError(f"{op}: memory_format {memory_format} is for tensors of {rank} axes, got shape {shape_of(x)}")
    return rank


cdef bint _has_order(const fn_tensor *x, int rank) noexcept:
    return is_channels_last(x) if rank else is_contiguous(x)


cdef Tensor _ordered(const fn_tensor *x, int rank):
    cdef fn_tensor y
    if not rank:
        return tensor_new(x.ndim, x.dims, x.dtype)
    array_new_channels_last(&y, x.ndim, x.dims, x.dtype)
    return tensor_take(&y)


def clone(input, *, memory_format=None):
    """A copy of a tensor, through which gradients flow.

    Args:
        input: any tensor.
        memory_format: None or `fastnet.preserve_format` keep a dense order of axes, `fastnet.contiguous_format` makes it row-major,
            `fastnet.channels_last` and `fastnet.channels_last_3d` put axis 1 of 4 or 5 axes innermost.

    >>> import fastnet
    >>> fastnet.clone(fastnet.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    cdef Tensor x = require_tensor(input, "clone", "input")
    if memory_format is None or memory_format == "preserve_format":
        return _copy(x, tensor_like(&x.t, x.t.dtype))
    return _copy(x, _ordered(&x.t, _rank(&x.t, memory_format, "clone")))


def contiguous(input, memory_format=None):
    """The tensor itself where its memory has the order, else a copy that has it.

    Args:
        memory_format: None or `fastnet.contiguous_format`: row-major; `fastnet.channels_last`, `fastnet.channels_last_3d`: axis 1 of
            4 or 5 axes innermost; `fastnet.preserve_format`: as it is.

    >>> import fastnet
    >>> x = fastnet.tensor([1.0, 2.0])
    >>> x.contiguous() is x
    True
    """
    cdef Tensor x = require_tensor(input, "contiguous", "input")
    cdef int rank
    if memory_format is not None and memory_format == "preserve_format":
        return x
    rank = _rank(&x.t, memory_format, "contiguous")
    return x if _has_order(&x.t, rank) else _copy(x, _ordered(&x.t, rank))


def _is_contiguous(input, memory_format=None) -> bool:
    """Tell whether the memory has an order of axes: row-major (default), or `fastnet.channels_last`.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).t().is_contiguous()
    False
    """
    cdef Tensor x = require_tensor(input, "is_contiguous", "input")
    if memory_format in ("channels_last", "channels_last_3d") and x.t.ndim != (4 if memory_format == "channels_last" else 5):
        return False
    return _has_order(&x.t, _rank(&x.t, memory_format, "is_contiguous"))


attach(clone=clone, contiguous=contiguous, is_contiguous=_is_contiguous)
