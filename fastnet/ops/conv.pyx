"""conv1d, conv2d, conv3d and their transposes: arguments, the choice of an algorithm for each pass, gradients.

The algorithms are elsewhere and register themselves (conv.pxd).  A transposed convolution is the input gradient of a convolution, so one
description (csrc/kernels/conv.h) and three passes serve both: x of the one is y of the other.
"""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.conv_shape cimport *
from fastnet.ops.gemm cimport gemm_column_sum

cdef enum:
    MOST_ALGORITHMS = 8
cdef const conv_algorithm *algorithms[MOST_ALGORITHMS]
cdef int n_algorithms = 0
cdef const conv_algorithm *forced = NULL                # the one that tests ask for


cdef int conv_register(const conv_algorithm *algorithm) except -1:
    global n_algorithms
    if n_algorithms == MOST_ALGORITHMS:
        raise RuntimeError("conv: too many algorithms")
    algorithms[n_algorithms] = algorithm
    n_algorithms += 1
    return 0


cdef const conv_algorithm *choose(int dtype, const fn_conv_shape *s, int which, const char **why) except NULL:
    cdef int i
    if forced != NULL and forced.judge(dtype, s, which, why) != CONV_CANNOT:
        return forced
    for i in range(n_algorithms - 1, -1, -1):
        if algorithms[i].judge(dtype, s, which, why) == CONV_BEST:
            return algorithms[i]
    raise RuntimeError("conv: no algorithm is loaded")


cdef int conv_forward(int dtype, const fn_conv_shape *s, const void *x, const void *w, const void *bias, void *y,
                      const fn_after *after) except -1:
    cdef const char *why
    return choose(dtype, s, CONV_FORWARD, &why).forward(dtype, s, x, w, bias, y, after)


cdef int conv_input(int dtype, const fn_conv_shape *s, const void *gy, const void *w, void *gx, const fn_after *after) except -1:
    cdef const char *why
    return choose(dtype, s, CONV_INPUT, &why).input(dtype, s, gy, w, gx, after)


cdef int conv_weight(int dtype, const fn_conv_shape *s, const void *x, const void *gy, void *gw) except -1:
    cdef const char *why
    return choose(dtype, s, CONV_WEIGHT, &why).weight(dtype, s, x, gy, gw)


include "conv_after.pxi"


# An image tensor (batched or not) and the image with its batch axis: a view that counts no reference.
cdef void batched(fn_tensor *y, const fn_tensor *x, int spatial) noexcept:
    cdef int d
    y[0] = x[0]
    if x.ndim == spatial + 2:
        return
    for d in range(x.ndim, 0, -1):
        y.dims[d], y.strides[d] = x.dims[d - 1], x.strides[d - 1]
    y.dims[0], y.strides[0], y.ndim = 1, x.size, x.ndim + 1


cdef void unbatched(fn_tensor *y) noexcept:
    cdef int d
    for d in range(y.ndim - 1):
        y.dims[d], y.strides[d] = y.dims[d + 1], y.strides[d + 1]
    y.ndim -= 1


cdef int new_image(fn_tensor *y, int dtype, int spatial, Py_ssize_t n, Py_ssize_t channels, const Py_ssize_t *extent) except -1:
    """A channels-last array for n images; extent: of three axes, the last `spatial` count."""
    cdef Py_ssize_t dims[5]
    cdef int d
    dims[0], dims[1] = n, channels
    for d in range(spatial):
        dims[2 + d] = extent[3 - spatial + d]
    return array_new_channels_last(y, spatial + 2, dims, dtype)


cdef int add_bias(fn_tensor *y, const fn_tensor *b) except -1:
    cdef fn_tensor wide = y[0]
    cdef int d
    for d in range(y.ndim):
        wide.strides[d] = 0
    wide.p, wide.st, wide.strides[1] = b.p, b.st, b.strides[0]
    return array_accumulate(y, &wide)


cdef int input_gradient(fn_node *n, const fn_conv_shape *s, const fn_tensor *gy, const fn_tensor *w, fn_tensor *gx) except -1:
    """gx, and what another path has left at x is added while gx is in the cache: at the joins of a residual network."""
    cdef fn_tensor *waiting = node_waiting(n, 0)
    cdef fn_tensor image
    cdef After after
    cdef Py_ssize_t apart = 0
    if waiting != NULL:
        batched(&image, waiting, <int>n.i[1])
        apart = pixels_apart(&image)
    if apart == 0:
        return conv_input(gy.dtype, s, gy.p, w.p, gx.p, NULL)
    after_begin(&after, gy.dtype, s.n * conv_pixels_in(s), s.c)
    after_add(&after, FN_add, waiting.p, apart, 1, 0, 0.1)
    after.y = gx.p
    conv_input(gy.dtype, s, gy.p, w.p, gx.p, <const fn_after *>&after)
    array_drop(waiting)
    return 0


# inputs: x, w, b; saved: x as channels last, w contiguous.  n.i: transposed, spatial axes, whether x has a batch axis.  n.block: the shape.
cdef int gradients(fn_node *n, const fn_tensor *gy, fn_tensor *gin) except -1:
    cdef const fn_conv_shape *s = <const fn_conv_shape *>n.block
    cdef const fn_tensor *x = &n.saved[0].t
    cdef const fn_tensor *w = &n.saved[1].t
    cdef bint transposed = n.i[0]
    cdef int spatial = <int>n.i[1], dtype = gy.dtype
    cdef Py_ssize_t channels = s.c if transposed else s.k
    if n.inputs[0] != NULL:
        if transposed:
            new_image(&gin[0], dtype, spatial, s.n, s.k, s.out)
            if s.n:
                conv_forward(dtype, s, gy.p, w.p, NULL, gin[0].p, NULL)
        else:
            new_image(&gin[0], dtype, spatial, s.n, s.c, s.in_)
            if s.n:
                input_gradient(n, s, gy, w, &gin[0])
        if not n.i[2]:
            unbatched(&gin[0])
    if n.inputs[1] != NULL:
        array_new(&gin[1], n.inputs[1].acc.ndim, n.inputs[1].acc.dims, dtype)
        if s.n == 0:
            array_fill_zero(&gin[1])
        elif transposed:
            conv_weight(dtype, s, gy.p, x.p, gin[1].p)
        else:
            conv_weight(dtype, s, x.p, gy.p, gin[1].p)
    if n.inputs[2] != NULL:
        array_new(&gin[2], 1, &channels, dtype)
        if s.n == 0:
            return array_fill_zero(&gin[2])
        gemm_column_sum(dtype, gy.size // channels, channels, gy.p, channels, 1, gin[2].p)
    return 0


cdef int conv_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor wide, last
    batched(&wide, gy, <int>n.i[1])
    array_channels_last(&last, &wide)
    try:
        return gradients(n, &last, gin)
    finally:
        array_drop(&last)


cdef fn_op CONVOLUTION = [b"ConvolutionBackward0", conv_backward, False]


cdef Tensor convolve(Tensor x, Tensor w, Tensor b, const fn_conv_shape *s, int spatial, bint transposed, After *after):
    """All arguments are checked; with `after` (or NULL) nothing is recorded."""
    cdef fn_tensor image, xl, wl, bl, y
    cdef fn_node *n
    cdef Tensor result
    cdef int dtype = x.t.dtype
    xl.st = wl.st = bl.st = y.st = NULL
    batched(&image, &x.t, spatial)
    try:
        array_channels_last(&xl, &image)
        array_contiguous(&wl, &w.t)
        if b is not None:
            array_contiguous(&bl, &b.t)
        if transposed:
            new_image(&y, dtype, spatial, s.n, s.c, s.in_)
            if s.n:
                conv_input(dtype, s, xl.p, wl.p, y.p, NULL)
                if b is not None:
                    add_bias(&y, &bl)
        else:
            new_image(&y, dtype, spatial, s.n, s.k, s.out)
            if s.n:
                if after != NULL:
                    after.y = y.p
                conv_forward(dtype, s, xl.p, wl.p, bl.p if b is not None else NULL, y.p, <const fn_after *>after)
        if x.t.ndim == spatial + 1:
            unbatched(&y)
        result = tensor_take(&y)
        y.st = NULL
        if after == NULL and grad_enabled() and (x.node != NULL or w.node != NULL or (b is not None and b.node != NULL)):
            n = record(result, &CONVOLUTION, 3, 2)
            n.block = block_new(sizeof(fn_conv_shape))
            (<fn_conv_shape *>n.block)[0] = s[0]
            n.i[0], n.i[1], n.i[2] = transposed, spatial, x.t.ndim == spatial + 2
            node_input(n, 0, x.node)
            node_input(n, 1, w.node)
            if b is not None:
                node_input(n, 2, b.node)
            if w.node != NULL:
                node_save(n, 0, &xl)
            if x.node != NULL:
                node_save(n, 1, &wl)
        return result
    finally:
        array_drop(&xl)
        array_drop(&wl)
        array_drop(&bl)
        array_drop(&y)


cdef int numbers(str op, str name, object value, int spatial, Py_ssize_t least, Py_ssize_t *to) except -1:
    """One number or one for each spatial axis, into the last places of three."""
    cdef int d
    cdef Py_ssize_t one
    if isinstance(value, (tuple, list)):
        values = tuple(value) * spatial if len(value) == 1 else tuple(value)
        if len(values) != spatial:
            raise RuntimeError(f"{op}: {name} must be one number or {spatial}, got {tuple(value)}")
    else:
        values = (value,) * spatial
    for d in range(spatial):
        if isinstance(values[d], bool) or not hasattr(values[d], "__index__"):
            raise TypeError(f"{op}: {name} must be int or a tuple of ints, got {value!r}")
        one = values[d]
        if one < least:
            raise RuntimeError(f"{op}: {name} must be {'positive' if least else 'not negative'}, got {value}")
        if one > 1 << 40:                                # so that no product below overflows
            raise RuntimeError(f"{op}: {name} must be at most 2**40, got {value}")
        to[3 - spatial + d] = one
    return 0


cdef tuple last(const Py_ssize_t *three, int spatial):
    return tuple([three[d] for d in range(3 - spatial, 3)])


cdef int check_tensors(str op, Tensor x, Tensor w, Tensor b, int spatial) except -1:
    cdef int d
    if not is_float(x.t.dtype):
        raise TypeError(f"{op}: input must be float32 or float64, got {x.dtype}")
    if w.t.dtype != x.t.dtype or (b is not None and b.t.dtype != x.t.dtype):
        raise RuntimeError(f"{op}: input is {x.dtype}, weight is {w.dtype}{'' if b is None else f', bias is {b.dtype}'}; they must agree")
    axes = ", ".join("DHW"[3 - spatial:])
    if x.t.ndim != spatial + 1 and x.t.ndim != spatial + 2:
        raise RuntimeError(f"{op}: input must be (N, C, {axes}) or (C, {axes}), got {shape_of(&x.t)}")
    if w.t.ndim != spatial + 2:
        raise RuntimeError(f"{op}: weight must have {spatial + 2} axes, got {shape_of(&w.t)}")
    for d in range(spatial + 2):
        if w.t.dims[d] == 0:
            raise RuntimeError(f"{op}: weight {shape_of(&w.t)} has an axis of size 0")
    for d in range(x.t.ndim - spatial - 1, x.t.ndim):
        if x.t.dims[d] == 0:
            raise RuntimeError(f"{op}: input {shape_of(&x.t)} has an axis of size 0 that is not the batch")
    return 0


cdef str channels_last_hint(const fn_tensor *x, Py_ssize_t channels, int spatial):
    """What to do with images whose channels are the last axis, as NumPy, Pillow and OpenCV have them; "" for others."""
    if x.dims[x.ndim - 1] != channels:
        return ""
    first = x.ndim - spatial - 1
    order = [*range(first), x.ndim - 1, *range(first, x.ndim - 1)]
    return f": are its channels last? x.permute{tuple(order)} puts them first"


cdef int check_channels(str op, Tensor x, Tensor w, Tensor b, int spatial, object groups, bint transposed, fn_conv_shape *s) except -1:
    """Images, channels, groups and the kernel of s."""
    cdef int d
    cdef Py_ssize_t channels = x.t.dims[x.t.ndim - spatial - 1], made
    if isinstance(groups, bool) or not hasattr(groups, "__index__"):
        raise TypeError(f"{op}: groups must be an int, got {groups!r}")
    if groups < 1:
        raise RuntimeError(f"{op}: groups must be positive, got {groups}")
    s.groups = groups
    s.n = x.t.dims[0] if x.t.ndim == spatial + 2 else 1
    if w.t.dims[0] % s.groups:
        raise RuntimeError(f"{op}: weight {shape_of(&w.t)}: axis 0 must be divisible by groups={groups}")
    s.k, s.c = w.t.dims[0], w.t.dims[1] * s.groups
    if channels != (s.k if transposed else s.c):
        raise RuntimeError(f"{op}: weight {shape_of(&w.t)}{'' if s.groups == 1 else f' with groups={groups}'} expects "
                           f"{s.k if transposed else s.c} input channels, got input {shape_of(&x.t)}"
                           f"{channels_last_hint(&x.t, s.k if transposed else s.c, spatial)}")
    made = s.c if transposed else s.k
    if b is not None and (b.t.ndim != 1 or b.t.dims[0] != made):
        raise RuntimeError(f"{op}: bias must have the shape ({made},), got {shape_of(&b.t)}")
    for d in range(3):
        s.in_[d] = s.out[d] = s.kernel[d] = s.stride[d] = s.dilation[d] = 1
        s.pad[d] = 0
    for d in range(spatial):
        s.kernel[3 - spatial + d] = w.t.dims[2 + d]
    return 0


cdef int conv_shape(str op, Tensor x, Tensor w, Tensor b, object stride, object padding, object dilation, object groups, int spatial,
                    fn_conv_shape *s) except -1:
    cdef int d
    cdef Py_ssize_t reach, room
    cdef Py_ssize_t after[3]
    check_tensors(op, x, w, b, spatial)
    check_channels(op, x, w, b, spatial, groups, False, s)
    numbers(op, "stride", stride, spatial, 1, s.stride)
    numbers(op, "dilation", dilation, spatial, 1, s.dilation)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"{op}: padding must be numbers, 'same' or 'valid', got {padding!r}")
        if padding == "same":
            for d in range(3):
                if s.stride[d] != 1:
                    raise RuntimeError(f"{op}: padding='same' needs a stride of 1, got {stride}")
                s.pad[d] = s.dilation[d] * (s.kernel[d] - 1) // 2
    else:
        numbers(op, "padding", padding, spatial, 0, s.pad)
    for d in range(3 - spatial, 3):
        s.in_[d] = x.t.dims[x.t.ndim - 3 + d]
        reach = s.dilation[d] * (s.kernel[d] - 1) + 1
        after[d] = reach - 1 - s.pad[d] if isinstance(padding, str) and padding == "same" else s.pad[d]
        room = s.in_[d] + s.pad[d] + after[d]
        if room < reach:
            raise RuntimeError(f"{op}: kernel {last(s.kernel, spatial)} with dilation {last(s.dilation, spatial)} is larger than input "
                               f"{shape_of(&x.t)} with padding {last(s.pad, spatial)}")
        s.out[d] = (room - reach) // s.stride[d] + 1
    return 0


cdef int transposed_shape(str op, Tensor x, Tensor w, Tensor b, object stride, object padding, object output_padding, object groups,
                          object dilation, int spatial, fn_conv_shape *s) except -1:
    cdef int d
    cdef Py_ssize_t more[3]
    check_tensors(op, x, w, b, spatial)
    check_channels(op, x, w, b, spatial, groups, True, s)
    numbers(op, "stride", stride, spatial, 1, s.stride)
    numbers(op, "padding", padding, spatial, 0, s.pad)
    numbers(op, "output_padding", output_padding, spatial, 0, more)
    numbers(op, "dilation", dilation, spatial, 1, s.dilation)
    for d in range(3 - spatial, 3):
        s.out[d] = x.t.dims[x.t.ndim - 3 + d]
        if more[d] >= s.stride[d] and more[d] >= s.dilation[d]:
            raise RuntimeError(f"{op}: output_padding {last(more, spatial)} must be smaller than stride {last(s.stride, spatial)} or "
                               f"dilation {last(s.dilation, spatial)}")
        s.in_[d] = (s.out[d] - 1) * s.stride[d] - 2 * s.pad[d] + s.dilation[d] * (s.kernel[d] - 1) + more[d] + 1
        if s.in_[d] < 1:
            raise RuntimeError(f"{op}: input {shape_of(&x.t)} with kernel {last(s.kernel, spatial)}, stride {last(s.stride, spatial)} and "
                               f"padding {last(s.pad, spatial)} gives no output")
    return 0


cdef Tensor conv(str op, object input, object weight, object bias, object stride, object padding, object dilation, object groups, int spatial):
    cdef fn_conv_shape s
    cdef Tensor x = require_tensor(input, op, "input"), w = require_tensor(weight, op, "weight")
    cdef Tensor b = None if bias is None else require_tensor(bias, op, "bias")
    conv_shape(op, x, w, b, stride, padding, dilation, groups, spatial, &s)
    return convolve(x, w, b, &s, spatial, False, NULL)


cdef Tensor transposed(str op, object input, object weight, object bias, object stride, object padding, object output_padding,
                       object groups, object dilation, int spatial):
    cdef fn_conv_shape s
    cdef Tensor x = require_tensor(input, op, "input"), w = require_tensor(weight, op, "weight")
    cdef Tensor b = None if bias is None else require_tensor(bias, op, "bias")
    transposed_shape(op, x, w, b, stride, padding, output_padding, groups, dilation, spatial, &s)
    return convolve(x, w, b, &s, spatial, True, NULL)

include "conv_public.pxi"
