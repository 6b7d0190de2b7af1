"""interpolate: images made larger or smaller.  Each mode is a table of taps for each axis; the gradient has the tables transposed."""
from libc.math cimport fabs, floor, floorf, sin
from libc.string cimport memset
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch, max_threads
from fastnet._core.memory cimport block_free, block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/norm.h" nogil:
    int FN_interpolate
    ctypedef struct fn_interpolate_axis:
        Py_ssize_t in_ "in"
        Py_ssize_t out
        const Py_ssize_t *start
        const Py_ssize_t *index
        const double *weight
    ctypedef struct fn_interpolate_args:
        const void *x
        void *y
        void *scratch
        Py_ssize_t c
        fn_interpolate_axis axis[3]

cdef enum:
    NEAREST
    NEAREST_EXACT
    AREA
    LINEAR
    CUBIC
    LANCZOS

cdef double PI = 3.141592653589793

# How an image is resampled.  scale: places of the input for one of the output, given by the user; 0: from the sizes.
cdef struct Resample:
    int mode
    bint corners, antialias, single          # single: places are found in float32, as for float32 images
    double scale[3]


cdef double _cubic(double x, double a) noexcept:
    x = fabs(x)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


cdef double _filter(int mode, double x) noexcept:
    """The weight of a tap at distance x, for antialias."""
    if mode == LINEAR:
        return max(0.0, 1 - fabs(x))
    if mode == CUBIC:
        return _cubic(x, -0.5)
    if x == 0:
        return 1.0
    return sin(PI * x) / (PI * x) * sin(PI * x / 3) / (PI * x / 3) if fabs(x) < 3 else 0.0


cdef Py_ssize_t _taps(const Resample *how, int d, Py_ssize_t n, Py_ssize_t out, Py_ssize_t o, Py_ssize_t *index, double *weight) noexcept:
    """The taps of place o of `out` on an axis of n, in order; returns how many."""
    cdef double scale, at, support, total = 0, share
    cdef float near
    cdef Py_ssize_t k, first, last, count = 0
    if how.mode == AREA:
        first, last = o * n // out, ((o + 1) * n + out - 1) // out
        for k in range(first, last):
            index[k - first], weight[k - first] = k, 1.0 / (last - first)
        return last - first
    if how.corners:
        scale = <double>(n - 1) / (out - 1) if out > 1 else 0.0
    else:
        scale = how.scale[d] if how.scale[d] > 0 else <double>n / out
    if how.mode <= NEAREST_EXACT:
        if how.single:                                   # the same place as PyTorch finds, also where rounding decides
            near = <float>how.scale[d] if how.scale[d] > 0 else <float>n / <float>out
            at = floorf((<float>o + <float>0.5) * near if how.mode == NEAREST_EXACT else <float>o * near)
        else:
            at = floor((o + 0.5) * scale if how.mode == NEAREST_EXACT else o * scale)
        index[0], weight[0] = min(<Py_ssize_t>at, n - 1), 1.0
        return 1
    if how.antialias:
        support = (1.0 if how.mode == LINEAR else 2.0 if how.mode == CUBIC else 3.0) * max(scale, 1.0)
        at = scale * (o + 0.5)
        first, last = max(<Py_ssize_t>(at - support + 0.5), 0), min(<Py_ssize_t>(at + support + 0.5), n)
        for k in range(first, last):
            weight[k - first] = _filter(how.mode, (k - at + 0.5) / max(scale, 1.0))
            total += weight[k - first]
        for k in range(first, last):
            index[k - first] = k
            if total != 0:
                weight[k - first] /= total
        return last - first
    at = scale * o if how.corners else scale * (o + 0.5) - 0.5
    if how.mode == CUBIC:
        first = <Py_ssize_t>floor(at)
        for k in range(4):
            index[k], weight[k] = min(max(first - 1 + k, 0), n - 1), _cubic(at - (first - 1 + k), -0.75)
        return 4
    at = max(at, 0.0)
    first = min(<Py_ssize_t>at, n - 1)
    share = min(max(at - first, 0.0), 1.0)
    index[0], weight[0] = first, 1 - share
    if share == 0 or first == n - 1:                     # a tap of weight 0 would let NaN through
        weight[0] = 1.0
        return 1
    index[1], weight[1] = first + 1, share
    return 2


cdef Py_ssize_t _width(const Resample *how, Py_ssize_t n, Py_ssize_t out, double scale) noexcept:
    """No place has more taps."""
    if how.mode == AREA:
        return n // out + 2
    if how.antialias:
        return <Py_ssize_t>(2 * 3 * max(max(scale, <double>n / out), 1.0)) + 3
    return 4


cdef char *_table(fn_interpolate_axis *axis, const Resample *how, int d, Py_ssize_t n, Py_ssize_t out, bint transposed) except NULL:
    """Fill an axis; returns the block that holds its arrays."""
    cdef Py_ssize_t width = min(_width(how, n, out, how.scale[d]), max(n, 4)), o, k, total = 0, places = n if transposed else out
    cdef char *block = <char *>block_new(8 * (places + 2 + 4 * out * width + out + 2))
    cdef Py_ssize_t *start = <Py_ssize_t *>block
    cdef Py_ssize_t *index = start + places + 2
    cdef double *weight = <double *>(index + out * width)
    cdef Py_ssize_t *from_index = <Py_ssize_t *>(weight + out * width)
    cdef double *from_weight = <double *>(from_index + out * width)
    cdef Py_ssize_t *ends = <Py_ssize_t *>(from_weight + out * width)
    if not transposed:
        from_index, from_weight, ends = index, weight, start
    ends[0] = 0
    for o in range(out):
        ends[o + 1] = ends[o] + _taps(how, d, n, out, o, from_index + ends[o], from_weight + ends[o])
    if transposed:                                       # count, add up, distribute: the taps of a place stay in the order of o
        memset(start, 0, 8 * (n + 2))
        for k in range(ends[out]):
            start[from_index[k] + 2] += 1
        for k in range(n):
            start[k + 2] += start[k + 1]
        for o in range(out):
            for k in range(ends[o], ends[o + 1]):
                total = start[from_index[k] + 1]
                index[total], weight[total] = o, from_weight[k]
                start[from_index[k] + 1] = total + 1
    axis.in_, axis.out = (out, n) if transposed else (n, out)
    axis.start, axis.index, axis.weight = start, index, weight
    return block


cdef int _run(fn_tensor *y, const fn_tensor *x, const Resample *how, bint transposed) except -1:
    """y (there) = x resampled, or its gradient; both channels last."""
    cdef fn_interpolate_args a
    cdef char *blocks[3]
    cdef char *scratch = NULL
    cdef int d, axis
    cdef Py_ssize_t n, out
    cdef double taps = 1
    blocks[0] = blocks[1] = blocks[2] = NULL
    if y.size == 0:
        return 0
    if x.size == 0:
        return array_fill_zero(y)
    try:
        for d in range(3):
            axis = d + y.ndim - 3                        # the axis of y; axes before the spatial ones count as 1
            n, out = x.dims[axis] if axis >= 2 else 1, y.dims[axis] if axis >= 2 else 1
            blocks[d] = _table(&a.axis[d], how, d, out if transposed else n, n if transposed else out, transposed)
            taps *= max(1.0, <double>a.axis[d].start[a.axis[d].out] / a.axis[d].out)
        a.x, a.y, a.c = x.p, y.p, x.dims[1]
        scratch = <char *>block_new(max_threads() * a.axis[2].in_ * a.c * itemsize(x.dtype) + 1)
        a.scratch = scratch
        return launch(FN_interpolate, x.dtype, &a, y.dims[0] * a.axis[0].out * a.axis[1].out,
                      byte_cost(itemsize(x.dtype) * (x.size + y.size)) + 0.1 * taps * y.size)
    finally:
        for d in range(3):
            block_free(blocks[d])
        block_free(scratch)


cdef int interpolate_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    """saved[0]: the shape of x; n.i: mode, corners, antialias; n.f: scales."""
    cdef Resample how
    cdef fn_tensor g
    cdef int d
    how.mode, how.corners, how.antialias, how.single = <int>n.i[0], n.i[1], n.i[2], gy.dtype == FN_F32
    for d in range(3):
        how.scale[d] = n.f[d]
    array_channels_last(&g, gy)
    try:
        array_new_channels_last(&gin[0], n.saved[0].t.ndim, n.saved[0].t.dims, gy.dtype)
        return _run(&gin[0], &g, &how, True)
    finally:
        array_drop(&g)


cdef fn_op INTERPOLATE = [b"UpsampleBackward0", interpolate_backward, False]
cdef dict MODES = {"nearest": (NEAREST, 0), "nearest-exact": (NEAREST_EXACT, 0), "area": (AREA, 0), "linear": (LINEAR, 3), "bilinear": (LINEAR, 4),
                   "trilinear": (LINEAR, 5), "bicubic": (CUBIC, 4), "lanczos": (LANCZOS, 4)}


cdef tuple _numbers(object value, int spatial, str name, object shape):
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * spatial
    if len(values) != spatial:
        raise ValueError(f"interpolate: {name} {value} must be one number or {spatial}, for input {shape}")
    return values


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    """An image of another size.

    Args:
        input: (N, C, W), (N, C, H, W) or (N, C, D, H, W).
        size: of the result, one number or one for each spatial axis.
        scale_factor: how many times as large, instead of size; the result has floor(size * scale_factor) places.
        mode: "nearest", "nearest-exact" (the place whose centre is nearest), "area" (means of what a place covers), "linear" (3 axes),
            "bilinear", "bicubic" (4 axes), "trilinear" (5 axes), "lanczos" (4 axes, with antialias).
        align_corners: for the modes in the last line: whether the centres of the corner places coincide, instead of their corners.
        recompute_scale_factor: take the ratio of the sizes as the scale, instead of scale_factor itself.
        antialias: for bilinear, bicubic and lanczos: widen the filter when the result is smaller.

    Raises:
        ValueError: not exactly one of size and scale_factor, a mode that is not for this rank, a bad size.

    >>> import fastnet
    >>> fastnet.nn.functional.interpolate(fastnet.tensor([[[1.0, 3.0]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    cdef Tensor x = require_tensor(input, "interpolate", "input")
    cdef int spatial = x.t.ndim - 2, d, rank
    cdef Py_ssize_t dims[8]
    cdef Resample how
    shape = shape_of(&x.t)
    if not 3 <= x.t.ndim <= 5:
        raise ValueError(f"interpolate: input must have 3 to 5 axes (N, C, ...), got shape {shape}")
    if not is_float(x.t.dtype):
        raise TypeError(f"interpolate: input must be float32 or float64, got {x.dtype}")
    if mode not in MODES:
        raise ValueError(f"interpolate: mode must be one of {', '.join(MODES)}, got {mode!r}")
    how.mode, rank = MODES[mode]
    if rank and rank != x.t.ndim:
        raise ValueError(f"interpolate: mode {mode} is for {rank} axes, got input {shape}")
    if align_corners is not None and how.mode <= AREA:
        raise ValueError(f"interpolate: align_corners is not for mode {mode}")
    if antialias and not (rank == 4 and how.mode >= LINEAR):
        raise ValueError(f"interpolate: antialias is for bilinear, bicubic and lanczos, got mode {mode}")
    if how.mode == LANCZOS and (align_corners or not antialias):
        raise ValueError("interpolate: mode lanczos needs antialias=True, and no align_corners")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: exactly one of size and scale_factor must be given")
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor is for scale_factor, not for size")
    how.corners, how.antialias, how.single = bool(align_corners), bool(antialias), x.t.dtype == FN_F32
    dims[0], dims[1], how.scale[0], how.scale[1], how.scale[2] = x.t.dims[0], x.t.dims[1], 0.0, 0.0, 0.0
    numbers = _numbers(scale_factor if size is None else size, spatial, "scale_factor" if size is None else "size", shape)
    for d in range(spatial):
        if size is not None:
            if not hasattr(numbers[d], "__index__"):
                raise TypeError(f"interpolate: size must be int, got {size}")
            dims[d + 2] = numbers[d]
        else:
            dims[d + 2] = int(x.t.dims[d + 2] * float(numbers[d]))
            if not recompute_scale_factor and how.mode != AREA and numbers[d] > 0:
                how.scale[d + 3 - spatial] = 1.0 / float(numbers[d])
        if dims[d + 2] <= 0 or x.t.dims[d + 2] == 0:
            raise ValueError(f"interpolate: input {shape} cannot have the size {[dims[k + 2] for k in range(d + 1)]}: sizes must be positive")
    return _resampled(x, dims, &how)


cdef Tensor _resampled(Tensor x, const Py_ssize_t *dims, const Resample *how):
    cdef Tensor y
    cdef fn_tensor px
    cdef fn_node *n
    array_channels_last(&px, &x.t)
    try:
        y = Tensor.__new__(Tensor)
        array_new_channels_last(&y.t, x.t.ndim, dims, x.t.dtype)
        _run(&y.t, &px, how, False)
    finally:
        array_drop(&px)
    if x.node != NULL and grad_enabled():
        n = record(y, &INTERPOLATE, 1, 1)
        node_input(n, 0, x.node)
        node_save_shape(n, 0, &x.t)
        n.i[0], n.i[1], n.i[2] = how.mode, how.corners, how.antialias
        n.f[0], n.f[1], n.f[2] = how.scale[0], how.scale[1], how.scale[2]
    return y


def interpolate_again(input, Node node not None):
    """The resampling that a node is of, applied to another image of the same shape, for a recorded backward.

    >>> import fastnet
    >>> from fastnet.ops.interpolate import interpolate, interpolate_again
    >>> y = interpolate(fastnet.zeros(1, 1, 2, requires_grad=True), size=4)
    >>> interpolate_again(fastnet.tensor([[[1.0, 3.0]]]), y.grad_fn)
    tensor([[[1., 1., 3., 3.]]])
    """
    cdef Tensor x = require_tensor(input, "interpolate_again", "input")
    cdef Resample how
    cdef int d
    cdef const fn_tensor *y = &node.n.acc
    if node.n.op != &INTERPOLATE or not is_float(x.t.dtype) or x.t.ndim != y.ndim or x.t.dims[0] != y.dims[0] or x.t.dims[1] != y.dims[1]:
        raise TypeError(f"interpolate_again: node must be of a resampling of images like input, of shape {shape_of(&x.t)}, got {node.name()}")
    how.mode, how.corners, how.antialias, how.single = <int>node.n.i[0], node.n.i[1], node.n.i[2], x.t.dtype == FN_F32
    for d in range(3):
        how.scale[d] = node.n.f[d]
    return _resampled(x, node.n.acc.dims, &how)
