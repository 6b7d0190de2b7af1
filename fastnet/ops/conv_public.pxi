# The functions of fastnet.ops.conv that Python sees.

def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over one axis: y[n,k,o] = b[k] + sum over c, t of x[n, c, o*stride - padding + t*dilation] w[k, c, t].

    Args:
        input: (N, C, L) or (C, L).
        weight: (K, C/groups, kernel).
        bias: (K,) or None.
        stride, dilation: int or (int,).
        padding: zeros at both ends, int or (int,); 'same' (needs a stride of 1) or 'valid' (none).
        groups: channels are cut into so many groups, each convolved for itself.

    Returns:
        (N, K, L') or (K, L'), L' = (L + 2 padding - dilation (kernel - 1) - 1) // stride + 1.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> fastnet.conv1d(fastnet.arange(5.0).reshape(1, 1, 5), fastnet.ones(1, 1, 3))
    tensor([[[3., 6., 9.]]])
    """
    return conv("conv1d", input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over two axes; the arguments are those of `conv1d`, with one number or two.

    Args:
        input: (N, C, H, W) or (C, H, W), any strides; channels last is fastest.
        weight: (K, C/groups, kH, kW).
        bias: (K,) or None.
        stride, padding, dilation: int or (int, int); padding also 'same' or 'valid'.
        groups: number of groups of channels.

    Returns:
        (N, K, H', W') or (K, H', W'), channels last in memory.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> fastnet.conv2d(fastnet.ones(1, 2, 3, 3), fastnet.ones(1, 2, 3, 3), padding=1)
    tensor([[[[ 8., 12.,  8.],
              [12., 18., 12.],
              [ 8., 12.,  8.]]]])
    """
    return conv("conv2d", input, weight, bias, stride, padding, dilation, groups, 2)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution over three axes; the arguments are those of `conv1d`, with one number or three.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (K, C/groups, kD, kH, kW).
        bias: (K,) or None.
        stride, padding, dilation: int or (int, int, int); padding also 'same' or 'valid'.
        groups: number of groups of channels.

    Returns:
        (N, K, D', H', W') or (K, D', H', W'), channels last in memory.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> fastnet.conv3d(fastnet.ones(1, 2, 3, 3, 3), fastnet.ones(1, 2, 3, 3, 3)).item()
    54.0
    """
    return conv("conv3d", input, weight, bias, stride, padding, dilation, groups, 3)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution over one axis, the gradient of `conv1d` with respect to its input.

    Args:
        input: (N, C, L) or (C, L).
        weight: (C, K/groups, kernel).
        bias: (K,) or None.
        stride, padding, dilation: of the convolution whose gradient it is; int or (int,).
        output_padding: further elements at the end of the result, fewer than stride or dilation.
        groups: number of groups of channels.

    Returns:
        (N, K, L') or (K, L'), L' = (L - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> fastnet.conv_transpose1d(fastnet.tensor([[[1.0, 2.0]]]), fastnet.ones(1, 1, 3), stride=2)
    tensor([[[1., 1., 3., 2., 2.]]])
    """
    return transposed("conv_transpose1d", input, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution over two axes; the arguments are those of `conv_transpose1d`, with one number or two.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (C, K/groups, kH, kW).
        bias: (K,) or None.
        stride, padding, output_padding, dilation: int or (int, int).
        groups: number of groups of channels.

    Returns:
        (N, K, H', W') or (K, H', W'), channels last in memory.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> fastnet.conv_transpose2d(fastnet.ones(1, 1, 1, 2), fastnet.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    return transposed("conv_transpose2d", input, weight, bias, stride, padding, output_padding, groups, dilation, 2)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution over three axes; the arguments are those of `conv_transpose1d`, with one number or three.

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (C, K/groups, kD, kH, kW).
        bias: (K,) or None.
        stride, padding, output_padding, dilation: int or (int, int, int).
        groups: number of groups of channels.

    Returns:
        (N, K, D', H', W') or (K, D', H', W'), channels last in memory.

    Raises:
        RuntimeError: shapes, dtypes or numbers that do not fit.

    >>> import fastnet
    >>> tuple(fastnet.conv_transpose3d(fastnet.ones(1, 2, 1, 2, 3), fastnet.ones(2, 4, 2, 2, 2), stride=2).shape)
    (1, 4, 2, 4, 6)
    """
    return transposed("conv_transpose3d", input, weight, bias, stride, padding, output_padding, groups, dilation, 3)


def _explain(op, input, weight, stride, padding, dilation, groups, output_padding):
    """Verdicts for fastnet.backends.conv.explain: for each pass the algorithm, why, and all that could serve."""
    cdef Tensor x = require_tensor(input, op, "input"), w = require_tensor(weight, op, "weight")
    cdef fn_conv_shape s
    cdef const conv_algorithm *chosen
    cdef const char *why
    cdef int which, i, spatial = w.t.ndim - 2
    if output_padding is None:
        conv_shape(op, x, w, None, stride, padding, dilation, groups, spatial, &s)
        order = CONV_FORWARD, CONV_INPUT, CONV_WEIGHT
    else:
        transposed_shape(op, x, w, None, stride, padding, output_padding, groups, dilation, spatial, &s)
        order = CONV_INPUT, CONV_FORWARD, CONV_WEIGHT
    found = []
    for which in order:
        verdicts = []
        for i in range(n_algorithms - 1, -1, -1):
            verdict = algorithms[i].judge(x.t.dtype, &s, which, &why)
            verdicts.append(((<bytes>algorithms[i].name).decode(), verdict != CONV_CANNOT, (<bytes>why).decode()))
        chosen = choose(x.t.dtype, &s, which, &why)
        found.append(((<bytes>chosen.name).decode(), (<bytes>why).decode(), verdicts))
    return found


def _force(name):
    """Make `name` the algorithm wherever it can serve (None: none); returns the old one."""
    global forced
    cdef int i
    old = None if forced == NULL else (<bytes>forced.name).decode()
    if name is None:
        forced = NULL
        return old
    for i in range(n_algorithms):
        if (<bytes>algorithms[i].name).decode() == name:
            forced = algorithms[i]
            return old
    names = [(<bytes>algorithms[i].name).decode() for i in range(n_algorithms)]
    raise ValueError(f"fastnet.backends.conv: algorithm must be None or one of {names}, got {name!r}")
