"""dropout: the mask is not stored, backward draws it again."""
from libc.stdint cimport uint64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.axes cimport arrange_like
from fastnet.ops.random cimport *

from fastnet.ops.random import bernoulli

cdef extern from "groups/index.h" nogil:
    int FN_dropout


cdef int _run(fn_tensor *y, const fn_tensor *x, const uint64_t *key, double p) except -1:
    cdef fn_random_args a
    a.key, a.x, a.y, a.n, a.low, a.width = key, x.p, y.p, x.size, p, 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    return launch(FN_dropout, x.dtype, &a, groups(x.size, itemsize(x.dtype)), 0.7 * x.size)


cdef int dropout_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """n.i: the key; n.f[0]: p; saved[0]: the layout."""
    cdef fn_tensor g
    cdef uint64_t key[2]
    key[0], key[1] = <uint64_t>n.i[0], <uint64_t>n.i[1]
    arrange_like(&g, gy, &n.saved[0].t)
    try:
        array_like(&gin[0], &n.saved[0].t, gy.dtype)
        return _run(&gin[0], &g, key, n.f[0])
    finally:
        array_drop(&g)


cdef fn_op DROPOUT = [b"NativeDropoutBackward0", dropout_backward, False]


def dropout(input, p=0.5, training=True, inplace=False):
    """Zero each element with probability p and scale the others by 1 / (1 - p), during training.

    Args:
        input: a floating-point tensor.
        p: from 0 to 1.
        training: False: the input itself.
        inplace: write the result into input.

    Raises:
        ValueError: p is not from 0 to 1.

    >>> import fastnet
    >>> fastnet.nn.functional.dropout(fastnet.tensor([1.0, 2.0]), p=1.0)
    tensor([0., 0.])
    """
    cdef Tensor x = require_tensor(input, "dropout", "input"), y
    cdef fn_tensor px
    cdef uint64_t key[2]
    cdef fn_node *n
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    if not is_float(x.t.dtype):
        raise TypeError(f"dropout: input must be floating-point, got {x.dtype}")
    if not training or p == 0.0:
        return input
    if is_dense(&x.t):
        array_share(&px, &x.t)
    else:
        array_new(&px, x.t.ndim, x.t.dims, x.t.dtype)
        array_copy(&px, &x.t)
    try:
        y = tensor_like(&px, x.t.dtype)
        generator_of(None, "dropout").take(key, x.t.size, itemsize(x.t.dtype))
        _run(&y.t, &px, key, p)
        if x.node != NULL and grad_enabled():
            n = record(y, &DROPOUT, 1, 1)
            node_input(n, 0, x.node)
            node_save_shape(n, 0, &px)
            n.i[0], n.i[1], n.f[0] = <Py_ssize_t>key[0], <Py_ssize_t>key[1], p
    finally:
        array_drop(&px)
    return x.copy_(y) if inplace else y


cdef object _features(object input, double p, bint training, bint inplace, tuple ranks, int kept, str op):
    """Zero whole channels: axis 1 of the larger rank; the smaller one has `kept` axes up to its channels."""
    cdef Tensor x = require_tensor(input, op, "input"), mask
    cdef Py_ssize_t dims[8]
    cdef int d
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{op}: p must be from 0 to 1, got {p}")
    if x.t.ndim not in ranks:
        raise ValueError(f"{op}: input must have {' or '.join(map(str, ranks))} axes, got shape {shape_of(&x.t)}")
    if not training or p == 0.0:
        return input
    kept = 2 if x.t.ndim == ranks[1] else kept
    for d in range(x.t.ndim):
        dims[d] = x.t.dims[d] if d < kept else 1
    mask = tensor_new(x.t.ndim, dims, x.t.dtype)
    y = x * (bernoulli(mask, 1.0 - p) * (0.0 if p == 1.0 else 1.0 / (1.0 - p)))
    return x.copy_(y) if inplace else y


def dropout1d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels of (N, C, L) or (C, L).

    >>> import fastnet
    >>> fastnet.nn.functional.dropout1d(fastnet.ones(2, 3, 4), p=1.0).sum()
    tensor(0.)
    """
    return _features(input, p, training, inplace, (2, 3), 1, "dropout1d")


def dropout2d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels of (N, C, H, W), or of (N, C, L) as in PyTorch.

    >>> import fastnet
    >>> fastnet.nn.functional.dropout2d(fastnet.ones(2, 3, 4, 4), p=1.0).sum()
    tensor(0.)
    """
    return _features(input, p, training, inplace, (3, 4), 2, "dropout2d")


def dropout3d(input, p=0.5, training=True, inplace=False):
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> import fastnet
    >>> fastnet.nn.functional.dropout3d(fastnet.ones(2, 3, 4, 4, 4), p=1.0).sum()
    tensor(0.)
    """
    return _features(input, p, training, inplace, (4, 5), 1, "dropout3d")
