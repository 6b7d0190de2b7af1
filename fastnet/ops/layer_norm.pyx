"""layer_norm and rms_norm over trailing axes, y = (x - mean) / sqrt(var + eps) w + b."""
from libc.float cimport DBL_EPSILON, FLT_EPSILON
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport STREAM, byte_cost, launch, max_threads
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/norm.h" nogil:
    int FN_layer_norm_forward, FN_layer_norm_backward, FN_layer_norm_weight
    enum:
        LAYER_PIECE
    ctypedef struct fn_layer_norm_args:
        const void *x
        const void *gy
        const void *w
        const void *b
        void *y
        void *mean
        void *rstd
        void *part
        void *gw
        void *gb
        Py_ssize_t rows, n, chunk, chunks
        double eps
        int stream

# inputs: 0 x, 1 w, 2 b; saved: 0 x, 1 w; n.block: rstd, mean; n.i: elements of a row, whether there is a mean; n.f[0]: eps


cdef int layer_norm_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_tensor *x = &n.saved[0].t
    cdef Py_ssize_t width = itemsize(x.dtype)
    cdef fn_layer_norm_args a
    cdef fn_tensor g, w
    cdef char *part = NULL
    cdef int k
    g.st = w.st = NULL
    a.n, a.rows = n.i[0], x.size // max(1, n.i[0])
    a.stream = a.n % 16 == 0 and 3 * width * x.size > STREAM
    a.rstd, a.mean = n.block, <char *>n.block + width * a.rows if n.i[1] else NULL
    a.x, a.w, a.b, a.y, a.part, a.gw, a.gb = x.p, NULL, NULL, NULL, NULL, NULL, NULL
    a.chunk = max(32, (a.rows + 255) // 256)
    a.chunks = (a.rows + a.chunk - 1) // a.chunk
    try:
        array_contiguous(&g, gy)
        a.gy = g.p
        if n.saved[1].t.st != NULL:
            array_contiguous(&w, &n.saved[1].t)
            a.w = w.p
        if n.inputs[0] != NULL:
            array_new(&gin[0], x.ndim, x.dims, x.dtype)
            a.y = gin[0].p
        for k in range(1, 3):
            if n.inputs[k] != NULL:
                array_new(&gin[k], n.inputs[k].acc.ndim, n.inputs[k].acc.dims, x.dtype)
        if n.inputs[1] != NULL or n.inputs[2] != NULL:
            part = <char *>block_new(a.chunks * 2 * a.n * width + 1)
            a.part, a.gw, a.gb = part, gin[1].p if n.inputs[1] != NULL else NULL, gin[2].p if n.inputs[2] != NULL else NULL
        launch(FN_layer_norm_backward, x.dtype, &a, a.chunks, byte_cost(3.0 * width * x.size) + 0.1 * x.size)
        if part != NULL:
            launch(FN_layer_norm_weight, x.dtype, &a, (a.n + LAYER_PIECE - 1) // LAYER_PIECE, 1.0 * a.chunks * a.n)
        return 0
    finally:
        array_drop(&g)
        array_drop(&w)
        block_free(part)


cdef fn_op LAYER_NORM = [b"NativeLayerNormBackward0", layer_norm_backward, False]
cdef fn_op RMS_NORM = [b"FusedRmsNormBackward0", layer_norm_backward, False]


cdef Py_ssize_t _row(Tensor x, object normalized_shape, Tensor w, Tensor b, str op) except -1:
    """The elements that are normalised together."""
    cdef Py_ssize_t n = 1
    cdef Tensor t
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be float32 or float64, got {x.dtype}")
    shape = (normalized_shape,) if hasattr(normalized_shape, "__index__") else tuple(normalized_shape)
    if not shape or not all(hasattr(d, "__index__") for d in shape):
        raise RuntimeError(f"{op}: normalized_shape must be an int or a sequence of at least one, got {normalized_shape!r}")
    if shape_of(&x.t)[-len(shape):] != shape:
        raise RuntimeError(f"{op}: normalized_shape {shape} does not end the shape {shape_of(&x.t)} of input")
    for name, each in (("weight", w), ("bias", b)):
        if each is not None:
            t = each
            if t.t.dtype != x.t.dtype:
                raise RuntimeError(f"{op}: input is {x.dtype}, {name} is {t.dtype}; they must agree")
            if shape_of(&t.t) != shape:
                raise RuntimeError(f"{op}: {name} must have the shape {shape} of normalized_shape, got {shape_of(&t.t)}")
    for d in shape:
        n *= d
    return n


cdef Tensor _forward(Tensor x, Py_ssize_t size, Tensor w, Tensor b, bint centred, double eps):
    cdef fn_layer_norm_args a
    cdef fn_tensor px, pw, pb
    cdef fn_node *n
    cdef Tensor y
    cdef char *saved = NULL
    cdef Py_ssize_t width = itemsize(x.t.dtype)
    px.st = pw.st = pb.st = NULL
    a.stream = size % 16 == 0 and 2 * width * x.t.size > STREAM
    a.n, a.eps, a.rows, a.w, a.b = size, eps, x.t.size // max(1, size), NULL, NULL
    try:
        array_contiguous(&px, &x.t)
        a.x = px.p
        if w is not None:
            array_contiguous(&pw, &w.t)
            a.w = pw.p
        if b is not None:
            array_contiguous(&pb, &b.t)
            a.b = pb.p
        y = tensor_new(x.t.ndim, x.t.dims, x.t.dtype)
        a.y = y.t.p
        saved = <char *>block_new((1 + centred) * width * a.rows + 1)
        a.rstd, a.mean = saved, saved + width * a.rows if centred else NULL
        launch(FN_layer_norm_forward, x.t.dtype, &a, a.rows if size else 0, byte_cost(2.0 * width * x.t.size) + 0.05 * x.t.size)
        if grad_enabled() and (x.node != NULL or (w is not None and w.node != NULL) or (b is not None and b.node != NULL)):
            n = record(y, &LAYER_NORM if centred else &RMS_NORM, 3, 2)
            n.block, saved = saved, NULL
            n.i[0], n.i[1], n.f[0] = size, centred, eps
            node_input(n, 0, x.node)
            node_save(n, 0, &px)
            if w is not None:
                node_input(n, 1, w.node)
                node_save(n, 1, &w.t)
            if b is not None:
                node_input(n, 2, b.node)
        return y
    finally:
        array_drop(&px)
        array_drop(&pw)
        array_drop(&pb)
        block_free(saved)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise the last axes: y = (x - mean) / sqrt(var + eps) * weight + bias (Ba et al. 2016).

    Args:
        input: (..., *normalized_shape).
        normalized_shape: an int or the sizes of the last axes; each row of that shape has its own mean and variance.
        weight, bias: of normalized_shape, or None.
        eps: added to the variance.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.nn.functional.layer_norm(fastnet.tensor([[1.0, 3.0], [5.0, 9.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    cdef Tensor x = require_tensor(input, "layer_norm", "input")
    cdef Tensor w = None if weight is None else require_tensor(weight, "layer_norm", "weight")
    cdef Tensor b = None if bias is None else require_tensor(bias, "layer_norm", "bias")
    return _forward(x, _row(x, normalized_shape, w, b, "layer_norm"), w, b, True, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divide the last axes by their root mean square: y = x / sqrt(mean(x^2) + eps) * weight (Zhang and Sennrich 2019).

    Args:
        input: (..., *normalized_shape).
        normalized_shape: an int or the sizes of the last axes.
        weight: of normalized_shape, or None.
        eps: added to the mean square; None: the distance from 1 to the next number of the dtype.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import fastnet
    >>> fastnet.nn.functional.rms_norm(fastnet.tensor([3.0, -3.0]), (2,))
    tensor([ 1., -1.])
    """
    cdef Tensor x = require_tensor(input, "rms_norm", "input")
    cdef Tensor w = None if weight is None else require_tensor(weight, "rms_norm", "weight")
    cdef Py_ssize_t n = _row(x, normalized_shape, w, None, "rms_norm")
    return _forward(x, n, w, None, False, (FLT_EPSILON if x.t.dtype == FN_F32 else DBL_EPSILON) if eps is None else eps)
