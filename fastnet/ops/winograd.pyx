"""Winograd's algorithm for 3x3 convolutions of stride 1: which shapes it serves, its three passes, and the switch that forbids it."""
from libc.string cimport memset
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, flop_cost, launch, max_threads, plan
from fastnet._core.memory cimport block_free, block_new
from fastnet.ops.conv_shape cimport *

cdef extern from "groups/gemm.h" nogil:
    int FN_winograd_plan, FN_winograd_filter, FN_winograd_forward, FN_winograd_input, FN_winograd_output
    int FN_winograd_weight, FN_winograd_weight_finish, FN_winograd_weight_patch
    ctypedef struct fn_winograd_args:
        const void *x
        const void *w
        const void *bias
        void *y
        void *gw
        void *u
        void *v
        void *d
        void *own
        Py_ssize_t images, c, k, ih, iw, oh, ow, pad_h, pad_w, w_ks, w_cs, group
        int tile, flip, weight, fused
        Py_ssize_t tiles, groups, u_size, v_size, d_size, own_size, units, filter_units, finish_units
    ctypedef struct fn_winograd_plan_args:
        fn_winograd_args *plan

cdef str _precision = "high"


def set_float32_matmul_precision(precision) -> None:
    """Say how exact float32 convolutions must be.

    Args:
        precision: ``"highest"`` forbids Winograd's algorithm: every output is one sum of products.  ``"high"``, the default here (PyTorch's
            is ``"highest"``), and ``"medium"`` allow it: two to three times faster, with at most four times the rounding error in outputs
            and input gradients, eight times in weight gradients (docs/numerics.md); TF32, the default for convolutions on GPUs, has a
            hundred times as much.  Products of matrices are exact to float32 under all three, float64 never uses it.

    Raises:
        ValueError: precision is none of the three.

    >>> import fastnet
    >>> fastnet.set_float32_matmul_precision("highest")
    >>> fastnet.set_float32_matmul_precision("high")
    """
    global _precision
    if not isinstance(precision, str) or precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: precision must be 'highest', 'high' or 'medium', got {precision!r}")
    _precision = precision


def get_float32_matmul_precision() -> str:
    """Tell what set_float32_matmul_precision was last given.

    >>> import fastnet
    >>> fastnet.get_float32_matmul_precision()
    'high'
    """
    return _precision


cdef bint winograd_can(const fn_conv_shape *s) noexcept:
    cdef int d
    if s.groups != 1 or s.kernel[0] != 1 or s.stride[0] != 1 or s.pad[0] != 0 or s.in_[0] != s.out[0]:
        return False
    for d in range(1, 3):
        if s.kernel[d] != 3 or s.stride[d] != 1 or s.dilation[d] != 1 or s.pad[d] > 2:
            return False
    return True


cdef double _time(int m, const fn_conv_shape *s, int which) noexcept:
    """Vector instructions for each product of 16 channels with one: of direct convolution (m = 0), of a tile's matrix products, transforms
    of pixels and of weights.  The factors are measured on a Zen 4."""
    cdef double images = <double>s.n * s.out[0], tiles, narrow = 0.9 if min(s.c, s.k) > 16 else 0.65
    cdef Py_ssize_t h = s.in_[1] if which == 1 else s.out[1], w = s.in_[2] if which == 1 else s.out[2]
    if m == 0:
        return images * h * w * 9 / 0.95
    tiles = images * ((h + m - 1) // m) * ((w + m - 1) // m)
    if m == 2:
        return tiles * (16 / narrow + 130.0 / s.c + 130.0 / s.k) + 120
    return tiles * (36 / narrow + 300.0 / s.c + 300.0 / s.k) + 250


cdef int winograd_fits(int dtype, const fn_conv_shape *s, int which) noexcept:
    cdef double direct, small, large
    if dtype != FN_F32 or _precision == "highest" or s.c < 12 or s.k < 12 or not winograd_can(s):
        return 0
    direct, small, large = _time(0, s, which), _time(2, s, which), _time(4, s, which)
    if min(small, large) > 0.9 * direct:
        return 0
    return 2 if small < large else 4


cdef int _run(int tile, int dtype, fn_winograd_args *a, double flops) except -1:
    """Plan, take scratch, launch."""
    cdef fn_winograd_plan_args ask
    cdef size_t width = 4 if dtype == FN_F32 else 8
    cdef double cost = 0.5 * flop_cost(flops) * width / 4
    cdef char *p
    cdef Py_ssize_t tiles
    a.tile = tile
    ask.plan = a
    plan(FN_winograd_plan, dtype, &ask)
    p = <char *>block_new((a.u_size + a.v_size + a.d_size + a.own_size * max_threads()) * width + 1)
    try:
        a.u, a.v, a.d, a.own = p, p + a.u_size * width, p + (a.u_size + a.v_size) * width, p + (a.u_size + a.v_size + a.d_size) * width
        if not a.fused:
            launch(FN_winograd_filter, dtype, a, a.filter_units, byte_cost(a.u_size * width))
            launch(FN_winograd_weight if a.weight else FN_winograd_forward, dtype, a, a.units, cost)
            return launch(FN_winograd_weight_finish, dtype, a, a.finish_units, byte_cost(a.u_size * width))
        while a.group < a.groups:
            tiles = a.tiles * (a.group + 1) // a.groups - a.tiles * a.group // a.groups
            launch(FN_winograd_input, dtype, a, tiles, byte_cost((a.v_size + a.d_size) * width))
            launch(FN_winograd_weight_patch if a.weight else FN_winograd_output, dtype, a, a.units, cost / a.groups)
            a.group += 1
        return 0
    finally:
        block_free(p)


cdef void _begin(fn_winograd_args *a, const fn_conv_shape *s) noexcept:
    memset(a, 0, sizeof(fn_winograd_args))
    a.images, a.c, a.k = s.n * s.in_[0], s.c, s.k
    a.ih, a.iw, a.oh, a.ow = s.in_[1], s.in_[2], s.out[1], s.out[2]
    a.pad_h, a.pad_w = s.pad[1], s.pad[2]
    a.w_ks, a.w_cs = 9 * s.c, 9


cdef int winograd_forward(int tile, int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y) except -1:
    cdef fn_winograd_args a
    _begin(&a, s)
    a.x, a.w, a.bias, a.y = x, w, bias, y
    return _run(tile, dtype, &a, conv_flops(s))


cdef int winograd_input(int tile, int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx) except -1:
    # The forward pass from gy to gx, with the taps turned round and the roles of c and k exchanged.
    cdef fn_winograd_args a
    _begin(&a, s)
    a.x, a.w, a.y, a.flip = gy, w, gx, 1
    a.c, a.k, a.w_ks, a.w_cs = a.k, a.c, a.w_cs, a.w_ks
    a.ih, a.oh, a.iw, a.ow = a.oh, a.ih, a.ow, a.iw
    a.pad_h, a.pad_w = 2 - a.pad_h, 2 - a.pad_w
    return _run(tile, dtype, &a, conv_flops(s))


cdef int winograd_weight(int tile, int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_winograd_args a
    _begin(&a, s)
    a.x, a.y, a.gw, a.weight = x, <void *>gy, gw, 1
    return _run(tile, dtype, &a, conv_flops(s))
