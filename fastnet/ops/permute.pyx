"""permute, transpose, movedim: the axes in another order, over the same memory."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


def permute(input, *order, dims=None):
    """The axes in another order: axis d of the result is axis dims[d] of the input.

    Args:
        dims: every axis once, as integers or one tuple.

    >>> import fastnet
    >>> fastnet.zeros(2, 3, 4).permute(2, 0, 1).shape
    fastnet.Size([4, 2, 3])
    """
    cdef Tensor x = require_tensor(input, "permute", "input")
    cdef int to[8]
    cdef int d = 0, used = 0
    given = several(order, dims, "permute", "dims")
    if len(given) != x.t.ndim:
        raise RuntimeError(f"permute: dims {given} does not name each axis of x, of shape {shape_of(&x.t)}, once")
    for one in given:
        to[d] = axis_of(one, x.t.ndim, "permute", "dims")
        if used >> to[d] & 1:
            raise RuntimeError(f"permute: dims {given} names axis {to[d]} twice")
        used |= 1 << to[d]
        d += 1
    return permuted(x, to)


cdef Tensor _swapped(Tensor x, int a, int b):
    cdef int order[8]
    cdef int d
    for d in range(x.t.ndim):
        order[d] = b if d == a else (a if d == b else d)
    return permuted(x, order)


def transpose(input, dim0, dim1):
    """Two axes exchanged; a view.  Also as swapaxes and swapdims.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).transpose(0, 1).shape
    fastnet.Size([3, 2])
    """
    cdef Tensor x = require_tensor(input, "transpose", "input")
    return _swapped(x, axis_of(dim0, x.t.ndim, "transpose", "dim0"), axis_of(dim1, x.t.ndim, "transpose", "dim1"))


def swapaxes(input, axis0, axis1):
    """Two axes exchanged; a view.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).swapaxes(0, 1).shape
    fastnet.Size([3, 2])
    """
    cdef Tensor x = require_tensor(input, "swapaxes", "input")
    return _swapped(x, axis_of(axis0, x.t.ndim, "swapaxes", "axis0"), axis_of(axis1, x.t.ndim, "swapaxes", "axis1"))


def swapdims(input, dim0, dim1):
    """Two axes exchanged; a view.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).swapdims(0, 1).shape
    fastnet.Size([3, 2])
    """
    cdef Tensor x = require_tensor(input, "swapdims", "input")
    return _swapped(x, axis_of(dim0, x.t.ndim, "swapdims", "dim0"), axis_of(dim1, x.t.ndim, "swapdims", "dim1"))


def t(input):
    """The transpose of a matrix; 0-dim and 1-dim tensors as they are.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).t().shape
    fastnet.Size([3, 2])
    """
    cdef Tensor x = require_tensor(input, "t", "input")
    if x.t.ndim > 2:
        raise RuntimeError(f"t: expected at most 2 axes, got x of shape {shape_of(&x.t)}")
    return _swapped(x, 0, x.t.ndim - 1)


cdef Tensor _reversed(Tensor x):
    cdef int order[8]
    cdef int d
    for d in range(x.t.ndim):
        order[d] = x.t.ndim - 1 - d
    return permuted(x, order)


def _transposed(input):
    """The axes in reverse order."""
    return _reversed(require_tensor(input, "T", "input"))


def _matrix_transposed(input):
    """The last two axes exchanged."""
    cdef Tensor x = require_tensor(input, "mT", "input")
    if x.t.ndim < 2:
        raise RuntimeError(f"mT: expected 2 axes or more, got x of shape {shape_of(&x.t)}")
    return _swapped(x, x.t.ndim - 2, x.t.ndim - 1)


cdef object _moved(Tensor x, object source, object destination, str op):
    cdef int order[8]
    cdef int d
    cdef list from_ = [], into = []
    for given, axes, name in ((source, from_, "source"), (destination, into, "destination")):
        for one in (given if isinstance(given, (tuple, list)) else (given,)):
            axes.append(axis_of(one, x.t.ndim, op, name))
        if len(set(axes)) != len(axes):
            raise RuntimeError(f"{op}: {name} {given} names an axis twice")
    if len(from_) != len(into):
        raise RuntimeError(f"{op}: source {source} and destination {destination} differ in length")
    rest = [a for a in range(x.t.ndim) if a not in from_]
    for d in range(x.t.ndim):
        order[d] = from_[into.index(d)] if d in into else rest.pop(0)
    return permuted(x, order)


def movedim(input, source, destination):
    """Axes moved to other places; the others keep their order.

    Args:
        source: an axis, or a tuple of axes.
        destination: where they go: as many.

    >>> import fastnet
    >>> fastnet.zeros(2, 3, 4).movedim(0, -1).shape
    fastnet.Size([3, 4, 2])
    """
    return _moved(require_tensor(input, "movedim", "input"), source, destination, "movedim")


def moveaxis(input, source, destination):
    """The same as `movedim`.

    >>> import fastnet
    >>> fastnet.zeros(2, 3, 4).moveaxis(0, -1).shape
    fastnet.Size([3, 4, 2])
    """
    return _moved(require_tensor(input, "moveaxis", "input"), source, destination, "moveaxis")


attach(permute=permute, transpose=transpose, swapaxes=swapaxes, swapdims=swapdims, t=t, movedim=movedim, moveaxis=moveaxis,
       T=property(_transposed), mT=property(_matrix_transposed))
