"""split, chunk, tensor_split, unbind: a tensor as several views along an axis."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.select cimport narrowed, selected_at
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


cdef int _axis(Tensor x, object dim, str op) except -1:
    if x.t.ndim == 0:
        raise RuntimeError(f"{op}: a 0-dim tensor has no axis to split")
    return axis_of(dim, x.t.ndim, op, "dim")


def unbind(input, dim=0):
    """The parts at each index of an axis, a tuple of views without that axis.

    >>> import fastnet
    >>> fastnet.unbind(fastnet.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    cdef Tensor x = require_tensor(input, "unbind", "input")
    cdef int axis = _axis(x, dim, "unbind")
    return tuple([selected_at(x, axis, i, "unbind") for i in range(x.t.dims[axis])])


cdef tuple _pieces(Tensor x, int axis, list sizes):
    cdef Py_ssize_t at = 0, size
    cdef list parts = []
    for size in sizes:
        parts.append(narrowed(x, axis, at, size))
        at += size
    return tuple(parts)


def split(tensor, split_size_or_sections, dim=0):
    """Views along an axis.

    Args:
        split_size_or_sections: the size of each piece (the last may be smaller), or a sequence of sizes, whose sum is the axis.
        dim: the axis.

    Raises:
        RuntimeError: the size is negative, or the sizes do not add up.

    >>> import fastnet
    >>> fastnet.split(fastnet.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    cdef Tensor x = require_tensor(tensor, "split", "tensor")
    cdef int axis = _axis(x, dim, "split")
    cdef Py_ssize_t n = x.t.dims[axis], size
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size = split_size_or_sections
    if size < 0 or (size == 0 and n != 0):
        raise RuntimeError(f"split: pieces of size {size} along axis {axis} of size {n}")
    return _pieces(x, axis, [min(size, n - at) for at in range(0, n, size)] if n else [0])


def split_with_sizes(input, split_sizes, dim=0):
    """Views of given sizes along an axis; the sizes add up to the axis.

    >>> import fastnet
    >>> fastnet.arange(5).split_with_sizes([4, 1])
    (tensor([0, 1, 2, 3]), tensor([4]))
    """
    cdef Tensor x = require_tensor(input, "split_with_sizes", "input")
    cdef int axis = _axis(x, dim, "split_with_sizes")
    sizes = [int(size.__index__()) for size in split_sizes]
    if min(sizes, default=0) < 0 or sum(sizes) != x.t.dims[axis]:
        raise RuntimeError(f"split_with_sizes: sizes {sizes} do not add up to axis {axis} of size {x.t.dims[axis]}")
    return _pieces(x, axis, sizes)


def chunk(input, chunks, dim=0):
    """At most `chunks` views along an axis, all of one size but the last.

    >>> import fastnet
    >>> fastnet.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    cdef Tensor x = require_tensor(input, "chunk", "input")
    cdef int axis = _axis(x, dim, "chunk")
    cdef Py_ssize_t count = chunks, n = x.t.dims[axis], size
    if count < 1:
        raise RuntimeError(f"chunk: chunks must be at least 1, got {count}")
    size = (n + count - 1) // count
    return _pieces(x, axis, [min(size, n - at) for at in range(0, n, size)] if n else [0] * count)


def tensor_split(input, indices_or_sections, dim=0):
    """Views along an axis: a number of pieces of nearly one size, or the pieces between given indices.

    Args:
        indices_or_sections: how many pieces (the first ones are larger by 1), or a sequence (or a 1-D tensor) of indices.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.tensor_split(fastnet.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> fastnet.tensor_split(fastnet.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    return _tensor_split(require_tensor(input, "tensor_split", "input"), indices_or_sections, dim, "tensor_split")


cdef tuple _tensor_split(Tensor x, object where, object dim, str op):
    cdef int axis = _axis(x, dim, op)
    cdef Py_ssize_t n = x.t.dims[axis], count, k, at, stop
    cdef list parts = []
    if isinstance(where, Tensor):
        where = where.tolist()
    if not isinstance(where, (tuple, list)):
        count = where
        if count < 1:
            raise RuntimeError(f"{op}: the number of sections must be at least 1, got {count}")
        return _pieces(x, axis, [n // count + (k < n % count) for k in range(count)])
    at = 0
    for index in [*where, n]:
        stop = max(0, min(n, index + n if index < 0 else index))
        parts.append(narrowed(x, axis, at, max(0, stop - at)))
        at = stop
    return tuple(parts)


cdef tuple _even(Tensor x, object where, int axis, str op):
    if not isinstance(where, (tuple, list, Tensor)) and (where < 1 or x.t.dims[axis] % where):
        raise RuntimeError(f"{op}: axis {axis} of x, of shape {shape_of(&x.t)}, does not split into {where} equal sections")
    return _tensor_split(x, where, axis, op)


def hsplit(input, indices_or_sections):
    """`tensor_split` along the columns (axis 1; axis 0 of a 1-D tensor); a number of sections must divide them.

    >>> import fastnet
    >>> fastnet.hsplit(fastnet.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    cdef Tensor x = require_tensor(input, "hsplit", "input")
    if x.t.ndim < 1:
        raise RuntimeError(f"hsplit: expected 1 axis or more, got x of shape {shape_of(&x.t)}")
    return _even(x, indices_or_sections, 0 if x.t.ndim == 1 else 1, "hsplit")


def vsplit(input, indices_or_sections):
    """`tensor_split` along the rows (axis 0 of 2 axes or more); a number of sections must divide them.

    >>> import fastnet
    >>> fastnet.vsplit(fastnet.zeros(4, 2), 2)[1].shape
    fastnet.Size([2, 2])
    """
    cdef Tensor x = require_tensor(input, "vsplit", "input")
    if x.t.ndim < 2:
        raise RuntimeError(f"vsplit: expected 2 axes or more, got x of shape {shape_of(&x.t)}")
    return _even(x, indices_or_sections, 0, "vsplit")


def dsplit(input, indices_or_sections):
    """`tensor_split` along axis 2 of 3 axes or more; a number of sections must divide it.

    >>> import fastnet
    >>> fastnet.dsplit(fastnet.zeros(2, 2, 4), 2)[1].shape
    fastnet.Size([2, 2, 2])
    """
    cdef Tensor x = require_tensor(input, "dsplit", "input")
    if x.t.ndim < 3:
        raise RuntimeError(f"dsplit: expected 3 axes or more, got x of shape {shape_of(&x.t)}")
    return _even(x, indices_or_sections, 2, "dsplit")


attach(unbind=unbind, split=split, split_with_sizes=split_with_sizes, chunk=chunk, tensor_split=tensor_split, hsplit=hsplit,
       vsplit=vsplit, dsplit=dsplit)
