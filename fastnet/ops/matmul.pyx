"""Matrix products of every rank: matmul, mm, bmm, mv, dot."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport reduce_array
from fastnet.ops.gemm cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum

# inputs and saved: 0 a, 1 b.  An operand of one axis becomes a matrix, a row on the left (n.i[0]) or a column on the right (n.i[1]), and
# that axis of 1 is taken out of the result.


cdef inline void insert_axis(fn_tensor *x, int axis) noexcept:
    cdef int d
    for d in range(x.ndim, axis, -1):
        x.dims[d], x.strides[d] = x.dims[d - 1], x.strides[d - 1]
    x.dims[axis], x.strides[axis] = 1, 0
    x.ndim += 1


cdef inline void remove_axis(fn_tensor *x, int axis) noexcept:
    cdef int d
    x.ndim -= 1
    for d in range(axis, x.ndim):
        x.dims[d], x.strides[d] = x.dims[d + 1], x.strides[d + 1]


cdef inline Py_ssize_t batch_dim(const fn_tensor *x, int d, int ndim) noexcept:
    """The size of x along axis d of ndim axes: 1 where x has fewer axes."""
    d -= ndim - x.ndim
    return x.dims[d] if d >= 0 else 1


cdef int product_new(fn_tensor *y, const fn_tensor *a, const fn_tensor *b) except -1:
    """y: a new array for a.b, both with at least two axes; leading axes broadcast.  Returns 0 where they do not fit."""
    cdef Py_ssize_t dims[8]
    cdef int nd = max(a.ndim, b.ndim), d
    cdef Py_ssize_t p, q
    if a.dims[a.ndim - 1] != b.dims[b.ndim - 2]:
        return 0
    for d in range(nd - 2):
        p, q = batch_dim(a, d, nd), batch_dim(b, d, nd)
        if p != q and p != 1 and q != 1:
            return 0
        dims[d] = q if p == 1 else p
    dims[nd - 2], dims[nd - 1] = a.dims[a.ndim - 2], b.dims[b.ndim - 1]
    array_new(y, nd, dims, a.dtype)
    return 1


cdef int sum_of_products(fn_tensor *g, const fn_tensor *at, const fn_tensor *gy) except -1:
    """g (k, n) = the sum over all batches of at (..., k, m) . gy (..., m, n): batches and rows are one long axis."""
    cdef fn_gemm_args args
    cdef fn_tensor a, b
    cdef Py_ssize_t rows = 0, more = 0, a_rs = 0, b_rs = 0
    transposed(&a, at)
    if rows_of(&a, &rows, &a_rs):
        array_share(&a, &a)
    else:
        transposed(&b, at)
        array_contiguous(&a, &b)
        rows_of(&a, &rows, &a_rs)
    try:
        if rows_of(gy, &more, &b_rs):
            array_share(&b, gy)
        else:
            array_contiguous(&b, gy)
            rows_of(&b, &more, &b_rs)
        gemm_begin(&args, g.dims[0], g.dims[1], rows)
        gemm_a(&args, a.p, a.strides[a.ndim - 1], a_rs)
        gemm_b(&args, b.p, b_rs, b.strides[b.ndim - 1])
        gemm_c(&args, g.p, g.dims[1], 1)
        try:
            return gemm(g.dtype, &args)
        finally:
            array_drop(&b)
    finally:
        array_drop(&a)


cdef int gradient(fn_tensor *g, const fn_tensor *left, const fn_tensor *right, const fn_tensor *to) except -1:
    """g (new) = left.right, summed over the batches along which `to`, the operand as a matrix, was broadcast."""
    cdef fn_tensor summed
    cdef int d
    cdef long mask = 0
    product_new(g, left, right)
    try:
        gemm_arrays(g, left, right, False)
        for d in range(g.ndim - 2):
            if g.dims[d] != batch_dim(to, d, g.ndim):
                mask |= 1 << d
        if mask:
            reduce_array(&summed, g, mask, FN_reduce_sum, FN_reduce_sum)
            array_drop(g)
            g[0] = summed
        while g.ndim > to.ndim:
            remove_axis(g, 0)
        return 0
    except:
        array_drop(g)
        raise


cdef inline bint same_batches(const fn_tensor *x, const fn_tensor *y) noexcept:
    cdef int d
    if x.ndim != y.ndim:
        return False
    for d in range(x.ndim - 2):
        if x.dims[d] != y.dims[d]:
            return False
    return True


cdef int matmul_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef bint row = n.i[0], column = n.i[1]
    cdef fn_tensor g = gy[0], other, to
    if row:
        insert_axis(&g, g.ndim - (0 if column else 1))
    if column:
        insert_axis(&g, g.ndim)
    if n.inputs[0] != NULL:
        to = n.inputs[0].acc
        if row:
            insert_axis(&to, 0)
        other = n.saved[1].t
        if column:
            insert_axis(&other, 1)
        transposed(&other, &other)
        gradient(&gin[0], &g, &other, &to)
        if row:
            remove_axis(&gin[0], 0)
    if n.inputs[1] != NULL:
        to = n.inputs[1].acc
        if column:
            insert_axis(&to, 1)
        other = n.saved[0].t
        if row:
            insert_axis(&other, 0)
        transposed(&other, &other)
        if to.ndim == 2 and g.ndim > 2 and same_batches(&other, &g):
            array_new(&gin[1], 2, to.dims, to.dtype)
            sum_of_products(&gin[1], &other, &g)
        else:
            gradient(&gin[1], &other, &g, &to)
        if column:
            remove_axis(&gin[1], 1)
    return 0


cdef fn_op MATMUL = [b"MatmulBackward0", matmul_backward, False]
cdef fn_op MM = [b"MmBackward0", matmul_backward, False]
cdef fn_op BMM = [b"BmmBackward0", matmul_backward, False]
cdef fn_op MV = [b"MvBackward0", matmul_backward, False]
cdef fn_op DOT = [b"DotBackward0", matmul_backward, False]


cdef object whole_numbers(Tensor a, Tensor b, str op):
    """Integers and bools, by NumPy."""
    if a.t.dtype != b.t.dtype:
        raise RuntimeError(f"{op}: input is {a.dtype}, other is {b.dtype}; they must agree")
    return from_data(np.matmul(a._ndarray(), b._ndarray()), -1)


cdef int refuse(str op, Tensor a, Tensor b) except -1:
    raise RuntimeError(f"{op}: input {shape_of(&a.t)} and other {shape_of(&b.t)} do not fit together")


cdef object product(Tensor a, Tensor b, const fn_op *op, str name):
    cdef Tensor y
    cdef fn_tensor ma = a.t, mb = b.t
    cdef fn_node *n
    cdef bint row = ma.ndim == 1, column = mb.ndim == 1
    if ma.ndim == 0 or mb.ndim == 0:
        raise RuntimeError(f"{name}: both arguments need at least one axis, got input {shape_of(&a.t)} and other {shape_of(&b.t)}")
    if row:
        insert_axis(&ma, 0)
    if column:
        insert_axis(&mb, 1)
    if a.t.dtype != b.t.dtype or not is_float(a.t.dtype):
        if ma.dims[ma.ndim - 1] != mb.dims[mb.ndim - 2]:
            refuse(name, a, b)
        return whole_numbers(a, b, name)
    y = Tensor.__new__(Tensor)
    if not product_new(&y.t, &ma, &mb):
        refuse(name, a, b)
    gemm_arrays(&y.t, &ma, &mb, False)
    if column:
        remove_axis(&y.t, y.t.ndim - 1)
    if row:
        remove_axis(&y.t, y.t.ndim - (1 if column else 2))
    if (a.node != NULL or b.node != NULL) and grad_enabled():
        n = record(y, op, 2, 2)
        n.i[0], n.i[1] = row, column
        node_input(n, 0, a.node)
        node_input(n, 1, b.node)
        if b.node != NULL:
            node_save(n, 0, &a.t)
        if a.node != NULL:
            node_save(n, 1, &b.t)
    return y


cdef object ranked(object input, object other, int na, int nb, const fn_op *op, str name, str second):
    """The product of operands that must have na and nb axes."""
    cdef Tensor a = require_tensor(input, name, "input"), b = require_tensor(other, name, second)
    if a.t.ndim != na or b.t.ndim != nb or (na == 3 and a.t.dims[0] != b.t.dims[0]):
        raise RuntimeError(f"{name}: expected {na} and {nb} axes{' with equal first ones' if na == 3 else ''}, got input "
                           f"{shape_of(&a.t)} and {second} {shape_of(&b.t)}")
    return product(a, b, op, name)


def matmul(input, other):
    """The matrix product over the last two axes; leading axes broadcast, operands of one axis are a row and a column.

    Args:
        input: (..., m, k) or (k,).
        other: (..., k, n) or (k,).

    Returns:
        (..., m, n), without m or n where that operand has one axis.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.matmul(fastnet.tensor([[1.0, 2.0]]), fastnet.tensor([3.0, 4.0]))
    tensor([11.])
    """
    return product(require_tensor(input, "matmul", "input"), require_tensor(other, "matmul", "other"), &MATMUL, "matmul")


def mm(input, mat2):
    """The product of two matrices, (m, k) and (k, n).

    >>> import fastnet
    >>> fastnet.mm(fastnet.ones(1, 2), fastnet.ones(2, 1))
    tensor([[2.]])
    """
    return ranked(input, mat2, 2, 2, &MM, "mm", "mat2")


def bmm(input, mat2):
    """The products of matrices of two stacks, (b, m, k) and (b, k, n).

    >>> import fastnet
    >>> fastnet.bmm(fastnet.ones(3, 1, 2), fastnet.ones(3, 2, 1)).shape
    fastnet.Size([3, 1, 1])
    """
    return ranked(input, mat2, 3, 3, &BMM, "bmm", "mat2")


def mv(input, vec):
    """A matrix (m, k) times a vector (k,).

    >>> import fastnet
    >>> fastnet.mv(fastnet.ones(2, 3), fastnet.ones(3))
    tensor([3., 3.])
    """
    return ranked(input, vec, 2, 1, &MV, "mv", "vec")


def dot(input, tensor):
    """The sum of the products of the elements of two vectors.

    >>> import fastnet
    >>> fastnet.dot(fastnet.tensor([1.0, 2.0]), fastnet.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return ranked(input, tensor, 1, 1, &DOT, "dot", "tensor")


cdef object _matmul_operator(object a, object b):
    return product(as_tensor(a, "matmul", "input"), as_tensor(b, "matmul", "other"), &MATMUL, "matmul")


operators.matmul = _matmul_operator
attach(matmul=matmul, mm=mm, bmm=bmm, mv=mv, dot=dot)
