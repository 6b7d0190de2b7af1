"""Winograd's algorithm for 3x3 convolutions of stride 1 and 2: which shapes it serves, its three passes, and the switch that forbids it."""
from libc.string cimport memset
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, flop_cost, launch, max_threads, plan
from fastnet._core.memory cimport block_free, block_new
from fastnet.ops.conv cimport *
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
        Py_ssize_t images, c, k, ih, iw, oh, ow, pad_h, pad_w, w_ks, w_cs, off_h, off_w, group
        int tile, flip, weight, x_step, y_step, fused, alone
        Py_ssize_t tiles, groups, u_size, v_size, d_size, own_size, units, filter_units, finish_units
        const fn_after *after
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


cdef bint serves(int m, const fn_conv_shape *s) noexcept:
    cdef int d
    if s.groups != 1 or s.kernel[0] != 1 or s.stride[0] != 1 or s.pad[0] != 0 or s.in_[0] != s.out[0]:
        return False
    for d in range(1, 3):
        if s.kernel[d] != 3 or s.stride[d] != s.stride[1] or s.stride[d] > (2 if m == 4 else 1) or s.dilation[d] != 1 or s.pad[d] > 2:
            return False
    return True


cdef inline double points(int m, Py_ssize_t step, Py_ssize_t n) noexcept:
    """Of all tiles of an axis with n outputs."""
    if m == 2:
        return 4 * ((n + 1) // 2)
    if step == 2:
        return 9 * (n // 4) + (2 * (n % 4) + 1 if n % 4 else 0)
    return 6 * (n // 4) + (n % 4 + 2 if n % 4 else 0)


cdef double duration(int m, const fn_conv_shape *s, int which) noexcept:
    """Vector instructions for each product of one channel with a vector of channels, measured on a Zen 4: of direct convolution (m = 0)
    and its packing of weights; of the tiles' matrix products, the transforms of pixels and those of weights."""
    cdef double images = <double>s.n * s.out[0], tiles, own, busy = 0.9 if min(s.c, s.k) > 16 else 0.7
    cdef Py_ssize_t step = s.stride[1], h = s.out[1], w = s.out[2]
    if which == CONV_INPUT:
        h, w = (s.in_[1] + step - 1) // step, (s.in_[2] + step - 1) // step
    if m == 0:
        return images * h * w * 9 / 0.92 + 300
    tiles = images * ((h + m - 1) // m) * ((w + m - 1) // m)
    own = images * points(m, step, h) * points(m, step, w) / busy
    if step == 2:
        return own + tiles * (500.0 / s.c + 1000.0 / s.k) + (500 if which == CONV_WEIGHT else 300)
    if m == 2:
        return own + tiles * (130.0 / s.c + 130.0 / s.k) + (220 if which == CONV_WEIGHT else 150)
    return own + tiles * (250.0 / s.c + 250.0 / s.k) + (350 if which == CONV_WEIGHT else 250)


cdef int judge(int m, int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    cdef double own = duration(m, s, which)
    if not serves(m, s):
        why[0] = b"not 3x3 with stride 1 or, in tiles of 4x4, 2, dilation 1, one group and at most 2 of padding"
        return CONV_CANNOT
    if dtype != FN_F32:
        why[0] = b"float64 is computed as exactly as possible"
        return CONV_CANNOT
    if _precision == "highest":
        why[0] = b"the highest precision is asked for"
        return CONV_CAN
    if min(s.c, s.k) < 8 or s.c + s.k < 24:
        why[0] = b"there are few channels"
        return CONV_CAN
    if which == CONV_FORWARD and s.c < 16:
        why[0] = b"sums of few channels: the direct sum is more than four times as exact"
        return CONV_CAN
    if own > 0.9 * duration(0, s, which) or (s.stride[1] == 1 and own > duration(6 - m, s, which)):
        why[0] = b"another algorithm needs less time"
        return CONV_CAN
    if s.stride[1] == 2:
        why[0] = b"3x3 with stride 2: even and odd pixels apart, in tiles that need 1.8 times fewer multiplications"
        return CONV_BEST
    why[0] = b"3x3 with stride 1: this tile needs the fewest multiplications"
    return CONV_BEST


cdef int run(int m, fn_winograd_args *a, double flops) except -1:
    """Plan, take scratch, launch."""
    cdef fn_winograd_plan_args ask
    cdef size_t width = sizeof(float)
    cdef double cost = 0.5 * flop_cost(flops)
    cdef char *p
    cdef Py_ssize_t tiles
    a.tile = m
    ask.plan = a
    plan(FN_winograd_plan, FN_F32, &ask)
    p = <char *>block_new((a.u_size + a.v_size + a.d_size + a.own_size * min(<Py_ssize_t>max_threads(), a.units)) * width + 1)
    try:
        a.u, a.v, a.d, a.own = p, p + a.u_size * width, p + (a.u_size + a.v_size) * width, p + (a.u_size + a.v_size + a.d_size) * width
        if not a.fused:
            launch(FN_winograd_filter, FN_F32, a, a.filter_units, byte_cost(a.u_size * width))
            launch(FN_winograd_weight if a.weight else FN_winograd_forward, FN_F32, a, a.units, cost)
            return launch(FN_winograd_weight_finish, FN_F32, a, a.finish_units, byte_cost(a.u_size * width))
        while a.group < a.groups:
            tiles = a.tiles * (a.group + 1) // a.groups - a.tiles * a.group // a.groups
            if not a.alone:
                launch(FN_winograd_input, FN_F32, a, tiles, byte_cost((a.v_size + a.d_size) * width))
            launch(FN_winograd_weight_patch if a.weight else FN_winograd_output, FN_F32, a, a.units, cost / a.groups)
            a.group += 1
        return 0
    finally:
        block_free(p)


cdef void begin(fn_winograd_args *a, const fn_conv_shape *s) noexcept:
    memset(a, 0, sizeof(fn_winograd_args))
    a.images, a.c, a.k = s.n * s.in_[0], s.c, s.k
    a.ih, a.iw, a.oh, a.ow = s.in_[1], s.in_[2], s.out[1], s.out[2]
    a.pad_h, a.pad_w = s.pad[1], s.pad[2]
    a.x_step, a.y_step = s.stride[1], 1
    a.w_ks, a.w_cs = 9 * s.c, 9


cdef int forward(int m, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y, const fn_after *after) except -1:
    cdef fn_winograd_args a
    begin(&a, s)
    a.x, a.w, a.bias, a.y, a.after = x, w, bias, y, after
    return run(m, &a, conv_flops(s))


cdef int input(int m, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    # The forward pass from gy to gx, with the taps turned round and the roles of c and k exchanged.
    cdef fn_winograd_args a
    begin(&a, s)
    a.x, a.w, a.y, a.flip = gy, w, gx, 1
    a.c, a.k, a.w_ks, a.w_cs = a.k, a.c, a.w_cs, a.w_ks
    a.ih, a.oh, a.iw, a.ow = a.oh, a.ih, a.ow, a.iw
    a.x_step, a.y_step = a.y_step, a.x_step
    if a.y_step == 1:
        a.pad_h, a.pad_w, a.after = 2 - a.pad_h, 2 - a.pad_w, after
        return run(m, &a, conv_flops(s))
    # A tile is two rows for each of gy, the first an odd one of padded x: it sees one row of gy, the next, even one sees two.
    a.off_h, a.off_w = 1 - s.pad[1] % 2, 1 - s.pad[2] % 2
    a.pad_h, a.pad_w = (a.off_h - s.pad[1] + 1) // 2, (a.off_w - s.pad[2] + 1) // 2
    run(m, &a, conv_flops(s))
    return 0 if after == NULL else conv_finish(FN_F32, after)


cdef int weight(int m, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef fn_winograd_args a
    begin(&a, s)
    a.x, a.y, a.gw, a.weight = x, <void *>gy, gw, 1
    return run(m, &a, conv_flops(s))


# One algorithm for each tile.
cdef int judge_2(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    return judge(2, dtype, s, which, why)
cdef int judge_4(int dtype, const fn_conv_shape *s, int which, const char **why) noexcept:
    return judge(4, dtype, s, which, why)
cdef int forward_2(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                   const fn_after *after) except -1:
    return forward(2, s, x, w, bias, y, after)
cdef int forward_4(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                   const fn_after *after) except -1:
    return forward(4, s, x, w, bias, y, after)
cdef int input_2(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx,
                 const fn_after *after) except -1:
    return input(2, s, gy, w, gx, after)
cdef int input_4(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx,
                 const fn_after *after) except -1:
    return input(4, s, gy, w, gx, after)
cdef int weight_2(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    return weight(2, s, x, gy, gw)
cdef int weight_4(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    return weight(4, s, x, gy, gw)

cdef conv_algorithm WINOGRAD_2 = [b"winograd2", judge_2, forward_2, input_2, weight_2]
cdef conv_algorithm WINOGRAD_4 = [b"winograd4", judge_4, forward_4, input_4, weight_4]
conv_register(&WINOGRAD_2)
conv_register(&WINOGRAD_4)
