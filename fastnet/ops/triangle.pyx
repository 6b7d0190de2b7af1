"""tril, triu, diag, diag_embed: triangles and diagonals; the gradient is cut out or laid down the same way."""
from libc.string cimport memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach


cdef int _cut(fn_tensor *y, const fn_tensor *x, Py_ssize_t diagonal, bint upper) except -1:
    """*y (new, contiguous) = x with zeros below (upper) or above the diagonal of its last two axes."""
    cdef Py_ssize_t rows = x.dims[x.ndim - 2], columns = x.dims[x.ndim - 1], width = itemsize(x.dtype), r, i, at
    array_new(y, x.ndim, x.dims, x.dtype)
    try:
        array_copy(y, x)
    except BaseException:
        array_drop(y)
        raise
    if y.size == 0:
        return 0
    for r in range(y.size // columns):
        i = r % rows
        if upper:
            at = min(max(i + diagonal, 0), columns)     # elements before the diagonal
            memset(y.p + r * columns * width, 0, at * width)
        else:
            at = min(max(i + diagonal + 1, 0), columns)
            memset(y.p + (r * columns + at) * width, 0, (columns - at) * width)
    return 0


cdef int triangle_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _cut(&gin[0], gy, n.i[0], n.i[1])


cdef fn_op TRIL = [b"TrilBackward0", triangle_backward, False]
cdef fn_op TRIU = [b"TriuBackward0", triangle_backward, False]


cdef Tensor _triangle(object input, Py_ssize_t diagonal, bint upper, str op):
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Tensor y
    cdef fn_tensor array
    cdef fn_node *n
    if x.t.ndim < 2:
        raise RuntimeError(f"{op}: expected 2 axes or more, got x of shape {shape_of(&x.t)}")
    diagonal = min(max(diagonal, -x.t.dims[x.t.ndim - 2] - 1), x.t.dims[x.t.ndim - 1] + 1)
    _cut(&array, &x.t, diagonal, upper)
    y = tensor_take(&array)
    if x.node != NULL and grad_enabled():
        n = record(y, &TRIU if upper else &TRIL, 1, 0)
        n.i[0], n.i[1] = diagonal, upper
        node_input(n, 0, x.node)
    return y


def tril(input, diagonal=0):
    """A copy with zeros above a diagonal of the last two axes.

    Args:
        diagonal: 0 is the main one, positive ones lie above it.

    >>> import fastnet
    >>> fastnet.tril(fastnet.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _triangle(input, diagonal, False, "tril")


def triu(input, diagonal=0):
    """A copy with zeros below a diagonal of the last two axes.

    Args:
        diagonal: 0 is the main one, positive ones lie above it.

    >>> import fastnet
    >>> fastnet.triu(fastnet.ones(2, 3), diagonal=1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return _triangle(input, diagonal, True, "triu")


# A diagonal of a new matrix of zeros: the gradient is that diagonal of gy, a view.

cdef void _diagonal(fn_tensor *y, const fn_tensor *x, Py_ssize_t offset, int a, int b) noexcept:
    """*y: the elements (i, i + offset) of axes a and b of x, on a new last axis; counts no reference."""
    cdef int d, n = 0
    cdef Py_ssize_t length = x.dims[a] - (offset if offset >= 0 else -offset)
    y[0] = x[0]
    for d in range(x.ndim):
        if d != a and d != b:
            y.dims[n], y.strides[n] = x.dims[d], x.strides[d]
            n += 1
    y.p += (offset * x.strides[b] if offset >= 0 else -offset * x.strides[a]) * itemsize(x.dtype)
    y.dims[n], y.strides[n], y.ndim = length, x.strides[a] + x.strides[b], n + 1
    y.size = 1
    for d in range(y.ndim):
        y.size *= y.dims[d]


cdef int diag_embed_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor part
    _diagonal(&part, gy, n.i[0], <int>n.i[1], <int>n.i[2])
    array_share(&gin[0], &part)
    return 0


cdef fn_op DIAG_EMBED = [b"DiagEmbedBackward0", diag_embed_backward, False]


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last axis as a diagonal of two new axes, zeros elsewhere.

    Args:
        offset: which diagonal: 0 is the main one, positive ones lie above it.
        dim1, dim2: where the two axes stand in the result.

    >>> import fastnet
    >>> fastnet.diag_embed(fastnet.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    return _embedded(require_tensor(input, "diag_embed", "input"), offset, dim1, dim2, "diag_embed")


cdef Tensor _embedded(Tensor x, Py_ssize_t offset, object dim1, object dim2, str op):
    cdef Tensor y
    cdef fn_tensor part
    cdef fn_node *n
    cdef Py_ssize_t dims[8]
    cdef int a, b, d, e = 0
    cdef Py_ssize_t side
    if x.t.ndim == 0 or x.t.ndim == FN_MAXDIM:
        raise RuntimeError(f"{op}: expected 1 to {FN_MAXDIM - 1} axes, got x of shape {shape_of(&x.t)}")
    a, b = axis_of(dim1, x.t.ndim + 1, op, "dim1"), axis_of(dim2, x.t.ndim + 1, op, "dim2")
    if a == b:
        raise RuntimeError(f"{op}: dim1 {dim1} and dim2 {dim2} are one axis")
    side = x.t.dims[x.t.ndim - 1] + (offset if offset >= 0 else -offset)
    for d in range(x.t.ndim + 1):
        if d == a or d == b:
            dims[d] = side
        else:
            dims[d] = x.t.dims[e]
            e += 1
    y = tensor_new(x.t.ndim + 1, dims, x.t.dtype)
    array_fill_zero(&y.t)
    _diagonal(&part, &y.t, offset, a, b)
    array_copy(&part, &x.t)
    if x.node != NULL and grad_enabled():
        n = record(y, &DIAG_EMBED, 1, 0)
        n.i[0], n.i[1], n.i[2] = offset, a, b
        node_input(n, 0, x.node)
    return y


def diag(input, diagonal=0):
    """The diagonal of a matrix (a copy), or a matrix with a vector on its diagonal.

    Args:
        diagonal: 0 is the main one, positive ones lie above it.

    >>> import fastnet
    >>> fastnet.diag(fastnet.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    cdef Tensor x = require_tensor(input, "diag", "input")
    if x.t.ndim == 1:
        return _embedded(x, diagonal, 0, 1, "diag")
    if x.t.ndim == 2:
        return x.diagonal(diagonal).clone()
    raise RuntimeError(f"diag: expected 1 or 2 axes, got x of shape {shape_of(&x.t)}")


attach(tril=tril, triu=triu, diag=diag, diag_embed=diag_embed)
