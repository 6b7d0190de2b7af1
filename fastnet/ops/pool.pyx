"""Max and average pooling over one, two or three axes, with windows of fixed or adaptive size; channels last in memory."""
from libc.stdint cimport int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

include "pool_window.pxi"

cdef extern from "groups/pool.h" nogil:
    int FN_max_pool_forward, FN_max_pool_backward, FN_max_pool_index, FN_avg_pool_forward, FN_avg_pool_backward
    ctypedef struct fn_max_pool_forward_args:
        fn_pool_shape s
        const void *x
        void *y
        void *at
        int wide
    ctypedef struct fn_pool_backward_args:
        fn_pool_shape s
        const void *gy
        const void *at
        void *gx
        double divisor
        int wide, apart, stream
    ctypedef struct fn_max_pool_index_args:
        fn_pool_shape s
        const void *at
        const Py_ssize_t *delta
        int64_t *index
        int wide
    ctypedef struct fn_avg_pool_forward_args:
        fn_pool_shape s
        const void *x
        void *y
        double divisor

cdef double TAP = 0.06                                  # ns of one element of one window
cdef double STREAM = 8.0 * (1 << 20)                    # bytes of both arrays beyond which stores go past the caches


cdef int _channels_last(fn_tensor *y, const fn_tensor *x, const Pool *p) except -1:
    """*y = x with a batch, channels last."""
    cdef fn_tensor v = x[0]
    cdef int d
    if not p.batched:
        v.ndim = x.ndim + 1
        v.dims[0], v.strides[0] = 1, x.size
        for d in range(x.ndim):
            v.dims[d + 1], v.strides[d + 1] = x.dims[d], x.strides[d]
    return array_channels_last(y, &v)


cdef int _new(fn_tensor *y, const Pool *p, const Py_ssize_t *spatial, int dtype) except -1:
    """A result (n, c, spatial) with channels last; without its batch where the input has none."""
    cdef Py_ssize_t dims[8]
    cdef int d
    dims[0], dims[1] = p.n, p.c
    for d in range(p.rank):
        dims[2 + d] = spatial[3 - p.rank + d]
    array_new_channels_last(y, p.rank + 2, dims, dtype)
    if not p.batched:
        y.ndim -= 1
        for d in range(y.ndim):
            y.dims[d], y.strides[d] = y.dims[d + 1], y.strides[d + 1]
    return 0


cdef inline double _cost(const Pool *p, const fn_pool_shape *s, int dtype) noexcept:
    cdef double inputs = <double>p.n * p.c * p.size[0] * p.size[1] * p.size[2]
    cdef double outputs = <double>p.n * p.c * p.out[0] * p.out[1] * p.out[2]
    return byte_cost(itemsize(dtype) * (inputs + outputs)) + TAP * outputs * s.taps[0] * s.taps[1] * s.taps[2] * itemsize(dtype) / 4


cdef inline Py_ssize_t _places(const Pool *p, const Py_ssize_t *spatial) noexcept:
    return p.n * spatial[0] * spatial[1] * spatial[2]


cdef fn_node *_node(Tensor y, const fn_op *op, Tensor x, const Pool *p, int saves) except NULL:
    cdef fn_node *n = record(y, op, 1, saves)
    n.block = block_new(sizeof(Pool))
    (<Pool *>n.block)[0] = p[0]
    node_input(n, 0, x.node)
    return n


cdef bint _apart(const fn_pool_shape *s) noexcept:
    """No two windows share an input."""
    cdef Py_ssize_t o
    cdef int d
    for d in range(3):
        if s.step[d] > 1:
            return False
        for o in range(s.out[d] - 1):
            if s.window[d][o].end > s.window[d][o + 1].begin:
                return False
    return s.out[0] * s.out[1] * s.out[2] > 0


cdef int _backward(int kernel, fn_tensor *gx, const fn_tensor *gy, const Pool *p, const fn_tensor *at, double divisor) except -1:
    cdef fn_pool_backward_args a
    cdef fn_window *tables = NULL
    cdef Py_ssize_t places
    cdef fn_tensor g
    g.st = NULL
    try:
        _channels_last(&g, gy, p)
        tables = _tables(&a.s, p, True)
        _new(gx, p, p.size, gy.dtype)
        a.gy, a.gx, a.divisor, a.apart = g.p, gx.p, divisor, _apart(&a.s)
        a.stream = itemsize(gy.dtype) * <double>(gx.size + g.size) > STREAM and p.c * itemsize(gy.dtype) % 64 == 0
        if at != NULL:
            a.at, a.wide = at.p, at.dtype != FN_U8
        places = _places(p, p.out) if a.apart else _places(p, p.size)
        return launch(kernel, gy.dtype, &a, places, _cost(p, &a.s, gy.dtype))
    finally:
        block_free(tables)
        array_drop(&g)


# Max: at[] holds, for each output, the number of its maximum in the window.

cdef int max_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(FN_max_pool_backward, &gin[0], gy, <const Pool *>n.block, &n.saved[0].t, 0)


cdef fn_op[3] MAX = [fn_op(b"MaxPool1DBackward0", max_backward, False), fn_op(b"MaxPool2DBackward0", max_backward, False),
                     fn_op(b"MaxPool3DBackward0", max_backward, False)]


cdef Tensor _indices(const Pool *p, const fn_pool_shape *s, const fn_tensor *at, int dtype):
    """The numbers of `at` as places of the flattened input."""
    cdef fn_max_pool_index_args a
    cdef fn_tensor index
    cdef Py_ssize_t *delta
    cdef Py_ssize_t i, j, k, m = 0
    cdef Tensor y
    delta = <Py_ssize_t *>block_new((s.taps[0] * s.taps[1] * s.taps[2]) * sizeof(Py_ssize_t))
    try:
        for i in range(s.taps[0]):
            for j in range(s.taps[1]):
                for k in range(s.taps[2]):
                    delta[m] = (i * s.step[0] * s.in_[1] + j * s.step[1]) * s.in_[2] + k * s.step[2]
                    m += 1
        _new(&index, p, p.out, FN_I64)
        y = tensor_take(&index)
        a.s, a.at, a.delta, a.index, a.wide = s[0], at.p, delta, <int64_t *>y.t.p, at.dtype != FN_U8
        launch(FN_max_pool_index, dtype, &a, _places(p, p.out), byte_cost(16.0 * y.t.size))
        return y
    finally:
        block_free(delta)


cdef object _max(Tensor x, Pool *p, bint return_indices, str op):
    cdef fn_max_pool_forward_args a
    cdef fn_window *tables = NULL
    cdef fn_tensor px, at, out
    cdef Py_ssize_t count
    cdef Tensor y, index = None
    cdef bint keep = x.node != NULL and grad_enabled()
    cdef double elements
    px.st = at.st = NULL
    try:
        tables = _tables(&a.s, p, False)
        elements = <double>a.s.taps[0] * a.s.taps[1] * a.s.taps[2]
        if elements > LARGEST:
            raise RuntimeError(f"{op}: a window of {elements:.0f} elements is too large; {LARGEST} are possible")
        _channels_last(&px, &x.t, p)
        _new(&out, p, p.out, x.t.dtype)
        y = tensor_take(&out)
        a.wide = elements > 256
        if keep or return_indices:
            count = y.t.size if a.wide else y.t.size + 64
            array_new(&at, 1, &count, x.t.dtype if a.wide else FN_U8)
        a.x, a.y, a.at = px.p, y.t.p, at.p if at.st != NULL else NULL
        launch(FN_max_pool_forward, x.t.dtype, &a, _places(p, p.out), _cost(p, &a.s, x.t.dtype))
        if return_indices:
            index = _indices(p, &a.s, &at, x.t.dtype)
        if keep:
            node_save(_node(y, &MAX[p.rank - 1], x, p, 1), 0, &at)
    finally:
        block_free(tables)
        array_drop(&px)
        array_drop(&at)
    return (y, index) if return_indices else y


def max_pool(input, rank, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The greatest element of each window over the last `rank` axes: what ``max_pool1d``, ``2d`` and ``3d`` call.

    Args:
        input: (N, C, ...) or (C, ...).
        rank: 1, 2 or 3 axes.
        kernel_size, stride, padding, dilation: a number, or one for each axis.
        ceil_mode: let a last window reach over the end.
        return_indices: also return where in the flattened axes each element was.

    >>> import fastnet
    >>> fastnet.ops.pool.max_pool(fastnet.tensor([[1.0, 3.0, 2.0, 0.0]]), 1, 2)
    tensor([[3., 2.]])
    """
    cdef str op = f"max_pool{rank}d"
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Pool p
    _begin(&p, &x.t, rank, op)
    _fixed(&p, &x.t, kernel_size, stride, padding, dilation, ceil_mode, op)
    return _max(x, &p, return_indices, op)


def adaptive_max_pool(input, rank, output_size, return_indices=False):
    """The greatest element of each of `output_size` windows that cover the last `rank` axes.

    Args:
        input: (N, C, ...) or (C, ...).
        rank: 1, 2 or 3 axes.
        output_size: a number, or one for each axis; None keeps the size.
        return_indices: also return where in the flattened axes each element was.

    >>> import fastnet
    >>> fastnet.ops.pool.adaptive_max_pool(fastnet.tensor([[1.0, 3.0, 2.0]]), 1, 2)
    tensor([[3., 3.]])
    """
    cdef str op = f"adaptive_max_pool{rank}d"
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Pool p
    _begin(&p, &x.t, rank, op)
    _adaptive(&p, output_size, op)
    return _max(x, &p, return_indices, op)


def max_pool_places(Node node not None):
    """Where in the flattened axes the maxima of a max pooling were, for a recorded backward: int64 of the shape of the result.

    >>> import fastnet
    >>> x = fastnet.tensor([[1.0, 3.0, 2.0, 0.0]], requires_grad=True)
    >>> fastnet.ops.pool.max_pool_places(fastnet.ops.pool.max_pool(x, 1, 2).grad_fn)
    tensor([[1, 2]])
    """
    cdef const Pool *p = <const Pool *>node.n.block
    cdef fn_pool_shape s
    cdef fn_window *tables
    if node.n.op == NULL or node.n.op.backward != max_backward or p == NULL:
        raise TypeError(f"max_pool_places: node must be of a max pooling whose graph is kept, got {node.name()}")
    tables = _tables(&s, p, False)
    try:
        return _indices(p, &s, &node.n.saved[0].t, node.n.acc.dtype)
    finally:
        block_free(tables)


# Average

cdef int avg_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef Pool p = (<Pool *>n.block)[0]
    cdef int d
    if not p.adaptive or p.out[0] * p.out[1] * p.out[2] != 1:
        return _backward(FN_avg_pool_backward, &gin[0], gy, &p, NULL, p.divisor)
    p.divisor = <double>p.size[0] * p.size[1] * p.size[2]
    p.size[0] = p.size[1] = p.size[2] = 1               # one number for an image: its gradient is the same everywhere, with strides of 0
    _backward(FN_avg_pool_backward, &gin[0], gy, &p, NULL, p.divisor)
    for d in range(gin[0].ndim - p.rank, gin[0].ndim):
        gin[0].dims[d], gin[0].strides[d] = n.inputs[0].acc.dims[d], 0
    gin[0].size = n.inputs[0].acc.size
    return 0


cdef fn_op[3] AVG = [fn_op(b"AvgPool1DBackward0", avg_backward, False), fn_op(b"AvgPool2DBackward0", avg_backward, False),
                     fn_op(b"AvgPool3DBackward0", avg_backward, False)]


cdef Tensor _avg(Tensor x, Pool *p):
    cdef fn_avg_pool_forward_args a
    cdef fn_window *tables = NULL
    cdef fn_tensor px, out
    cdef Tensor y
    px.st = NULL
    try:
        tables = _tables(&a.s, p, False)
        _channels_last(&px, &x.t, p)
        _new(&out, p, p.out, x.t.dtype)
        y = tensor_take(&out)
        a.x, a.y, a.divisor = px.p, y.t.p, p.divisor
        launch(FN_avg_pool_forward, x.t.dtype, &a, _places(p, p.out), _cost(p, &a.s, x.t.dtype))
    finally:
        block_free(tables)
        array_drop(&px)
    if x.node != NULL and grad_enabled():
        _node(y, &AVG[p.rank - 1], x, p, 0)
    return y


def avg_pool(input, rank, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """The mean of each window over the last `rank` axes: what ``avg_pool1d``, ``2d`` and ``3d`` call.

    Args:
        input: (N, C, ...) or (C, ...).
        rank: 1, 2 or 3 axes.
        kernel_size, stride, padding: a number, or one for each axis.
        ceil_mode: let a last window reach over the end.
        count_include_pad: count the zeros of the padding as elements.
        divisor_override: divide by this instead of the number of elements.

    >>> import fastnet
    >>> fastnet.ops.pool.avg_pool(fastnet.tensor([[1.0, 3.0, 2.0, 0.0]]), 1, 2)
    tensor([[2., 1.]])
    """
    cdef str op = f"avg_pool{rank}d"
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Pool p
    _begin(&p, &x.t, rank, op)
    _fixed(&p, &x.t, kernel_size, stride, padding, 1, ceil_mode, op)
    p.include_pad = count_include_pad
    if divisor_override is not None:
        p.divisor = divisor_override
        if p.divisor == 0:
            raise RuntimeError(f"{op}: divisor_override must not be 0")
    return _avg(x, &p)


def adaptive_avg_pool(input, rank, output_size):
    """The mean of each of `output_size` windows that cover the last `rank` axes.

    Args:
        input: (N, C, ...) or (C, ...).
        rank: 1, 2 or 3 axes.
        output_size: a number, or one for each axis; None keeps the size.

    >>> import fastnet
    >>> fastnet.ops.pool.adaptive_avg_pool(fastnet.tensor([[1.0, 3.0, 2.0]]), 1, 1)
    tensor([[2.]])
    """
    cdef str op = f"adaptive_avg_pool{rank}d"
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Pool p
    _begin(&p, &x.t, rank, op)
    _adaptive(&p, output_size, op)
    return _avg(x, &p)


POOL_BYTES = sizeof(Pool)


def avg_pool_again(input, bytes how not None):
    """An average pooling once more, for a recorded backward.

    Args:
        input: of the shape that was pooled.
        how: the first POOL_BYTES of the block of the pooling's node.

    >>> import fastnet
    >>> from fastnet._core.engine import node_block
    >>> from fastnet.ops.pool import POOL_BYTES, avg_pool, avg_pool_again
    >>> y = avg_pool(fastnet.zeros(1, 2, requires_grad=True), 1, 2)
    >>> avg_pool_again(fastnet.tensor([[1.0, 3.0]]), node_block(y.grad_fn, POOL_BYTES))
    tensor([[2.]])
    """
    cdef Tensor x = require_tensor(input, "avg_pool_again", "input")
    cdef Pool p
    cdef int d
    if len(how) != sizeof(Pool):
        raise ValueError(f"avg_pool_again: how must be {sizeof(Pool)} bytes, got {len(how)}")
    p = (<const Pool *><const char *>how)[0]
    fits = is_float(x.t.dtype) and x.t.ndim == p.rank + 1 + p.batched and x.t.size == p.n * p.c * p.size[0] * p.size[1] * p.size[2]
    for d in range(3 - p.rank, 3):
        fits = fits and x.t.dims[x.t.ndim - 3 + d] == p.size[d]
    if not fits:
        raise ValueError(f"avg_pool_again: input of shape {shape_of(&x.t)} is not like the one that was pooled")
    return _avg(x, &p)
