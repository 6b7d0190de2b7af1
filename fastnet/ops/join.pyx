"""cat, stack and their kin: tensors one after another.  The gradient of each is its part of gy, a view."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport assign, gradient_to, promote
from fastnet.ops.view cimport *

from fastnet.ops.squeeze import atleast_1d, atleast_2d, atleast_3d


cdef void _part(fn_tensor *y, const fn_tensor *x, int axis, Py_ssize_t start, Py_ssize_t length) noexcept:
    """*y: `length` indices of an axis of x; counts no reference."""
    cdef int d
    y[0] = x[0]
    y.p = <char *>x.p + start * x.strides[axis] * itemsize(x.dtype)
    y.dims[axis] = length
    y.size = 1
    for d in range(x.ndim):
        y.size *= y.dims[d]


cdef int cat_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const Py_ssize_t *start = <const Py_ssize_t *>n.block
    cdef fn_tensor part, g
    cdef int k
    for k in range(n.n_inputs):
        if n.inputs[k] == NULL:
            continue
        if start[k] < 0:                                # an empty tensor of one axis, which took no part
            array_zeros(&gin[k], &n.inputs[k].acc, n.inputs[k].acc.dtype)
            continue
        _part(&part, gy, <int>n.i[0], start[k], n.inputs[k].acc.dims[n.i[0]])
        array_share(&g, &part)
        try:
            gradient_to(&gin[k], &g, n.inputs[k])       # casts
        finally:
            array_drop(&g)
    return 0


cdef void _slot(fn_tensor *y, const fn_tensor *x, int axis, Py_ssize_t at) noexcept:
    """*y: x at one index of an axis, without that axis; counts no reference."""
    cdef int d
    y[0] = x[0]
    y.p = <char *>x.p + at * x.strides[axis] * itemsize(x.dtype)
    y.ndim = x.ndim - 1
    y.size = x.size // max(x.dims[axis], 1)
    for d in range(axis, y.ndim):
        y.dims[d], y.strides[d] = x.dims[d + 1], x.strides[d + 1]


cdef int stack_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor part, g
    cdef int k
    for k in range(n.n_inputs):
        if n.inputs[k] != NULL:
            _slot(&part, gy, <int>n.i[0], k)
            array_share(&g, &part)
            try:
                gradient_to(&gin[k], &g, n.inputs[k])   # casts
            finally:
                array_drop(&g)
    return 0


cdef fn_op STACK = [b"StackBackward0", stack_backward, False]
cdef fn_op CAT = [b"CatBackward0", cat_backward, False]


cdef Tensor _result(const fn_tensor *like, int axis, Py_ssize_t length, int dtype):
    """like's shape but for one axis, in its memory order where it is dense."""
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t step = 1
    cdef int order[8]
    cdef int d, e
    cdef Tensor y
    for d in range(like.ndim):
        dims[d] = like.dims[d]
    dims[axis] = length
    y = tensor_new(like.ndim, dims, dtype)
    if is_contiguous(like) or not is_dense(like):
        return y
    for d in range(like.ndim):                          # axes by like's strides, smallest first
        e = d
        while e > 0 and like.strides[order[e - 1]] > like.strides[d]:
            order[e] = order[e - 1]
            e -= 1
        order[e] = d
    for d in range(like.ndim):
        y.t.strides[order[d]] = step
        step *= max(dims[order[d]], 1)
    return y


cdef list _list(object tensors, str op):
    if isinstance(tensors, Tensor) or not isinstance(tensors, (tuple, list)):
        try:
            tensors = None if isinstance(tensors, Tensor) else list(tensors)
        except TypeError:
            tensors = None
        if tensors is None:
            raise TypeError(f"{op}: tensors must be a sequence of Tensors")
    for x in tensors:
        require_tensor(x, op, "tensors")
    if not tensors:
        raise RuntimeError(f"{op}: expected at least one tensor")
    return list(tensors)


cdef Tensor joined(list given, int axis, str op):
    cdef Tensor x, y
    cdef Tensor first = None
    cdef fn_tensor part
    cdef fn_node *n
    cdef Py_ssize_t *start
    cdef Py_ssize_t length = 0
    cdef int d, k, dtype = -1
    cdef bint taped = False
    for x in given:
        dtype = x.t.dtype if dtype < 0 else promote(dtype, x.t.dtype)
        taped = taped or x.node != NULL
        if x.t.ndim == 1 and x.t.size == 0:
            continue
        if first is None:
            first = x
        for d in range(max(first.t.ndim, x.t.ndim)):
            if first.t.ndim != x.t.ndim or (d != axis and first.t.dims[d] != x.t.dims[d]):
                raise RuntimeError(f"{op}: tensors must have one shape but along axis {axis}, got {shape_of(&first.t)} and {shape_of(&x.t)}")
        length += x.t.dims[axis]
    if first is None:
        first = given[0]
    y = _result(&first.t, axis, length, dtype)
    part = y.t
    start = NULL
    taped = taped and grad_enabled() and is_float(dtype)
    if taped:
        n = record(y, &CAT, len(given), 0)
        start = <Py_ssize_t *>block_new(len(given) * sizeof(Py_ssize_t))
        n.block, n.i[0] = start, axis
    length = k = 0
    for x in given:
        if x.t.ndim == 1 and x.t.size == 0 and first.t.ndim != 1:
            if taped:
                start[k] = -1
                node_input(n, k, x.node)
        else:
            _part(&part, &y.t, axis, length, x.t.dims[axis])
            _copy(&part, &x.t)
            if taped:
                start[k] = length
                node_input(n, k, x.node)
            length += x.t.dims[axis]
        k += 1
    return y


cdef int _copy(fn_tensor *y, const fn_tensor *x) except -1:
    cdef fn_tensor share
    cdef Tensor target
    if y.dtype == x.dtype:
        return array_copy(y, x)
    array_share(&share, y)
    target = tensor_take(&share)
    return assign(target, x)


def cat(tensors, dim=0, *, axis=None):
    """Tensors one after another along an axis.

    Args:
        tensors: a sequence, of one shape but along `dim`; empty tensors of one axis are left out.  Dtypes are promoted.
        dim: the axis.
        axis: NumPy's name of dim.

    Raises:
        RuntimeError: the shapes do not fit.

    >>> import fastnet
    >>> fastnet.cat([fastnet.tensor([1, 2]), fastnet.tensor([3])])
    tensor([1, 2, 3])
    """
    if axis is not None and dim not in (0, axis):
        raise TypeError(f"cat: dim={dim} and axis={axis} are two names of one argument")
    return _cat(tensors, dim if axis is None else axis, "cat")


cdef Tensor _cat(object tensors, object dim, str op):
    cdef Tensor x
    cdef int ndim = 1
    given = _list(tensors, op)
    for x in given:
        if x.t.ndim == 0:
            raise RuntimeError(f"{op}: a 0-dim tensor has no axis to join along; use stack")
        if x.t.ndim != 1 or x.t.size:
            ndim = x.t.ndim
            break
    return joined(given, axis_of(dim, ndim, op, "dim"), op)


def concat(tensors, dim=0):
    """The same as `cat`.

    >>> import fastnet
    >>> fastnet.concat([fastnet.tensor([1, 2]), fastnet.tensor([3])])
    tensor([1, 2, 3])
    """
    return _cat(tensors, dim, "concat")


def concatenate(tensors, axis=0, *, dim=None):
    """The same as `cat`.

    >>> import fastnet
    >>> fastnet.concatenate([fastnet.tensor([1, 2]), fastnet.tensor([3])])
    tensor([1, 2, 3])
    """
    return _cat(tensors, axis if dim is None else dim, "concatenate")


def stack(tensors, dim=0):
    """Tensors of one shape along a new axis.

    Args:
        tensors: a sequence.
        dim: where the new axis stands.

    >>> import fastnet
    >>> fastnet.stack([fastnet.tensor([1, 2]), fastnet.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    cdef Tensor x, y
    cdef Tensor first
    cdef fn_tensor part
    cdef fn_node *n
    cdef Py_ssize_t dims[8]
    cdef int d, axis, k = 0, dtype = -1
    cdef bint taped = False
    given = _list(tensors, "stack")
    first = given[0]
    axis = axis_of(dim, first.t.ndim + 1, "stack", "dim")
    for x in given:
        if not same_shape(&x.t, &first.t):
            raise RuntimeError(f"stack: tensors must have one shape, got {shape_of(&first.t)} and {shape_of(&x.t)}")
        dtype = x.t.dtype if dtype < 0 else promote(dtype, x.t.dtype)
        taped = taped or x.node != NULL
    if first.t.ndim == FN_MAXDIM:
        raise ValueError(f"stack: tensors of {FN_MAXDIM} axes cannot have one more")
    for d in range(first.t.ndim):
        dims[d + (d >= axis)] = first.t.dims[d]
    dims[axis] = len(given)
    y = tensor_new(first.t.ndim + 1, dims, dtype)
    n = NULL
    if taped and is_float(dtype) and grad_enabled():
        n = record(y, &STACK, len(given), 0)
        n.i[0] = axis
    for x in given:
        _slot(&part, &y.t, axis, k)
        _copy(&part, &x.t)
        if n != NULL:
            node_input(n, k, x.node)
        k += 1
    return y


def hstack(tensors):
    """Tensors side by side: along axis 1, or axis 0 for those of one axis.

    >>> import fastnet
    >>> fastnet.hstack([fastnet.tensor([1]), fastnet.tensor([2, 3])])
    tensor([1, 2, 3])
    """
    given = [atleast_1d(x) for x in _list(tensors, "hstack")]
    return _cat(given, 0 if given[0].ndim == 1 else 1, "hstack")


def vstack(tensors):
    """Tensors below each other, those of one axis as rows.

    >>> import fastnet
    >>> fastnet.vstack([fastnet.tensor([1, 2]), fastnet.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return _cat([atleast_2d(x) for x in _list(tensors, "vstack")], 0, "vstack")


def dstack(tensors):
    """Tensors along axis 2, after `atleast_3d`.

    >>> import fastnet
    >>> fastnet.dstack([fastnet.tensor([1, 2]), fastnet.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return _cat([atleast_3d(x) for x in _list(tensors, "dstack")], 2, "dstack")


def column_stack(tensors):
    """Tensors side by side, those of one axis as columns.

    >>> import fastnet
    >>> fastnet.column_stack([fastnet.tensor([1, 2]), fastnet.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return _cat([x.reshape(-1, 1) if x.ndim < 2 else x for x in _list(tensors, "column_stack")], 1, "column_stack")


def block_diag(*tensors):
    """A matrix with the tensors (of at most 2 axes) on its diagonal.

    >>> import fastnet
    >>> fastnet.block_diag(fastnet.ones(1, 2), fastnet.ones(1, 1))
    tensor([[1., 1., 0.],
            [0., 0., 1.]])
    """
    cdef Tensor x, y
    cdef Py_ssize_t dims[2]
    cdef int dtype = -1
    given = [atleast_2d(require_tensor(x, "block_diag", "tensors")) for x in tensors]
    if not given:
        return tensor_new(2, [1, 0], FN_F32)
    dims[0] = dims[1] = 0
    for x in given:
        if x.t.ndim > 2:
            raise RuntimeError(f"block_diag: expected tensors of at most 2 axes, got shape {shape_of(&x.t)}")
        dtype = x.t.dtype if dtype < 0 else promote(dtype, x.t.dtype)
        dims[0] += x.t.dims[0]
        dims[1] += x.t.dims[1]
    y = tensor_new(2, dims, dtype)
    array_fill_zero(&y.t)
    row = column = 0
    for x in given:
        y[row:row + x.t.dims[0], column:column + x.t.dims[1]] = x
        row += x.t.dims[0]
        column += x.t.dims[1]
    return y
