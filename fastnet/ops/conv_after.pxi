# What is done to the result of a convolution while it is in the cache: an activation, a sum, each by the kernel of the op itself.

cdef extern from "groups/element.h" nogil:
    int FN_add, FN_relu, FN_clamp, FN_leaky_relu, FN_silu, FN_hardswish, FN_gelu, FN_gelu_tanh, FN_sigmoid, FN_tanh, FN_mish
cdef extern from "kernels/elementwise.h" nogil:
    ctypedef struct fn_elementwise_args:
        void *p[4]
        double s[4]
        Py_ssize_t stream, type, ndim
        Py_ssize_t dims[8]
        Py_ssize_t strides[4][8]

cdef struct Step:
    int kernel
    fn_kernel *run
    const char *other                   # the second operand, whose pixels are `apart` elements apart, or NULL
    Py_ssize_t apart
    double s[2]
    double ns                           # price of an element
cdef struct After:
    fn_after head
    int dtype, steps
    Step step[2]
    char *y
    Py_ssize_t pixels, channels

# name: kernel, its numbers, ns of an element
cdef dict AFTER = {"relu": (FN_relu, 0, 0, 0.1), "relu6": (FN_clamp, 0, 6, 0.1), "leaky_relu": (FN_leaky_relu, 0, 0, 0.1),
                   "silu": (FN_silu, 0, 0, 0.7), "hardswish": (FN_hardswish, 0, 0, 0.3), "gelu": (FN_gelu, 0, 0, 1.0),
                   "gelu_tanh": (FN_gelu_tanh, 0, 0, 0.9), "sigmoid": (FN_sigmoid, 0, 0, 0.7), "tanh": (FN_tanh, 0, 0, 0.7),
                   "mish": (FN_mish, 0, 0, 0.8)}


cdef void after_begin(After *a, int dtype, Py_ssize_t pixels, Py_ssize_t channels) noexcept:
    a.head.run, a.dtype, a.steps, a.pixels, a.channels = after_run, dtype, 0, pixels, channels


cdef int after_add(After *a, int kernel, const void *other, Py_ssize_t apart, double s0, double s1, double ns) noexcept:
    cdef Step *step = &a.step[a.steps]
    step.kernel, step.run, step.other, step.ns = kernel, <fn_kernel *>fn_active[kernel][a.dtype], <const char *>other, ns
    step.s[0], step.s[1], step.apart = s0, s1, apart
    a.steps += 1
    return 0


cdef inline void step_fill(fn_elementwise_args *e, const After *a, const Step *step, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t column,
                           Py_ssize_t columns) noexcept nogil:
    cdef int d, width = 4 if a.dtype == FN_F32 else 8
    e.p[0] = e.p[1] = a.y + (row * a.channels + column) * width
    e.p[2] = <void *>(step.other + (row * step.apart + column) * width)
    e.s[0], e.s[1], e.s[2] = step.s[0], step.s[1], 0
    if columns == step.apart:
        e.stream, e.ndim, e.dims[0] = 0, 1, rows * columns
        e.strides[0][0] = e.strides[1][0] = e.strides[2][0] = 1
        return
    e.stream, e.ndim, e.dims[0], e.dims[1] = 0, 2, rows, columns
    for d in range(3):
        e.strides[d][0], e.strides[d][1] = a.channels, 1
    e.strides[2][0] = step.apart


cdef void after_run(const fn_after *head, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t column, Py_ssize_t columns) noexcept nogil:
    cdef const After *a = <const After *>head
    cdef fn_elementwise_args e
    cdef int k
    for k in range(a.steps):
        step_fill(&e, a, &a.step[k], row, rows, column, columns)
        a.step[k].run(&e, 0, rows * columns, 0)


cdef int conv_finish(int dtype, const fn_after *head) except -1:
    cdef const After *a = <const After *>head
    cdef fn_elementwise_args e
    cdef Py_ssize_t size = a.pixels * a.channels
    cdef int k
    for k in range(a.steps):
        step_fill(&e, a, &a.step[k], 0, a.pixels, 0, a.channels)
        launch(a.step[k].kernel, dtype, &e, size, max(a.step[k].ns, byte_cost(3 * itemsize(dtype))) * size)
    return 0


cdef Py_ssize_t pixels_apart(const fn_tensor *x) noexcept:
    """How far apart the pixels of x (N, C, ...) are, with channels next to each other: a slice of channels is such; 0: it is not so."""
    cdef int d
    cdef Py_ssize_t step = x.strides[x.ndim - 1], want = step
    for d in range(x.ndim - 1, -1, -1):
        if d != 1 and x.dims[d] != 1 and x.strides[d] != want:
            return 0
        if d != 1:
            want *= x.dims[d]
    return step if step >= x.dims[1] and (x.strides[1] == 1 or x.dims[1] == 1) else 0


def conv_act(input, weight, bias, stride, padding, dilation, groups, activation=None, negative_slope=0.01, residual=None, residual_last=False):
    """act(conv(input) + residual) in one pass over the result, bit for bit what the ops would give one after the other.

    Args:
        input, weight, bias, stride, padding, dilation, groups: as of `conv1d`, `conv2d` and `conv3d`; weight's axes tell which.
        activation: None, "relu", "relu6", "leaky_relu", "silu", "hardswish", "gelu", "gelu_tanh", "sigmoid", "tanh" or "mish".
        negative_slope: of leaky_relu.
        residual: of the result's shape, or None.
        residual_last: add the residual after the activation.

    Returns:
        The result; None where a gradient would be recorded, or the residual has another shape or dtype: nothing is done then.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.
        ValueError: another activation.

    >>> import fastnet
    >>> from fastnet.ops.conv import conv_act
    >>> conv_act(fastnet.ones(1, 1, 1), -fastnet.ones(1, 1, 1), None, 1, 0, 1, 1, "relu")
    tensor([[[0.]]])
    """
    cdef Tensor x = require_tensor(input, "conv_act", "input"), w = require_tensor(weight, "conv_act", "weight")
    cdef Tensor b = None if bias is None else require_tensor(bias, "conv_act", "bias")
    cdef Tensor r = None if residual is None else require_tensor(residual, "conv_act", "residual")
    cdef int spatial = w.t.ndim - 2, d, first
    cdef fn_conv_shape s
    cdef fn_tensor image, rl
    cdef Py_ssize_t apart = 0
    cdef After a
    if activation is not None and activation not in AFTER:
        raise ValueError(f"conv_act: activation must be None or one of {', '.join(map(repr, AFTER))}, got {activation!r}")
    if grad_enabled() and (x.node != NULL or w.node != NULL or (b is not None and b.node != NULL) or (r is not None and r.node != NULL)):
        return None
    if not 1 <= spatial <= 3:
        raise RuntimeError(f"conv_act: weight must have 3 to 5 axes, got {shape_of(&w.t)}")
    conv_shape("conv_act", x, w, b, stride, padding, dilation, groups, spatial, &s)
    after_begin(&a, x.t.dtype, s.n * conv_pixels_out(&s), s.k)
    rl.st = NULL
    try:
        if r is not None:
            first = x.t.ndim - spatial - 1
            if r.t.dtype != x.t.dtype or r.t.ndim != x.t.ndim or r.t.dims[first] != s.k or (first and r.t.dims[0] != s.n):
                return None
            for d in range(spatial):
                if r.t.dims[first + 1 + d] != s.out[3 - spatial + d]:
                    return None
            batched(&image, &r.t, spatial)
            apart = pixels_apart(&image)
            if apart:
                array_share(&rl, &image)
            else:
                array_channels_last(&rl, &image)
                apart = s.k
            if not residual_last:
                after_add(&a, FN_add, rl.p, apart, 1, 0, 0.1)
        if activation is not None:
            kernel, s0, s1, ns = AFTER[activation]
            after_add(&a, kernel, NULL, s.k, negative_slope if activation == "leaky_relu" else s0, s1, ns)
        if r is not None and residual_last:
            after_add(&a, FN_add, rl.p, apart, 1, 0, 0.1)
        return convolve(x, w, b, &s, spatial, False, &a)
    finally:
        array_drop(&rl)
