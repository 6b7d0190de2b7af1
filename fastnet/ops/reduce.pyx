"""Sums and products over axes: sum, mean, prod, amax, amin, logsumexp, any, all, count_nonzero."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *

import numpy as np
from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum, FN_reduce_prod, FN_reduce_max, FN_reduce_min, FN_reduce_counteq, FN_reduce_logsumexp, FN_spread_max
    int FN_spread_logsumexp, FN_prod_backward
cdef extern from "kernels/reduce.h" nogil:
    ctypedef struct fn_prod_backward_args:
        const void *x
        const void *gy
        const void *y
        void *gx
        Py_ssize_t n, inner


# backward: n.i[0] the reduced axes, n.f[0] a factor, saved[0] x and saved[1] y with its reduced axes as 1

cdef int sum_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor *x = &n.inputs[0].acc
    cdef fn_tensor g
    cdef int d
    if n.f[0] != 1.0:
        array_new(&g, gy.ndim, gy.dims, gy.dtype)
        try:
            array_copy(&g, gy)
            rescale(&g, n.f[0], False)
            unsqueeze_axes(&gin[0], &g, x, n.i[0])
        finally:
            array_drop(&g)
    else:
        unsqueeze_axes(&gin[0], gy, x, n.i[0])
    for d in range(x.ndim):
        gin[0].dims[d] = x.dims[d]
    gin[0].size = x.size
    return 0


cdef int extreme_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """The gradient is shared equally by all elements that are the extreme."""
    cdef fn_tensor ties
    cdef fn_tensor *x = &n.saved[0].t
    reduce_centred(&ties, x, n.i[0], FN_reduce_counteq, FN_reduce_sum, &n.saved[1].t)
    try:
        return spread_array(&gin[0], x, n.i[0], FN_spread_max, gy, &n.saved[1].t, &ties, 1.0)
    finally:
        array_drop(&ties)


cdef int logsumexp_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return spread_array(&gin[0], &n.saved[0].t, n.i[0], FN_spread_logsumexp, gy, &n.saved[1].t, NULL, 1.0)


cdef int prod_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_prod_backward_args a
    cdef fn_tensor px, wide, pg
    cdef Rows r
    px.st = wide.st = pg.st = NULL
    try:
        arrange(&px, &n.saved[0].t, n.i[0], &r)
        unsqueeze_axes(&wide, gy, &px, n.i[0])
        array_contiguous(&pg, &wide)
        array_like(&gin[0], &px, px.dtype)
        a.x, a.gy, a.y, a.gx, a.n, a.inner = px.p, pg.p, n.saved[1].t.p, gin[0].p, r.n, r.inner
        return launch(FN_prod_backward, px.dtype, &a, r.outer * r.inner, byte_cost(4.0 * itemsize(px.dtype) * px.size))
    finally:
        array_drop(&px)
        array_drop(&wide)
        array_drop(&pg)


cdef fn_op SUM = [b"SumBackward0", sum_backward, False]
cdef fn_op SUM_DIM = [b"SumBackward1", sum_backward, False]
cdef fn_op MEAN = [b"MeanBackward0", sum_backward, False]
cdef fn_op MEAN_DIM = [b"MeanBackward1", sum_backward, False]
cdef fn_op AMAX = [b"AmaxBackward0", extreme_backward, False]
cdef fn_op AMIN = [b"AminBackward0", extreme_backward, False]
cdef fn_op PROD = [b"ProdBackward0", prod_backward, False]
cdef fn_op PROD_DIM = [b"ProdBackward1", prod_backward, False]
cdef fn_op LOGSUMEXP = [b"LogsumexpBackward0", logsumexp_backward, False]


cdef Tensor _reduce(Tensor x, long mask, bint keepdim, int kernel, const fn_op *op, double scale, bint save):
    """y = kernel over the axes of mask, on the tape."""
    cdef Tensor y = Tensor.__new__(Tensor)
    cdef fn_node *n
    reduce_array(&y.t, &x.t, mask, kernel, kernel)
    if scale != 1.0:
        rescale(&y.t, scale, False)
    if x.node != NULL and grad_enabled():
        n = record(y, op, 1, 2 if save else 0)
        node_input(n, 0, x.node)
        n.i[0], n.f[0] = mask, scale
        if save:
            node_save(n, 0, &x.t)
            node_save(n, 1, &y.t)
    if not keepdim:
        squeeze_axes(&y.t, mask)
        if y.node != NULL:
            squeeze_axes(&y.node.acc, mask)
    return y


cdef object numpy_axes(long mask, int ndim):
    return tuple([d for d in range(ndim) if mask & (1 << d)])


cdef Tensor _total(object input, object dim, bint keepdim, object dtype, int kernel, const fn_op *op, str name):
    """A sum or a product; that of integers by NumPy."""
    cdef Tensor x = require_tensor(input, name, "input")
    cdef long mask = axes_mask(dim, x.t.ndim, name)
    cdef int out = FN_I64
    if dtype is not None:
        out = dtype_index(dtype)
        if out != x.t.dtype:
            x = x.to(dtype)
    if not is_float(x.t.dtype):
        of_integers = np.prod if kernel == FN_reduce_prod else np.sum
        return from_data(of_integers(x._ndarray(), axis=numpy_axes(mask, x.t.ndim), dtype=dtype_object(out).numpy, keepdims=keepdim), out)
    return _reduce(x, mask, keepdim, kernel, op, 1.0, kernel == FN_reduce_prod)


cdef Tensor _extreme(object input, object dim, bint keepdim, int kernel, const fn_op *op, str name):
    """The largest or the smallest; that of integers by NumPy."""
    cdef Tensor x = require_tensor(input, name, "input")
    cdef long mask = axes_mask(dim, x.t.ndim, name)
    if axes_count(&x.t, mask) == 0:
        raise ValueError(f"{name}: the reduced axes of a tensor of shape {shape_of(&x.t)} have no element, and {name} has no value for none")
    if not is_float(x.t.dtype):
        of_integers = np.max if kernel == FN_reduce_max else np.min
        return from_data(of_integers(x._ndarray(), axis=numpy_axes(mask, x.t.ndim), keepdims=keepdim), x.t.dtype)
    return _reduce(x, mask, keepdim, kernel, op, 1.0, True)


def sum(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=None):
    """The sum over axes.

    Args:
        input: any tensor; integers and bools are summed as int64.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.sum(fastnet.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "sum")
    return _total(input, dim, keepdim, dtype, FN_reduce_sum, &SUM if dim is None else &SUM_DIM, "sum")


def mean(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=None):
    """The mean over axes.

    Args:
        input: a floating-point tensor, or any with dtype=.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        dtype: cast to it first.

    Raises:
        TypeError: input is not floating-point.

    >>> import fastnet
    >>> fastnet.mean(fastnet.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "mean")
    cdef Tensor x = require_tensor(input, "mean", "input")
    cdef long mask = axes_mask(dim, x.t.ndim, "mean")
    if dtype is not None and dtype_index(dtype) != x.t.dtype:
        x = x.to(dtype)
    if not is_float(x.t.dtype):
        raise TypeError(f"mean: input must be floating-point, got {x.dtype}; pass dtype=")
    return _reduce(x, mask, keepdim, FN_reduce_sum, &MEAN if dim is None else &MEAN_DIM, 1.0 / axes_count(&x.t, mask), False)


def prod(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=None):
    """The product over axes.

    Args:
        input: any tensor; integers and bools are multiplied as int64.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.prod(fastnet.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "prod")
    return _total(input, dim, keepdim, dtype, FN_reduce_prod, &PROD if dim is None else &PROD_DIM, "prod")


def amax(input, dim=(), keepdim=False, *, axis=None, keepdims=None):
    """The largest value over axes; ties share the gradient equally.

    Args:
        input: any tensor; NaN is larger than everything.
        dim: an axis, several, or () for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    Raises:
        ValueError: there is no element to choose from.

    >>> import fastnet
    >>> fastnet.amax(fastnet.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
    tensor([5., 4.])
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "amax")
    return _extreme(input, dim, keepdim, FN_reduce_max, &AMAX, "amax")


def amin(input, dim=(), keepdim=False, *, axis=None, keepdims=None):
    """The smallest value over axes; ties share the gradient equally.

    Args:
        input: any tensor; NaN is smaller than everything.
        dim: an axis, several, or () for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    Raises:
        ValueError: there is no element to choose from.

    >>> import fastnet
    >>> fastnet.amin(fastnet.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=0)
    tensor([1., 4.])
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "amin")
    return _extreme(input, dim, keepdim, FN_reduce_min, &AMIN, "amin")


def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(x))) over axes, without overflow.

    Args:
        input: any tensor; integers are taken as float32.
        dim: an axis, several, or () for all.
        keepdim: keep the axes, with size 1.

    >>> import fastnet
    >>> fastnet.logsumexp(fastnet.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    cdef Tensor x = require_tensor(input, "logsumexp", "input")
    cdef long mask = axes_mask(dim, x.t.ndim, "logsumexp")
    if not is_float(x.t.dtype):
        x = x.to("float32")
    return _reduce(x, mask, keepdim, FN_reduce_logsumexp, &LOGSUMEXP, 1.0, True)


cdef Tensor _truth(object function, Tensor x, object dim, bint keepdim, str op):
    cdef long mask = axes_mask(dim, x.t.ndim, op)
    return from_data(function(x._ndarray(), axis=numpy_axes(mask, x.t.ndim), keepdims=keepdim), FN_U8 if x.t.dtype == FN_U8 else FN_BOOL)


def any(input, dim=None, keepdim=False, *, axis=None, keepdims=None):
    """Whether any element is not zero.

    Args:
        input: any tensor.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    Returns:
        A bool tensor (uint8 for uint8).

    >>> import fastnet
    >>> fastnet.any(fastnet.tensor([False, True]))
    tensor(True)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "any")
    return _truth(np.any, require_tensor(input, "any", "input"), dim, keepdim, "any")


def all(input, dim=None, keepdim=False, *, axis=None, keepdims=None):
    """Whether no element is zero.

    Args:
        input: any tensor.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.

    Returns:
        A bool tensor (uint8 for uint8).

    >>> import fastnet
    >>> fastnet.all(fastnet.tensor([False, True]))
    tensor(False)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "all")
    return _truth(np.all, require_tensor(input, "all", "input"), dim, keepdim, "all")


def count_nonzero(input, dim=None):
    """How many elements are not zero, an int64 tensor.

    Args:
        input: any tensor.
        dim: an axis, several, or None for all.

    >>> import fastnet
    >>> fastnet.count_nonzero(fastnet.tensor([0.0, 2.0, 3.0]))
    tensor(2)
    """
    cdef Tensor x = require_tensor(input, "count_nonzero", "input")
    return from_data(np.count_nonzero(x._ndarray(), axis=numpy_axes(axes_mask(dim, x.t.ndim, "count_nonzero"), x.t.ndim)), FN_I64)


attach(sum=sum, mean=mean, prod=prod, amax=amax, amin=amin, logsumexp=logsumexp, any=any, all=all, count_nonzero=count_nonzero)
