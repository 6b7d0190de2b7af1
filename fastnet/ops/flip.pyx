"""flip, fliplr, flipud, roll, rot90: the elements of an axis in another order; the gradient goes back the same way."""
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


cdef void _turned(fn_tensor *y, const fn_tensor *x, unsigned axes) noexcept:
    """*y: x with the axes (bits) reversed; counts no reference."""
    cdef int d
    y[0] = x[0]
    for d in range(x.ndim):
        if axes >> d & 1 and x.size:
            y.p += (x.dims[d] - 1) * x.strides[d] * itemsize(x.dtype)
            y.strides[d] = -x.strides[d]


cdef int flip_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    _turned(&g, gy, <unsigned>n.i[0])
    array_share(&gin[0], &g)
    return 0


cdef fn_op FLIP = [b"FlipBackward0", flip_backward, False]


cdef Tensor _flipped(Tensor x, unsigned axes):
    cdef Tensor y = tensor_like(&x.t, x.t.dtype)
    cdef fn_tensor from_
    cdef fn_node *n
    _turned(&from_, &x.t, axes)
    array_copy(&y.t, &from_)
    if x.node != NULL and grad_enabled():
        n = record(y, &FLIP, 1, 0)
        n.i[0] = axes
        node_input(n, 0, x.node)
    return y


def flip(input, *axes, dims=None):
    """A copy with some axes reversed.

    Args:
        dims: axes, as integers or one tuple.

    >>> import fastnet
    >>> fastnet.flip(fastnet.arange(3), (0,))
    tensor([2, 1, 0])
    """
    cdef Tensor x = require_tensor(input, "flip", "input")
    cdef unsigned bits = 0
    cdef int axis
    for one in several(axes, dims, "flip", "dims"):
        axis = axis_of(one, x.t.ndim, "flip", "dims")
        if bits >> axis & 1:
            raise RuntimeError(f"flip: dims names axis {axis} twice")
        bits |= 1u << axis
    return _flipped(x, bits)


def fliplr(input):
    """A copy with axis 1 reversed.

    >>> import fastnet
    >>> fastnet.fliplr(fastnet.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    cdef Tensor x = require_tensor(input, "fliplr", "input")
    if x.t.ndim < 2:
        raise RuntimeError(f"fliplr: expected 2 axes or more, got x of shape {shape_of(&x.t)}")
    return _flipped(x, 2)


def flipud(input):
    """A copy with axis 0 reversed.

    >>> import fastnet
    >>> fastnet.flipud(fastnet.tensor([[1], [2]]))
    tensor([[2],
            [1]])
    """
    cdef Tensor x = require_tensor(input, "flipud", "input")
    if x.t.ndim < 1:
        raise RuntimeError(f"flipud: expected 1 axis or more, got x of shape {shape_of(&x.t)}")
    return _flipped(x, 1)


def rot90(input, k=1, dims=(0, 1)):
    """A copy turned by k quarter turns in the plane of two axes, from the first towards the second.

    >>> import fastnet
    >>> fastnet.rot90(fastnet.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    cdef Tensor x = require_tensor(input, "rot90", "input")
    cdef int a, b
    if len(dims) != 2:
        raise RuntimeError(f"rot90: dims must be two axes, got {dims}")
    a, b = axis_of(dims[0], x.t.ndim, "rot90", "dims"), axis_of(dims[1], x.t.ndim, "rot90", "dims")
    if a == b:
        raise RuntimeError(f"rot90: dims must be two different axes, got {dims}")
    k = k % 4
    if k == 0:
        return x.clone()
    if k == 2:
        return _flipped(x, 1u << a | 1u << b)
    return _flipped(x, 1u << b).transpose(a, b) if k == 1 else _flipped(x, 1u << a).transpose(a, b)


# roll

cdef int roll_array(fn_tensor *y, const fn_tensor *x, const Py_ssize_t *shifts) except -1:
    """y (there, x's shape): element i of axis d goes to i + shifts[d]; 0 <= shifts[d] < dims[d]."""
    cdef fn_tensor to, from_
    cdef Py_ssize_t start[2]
    cdef Py_ssize_t low
    cdef int d, corner
    cdef bint empty
    if x.size == 0:
        return 0
    for corner in range(1 << x.ndim):                   # bit d: the part of axis d that wraps around
        to, from_, empty = y[0], x[0], False
        to.size = from_.size = 1
        for d in range(x.ndim):
            low = x.dims[d] - shifts[d]
            if corner >> d & 1:
                empty = empty or shifts[d] == 0
                to.dims[d] = shifts[d]
                from_.p += low * x.strides[d] * itemsize(x.dtype)
            else:
                to.dims[d] = low
                to.p += shifts[d] * y.strides[d] * itemsize(y.dtype)
            from_.dims[d] = to.dims[d]
            to.size *= to.dims[d]
        if not empty:
            from_.size = to.size
            array_copy(&to, &from_)
    return 0


cdef int roll_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef Py_ssize_t back[8]
    cdef int d
    for d in range(gy.ndim):
        back[d] = gy.dims[d] - n.i[d] if n.i[d] else 0
    array_like(&gin[0], gy, gy.dtype)
    return roll_array(&gin[0], gy, back)


cdef fn_op ROLL = [b"RollBackward0", roll_backward, False]


def roll(input, shifts, dims=None):
    """A copy whose elements are moved along axes; those that leave at the end come in at the beginning.

    Args:
        shifts: places to move by, an integer or a tuple.
        dims: as many axes; None: over all elements in row-major order.

    >>> import fastnet
    >>> fastnet.roll(fastnet.arange(5), 2)
    tensor([3, 4, 0, 1, 2])
    """
    cdef Tensor x = require_tensor(input, "roll", "input")
    cdef Tensor y
    cdef Py_ssize_t by[8]
    cdef fn_node *n
    cdef int d
    cdef tuple many = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None or (isinstance(dims, (tuple, list)) and len(dims) == 0):
        if len(many) != 1:
            raise RuntimeError(f"roll: {len(many)} shifts need as many dims")
        return x.clone() if x.t.ndim == 0 else roll(x.reshape(-1), many[0], 0).reshape(shape_of(&x.t))
    axes = tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if len(axes) != len(many):
        raise RuntimeError(f"roll: shifts {many} and dims {axes} differ in length")
    for d in range(8):
        by[d] = 0
    for shift, one in zip(many, axes):
        d = axis_of(one, x.t.ndim, "roll", "dims")
        if x.t.ndim and x.t.dims[d]:
            by[d] = (by[d] + shift) % <object>x.t.dims[d]      # Python's modulo: never negative
    y = tensor_like(&x.t, x.t.dtype)
    if x.t.ndim == 0:
        return x.clone()
    roll_array(&y.t, &x.t, by)
    if x.node != NULL and grad_enabled():
        n = record(y, &ROLL, 1, 0)
        memcpy(n.i, by, sizeof(by))
        node_input(n, 0, x.node)
    return y


attach(flip=flip, fliplr=fliplr, flipud=flipud, rot90=rot90, roll=roll)
