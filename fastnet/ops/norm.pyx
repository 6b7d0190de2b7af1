"""Vector norms over axes: p = 1, 2 and infinity in one pass, other orders as compositions of ops."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport *

from math import inf
from fastnet._core.tensor import attach

cdef extern from "groups/rows.h" nogil:
    int FN_reduce_sum, FN_reduce_sumsq, FN_reduce_sumabs, FN_reduce_max, FN_reduce_maxabs, FN_reduce_countabs, FN_spread_norm
    int FN_spread_sign, FN_spread_maxabs


# saved: x and y (reduced axes as 1); n.i: the reduced axes, the order (0: infinity)

cdef int norm2_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return spread_array(&gin[0], &n.saved[0].t, n.i[0], FN_spread_norm, gy, &n.saved[1].t, NULL, 1.0)


cdef int norm1_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return spread_array(&gin[0], &n.saved[0].t, n.i[0], FN_spread_sign, gy, NULL, NULL, 1.0)


cdef int norminf_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor ties
    cdef fn_tensor *x = &n.saved[0].t
    reduce_centred(&ties, x, n.i[0], FN_reduce_countabs, FN_reduce_sum, &n.saved[1].t)
    try:
        return spread_array(&gin[0], x, n.i[0], FN_spread_maxabs, gy, &n.saved[1].t, &ties, 1.0)
    finally:
        array_drop(&ties)


cdef fn_op NORM2 = [b"LinalgVectorNormBackward0", norm2_backward, False]
cdef fn_op NORM1 = [b"LinalgVectorNormBackward0", norm1_backward, False]
cdef fn_op NORMINF = [b"LinalgVectorNormBackward0", norminf_backward, False]


cdef Tensor _norm(Tensor x, double p, long mask, bint keepdim):
    cdef Tensor y = Tensor.__new__(Tensor)
    cdef fn_node *n
    cdef const fn_op *op
    if p == 2:
        reduce_array(&y.t, &x.t, mask, FN_reduce_sumsq, FN_reduce_sum)
        rescale(&y.t, 1.0, True)
        op = &NORM2
    elif p == 1:
        reduce_array(&y.t, &x.t, mask, FN_reduce_sumabs, FN_reduce_sum)
        op = &NORM1
    else:
        reduce_array(&y.t, &x.t, mask, FN_reduce_maxabs, FN_reduce_max)
        op = &NORMINF
    if x.node != NULL and grad_enabled():
        n = record(y, op, 1, 2)
        node_input(n, 0, x.node)
        node_save(n, 0, &x.t)
        node_save(n, 1, &y.t)
        n.i[0], n.i[1] = mask, 2 if p == 2 else (1 if p == 1 else 0)
    if not keepdim:
        squeeze_axes(&y.t, mask)
        if y.node != NULL:
            squeeze_axes(&y.node.acc, mask)
    return y


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """(sum |x|^ord)^(1/ord) over axes; the maximum of |x| for inf, the minimum for -inf, the number of nonzeros for 0.

    Args:
        x: a floating-point tensor.
        ord: the order, any number.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        dtype: cast to it first.

    Raises:
        TypeError: x is not floating-point.
        ValueError: no elements, for an order that then has no value.

    >>> import fastnet
    >>> fastnet.linalg.vector_norm(fastnet.tensor([3.0, 4.0]))
    tensor(5.)
    """
    cdef Tensor t = require_tensor(x, "vector_norm", "x")
    cdef double p = ord
    cdef long mask = axes_mask(dim, t.t.ndim, "vector_norm")
    if dtype is not None and dtype_index(dtype) != t.t.dtype:
        t = t.to(dtype)
    if not is_float(t.t.dtype):
        raise TypeError(f"vector_norm: x must be floating-point, got {t.dtype}")
    if axes_count(&t.t, mask) == 0 and (p < 0 or p == inf):
        raise ValueError(f"vector_norm: order {ord} has no value for the empty axes of shape {shape_of(&t.t)}")
    if p == 2 or p == 1 or p == inf:
        return _norm(t, p, mask, keepdim)
    dims = tuple([d for d in range(t.t.ndim) if mask & (1 << d)])
    if p == 0:
        return (t != 0).to(t.dtype).sum(dims, keepdim)
    if p == -inf:
        return abs(t).amin(dims, keepdim)
    return (abs(t) ** p).sum(dims, keepdim) ** (1.0 / p)


def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm over axes; see `linalg.vector_norm`.

    Args:
        input: a floating-point tensor.
        p: the order, or "fro" (2).
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.norm(fastnet.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if isinstance(p, str):
        if p != "fro":
            raise ValueError(f"norm: p must be a number or 'fro', got {p!r}")
        p = 2
    return vector_norm(require_tensor(input, "norm", "input"), 2 if p is None else p, dim, keepdim, dtype=dtype)


attach(norm=norm)
