"""local_response_norm over neighbouring channels: y = x / (k + alpha / size sum(x^2))^beta."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch, max_threads
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/norm.h" nogil:
    int FN_local_response_norm_forward, FN_local_response_norm_backward
    ctypedef struct fn_local_response_norm_args:
        const void *x
        const void *gy
        void *y
        void *scratch
        Py_ssize_t c, before, after
        double alpha, beta, k


cdef int _lrn(int kernel, fn_tensor *y, const fn_tensor *x, const fn_tensor *gy, Py_ssize_t size, double alpha, double beta, double k) except -1:
    """y = kernel(x, gy), all channels last."""
    cdef fn_local_response_norm_args a
    cdef char *scratch
    a.x, a.gy, a.y, a.c, a.before, a.after = x.p, NULL if gy == NULL else gy.p, y.p, x.dims[1], size // 2, (size - 1) // 2
    a.alpha, a.beta, a.k = alpha / size, beta, k
    if x.size == 0:
        return 0
    scratch = <char *>block_new(max_threads() * 2 * (a.c + size) * itemsize(x.dtype))
    try:
        a.scratch = scratch
        return launch(kernel, x.dtype, &a, x.size // a.c, (1.0 if beta == 0.75 else 2.5) * x.size)
    finally:
        block_free(scratch)


cdef int local_response_norm_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef fn_tensor g
    array_channels_last(&g, gy)
    try:
        array_new_channels_last(&gin[0], x.ndim, x.dims, x.dtype)
        return _lrn(FN_local_response_norm_backward, &gin[0], x, &g, n.i[0], n.f[0], n.f[1], n.f[2])
    finally:
        array_drop(&g)


cdef fn_op LOCAL_RESPONSE_NORM = [b"LocalResponseNormBackward0", local_response_norm_backward, False]


def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta; channels beyond the ends count as 0 (Krizhevsky et al. 2012).

    Args:
        input: (N, C, ...), 3 to 5 axes.
        size: channels in the window: size // 2 before each channel, (size - 1) // 2 after it.
        alpha, beta, k: the numbers of the formula.

    Raises:
        ValueError: input has fewer axes, or size is not positive.

    >>> import fastnet
    >>> fastnet.nn.functional.local_response_norm(fastnet.ones(1, 2, 1), 2, alpha=2.0, beta=1.0)
    tensor([[[0.5000],
             [0.3333]]])
    """
    cdef Tensor x = require_tensor(input, "local_response_norm", "input"), y
    cdef fn_tensor px
    cdef fn_node *n
    if not 3 <= x.t.ndim <= 5:
        raise ValueError(f"local_response_norm: input must have 3 to 5 axes (N, C, ...), got shape {shape_of(&x.t)}")
    if not is_float(x.t.dtype):
        raise TypeError(f"local_response_norm: input must be float32 or float64, got {x.dtype}")
    if not hasattr(size, "__index__") or size <= 0:
        raise ValueError(f"local_response_norm: size must be a positive int, got {size}")
    array_channels_last(&px, &x.t)
    try:
        y = Tensor.__new__(Tensor)
        array_new_channels_last(&y.t, x.t.ndim, x.t.dims, x.t.dtype)
        _lrn(FN_local_response_norm_forward, &y.t, &px, NULL, size, alpha, beta, k)
        if x.node != NULL and grad_enabled():
            n = record(y, &LOCAL_RESPONSE_NORM, 1, 1)
            node_input(n, 0, x.node)
            node_save(n, 0, &px)
            n.i[0], n.f[0], n.f[1], n.f[2] = size, alpha, beta, k
        return y
    finally:
        array_drop(&px)
