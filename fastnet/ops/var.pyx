"""var, std and their means over axes: the mean (from the distances to the first element), then the squares of the distances from it."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *

from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum, FN_reduce_diff, FN_reduce_sqdiff, FN_reduce_var, FN_spread_var, FN_spread_std
cdef extern from "kernels/reduce.h" nogil:
    ctypedef struct fn_reduce_var_args:
        const void *x
        void *y
        void *mean
        Py_ssize_t n
        double scale

cdef Py_ssize_t CACHED = 32768                           # a row this long is still in cache at the second visit


# saved: x, mean, and std if the root was taken; n.f[0] = 1 / (count - correction)

cdef int var_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return spread_array(&gin[0], &n.saved[0].t, n.i[0], FN_spread_var, gy, NULL, &n.saved[1].t, 2.0 * n.f[0])


cdef int std_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return spread_array(&gin[0], &n.saved[0].t, n.i[0], FN_spread_std, gy, &n.saved[2].t, &n.saved[1].t, n.f[0])


cdef fn_op VAR = [b"VarBackward0", var_backward, False]
cdef fn_op STD = [b"StdBackward0", std_backward, False]


cdef int _variance(fn_tensor *y, fn_tensor *mean, const fn_tensor *x, long mask, double scale) except -1:
    """y, mean (new, reduced axes as 1)."""
    cdef fn_reduce_var_args a
    cdef fn_tensor px, first, origin
    cdef Rows r
    cdef int d
    px.st = origin.st = NULL
    try:
        arrange(&px, x, mask, &r)
        if r.inner == 1 and 0 < r.n <= CACHED:
            reduced_new(y, x, mask, x.dtype)
            reduced_new(mean, x, mask, x.dtype)
            a.x, a.y, a.mean, a.n, a.scale = px.p, y.p, mean.p, r.n, scale
            return launch(FN_reduce_var, x.dtype, &a, r.outer, byte_cost(1.5 * itemsize(x.dtype) * x.size))
        if r.n == 0:                                     # 0 / 0
            reduce_array(mean, x, mask, FN_reduce_sum, FN_reduce_sum)
            rescale(mean, 1.0 / r.n, False)
            reduce_array(y, x, mask, FN_reduce_sum, FN_reduce_sum)
            return rescale(y, scale, False)
        first.p, first.ndim, first.dtype, first.size = px.p, 2, x.dtype, r.outer * r.inner
        first.st = px.st
        first.dims[0], first.dims[1], first.strides[0], first.strides[1] = r.outer, r.inner, r.n * r.inner, 1
        array_contiguous(&origin, &first)
        reduce_centred(mean, &px, mask, FN_reduce_diff, FN_reduce_sum, &origin)
        rescale(mean, 1.0 / axes_count(x, mask), False)
        origin.ndim = mean.ndim
        for d in range(mean.ndim):
            origin.dims[d], origin.strides[d] = mean.dims[d], mean.strides[d]
        array_accumulate(mean, &origin)
        reduce_centred(y, &px, mask, FN_reduce_sqdiff, FN_reduce_sum, mean)
        return rescale(y, scale, False)
    finally:
        array_drop(&px)
        array_drop(&origin)


cdef Tensor _var(Tensor x, object dim, object unbiased, bint keepdim, object correction, bint root, str op):
    """var or std on the tape."""
    cdef Tensor y = Tensor.__new__(Tensor), mean = Tensor.__new__(Tensor)
    cdef fn_node *n
    cdef long mask
    cdef double count, scale
    if isinstance(dim, bool):                            # var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ValueError(f"{op}: give unbiased or correction, not both")
    if unbiased is not None:
        correction = 1 if unbiased else 0
    mask = axes_mask(dim, x.t.ndim, op)
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be floating-point, got {x.dtype}")
    count = axes_count(&x.t, mask)
    scale = 1.0 / max(0.0, count - (1.0 if correction is None else <double>correction))
    _variance(&y.t, &mean.t, &x.t, mask, scale)
    if root:
        rescale(&y.t, 1.0, True)
    if x.node != NULL and grad_enabled():
        n = record(y, &STD if root else &VAR, 1, 3 if root else 2)
        node_input(n, 0, x.node)
        node_save(n, 0, &x.t)
        node_save(n, 1, &mean.t)
        if root:
            node_save(n, 2, &y.t)
        n.i[0], n.f[0] = mask, scale
    if not keepdim:
        squeeze_axes(&y.t, mask)
        if y.node != NULL:
            squeeze_axes(&y.node.acc, mask)
    return y


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=None):
    """The variance over axes: sum((x - mean)^2) / (n - correction).

    Args:
        input: a floating-point tensor.
        dim: an axis, several, or None for all.
        unbiased: True: correction 1, False: correction 0.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        correction: default 1.

    >>> import fastnet
    >>> fastnet.var(fastnet.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "var")
    return _var(require_tensor(input, "var", "input"), dim, unbiased, keepdim, correction, False, "var")


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=None):
    """The standard deviation over axes, the square root of `var`.

    Args:
        input: a floating-point tensor.
        dim: an axis, several, or None for all.
        unbiased: True: correction 1, False: correction 0.
        keepdim: keep the axes, with size 1.
        axis, keepdims: NumPy's names of dim and keepdim.
        correction: default 1.

    >>> import fastnet
    >>> fastnet.std(fastnet.tensor([1.0, 3.0]), correction=0)
    tensor(1.)
    """
    if axis is not None or keepdims is not None:
        dim, keepdim = numpy_names(dim, keepdim, axis, keepdims, "std")
    return _var(require_tensor(input, "std", "input"), dim, unbiased, keepdim, correction, True, "std")


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance and the mean over axes.

    Args:
        input: a floating-point tensor.
        dim: an axis, several, or None for all.
        unbiased: True: correction 1, False: correction 0.
        keepdim: keep the axes, with size 1.
        correction: default 1.

    >>> import fastnet
    >>> fastnet.var_mean(fastnet.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    cdef Tensor x = require_tensor(input, "var_mean", "input")
    return _var(x, dim, unbiased, keepdim, correction, False, "var_mean"), x.mean(None if isinstance(dim, bool) else dim, keepdim)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation and the mean over axes.

    Args:
        input: a floating-point tensor.
        dim: an axis, several, or None for all.
        unbiased: True: correction 1, False: correction 0.
        keepdim: keep the axes, with size 1.
        correction: default 1.

    >>> import fastnet
    >>> fastnet.std_mean(fastnet.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    cdef Tensor x = require_tensor(input, "std_mean", "input")
    return _var(x, dim, unbiased, keepdim, correction, True, "std_mean"), x.mean(None if isinstance(dim, bool) else dim, keepdim)


attach(var=var, std=std)
