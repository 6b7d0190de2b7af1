"""x[...] = value, index_put, index_put_: values into a part of a tensor, in place; gradients to both."""
from libc.string cimport memcpy
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.select cimport new_history
from fastnet.ops.elementwise cimport assign, gradient_to
from fastnet.ops.expand cimport expanded
from fastnet.ops.index cimport parse
from fastnet.ops.lookup cimport *
from fastnet.ops.view cimport *

from fastnet._core.tensor import attach
from fastnet.ops.expand import broadcast_tensors


# Where the values go: a view, and positions in it if it has tensors among its indices.
cdef struct Place:
    Selection part
    Lookup look
    bint looked_up
    bint add


cdef void _prepend(fn_tensor *x, int ndim) noexcept:
    """Axes of size 1 before x's, up to ndim."""
    cdef int d, more = ndim - x.ndim
    if more <= 0:
        return
    for d in range(ndim - 1, -1, -1):
        x.dims[d] = x.dims[d - more] if d >= more else 1
        x.strides[d] = x.strides[d - more] if d >= more else 1
    x.ndim = ndim


cdef int put_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const Place *place = <const Place *>n.block
    cdef fn_tensor part, rows, zero
    cdef double nothing = 0.0
    if n.inputs[1] != NULL:                             # the value's gradient: what arrives at its place
        select_apply(&part, gy, &place.part)
        if place.looked_up:
            lookup_get(&rows, &place.look, &part, &n.saved[0].t)
        else:
            array_new(&rows, part.ndim, part.dims, part.dtype)
        try:
            if not place.looked_up:
                array_copy(&rows, &part)
            _prepend(&rows, n.inputs[1].acc.ndim)
            gradient_to(&gin[1], &rows, n.inputs[1])
        finally:
            array_drop(&rows)
    if n.inputs[0] == NULL:
        return 0
    if place.add:
        array_share(&gin[0], gy)
        return 0
    if gy.st.refs == 1 and is_dense(gy):                # nobody else will see it
        array_share(&gin[0], gy)
    else:
        array_like(&gin[0], gy, gy.dtype)
        array_copy(&gin[0], gy)
    select_apply(&part, &gin[0], &place.part)           # what stood there before has no part in the result
    if not place.looked_up:
        return array_fill_zero(&part)
    zero.p, zero.size, zero.dtype = <char *>&nothing, 1, gy.dtype
    return lookup_put(&part, &place.look, &n.saved[0].t, &zero, False)


cdef fn_op PUT = [b"IndexPutBackward0", put_backward, False]


cdef Tensor _value(object value, Tensor x, str op):
    """The value as a tensor; numbers in x's dtype."""
    if isinstance(value, (float, int)) and not isinstance(value, Tensor):
        return tensor_scalar(value, x.t.dtype)
    return as_tensor(value, op, "value")


cdef int _fits(Tensor value, int ndim, const Py_ssize_t *dims, str op) except -1:
    cdef int d, e
    cdef bint fits = True
    for d in range(value.t.ndim):
        e = d + ndim - value.t.ndim
        if value.t.dims[d] != 1 and (e < 0 or value.t.dims[d] != dims[e]):
            fits = False
    if not fits:
        raise RuntimeError(f"{op}: value of shape {shape_of(&value.t)} does not broadcast to the part of shape "
                           f"{tuple([dims[d] for d in range(ndim)])}")
    return 0


cdef int _put(Tensor x, object index, object given, bint add, str op) except -1:
    """x[index] = or += given, on the tape."""
    cdef Place place
    cdef Tensor value, source, target
    cdef Tensor positions = None
    cdef fn_tensor array
    cdef fn_node *n
    cdef fn_node *before = x.node
    cdef Py_ssize_t dims[8]
    cdef int ndim
    cdef bint taped
    write_check(x, op)
    gathers = parse(&x.t, index, &place.part)
    value = source = _value(given, x, op)
    taped = grad_enabled() and is_float(x.t.dtype) and (x.node != NULL or value.node != NULL)
    place.looked_up, place.add = gathers is not None, add
    if value.t.st == x.t.st:                            # x[1:] = x[:-1]
        source = tensor_like(&value.t, value.t.dtype)
        array_copy(&source.t, &value.t)
    target = tensor_alias(x)
    select_apply(&target.t, &x.t, &place.part)
    if gathers is None:
        _fits(source, target.t.ndim, target.t.dims, op)
        source = _stripped(source, target.t.ndim)
        if add:
            source = _spread(source, target.t.ndim, target.t.dims, x.t.dtype)
            _add_view(&target.t, &source.t)
        else:
            assign(target, &source.t)
    else:
        lookup_make(&place.look, &array, &target.t, gathers)
        positions = tensor_take(&array)
        ndim = lookup_dims(dims, &place.look, &target.t)
        _fits(source, ndim, dims, op)
        if source.t.size != 1 or source.t.dtype != x.t.dtype:
            source = _spread(_stripped(source, ndim), ndim, dims, x.t.dtype)
        lookup_put(&target.t, &place.look, &positions.t, &source.t, add)
    written(x)
    if taped:
        node_incref(before)
        try:
            n = record(x, &PUT, 2, 1)
            node_input(n, 0, before)
            node_input(n, 1, value.node)
            n.block = block_new(sizeof(Place))
            memcpy(n.block, &place, sizeof(Place))
            if positions is not None:
                node_save(n, 0, &positions.t)
        finally:
            node_decref(before)
        new_history(x)
    return 0


cdef Tensor _stripped(Tensor x, int ndim):
    """x without leading axes of size 1 beyond ndim."""
    cdef Tensor y = x
    cdef int d, less = x.t.ndim - ndim
    if less > 0:
        y = tensor_alias(x)
        y.t.ndim = ndim
        for d in range(ndim):
            y.t.dims[d], y.t.strides[d] = x.t.dims[d + less], x.t.strides[d + less]
    return y


cdef Tensor _spread(Tensor x, int ndim, const Py_ssize_t *dims, int dtype):
    """x, broadcast, contiguous."""
    cdef Tensor y
    if x.t.ndim == ndim and x.t.dtype == dtype and is_contiguous(&x.t):
        for d in range(ndim):
            if x.t.dims[d] != dims[d]:
                break
        else:
            return x
    y = tensor_new(ndim, dims, dtype)
    assign(y, &x.t)
    return y


cdef int _add_view(fn_tensor *part, const fn_tensor *rows) except -1:
    """part += rows for a plain view: as a lookup of the only position of one more axis."""
    cdef Lookup l
    cdef fn_tensor table = part[0], index
    cdef Py_ssize_t one = 1
    cdef int d
    if is_float(part.dtype):
        return array_accumulate(part, rows)
    if part.ndim == FN_MAXDIM:
        raise ValueError(f"index_put_: accumulate into {FN_MAXDIM} axes needs a tensor among the indices")
    for d in range(part.ndim, 0, -1):
        table.dims[d], table.strides[d] = part.dims[d - 1], part.strides[d - 1]
    table.ndim, table.dims[0], table.strides[0] = part.ndim + 1, 1, 1
    l.ndim, l.first, l.found_ndim, l.axes, l.k, l.found[0] = table.ndim, 0, 1, 1, 1, 1
    array_new(&index, 1, &one, FN_I64)
    try:
        array_fill_zero(&index)
        lookup_put(&table, &l, &index, rows, True)
    finally:
        array_drop(&index)
    return 0


cdef object setitem(object input, object index, object value):
    _put(input, index, value, False, "setitem")


cdef tuple _indices(object indices, str op):
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"{op}: indices must be a tuple of tensors, got {type(indices).__name__}")
    for one in indices:
        if one is not None and not isinstance(one, Tensor):
            raise TypeError(f"{op}: indices must be tensors or None, got {type(one).__name__}")
    return tuple([slice(None) if one is None else one for one in indices])


def index_put_(input, indices, values, accumulate=False):
    """``input[indices] = values``, or ``+=`` where every repeated index counts; in place.

    Args:
        indices: a tuple of int64, int32 or bool tensors that broadcast to one shape; None takes the whole axis.
        values: a tensor that broadcasts to the shape of ``input[indices]``, of input's dtype.
        accumulate: add.

    Returns:
        input.

    >>> import fastnet
    >>> fastnet.zeros(3).index_put_((fastnet.tensor([0, 0, 2]),), fastnet.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([3., 0., 3.])
    """
    cdef Tensor x = require_tensor(input, "index_put_", "input")
    cdef Tensor value = require_tensor(values, "index_put_", "values")
    if value.t.dtype != x.t.dtype:
        raise RuntimeError(f"index_put_: values are {value.dtype}, input is {x.dtype}")
    if accumulate and x.t.dtype == FN_BOOL:
        raise RuntimeError("index_put_: accumulate adds numbers, not bools")
    _put(x, _indices(indices, "index_put_"), value, accumulate, "index_put_")
    return input


def index_put(input, indices, values, accumulate=False):
    """A copy of input into which `index_put_` has put the values.

    >>> import fastnet
    >>> fastnet.index_put(fastnet.zeros(3), (fastnet.tensor([1]),), fastnet.tensor(5.0))
    tensor([0., 5., 0.])
    """
    return index_put_(require_tensor(input, "index_put", "input").clone(), indices, values, accumulate)


def masked_scatter_(input, mask, source):
    """Where mask is True, elements of source, in order; in place.

    Args:
        mask: a bool tensor that broadcasts to input's shape.
        source: at least as many elements as mask takes, of input's dtype.

    Returns:
        input.

    >>> import fastnet
    >>> fastnet.zeros(3).masked_scatter_(fastnet.tensor([True, False, True]), fastnet.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    cdef Tensor x = require_tensor(input, "masked_scatter_", "input")
    return _masked_scatter(x, mask, source, "masked_scatter_")


cdef Tensor _masked_scatter(Tensor x, object mask, object source, str op):
    cdef Tensor m = require_tensor(mask, op, "mask")
    cdef Tensor values = require_tensor(source, op, "source")
    cdef fn_tensor positions
    if m.t.dtype != FN_BOOL:
        raise RuntimeError(f"{op}: mask must be bool, got {m.dtype}")
    if values.t.dtype != x.t.dtype:
        raise RuntimeError(f"{op}: source is {values.dtype}, input is {x.dtype}")
    if not same_shape(&m.t, &x.t):
        m = expanded(m, x.t.ndim, x.t.dims, op)
    mask_positions(&positions, &m.t)
    array_drop(&positions)
    if values.t.size < positions.size:
        raise RuntimeError(f"{op}: source has {values.t.size} elements, the mask takes {positions.size}")
    _put(x, m if x.t.ndim else ..., values.reshape(-1)[:positions.size] if x.t.ndim or positions.size else x.detach().clone(), False, op)
    return x


def masked_scatter(input, mask, source):
    """A copy of input (broadcast against mask) with elements of source, in order, where mask is True.

    >>> import fastnet
    >>> fastnet.masked_scatter(fastnet.zeros(3), fastnet.tensor([True, False, True]), fastnet.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    x, m = broadcast_tensors(require_tensor(input, "masked_scatter", "input"), require_tensor(mask, "masked_scatter", "mask"))
    return _masked_scatter(x.clone(memory_format="contiguous_format"), m, source, "masked_scatter")


operators.setitem = setitem
attach(index_put_=index_put_, index_put=index_put, masked_scatter_=masked_scatter_, masked_scatter=masked_scatter)
