"""squeeze, unsqueeze, unflatten, atleast_1d ...: axes of size 1 taken out and put in, an axis as several."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


def unflatten(input, dim, sizes):
    """One axis as several, whose sizes (one may be -1) have its product.

    >>> import fastnet
    >>> fastnet.zeros(2, 12).unflatten(1, (3, -1)).shape
    fastnet.Size([2, 3, 4])
    """
    cdef Tensor x = require_tensor(input, "unflatten", "input")
    cdef int axis = axis_of(dim, x.t.ndim, "unflatten", "dim")
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t sub[8]
    cdef fn_tensor one
    cdef int d, n = sizes_of(sub, (sizes,), None, "unflatten", "sizes")
    if x.t.ndim == 0:
        raise RuntimeError("unflatten: a 0-dim tensor has no axis to unflatten")
    if n == 0 or n + x.t.ndim - 1 > FN_MAXDIM:
        raise RuntimeError(f"unflatten: sizes {sizes} must name 1 axis or more, and the result have at most {FN_MAXDIM}")
    one.ndim, one.size = 1, x.t.dims[axis]
    one.dims[0] = x.t.dims[axis]
    infer(sub, n, &one, "unflatten")
    for d in range(x.t.ndim + n - 1):
        dims[d] = x.t.dims[d] if d < axis else (sub[d - axis] if d < axis + n else x.t.dims[d - n + 1])
    return reshaped(x, x.t.ndim + n - 1, dims)


def squeeze(input, dim=None):
    """Without axes of size 1: all of them, or those in dim (an integer or a tuple) that have it.

    >>> import fastnet
    >>> fastnet.zeros(1, 3, 1).squeeze(-1).shape
    fastnet.Size([1, 3])
    """
    cdef Tensor x = require_tensor(input, "squeeze", "input")
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t strides[8]
    cdef int d, n = 0
    cdef long wanted = -1
    if dim is not None:
        wanted = 0
        for one in (dim if isinstance(dim, (tuple, list)) else (dim,)):
            wanted |= 1l << axis_of(one, x.t.ndim, "squeeze", "dim")
    for d in range(x.t.ndim):
        if x.t.dims[d] != 1 or not wanted >> d & 1:
            dims[n], strides[n] = x.t.dims[d], x.t.strides[d]
            n += 1
    return restrided(x, n, dims, strides)


def unsqueeze(input, dim):
    """With one more axis, of size 1, at dim (from -ndim-1 to ndim).

    >>> import fastnet
    >>> fastnet.zeros(3).unsqueeze(-1).shape
    fastnet.Size([3, 1])
    """
    cdef Tensor x = require_tensor(input, "unsqueeze", "input")
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t strides[8]
    cdef int d, at = axis_of(dim, x.t.ndim + 1, "unsqueeze", "dim")
    if x.t.ndim == FN_MAXDIM:
        raise ValueError(f"unsqueeze: a tensor of {FN_MAXDIM} axes cannot have one more")
    for d in range(x.t.ndim):
        dims[d + (d >= at)], strides[d + (d >= at)] = x.t.dims[d], x.t.strides[d]
    dims[at] = 1
    strides[at] = x.t.dims[at] * x.t.strides[at] if at < x.t.ndim else 1
    return restrided(x, x.t.ndim + 1, dims, strides)


cdef object _at_least(object tensors, str op, object raised):
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple([raised(require_tensor(x, op, "tensors")) for x in tensors[0]])
    if len(tensors) == 1:
        return raised(require_tensor(tensors[0], op, "tensors"))
    return tuple([raised(require_tensor(x, op, "tensors")) for x in tensors])


def atleast_1d(*tensors):
    """Each tensor as it is, 0-dim ones with one axis.

    >>> import fastnet
    >>> fastnet.atleast_1d(fastnet.tensor(1.0)).shape
    fastnet.Size([1])
    """
    return _at_least(tensors, "atleast_1d", lambda x: x if x.ndim else x.view(1))


def atleast_2d(*tensors):
    """Each tensor as it is, those of fewer than 2 axes as one row.

    >>> import fastnet
    >>> fastnet.atleast_2d(fastnet.zeros(3)).shape
    fastnet.Size([1, 3])
    """
    return _at_least(tensors, "atleast_2d", lambda x: x if x.ndim > 1 else unsqueeze(atleast_1d(x), 0))


def atleast_3d(*tensors):
    """Each tensor as it is, those of fewer than 3 axes with axes of size 1: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1).

    >>> import fastnet
    >>> fastnet.atleast_3d(fastnet.zeros(3)).shape
    fastnet.Size([1, 3, 1])
    """
    return _at_least(tensors, "atleast_3d", lambda x: x if x.ndim > 2 else unsqueeze(atleast_2d(x), -1))


attach(unflatten=unflatten, squeeze=squeeze, unsqueeze=unsqueeze)
