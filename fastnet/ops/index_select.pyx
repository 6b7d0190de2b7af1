"""Whole rows by an index: index_select, index_add, embedding."""
from libc.stdint cimport INT64_MIN, int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport Rows, one_axis
from fastnet.ops.bounds cimport *
from fastnet.ops.gather cimport index_tensor

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/index.h" nogil:
    int FN_index_select, FN_scatter_add


cdef Rows _along(const fn_tensor *x, int axis) noexcept:
    """Of a contiguous array: `outer` times `n` rows of `inner` elements."""
    cdef Rows r
    cdef int d
    r.outer = r.inner = r.n = 1
    for d in range(x.ndim):
        if d < axis:
            r.outer *= x.dims[d]
        elif d > axis:
            r.inner *= x.dims[d]
        else:
            r.n = x.dims[d]
    return r


cdef int take_rows(fn_tensor *y, const fn_tensor *x, int axis, const fn_tensor *index) except -1:
    """y (there, contiguous) = rows of x along an axis."""
    cdef fn_index_args a
    cdef fn_tensor px
    cdef Rows r = _along(x, axis)
    array_contiguous(&px, x)
    try:
        a.x, a.index, a.y, a.bytes = px.p, <int64_t *>index.p, y.p, itemsize(x.dtype)
        a.n, a.k, a.inner = r.n, index.size, r.inner
        if a.inner == 0:
            return 0
        return launch(FN_index_select, FN_F64 if a.bytes == 8 else FN_F32, &a, r.outer * a.k,
                      2.0 * r.outer * a.k + byte_cost(2.0 * a.bytes * y.size))
    finally:
        array_drop(&px)


cdef int add_rows(fn_tensor *y, int axis, const fn_tensor *index, const fn_tensor *src, int64_t ignore, bint fresh, double scale=1) except -1:
    """y (contiguous) += scale * rows of src along an axis; fresh: y is 0 at first."""
    cdef fn_scatter_args a
    cdef fn_tensor ps
    cdef Rows r = _along(y, axis)
    array_contiguous(&ps, src)
    try:
        a.x, a.index, a.y, a.bytes = ps.p, <int64_t *>index.p, y.p, itemsize(y.dtype)
        a.n, a.k, a.inner, a.y_inner = r.n, index.size, r.inner, r.inner
        a.index_o, a.index_i, a.index_j = 0, 1, 0
        a.x_o, a.x_i, a.x_j = a.k * a.inner, a.inner, 1
        a.ignore, a.fresh, a.scale = ignore, fresh, scale
        return launch(FN_scatter_add, y.dtype, &a, r.outer * a.n, 2.0 * r.outer * a.k + byte_cost(a.bytes * (3.0 * src.size + (y.size if fresh else 0))))
    finally:
        array_drop(&ps)


# backward: n.i[0] the axis, n.i[1] an index that is passed over, n.f[0] alpha, saved[0] the index

cdef int index_select_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor *x = &n.inputs[0].acc
    array_new(&gin[0], x.ndim, x.dims, x.dtype)
    return add_rows(&gin[0], <int>n.i[0], &n.saved[0].t, gy, n.i[1], True)


cdef int index_add_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor *src
    if n.inputs[0] != NULL:
        array_share(&gin[0], gy)
    if n.inputs[1] != NULL:
        src = &n.inputs[1].acc
        array_new(&gin[1], src.ndim, src.dims, src.dtype)
        take_rows(&gin[1], gy, <int>n.i[0], &n.saved[0].t)
    return 0


cdef void _lay_out(fn_tensor *x, int ndim, const Py_ssize_t *dims) noexcept:
    """Give x, contiguous, another shape of one or two axes."""
    x.ndim, x.dims[0], x.strides[0] = ndim, dims[0], 1
    if ndim == 2:
        x.dims[1], x.strides[0], x.strides[1] = dims[1], dims[1], 1


cdef int embedding_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """n.i[2]: what the table gets is a SparseTensor; saved[1], if any: a factor for each index."""
    cdef fn_tensor *table = &n.inputs[0].acc
    cdef Tensor rows, index
    cdef fn_tensor g
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = n.saved[0].t.size, table.dims[1]
    if gy.st.refs > 1 or not is_contiguous(gy) or n.n_saved == 2:
        rows = tensor_new(gy.ndim, gy.dims, gy.dtype)    # nobody else's, to keep or to scale
        array_copy(&rows.t, gy)
    else:
        array_share(&g, gy)
        rows = tensor_take(&g)
    _lay_out(&rows.t, 2, dims)
    array_share(&g, &n.saved[0].t)
    index = tensor_take(&g)
    _lay_out(&index.t, 1, dims)
    if n.n_saved == 2:
        array_share(&g, &n.saved[1].t)
        values = rows._ndarray()
        values *= tensor_take(&g)._ndarray()[:, None]
    if not n.i[2] or n.inputs[0].op != NULL or n.inputs[0].flags & (CAPTURE | TENSOR_HOOKS):
        array_new(&gin[0], 2, table.dims, table.dtype)
        return add_rows(&gin[0], 0, &index.t, &rows.t, n.i[1], True)
    from fastnet.ops.sparse import SparseTensor
    if n.i[1] >= 0:
        kept = index != n.i[1]
        index, rows = index[kept], rows[kept]
    else:
        index = index.clone()                            # the caller may write new indices into his
    node_extra(n)["rows"] = SparseTensor._of(index, rows, (table.dims[0], table.dims[1]), False)
    return 0


def add_rows_(Tensor table not None, Tensor index not None, Tensor values not None, double alpha=1) -> None:
    """table[index] += alpha * values in place, without history; of (rows, ...) with one axis of indices in range, which may come twice."""
    if not is_contiguous(&table.t):
        alias = tensor_alias(table)
        alias.copy_(index_add(alias, 0, index, values, alpha=alpha))
        return
    add_rows(&table.t, 0, &index.t, &values.t, -1, False, alpha)
    written(table)


def add_to_gradient(Node leaf not None, Tensor index not None, Tensor values not None) -> None:
    """Add rows to the dense gradient of a leaf, which is made if it has none."""
    cdef fn_tensor g
    if leaf.n.grad.st == NULL:
        array_zeros(&leaf.n.grad, &leaf.n.acc, leaf.n.acc.dtype)
    array_share(&g, &leaf.n.grad)
    add_rows_(tensor_take(&g), index, values)


cdef fn_op INDEX_SELECT = [b"IndexSelectBackward0", index_select_backward, False]
cdef fn_op EMBEDDING = [b"EmbeddingBackward0", index_select_backward, False]
cdef fn_op EMBEDDING_ROWS = [b"EmbeddingBackward0", embedding_backward, False]
cdef fn_op INDEX_ADD = [b"IndexAddBackward0", index_add_backward, False]


cdef Tensor _flat_index(object index, str op):
    cdef Tensor i = index_tensor(index, op)
    if i.t.ndim > 1:
        raise ValueError(f"{op}: index must have one axis, got shape {shape_of(&i.t)}")
    return i.contiguous()


def index_select(input, dim, index):
    """Rows of a tensor along an axis, in the order of the index.

    Args:
        input: any tensor.
        dim: the axis.
        index: integers from 0 to the axis's size - 1, one axis.

    Raises:
        IndexError: an index is out of range.

    >>> import fastnet
    >>> fastnet.index_select(fastnet.tensor([[1, 2], [3, 4]]), 0, fastnet.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    cdef Tensor x = require_tensor(input, "index_select", "input"), i = _flat_index(index, "index_select"), y
    cdef int axis = one_axis(dim, x.t.ndim, "index_select"), d
    cdef Py_ssize_t dims[8]
    cdef fn_node *n
    check_index(&i.t, x.t.dims[axis] if x.t.ndim else 1, INT64_MIN, "index_select", "index")
    for d in range(x.t.ndim):
        dims[d] = i.t.size if d == axis else x.t.dims[d]
    y = tensor_new(x.t.ndim, dims, x.t.dtype)
    take_rows(&y.t, &x.t, axis, &i.t)
    if x.node != NULL and grad_enabled():
        n = record(y, &INDEX_SELECT, 1, 1)
        node_input(n, 0, x.node)
        node_save(n, 0, &i.t)
        n.i[0], n.i[1] = axis, -1
    return y


def index_add(input, dim, index, source, *, alpha=1):
    """A copy of input with rows of source, times alpha, added along an axis; in the order of the index.

    Args:
        input: any tensor.
        dim: the axis.
        index: integers from 0 to the axis's size - 1, one axis.
        source: input's shape, but as many rows as the index has.
        alpha: a factor.

    Raises:
        IndexError: an index is out of range.
        ValueError: the shapes do not fit.

    >>> import fastnet
    >>> fastnet.index_add(fastnet.tensor([0.0, 0.0]), 0, fastnet.tensor([1, 1]), fastnet.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    cdef Tensor x = require_tensor(input, "index_add", "input"), i = _flat_index(index, "index_add"), y
    cdef Tensor s = require_tensor(source, "index_add", "source")
    cdef int axis = one_axis(dim, x.t.ndim, "index_add"), d
    cdef fn_node *n
    bad = s.t.ndim != x.t.ndim
    for d in range(x.t.ndim):
        bad = bad or s.t.dims[d] != (i.t.size if d == axis else x.t.dims[d])
    if bad or s.t.dtype != x.t.dtype:
        raise ValueError(f"index_add: source {s.dtype} of shape {shape_of(&s.t)} does not fit {i.t.size} rows of axis {axis} of input {x.dtype} "
                         f"of shape {shape_of(&x.t)}")
    check_index(&i.t, x.t.dims[axis] if x.t.ndim else 1, INT64_MIN, "index_add", "index")
    if alpha != 1:
        s = s * alpha
    if not is_float(x.t.dtype):
        y = from_data(x._ndarray(), x.t.dtype)
        np.add.at(y._ndarray(), (slice(None),) * axis + (i._ndarray(),), s._ndarray())
        return y
    y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
    array_copy(&y.t, &x.t)
    add_rows(&y.t, axis, &i.t, &s.t, -1, False)
    if grad_enabled() and (x.node != NULL or s.node != NULL):
        n = record(y, &INDEX_ADD, 2, 1)
        node_input(n, 0, x.node)
        node_input(n, 1, s.node)
        node_save(n, 0, &i.t)
        n.i[0] = axis
    return y


def index_add_(input, dim, index, source, *, alpha=1):
    """`index_add` in place; returns the tensor itself."""
    return input.copy_(index_add(input, dim, index, source, alpha=alpha))


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """Rows of a table.

    Args:
        input: integers of any shape, from 0 to the number of rows - 1.
        weight: the table, (rows, features).
        padding_idx: a row that receives no gradient; may be negative.
        max_norm: rows that are used and whose norm is larger are scaled down to it, in place, before they are read.
        norm_type: p of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times that input holds it.
        sparse: weight's ``.grad`` is a `SparseTensor` of the rows that input holds, if weight is a leaf without hooks; not together with
            scale_grad_by_freq.

    Returns:
        A tensor of input's shape with the features as last axis.

    Raises:
        IndexError: an index is out of range.

    >>> import fastnet
    >>> fastnet.nn.functional.embedding(fastnet.tensor([[1, 0]]), fastnet.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[[3., 4.],
             [1., 2.]]])
    """
    cdef Tensor i = index_tensor(input, "embedding").contiguous(), w = require_tensor(weight, "embedding", "weight"), y
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t pad = -1
    cdef int d
    cdef fn_node *n
    if scale_grad_by_freq and sparse:
        raise RuntimeError("embedding: scale_grad_by_freq is not supported with sparse=True")
    if w.t.ndim != 2:
        raise ValueError(f"embedding: weight must have two axes, got shape {shape_of(&w.t)}")
    if i.t.ndim > 7:
        raise ValueError(f"embedding: input of shape {shape_of(&i.t)} has too many axes")
    if padding_idx is not None:
        pad = padding_idx
        if not -w.t.dims[0] <= pad < w.t.dims[0]:
            raise ValueError(f"embedding: padding_idx {padding_idx} is outside the {w.t.dims[0]} rows of weight")
        pad += w.t.dims[0] if pad < 0 else 0
    check_index(&i.t, w.t.dims[0], INT64_MIN, "embedding", "input")
    if max_norm is not None:
        _renormalise(w, i, max_norm, norm_type)
    for d in range(i.t.ndim):
        dims[d] = i.t.dims[d]
    dims[i.t.ndim] = w.t.dims[1]
    y = tensor_new(i.t.ndim + 1, dims, w.t.dtype)
    take_rows(&y.t, &w.t, 0, &i.t)
    if w.node != NULL and grad_enabled():
        n = record(y, &EMBEDDING_ROWS if scale_grad_by_freq or sparse else &EMBEDDING, 1, 2 if scale_grad_by_freq else 1)
        node_input(n, 0, w.node)
        node_save(n, 0, &i.t)
        n.i[0], n.i[1], n.i[2] = 0, pad, bool(sparse)
        if scale_grad_by_freq:
            _, places, counts = np.unique(i._ndarray(), return_inverse=True, return_counts=True)
            w = from_data((1.0 / counts)[places.reshape(-1)], w.t.dtype)
            node_save(n, 1, &w.t)
    return y


cdef int _renormalise(Tensor w, Tensor i, double max_norm, double p) except -1:
    if w.flags & READ_ONLY:
        raise ValueError("embedding: max_norm changes weight, whose memory is read-only")
    table, rows = w._ndarray(), np.unique(i._ndarray())
    norms = np.linalg.norm(table[rows], ord=p, axis=1)
    large = norms > max_norm
    table[rows[large]] *= (max_norm / (norms[large] + 1e-7))[:, None].astype(table.dtype)
    written(w)
    return 0


attach(index_select=index_select, index_add=index_add, index_add_=index_add_)
