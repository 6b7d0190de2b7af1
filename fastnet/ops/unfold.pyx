"""unfold and fold: windows of images as columns of a matrix, and their sums put back."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.launch cimport byte_cost, launch
from fastnet._core.memory cimport block_new
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *

cdef extern from "groups/pool.h" nogil:
    int FN_unfold, FN_fold
    ctypedef struct fn_unfold_args:
        const void *from_ "from"
        void *to
        Py_ssize_t[2] in_ "in"
        Py_ssize_t[2] out, kernel, stride, pad, dilation


cdef int _pair(Py_ssize_t *to, object value, str op, str argument, Py_ssize_t least) except -1:
    cdef int d
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) == 1:
        values *= 2
    if len(values) != 2:
        raise RuntimeError(f"{op}: {argument} must be a number or two, got {value!r}")
    for d in range(2):
        if isinstance(values[d], bool) or not hasattr(values[d], "__index__"):
            raise TypeError(f"{op}: {argument} must be an int or a tuple of ints, got {value!r}")
        to[d] = values[d]
        if not least <= to[d] < 1 << 31:
            raise RuntimeError(f"{op}: {argument} must be at least {least}, got {value!r}")
    return 0


cdef int _windows(fn_unfold_args *a, object kernel_size, object dilation, object padding, object stride, str op) except -1:
    """Read the arguments; a.in_ is known."""
    cdef int d
    _pair(a.kernel, kernel_size, op, "kernel_size", 1)
    _pair(a.dilation, dilation, op, "dilation", 1)
    _pair(a.pad, padding, op, "padding", 0)
    _pair(a.stride, stride, op, "stride", 1)
    for d in range(2):
        a.out[d] = a.in_[d] + 2 * a.pad[d] - (a.kernel[d] - 1) * a.dilation[d] - 1
        if a.out[d] < 0:
            raise RuntimeError(f"{op}: kernel_size {kernel_size}, dilation {dilation}, padding {padding} do not fit an image of "
                               f"({a.in_[0]}, {a.in_[1]})")
        a.out[d] = a.out[d] // a.stride[d] + 1
    return 0


cdef int _run(fn_tensor *y, const fn_tensor *x, fn_unfold_args *a, bint fold, Py_ssize_t planes) except -1:
    """y is there; one pass of the one or the other."""
    cdef Py_ssize_t taps = a.kernel[0] * a.kernel[1]
    cdef fn_tensor px
    array_contiguous(&px, x)
    try:
        a.from_, a.to = px.p, y.p
        return launch(FN_fold if fold else FN_unfold, y.dtype, a, planes if fold else planes * taps,
                      byte_cost(2.0 * itemsize(y.dtype) * planes * taps * a.out[0] * a.out[1]))
    finally:
        array_drop(&px)


cdef int _backward(fn_node *n, fn_tensor *gy, fn_tensor *gin, bint fold) except -1:
    cdef fn_unfold_args a = (<fn_unfold_args *>n.block)[0]
    array_new(&gin[0], n.inputs[0].acc.ndim, n.inputs[0].acc.dims, gy.dtype)
    return _run(&gin[0], gy, &a, fold, n.i[0])


cdef int unfold_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, True)


cdef int fold_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    return _backward(n, gy, gin, False)


cdef fn_op UNFOLD = [b"Im2ColBackward0", unfold_backward, False]
cdef fn_op FOLD = [b"Col2ImBackward0", fold_backward, False]


cdef int _fits(double planes, const fn_unfold_args *a, str op) except -1:
    """Sizes are multiplied only where their product is one."""
    if planes * max(<double>a.kernel[0] * a.kernel[1] * a.out[0] * a.out[1], <double>a.in_[0] * a.in_[1]) > 1e18:
        raise MemoryError(f"{op}: the result does not fit in memory")
    return 0


cdef Tensor _apply(Tensor x, int ndim, const Py_ssize_t *dims, fn_unfold_args *a, bint fold, Py_ssize_t planes):
    cdef Tensor y = tensor_new(ndim, dims, x.t.dtype)
    cdef fn_node *n
    _run(&y.t, &x.t, a, fold, planes)
    if x.node != NULL and grad_enabled():
        n = record(y, &FOLD if fold else &UNFOLD, 1, 0)
        n.block = block_new(sizeof(fn_unfold_args))
        (<fn_unfold_args *>n.block)[0], n.i[0] = a[0], planes
        node_input(n, 0, x.node)
    return y


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of an image as columns: a convolution is then a product of matrices.

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        kernel_size, dilation, padding, stride: a number, or (height, width).

    Returns:
        (N, C * kernel height * kernel width, L): column l holds the l-th window, row by row of windows, its places outside as 0.

    Raises:
        RuntimeError: the shapes do not fit.
        TypeError: input is not floating-point.

    >>> import fastnet
    >>> fastnet.nn.functional.unfold(fastnet.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), 2)
    tensor([[1., 2.],
            [2., 3.],
            [4., 5.],
            [5., 6.]])
    """
    cdef Tensor x = require_tensor(input, "unfold", "input")
    cdef fn_unfold_args a
    cdef Py_ssize_t dims[3]
    cdef int ndim = x.t.ndim
    if not is_float(x.t.dtype):
        raise TypeError(f"unfold: input must be floating-point, got {x.dtype}")
    if ndim not in (3, 4) or 0 in shape_of(&x.t)[ndim - 3:]:
        raise RuntimeError(f"unfold: input must be (N, C, H, W) or (C, H, W), only the batch may be empty, got shape {shape_of(&x.t)}")
    a.in_[0], a.in_[1] = x.t.dims[ndim - 2], x.t.dims[ndim - 1]
    _windows(&a, kernel_size, dilation, padding, stride, "unfold")
    _fits((<double>x.t.dims[0] if ndim == 4 else 1.0) * x.t.dims[ndim - 3], &a, "unfold")
    dims[0] = x.t.dims[0]
    dims[ndim - 3] = x.t.dims[ndim - 3] * a.kernel[0] * a.kernel[1]
    dims[ndim - 2] = a.out[0] * a.out[1]
    return _apply(x, ndim - 1, dims, &a, False, (x.t.dims[0] if ndim == 4 else 1) * x.t.dims[ndim - 3])


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """An image from its windows: what overlaps is added; the transpose of `unfold`.

    Args:
        input: (N, C * kernel height * kernel width, L) or without N, floating-point, as `unfold` returns it.
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: a number, or (height, width).

    Returns:
        (N, C, *output_size)

    Raises:
        RuntimeError: the shapes do not fit.
        TypeError: input is not floating-point.

    >>> import fastnet
    >>> fastnet.nn.functional.fold(fastnet.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    cdef Tensor x = require_tensor(input, "fold", "input")
    cdef fn_unfold_args a
    cdef Py_ssize_t dims[4]
    cdef int ndim = x.t.ndim
    cdef Py_ssize_t taps
    if not is_float(x.t.dtype):
        raise TypeError(f"fold: input must be floating-point, got {x.dtype}")
    if ndim not in (2, 3) or 0 in shape_of(&x.t)[ndim - 2:]:
        raise RuntimeError(f"fold: input must be (N, C * taps, L) or (C * taps, L), only the batch may be empty, got shape {shape_of(&x.t)}")
    _pair(a.in_, output_size, "fold", "output_size", 1)
    _windows(&a, kernel_size, dilation, padding, stride, "fold")
    _fits((<double>x.t.dims[0] if ndim == 3 else 1.0) * x.t.dims[ndim - 2], &a, "fold")
    taps = a.kernel[0] * a.kernel[1]
    if x.t.dims[ndim - 2] % taps or x.t.dims[ndim - 1] != a.out[0] * a.out[1]:
        raise RuntimeError(f"fold: input {shape_of(&x.t)} must have rows for {taps} taps and {a.out[0] * a.out[1]} columns for windows")
    dims[0] = x.t.dims[0]
    dims[ndim - 2], dims[ndim - 1], dims[ndim] = x.t.dims[ndim - 2] // taps, a.in_[0], a.in_[1]
    return _apply(x, ndim + 1, dims, &a, True, (x.t.dims[0] if ndim == 3 else 1) * (x.t.dims[ndim - 2] // taps))
