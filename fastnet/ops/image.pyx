"""image_pass: pictures through windows, warps, filters and colours, in one pass; image_uniform: the random numbers of samples by key."""
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport launch, max_threads
from fastnet._core.tensor cimport *

cdef extern from "groups/image.h" nogil:
    int FN_image_pass, FN_image_uniform
    enum:
        IMAGE_WINDOW, IMAGE_WARP, IMAGE_WARP_NEAREST, IMAGE_NEAREST, IMAGE_NEAREST_EXACT, IMAGE_LINEAR, IMAGE_CUBIC, IMAGE_LINEAR_PLAIN
        IMAGE_CUBIC_PLAIN, IMAGE_BLUR, IMAGE_SOURCES, IMAGE_CONTRAST, IMAGE_COLORS, IMAGE_PLAN, IMAGE_REAL, IMAGE_OPS
    ctypedef struct fn_image_args:
        const void *x
        void *y
        const int64_t *plan
        const double *real
        const int32_t *code
        const float *param
        const float *fill
        const float *scale
        const float *shift
        float *scratch
        Py_ssize_t scratch_size, c, h, w, in_h, in_w, ops, taps[2], xn, xc, xh, xw, yn, yc, yh, yw
        int source, floors, x_float, y_float
        float bound
    ctypedef struct fn_image_uniform_args:
        uint64_t seed
        uint32_t epoch
        const int64_t *index
        double *y
        Py_ssize_t count
    Py_ssize_t image_scratch(const fn_image_args *a)


cdef int _table(Tensor x, str name, int dtype, Py_ssize_t rows, Py_ssize_t columns) except -1:
    if x.t.dtype != dtype or not is_contiguous(&x.t) or x.t.size != rows * columns:
        raise ValueError(f"image_pass: {name} must be {rows} x {columns} of the right dtype, contiguous, got {x.dtype} of shape {shape_of(&x.t)}")
    return 0


cdef bint _spans(int64_t sign, int64_t offset, int64_t n, int64_t size) noexcept:
    """Whether sign * i + offset lies in [0, size) for all i of [0, n)."""
    cdef int64_t last = sign * (n - 1) + offset
    return (sign == 1 or sign == -1) and 0 <= offset < size and 0 <= last < size


cdef bint _sound(const fn_image_args *a, const int64_t *p, const double *real) noexcept:
    """Whether the plan of a picture stays inside it."""
    cdef int64_t far = (<int64_t>1) << 40
    if (p[0] != 1 and p[0] != -1) or (p[2] != 1 and p[2] != -1) or not (-far < p[1] < far and -far < p[3] < far):
        return False
    if not (0 <= p[4] <= a.in_h and p[5] <= a.in_h and 0 <= p[6] <= a.in_w and p[7] <= a.in_w):
        return False
    if a.source < IMAGE_NEAREST:
        return True
    if p[0] != 1 or p[2] != 1 or p[8] < 1 or p[9] < 1 or p[14] < 1 or p[15] < 1 or p[1] < 0 or p[3] < 0:
        return False
    if p[1] + p[8] > a.in_h or p[3] + p[9] > a.in_w or not _spans(p[10], p[11], a.h, p[14]) or not _spans(p[12], p[13], a.w, p[15]):
        return False
    if a.source != IMAGE_BLUR:
        return True
    return (p[14] == p[8] and p[15] == p[9] and 1 <= real[0] <= a.taps[0] and 1 <= real[1] <= a.taps[1] and real[2] > 0 and real[3] > 0
            and real[0] // 2 < p[8] and real[1] // 2 < p[9])


def image_pass(x, height, width, source, plan, real, code, param, fill, scale=None, shift=None, taps=(0, 0), bound=255.0, floats=False):
    """Make pictures from pictures in one pass: a window, warp or filter, then colours, then a scale for each channel.

    `fastnet.transforms` is the way to it. csrc/kernels/image.h tells what the tables mean.

    Args:
        x: (N, C, H, W), uint8 or float32, any strides.
        height, width: of the result.
        source: the number of the source: 0 window, 1 and 2 warps, 3 to 8 resizing, 9 blur.
        plan: int64 (N, 16). real: float64 (N, 9).
        code: int32 (N, ops), at most 16. param: float32 (N, ops, 4).
        fill: float32 (C).
        scale, shift: float32 (C), or None.
        taps: at most this many rows and columns are weighed for one output; for a resize from 4 on, columns even.
        bound: the value of white.
        floats: the result is float32 though x is uint8.

    Returns:
        (N, C, height, width), uint8 or float32; channels last in memory where x is, or where bytes became floats.

    Raises:
        ValueError: a table does not fit, a plan leaves its picture.

    >>> import fastnet
    >>> x = fastnet.arange(4).to(fastnet.uint8).reshape(1, 1, 2, 2)
    >>> plan = fastnet.tensor([[1, 0, -1, 1, 0, 2, 0, 2] + [0] * 8])
    >>> none = fastnet.zeros(1, 0)
    >>> image_pass(x, 2, 2, 0, plan, fastnet.zeros(1, 9, dtype=fastnet.float64), none.int(), none, fastnet.zeros(1))[0, 0].tolist()
    [[1, 0], [3, 2]]
    """
    cdef Tensor image = require_tensor(x, "image_pass", "x"), plans = require_tensor(plan, "image_pass", "plan")
    cdef Tensor reals = require_tensor(real, "image_pass", "real"), codes = require_tensor(code, "image_pass", "code")
    cdef Tensor params = require_tensor(param, "image_pass", "param"), fills = require_tensor(fill, "image_pass", "fill"), y, by
    cdef fn_image_args a
    cdef fn_tensor scratch, pixels
    cdef Py_ssize_t dims[4]
    cdef Py_ssize_t size[1]
    cdef Py_ssize_t n, i, plane
    cdef double work
    if image.t.ndim != 4 or image.t.dtype not in (FN_U8, FN_F32) or image.t.dims[1] < 1:
        raise ValueError(f"image_pass: x must be (N, C, H, W), uint8 or float32, got {image.dtype} of shape {shape_of(&image.t)}")
    n, a.c, a.in_h, a.in_w = image.t.dims[0], image.t.dims[1], image.t.dims[2], image.t.dims[3]
    a.source, a.bound, a.floors, a.h, a.w = source, bound, image.t.dtype == FN_U8, height, width
    a.x_float, a.y_float = image.t.dtype == FN_F32, image.t.dtype == FN_F32 or bool(floats)
    a.taps[0], a.taps[1] = taps
    a.ops = codes.t.dims[1] if codes.t.ndim == 2 else -1
    if not 0 <= a.source < IMAGE_SOURCES or a.h < 0 or a.w < 0 or not 0 <= a.ops <= IMAGE_OPS or not (0 <= a.taps[0] < 2**31 and 0 <= a.taps[1] < 2**31):
        raise ValueError(f"image_pass: source {source}, size {height} x {width}, {a.ops} colours or taps {taps} cannot be")
    if a.source > IMAGE_WARP_NEAREST and a.source != IMAGE_BLUR and (a.taps[0] < 4 or a.taps[1] < 4 or a.taps[1] % 2):
        raise ValueError(f"image_pass: a resize wants taps from 4 on, those of columns even, got {taps}")
    _table(plans, "plan", FN_I64, n, IMAGE_PLAN)
    _table(reals, "real", FN_F64, n, IMAGE_REAL)
    _table(codes, "code", FN_I32, n, a.ops)
    _table(params, "param", FN_F32, n * a.ops, 4)
    _table(fills, "fill", FN_F32, a.c, 1)
    a.plan, a.real, a.code, a.param = <const int64_t *>plans.t.p, <const double *>reals.t.p, <const int32_t *>codes.t.p, <const float *>params.t.p
    a.fill, a.scale, a.shift = <const float *>fills.t.p, NULL, NULL
    if scale is not None:
        by = require_tensor(scale, "image_pass", "scale")
        _table(by, "scale", FN_F32, a.c, 1)
        a.scale = <const float *>by.t.p
        by = require_tensor(shift, "image_pass", "shift")
        _table(by, "shift", FN_F32, a.c, 1)
        a.shift = <const float *>by.t.p
    for i in range(n * a.ops):
        if not 0 <= a.code[i] < IMAGE_COLORS:
            raise ValueError(f"image_pass: there is no colour {a.code[i]}")
    for i in range(n):
        if not _sound(&a, a.plan + i * IMAGE_PLAN, a.real + i * IMAGE_REAL):
            raise ValueError(f"image_pass: the plan of picture {i} does not fit x of shape {shape_of(&image.t)} and a result of {height} x {width}")
    scratch.st = pixels.st = NULL
    try:
        if image.t.strides[3] == 1 or a.c == 1 and a.source < IMAGE_NEAREST or image.t.strides[1] == 1 and (
                image.t.strides[3] == a.c or a.source < IMAGE_NEAREST):
            array_share(&pixels, &image.t)
        else:
            array_contiguous(&pixels, &image.t)
        a.x, a.xn, a.xc, a.xh, a.xw = pixels.p, pixels.strides[0], pixels.strides[1], pixels.strides[2], pixels.strides[3]
        y = Tensor.__new__(Tensor)
        dims[0], dims[1], dims[2], dims[3] = n, a.c, a.h, a.w
        if (image.t.strides[1] == 1 and a.c > 1) or (a.y_float and not a.x_float):
            array_new_channels_last(&y.t, 4, dims, FN_F32 if a.y_float else FN_U8)
        else:
            array_new(&y.t, 4, dims, FN_F32 if a.y_float else FN_U8)
        a.y, a.yn, a.yc, a.yh, a.yw = y.t.p, y.t.strides[0], y.t.strides[1], y.t.strides[2], y.t.strides[3]
        a.scratch_size = image_scratch(&a)
        size[0] = a.scratch_size * max_threads()
        array_new(&scratch, 1, size, FN_F32)
        a.scratch = <float *>scratch.p
        plane = a.h * a.w
        work = 1.0 * a.c + 2.0 * a.ops + (12.0 if a.source else 0.0) + 0.5 * (a.taps[0] + a.taps[1])
        if plane > 0:
            launch(FN_image_pass, FN_F32, &a, n, 0.5 * work * plane * n)
        return y
    finally:
        array_drop(&scratch)
        array_drop(&pixels)


def image_uniform(seed, epoch, index, count):
    """Random numbers of samples: each row depends on the seed, the epoch and the sample's index alone.

    Args:
        seed, epoch: taken modulo 2^64 and 2^32.
        index: int64 (N), contiguous.
        count: numbers for each sample.

    Returns:
        (N, count), float64, uniform between 0 and 1, neither of which occurs.

    Raises:
        ValueError: index is not such a tensor, or count is negative.

    >>> import fastnet
    >>> one = image_uniform(0, 0, fastnet.tensor([5]), 3)
    >>> both = image_uniform(0, 0, fastnet.tensor([4, 5]), 3)
    >>> fastnet.equal(one[0], both[1])
    True
    """
    cdef Tensor at = require_tensor(index, "image_uniform", "index"), y
    cdef fn_image_uniform_args a
    cdef Py_ssize_t dims[2]
    dims[0], dims[1] = at.t.size, count
    if at.t.dtype != FN_I64 or at.t.ndim != 1 or not is_contiguous(&at.t) or dims[1] < 0:
        raise ValueError(f"image_uniform: index must be int64, (N) and contiguous, and count not negative, got {at.dtype} of shape "
                         f"{shape_of(&at.t)} and {count}")
    y = tensor_new(2, dims, FN_F64)
    a.seed, a.epoch, a.index, a.y, a.count = <uint64_t>(seed % 2**64), <uint32_t>(epoch % 2**32), <const int64_t *>at.t.p, <double *>y.t.p, dims[1]
    launch(FN_image_uniform, FN_F32, &a, dims[0], 4.0 * dims[0] * dims[1] + 20.0 * dims[0])
    return y
