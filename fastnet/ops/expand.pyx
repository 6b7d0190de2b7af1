"""expand, broadcast_to, meshgrid: axes that repeat their elements without memory; the gradient is summed over them."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport gradient_to
from fastnet.ops.view cimport *

from fastnet._core.size import Size
from fastnet._core.tensor import attach


cdef int expand_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    array_share(&g, gy)
    try:
        gradient_to(&gin[0], &g, n.inputs[0])
    finally:
        array_drop(&g)
    return 0


cdef fn_op EXPAND = [b"ExpandBackward0", expand_backward, False]


cdef Tensor expanded(Tensor x, int ndim, const Py_ssize_t *dims, str op):
    """x broadcast to dims; -1 keeps an axis."""
    cdef Tensor y = alias(x)
    cdef int d, e, extra = ndim - x.t.ndim
    cdef bint fits = extra >= 0
    y.t.ndim = ndim
    for d in range(ndim):
        e = d - extra
        y.t.dims[d], y.t.strides[d] = dims[d], 0
        if fits and e >= 0 and (dims[d] == -1 or dims[d] == x.t.dims[e]):
            y.t.dims[d], y.t.strides[d] = x.t.dims[e], x.t.strides[e]
        elif dims[d] < 0 or (e >= 0 and x.t.dims[e] != 1):
            fits = False
    if not fits:
        raise RuntimeError(f"{op}: x of shape {shape_of(&x.t)} does not expand to {tuple([dims[d] for d in range(ndim)])}")
    set_size(&y.t, op)
    if x.node != NULL and grad_enabled():
        node_input(record(y, &EXPAND, 1, 0), 0, x.node)
    return y


def expand(input, *sizes, size=None, implicit=False):
    """Axes of size 1, and new axes in front, at other sizes; a view that repeats elements without memory.

    Args:
        size: sizes, as integers or one tuple; -1 keeps an axis.

    Raises:
        RuntimeError: an axis that is to change is not of size 1.

    >>> import fastnet
    >>> fastnet.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    cdef Py_ssize_t dims[8]
    cdef Tensor x = require_tensor(input, "expand", "input")
    cdef int ndim = sizes_of(dims, sizes, size, "expand", "size")
    return expanded(x, ndim, dims, "expand")


def expand_as(input, other):
    """``input.expand(other.shape)``.

    >>> import fastnet
    >>> fastnet.tensor([1]).expand_as(fastnet.zeros(2))
    tensor([1, 1])
    """
    cdef Tensor like = require_tensor(other, "expand_as", "other")
    return expanded(require_tensor(input, "expand_as", "input"), like.t.ndim, like.t.dims, "expand_as")


def broadcast_to(input, size):
    """The same as ``input.expand(size)``.

    >>> import fastnet
    >>> fastnet.broadcast_to(fastnet.tensor([1]), (2, 2))
    tensor([[1, 1],
            [1, 1]])
    """
    cdef Py_ssize_t dims[8]
    cdef Tensor x = require_tensor(input, "broadcast_to", "input")
    cdef int ndim = sizes_of(dims, (size,), None, "broadcast_to", "size")
    return expanded(x, ndim, dims, "broadcast_to")


cdef tuple _common(list shapes, str op):
    cdef list out = []
    for shape in shapes:
        out = [1] * (len(shape) - len(out)) + out
        for d in range(-len(shape), 0):
            if shape[d] < 0:
                raise RuntimeError(f"{op}: shape {tuple(shape)} has a negative size")
            if out[d] != shape[d] and out[d] != 1 and shape[d] != 1:
                raise RuntimeError(f"{op}: shapes {', '.join([str(tuple(s)) for s in shapes])} do not broadcast to one shape")
            if out[d] == 1:
                out[d] = shape[d]
    return tuple(out)


def broadcast_shapes(*shapes):
    """The shape to which shapes (tuples or integers) broadcast.

    >>> import fastnet
    >>> fastnet.broadcast_shapes((2, 1), 3)
    fastnet.Size([2, 3])
    """
    return Size(_common([(s,) if isinstance(s, int) else tuple(s) for s in shapes], "broadcast_shapes"))


cdef list _tensors(tuple given, str op):
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    return [require_tensor(x, op, "tensors") for x in given]


def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape, a tuple of views.

    >>> import fastnet
    >>> a, b = fastnet.broadcast_tensors(fastnet.zeros(2, 1), fastnet.zeros(3))
    >>> a.shape == b.shape == (2, 3)
    True
    """
    given = _tensors(tensors, "broadcast_tensors")
    shape = _common([shape_of(&(<Tensor>x).t) for x in given], "broadcast_tensors")
    return tuple([broadcast_to(x, shape) for x in given])


def meshgrid(*tensors, indexing=None):
    """Coordinates of a grid: from n tensors of sizes s1 ... sn, n views of shape (s1, ..., sn).

    Args:
        tensors: of 0 or 1 axis, of one dtype.
        indexing: "ij" (default), or "xy": the first two axes of the results are exchanged.

    >>> import fastnet
    >>> fastnet.meshgrid(fastnet.arange(2), fastnet.arange(3), indexing="ij")[1]
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    given = _tensors(tensors, "meshgrid")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    if not given:
        raise RuntimeError("meshgrid: no tensors")
    for x in given:
        if x.ndim > 1 or x.dtype != given[0].dtype:
            raise RuntimeError(f"meshgrid: expected tensors of at most 1 axis and one dtype, got {x.dtype} of shape {tuple(x.shape)}")
    swap = indexing == "xy" and len(given) > 1
    if swap:
        given[0], given[1] = given[1], given[0]
    shape = tuple([x.numel() for x in given])
    grids = [broadcast_to(x.reshape([-1 if e == d else 1 for e in range(len(given))]), shape) for d, x in enumerate(given)]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


attach(expand=expand, expand_as=expand_as, broadcast_to=broadcast_to)
