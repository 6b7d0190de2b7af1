"""gather, scatter, scatter_add: elements by an index of their own along one axis."""
from libc.stdint cimport INT64_MIN, int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport one_axis
from fastnet.ops.bounds cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/index.h" nogil:
    int FN_gather, FN_scatter, FN_scatter_add, FN_scatter_mul


cdef void narrowed(fn_tensor *v, const fn_tensor *x, const fn_tensor *index, int axis) noexcept:
    """*v = the part of x that the index reaches: its sizes on every axis but one.  Borrowed."""
    cdef int d
    v[0] = x[0]
    v.size = 1
    for d in range(x.ndim):
        if d != axis:
            v.dims[d] = index.dims[d]
        v.size *= v.dims[d]


cdef int gather_array(fn_tensor *y, const fn_tensor *x, int axis, const fn_tensor *index) except -1:
    """y (new, index's shape) = x at the index, which is contiguous and in range."""
    cdef fn_index_args a
    cdef fn_tensor part, px
    cdef int d
    narrowed(&part, x, index, axis)
    array_contiguous(&px, &part)
    try:
        array_new(y, index.ndim, index.dims, x.dtype)
        a.x, a.index, a.y, a.bytes = px.p, <int64_t *>index.p, y.p, itemsize(x.dtype)
        a.inner = 1
        for d in range(axis + 1, x.ndim):
            a.inner *= index.dims[d]
        a.n = x.dims[axis] if x.ndim else 1
        a.k = index.dims[axis] if index.ndim else 1
        a.x_outer, a.x_inner = a.n * a.inner, a.inner
        return launch(FN_gather, FN_F64 if a.bytes == 8 else FN_F32, &a, index.size // max(a.inner, <Py_ssize_t>1), 2.0 * index.size)
    finally:
        array_drop(&px)


cdef int scatter_array(fn_tensor *y, int axis, const fn_tensor *index, const fn_tensor *src, int kernel, bint fresh) except -1:
    """y (contiguous) at the index = or += or *= src, of index's shape and any strides; fresh: y is 0 elsewhere."""
    cdef fn_scatter_args a
    cdef fn_tensor part, py, ps
    cdef int d
    cdef bint whole
    cdef double cost = 3.0 * index.size
    narrowed(&part, y, index, axis)
    whole = part.size == y.size
    py.st = ps.st = NULL
    try:
        if whole:
            array_share(&py, y)
        else:
            if fresh:
                array_fill_zero(y)
            array_new(&py, part.ndim, part.dims, y.dtype)
            array_copy(&py, &part)
        a.index, a.y, a.bytes, a.ignore, a.fresh = <int64_t *>index.p, py.p, itemsize(y.dtype), -1, fresh and whole
        a.scale = 1
        a.n = y.dims[axis] if y.ndim else 1
        a.k = index.dims[axis] if index.ndim else 1
        a.inner = 1
        for d in range(axis + 1, y.ndim):
            a.inner *= index.dims[d]
        a.y_inner = a.inner
        a.index_o, a.index_i, a.index_j = a.k * a.inner, a.inner, 1
        a.x_o, a.x_i, a.x_j = a.index_o, a.index_i, a.index_j
        if src.size == 1 and index.size != 1:
            a.x, a.x_o, a.x_i, a.x_j = src.p, 0, 0, 0
        else:
            array_contiguous(&ps, src)
            a.x = ps.p
        if py.size:
            if a.n * a.inner and fresh:
                cost += byte_cost(<double>a.bytes * py.size)
            launch(kernel, FN_F64 if a.bytes == 8 else FN_F32, &a, py.size // a.inner, cost)
        if not whole:
            part.p, part.st = y.p, y.st
            array_copy(&part, &py)
        return 0
    finally:
        array_drop(&py)
        array_drop(&ps)


cdef Tensor index_tensor(object index, str op):
    cdef Tensor t = require_tensor(index, op, "index")
    if t.t.dtype == FN_I32 or t.t.dtype == FN_U8:
        t = t.to("int64")
    if t.t.dtype != FN_I64:
        raise TypeError(f"{op}: index must hold integers, got {t.dtype}")
    return t


cdef int _check(Tensor x, int axis, Tensor index, str op) except -1:
    cdef int d
    if max(index.t.ndim, 1) != max(x.t.ndim, 1):
        raise ValueError(f"{op}: index of shape {shape_of(&index.t)} must have as many axes as input of shape {shape_of(&x.t)}")
    for d in range(x.t.ndim):
        if d != axis and index.t.ndim and index.t.dims[d] > x.t.dims[d]:
            raise ValueError(f"{op}: index of shape {shape_of(&index.t)} reaches beyond input of shape {shape_of(&x.t)} on axis {d}")
    return check_index(&index.t, x.t.dims[axis] if x.t.ndim else 1, INT64_MIN, op, "index")


cdef Tensor _same_rank(Tensor index, Tensor x):
    """index contiguous, and 0-dim or 1-dim as x is."""
    if index.t.ndim != x.t.ndim and index.t.size == 1:
        index = tensor_alias(index)
        index.t.ndim = x.t.ndim
        if x.t.ndim:
            index.t.dims[0] = index.t.strides[0] = 1
    return index.contiguous()


# backward: n.i[0] the axis, saved[0] the index, saved[1] the shape of input or src

cdef int gather_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor *x = &n.inputs[0].acc
    array_new(&gin[0], x.ndim, x.dims, x.dtype)
    return scatter_array(&gin[0], <int>n.i[0], &n.saved[0].t, gy, FN_scatter_add, True)


cdef int scatter_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """n.i[1]: whether src was added to what was there."""
    cdef fn_tensor zero, part, picked
    cdef double bits = 0.0
    cdef fn_tensor *x
    cdef fn_tensor *index = &n.saved[0].t
    if n.inputs[0] != NULL:
        if n.i[1]:
            array_share(&gin[0], gy)
        else:
            array_new(&gin[0], gy.ndim, gy.dims, gy.dtype)
            array_copy(&gin[0], gy)
            zero.p, zero.size = <char *>&bits, 1
            scatter_scalar(&gin[0], <int>n.i[0], index, &zero)
    if n.inputs[1] != NULL:
        x = &n.inputs[1].acc
        gather_array(&picked, gy, <int>n.i[0], index)
        if x.size == picked.size:
            gin[1] = picked
            return 0
        try:
            array_zeros(&gin[1], x, x.dtype)
            narrowed(&part, &gin[1], index, -1)
            array_copy(&part, &picked)
        finally:
            array_drop(&picked)
    return 0


cdef int scatter_scalar(fn_tensor *y, int axis, const fn_tensor *index, fn_tensor *value) except -1:
    """y at the index = one value, borrowed."""
    cdef fn_tensor src
    array_new(&src, 0, NULL, y.dtype)
    try:
        if itemsize(y.dtype) == 8:
            (<double *>src.p)[0] = (<double *>value.p)[0]
        else:
            (<float *>src.p)[0] = <float>(<double *>value.p)[0]
        return scatter_array(y, axis, index, &src, FN_scatter, False)
    finally:
        array_drop(&src)


cdef fn_op GATHER = [b"GatherBackward0", gather_backward, False]
cdef fn_op SCATTER = [b"ScatterBackward0", scatter_backward, False]
cdef fn_op SCATTER_ADD = [b"ScatterAddBackward0", scatter_backward, False]


def gather(input, dim, index, *, sparse_grad=False):
    """y[i][j][k] = input[index[i][j][k]][j][k] for dim=0, and so on.

    Args:
        input: any tensor.
        dim: the axis that the index runs over.
        index: integers; as many axes as input, and no larger on the others.
        sparse_grad: must be False.

    Raises:
        IndexError: an index is out of range.
        ValueError: the shapes do not fit.

    >>> import fastnet
    >>> fastnet.gather(fastnet.tensor([[1, 2], [3, 4]]), 1, fastnet.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    cdef Tensor x = require_tensor(input, "gather", "input"), i = _same_rank(index_tensor(index, "gather"), x), y
    cdef int axis = one_axis(dim, x.t.ndim, "gather")
    cdef fn_node *n
    if sparse_grad:
        raise ValueError("gather: sparse_grad must be False; there are no sparse tensors")
    _check(x, axis, i, "gather")
    y = Tensor.__new__(Tensor)
    gather_array(&y.t, &x.t, axis, &i.t)
    if x.node != NULL and grad_enabled():
        n = record(y, &GATHER, 1, 1)
        node_input(n, 0, x.node)
        node_save(n, 0, &i.t)
        n.i[0] = axis
    return y


cdef Tensor _scatter(object input, object dim, object index, object src, int kernel, str op):
    cdef Tensor x = require_tensor(input, op, "input"), i = _same_rank(index_tensor(index, op), x), s, y
    cdef int axis = one_axis(dim, x.t.ndim, op), d
    cdef fn_tensor part
    cdef fn_node *n
    if isinstance(src, Tensor):
        s = src
        if s.t.dtype != x.t.dtype:
            raise TypeError(f"{op}: src is {s.dtype}, input is {x.dtype}")
        bad = s.t.ndim != i.t.ndim
        for d in range(i.t.ndim):
            bad = bad or s.t.dims[d] < i.t.dims[d]
        if bad:
            raise ValueError(f"{op}: src of shape {shape_of(&s.t)} does not cover index of shape {shape_of(&i.t)}")
        narrowed(&part, &s.t, &i.t, -1)
    else:
        s = tensor_scalar(src, x.t.dtype)
        part = s.t
    _check(x, axis, i, op)
    if kernel != FN_scatter and not is_float(x.t.dtype):     # integers: NumPy's unbuffered add and multiply
        y = from_data(x._ndarray(), x.t.dtype)
        where = list(np.ogrid[tuple([slice(k) for k in shape_of(&i.t)])])
        if where:
            where[axis] = i._ndarray()
        values = s._ndarray()[tuple([slice(k) for k in shape_of(&i.t)])] if s.t.ndim else s._ndarray()
        (np.add if kernel == FN_scatter_add else np.multiply).at(y._ndarray(), tuple(where), values)
        return y
    y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
    array_copy(&y.t, &x.t)
    scatter_array(&y.t, axis, &i.t, &part, kernel, False)
    if grad_enabled() and (x.node != NULL or s.node != NULL):
        if kernel == FN_scatter_mul:
            raise ValueError(f"{op}: reduce='multiply' has no gradient; call it under no_grad()")
        n = record(y, &SCATTER_ADD if kernel == FN_scatter_add else &SCATTER, 2, 1)
        node_input(n, 0, x.node)
        node_input(n, 1, s.node)
        node_save(n, 0, &i.t)
        n.i[0], n.i[1] = axis, kernel == FN_scatter_add
    return y


def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of input with y[index[i][j][k]][j][k] = src[i][j][k] for dim=0, and so on; of several sources the last one stays.

    Args:
        input: any tensor.
        dim: the axis that the index runs over.
        index: integers; as many axes as input, and no larger on the others.
        src: a tensor of input's dtype that covers the index, or a number.
        value: a number, instead of src.
        reduce: None, "add" or "multiply": what to do with what is there (multiply has no gradient).

    Raises:
        IndexError: an index is out of range.
        ValueError: the shapes do not fit.

    >>> import fastnet
    >>> fastnet.scatter(fastnet.tensor([[0, 0, 0], [0, 0, 0]]), 1, fastnet.tensor([[2], [0]]), 1)
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: give either src or value")
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter: reduce must be None, 'add' or 'multiply', got {reduce!r}")
    kernel = FN_scatter if reduce is None else FN_scatter_add if reduce == "add" else FN_scatter_mul
    return _scatter(input, dim, index, value if src is None else src, kernel, "scatter")


def scatter_add(input, dim, index, src):
    """A copy of input with y[index[i][j][k]][j][k] += src[i][j][k] for dim=0, and so on; in the order of the index.

    Args:
        input: any tensor.
        dim: the axis that the index runs over.
        index: integers; as many axes as input, and no larger on the others.
        src: a tensor of input's dtype that covers the index.

    Raises:
        IndexError: an index is out of range.
        ValueError: the shapes do not fit.

    >>> import fastnet
    >>> fastnet.scatter_add(fastnet.tensor([0.0, 0.0]), 0, fastnet.tensor([1, 1, 0]), fastnet.tensor([1.0, 2.0, 3.0]))
    tensor([3., 3.])
    """
    return _scatter(input, dim, index, require_tensor(src, "scatter_add", "src"), FN_scatter_add, "scatter_add")


def scatter_(input, dim, index, src=None, *, value=None, reduce=None):
    """`scatter` in place; returns the tensor itself."""
    return input.copy_(scatter(input, dim, index, src, value=value, reduce=reduce))


def scatter_add_(input, dim, index, src):
    """`scatter_add` in place; returns the tensor itself."""
    return input.copy_(scatter_add(input, dim, index, src))


def take_along_dim(input, indices, dim=None):
    """Elements by indices along an axis, as `numpy.take_along_axis`.

    Args:
        input: any tensor.
        indices: integers, with as many axes as input.
        dim: the axis; None: both are flattened.

    >>> import fastnet
    >>> fastnet.take_along_dim(fastnet.tensor([[1, 2], [3, 4]]), fastnet.tensor([[1], [0]]), dim=1)
    tensor([[2],
            [3]])
    """
    cdef Tensor x = require_tensor(input, "take_along_dim", "input"), i = index_tensor(indices, "take_along_dim")
    if dim is None:
        return gather(x.reshape(-1), 0, i.reshape(-1))
    axis = one_axis(dim, x.t.ndim, "take_along_dim")
    if x.t.ndim != i.t.ndim:
        raise ValueError(f"take_along_dim: indices of shape {shape_of(&i.t)} must have as many axes as input of shape {shape_of(&x.t)}")
    common = list(np.broadcast_shapes(*[[1 if d == axis else k for d, k in enumerate(shape_of(&t.t))] for t in (x, i)]))
    a, b = common.copy(), common.copy()
    a[axis], b[axis] = x.t.dims[axis], i.t.dims[axis]
    return gather(x.expand(a), axis, i.expand(b))


def take(input, index):
    """Elements of the flattened input; the result has the index's shape.

    Args:
        input: any tensor.
        index: integers from -n to n - 1.

    >>> import fastnet
    >>> fastnet.take(fastnet.tensor([[1, 2], [3, 4]]), fastnet.tensor([0, -1]))
    tensor([1, 4])
    """
    cdef Tensor x = require_tensor(input, "take", "input"), i = index_tensor(index, "take")
    flat = i._ndarray().reshape(-1)
    return gather(x.reshape(-1), 0, from_data(np.where(flat < 0, flat + x.t.size, flat), FN_I64)).reshape(shape_of(&i.t))


attach(gather=gather, scatter=scatter, scatter_add=scatter_add, scatter_=scatter_, scatter_add_=scatter_add_, take=take,
       take_along_dim=take_along_dim)
