"""zeros, ones, full, empty, eye and their kin: new tensors of one value; the default dtype."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.view cimport sizes_of

from fastnet._core.tensor import attach, check_device, set_default_float

cdef int _default = FN_F32


def set_default_dtype(d) -> None:
    """Choose the dtype of tensors made from Python floats or without a dtype: float32 (at first) or float64.

    >>> import fastnet
    >>> fastnet.set_default_dtype(fastnet.float32)
    """
    global _default
    cdef int index = dtype_index(d)
    if not is_float(index):
        raise TypeError(f"set_default_dtype: only floating-point dtypes can be the default, got {d!r}")
    _default = index
    set_default_float(index)


def get_default_dtype():
    """The dtype of tensors made from Python floats.

    >>> import fastnet
    >>> fastnet.get_default_dtype()
    fastnet.float32
    """
    return dtype_object(_default)


cdef int default_dtype() noexcept:
    return _default


cdef int check_options(str op, object device, object layout, object pin_memory) except -1:
    if device is not None:
        check_device(device, op)
    if layout is not None:
        raise ValueError(f"{op}: layout must be None: tensors are strided")
    if pin_memory:
        raise ValueError(f"{op}: pin_memory has no meaning on a CPU")
    return 0


cdef Tensor finished(Tensor y, object requires_grad):
    if requires_grad:
        y.requires_grad_()
    return y


cdef int fill(fn_tensor *y, object value) except -1:
    cdef double room = 0.0
    cdef fn_tensor x
    cdef int d
    x.p, x.dtype, x.st = <char *>&room, y.dtype, NULL
    array_set_item(&x, value)
    for d in range(y.ndim):
        x.strides[d] = 0
    return array_copy(y, &x)


cdef Tensor filled(tuple size, object keyword, object value, object dtype, str op, object device, object layout, object pin_memory,
                   object requires_grad, int otherwise):
    """A new tensor; value None: not initialised."""
    cdef Py_ssize_t dims[8]
    cdef Tensor y
    cdef int ndim = sizes_of(dims, size, keyword, op, "size")
    check_options(op, device, layout, pin_memory)
    y = tensor_new(ndim, dims, otherwise if dtype is None else dtype_index(dtype))
    _set(y, value)
    return finished(y, requires_grad)


cdef int _set(Tensor y, object value) except -1:
    if value is None:
        return 0
    if isinstance(value, int) and value == 0:
        return array_fill_zero(&y.t)
    return fill(&y.t, value)


cdef int _of(object value, str op) except -1:
    """The dtype that a fill value asks for."""
    if isinstance(value, Tensor):
        return (<Tensor>value).t.dtype
    if isinstance(value, bool):
        return FN_BOOL
    if isinstance(value, int):
        return FN_I64
    try:
        float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: fill_value must be a number, got {type(value).__name__}") from None
    return _default


cdef object into(object function, object out, tuple sizes, dict options):
    from fastnet.ops.write_out import write_out
    return write_out(function, out, sizes, options)


def zeros(*sizes, size=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor of zeros.

    Args:
        size: sizes, as integers or one tuple.
        out: write into this tensor.
        dtype: default: `get_default_dtype()`.
        layout, device, pin_memory: None, "cpu" or None, False.
        requires_grad: record operations on it.

    >>> import fastnet
    >>> fastnet.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    if out is not None:
        return into(zeros, out, sizes, dict(size=size, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory,
                                            requires_grad=requires_grad))
    return filled(sizes, size, 0, dtype, "zeros", device, layout, pin_memory, requires_grad, _default)


def ones(*sizes, size=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor of ones; arguments as for `zeros`.

    >>> import fastnet
    >>> fastnet.ones(2, dtype=fastnet.int64)
    tensor([1, 1])
    """
    if out is not None:
        return into(ones, out, sizes, dict(size=size, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory,
                                           requires_grad=requires_grad))
    return filled(sizes, size, 1, dtype, "ones", device, layout, pin_memory, requires_grad, _default)


def empty(*sizes, size=None, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
    """A tensor whose values are whatever stood in its memory; arguments as for `zeros`.

    Args:
        memory_format: None, or a format such as `fastnet.channels_last`.

    >>> import fastnet
    >>> fastnet.empty(2, 3).shape
    fastnet.Size([2, 3])
    """
    if out is not None:
        return into(empty, out, sizes, dict(size=size, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory,
                                            requires_grad=requires_grad, memory_format=memory_format))
    y = filled(sizes, size, None, dtype, "empty", device, layout, pin_memory, False, _default)
    if memory_format is not None:
        y = y.contiguous(memory_format=memory_format)
    return finished(y, requires_grad)


def full(size, fill_value, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor of one value.

    Args:
        size: a tuple of sizes.
        fill_value: a number; its type decides the dtype where none is given.

    >>> import fastnet
    >>> fastnet.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    return filled((size,), None, fill_value, dtype, "full", device, layout, pin_memory, requires_grad, _of(fill_value, "full"))


cdef Tensor _like(object input, object value, object dtype, str op, object device, object layout, object pin_memory, object requires_grad,
                  object memory_format):
    cdef Tensor x = require_tensor(input, op, "input")
    cdef Tensor y
    cdef int index = x.t.dtype if dtype is None else dtype_index(dtype)
    check_options(op, device, layout, pin_memory)
    if memory_format is None or memory_format == "preserve_format":
        y = tensor_like(&x.t, index)
    else:
        y = tensor_new(x.t.ndim, x.t.dims, index).contiguous(memory_format=memory_format)
    _set(y, value)
    return finished(y, requires_grad)


def zeros_like(input, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
    """Zeros in the shape, dtype and memory order of input.

    >>> import fastnet
    >>> fastnet.zeros_like(fastnet.tensor([1, 2]))
    tensor([0, 0])
    """
    return _like(input, 0, dtype, "zeros_like", device, layout, pin_memory, requires_grad, memory_format)


def ones_like(input, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
    """Ones in the shape, dtype and memory order of input.

    >>> import fastnet
    >>> fastnet.ones_like(fastnet.tensor([1, 2]))
    tensor([1, 1])
    """
    return _like(input, 1, dtype, "ones_like", device, layout, pin_memory, requires_grad, memory_format)


def empty_like(input, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
    """Memory that is not initialised, in the shape, dtype and memory order of input.

    >>> import fastnet
    >>> fastnet.empty_like(fastnet.zeros(2, 3)).shape
    fastnet.Size([2, 3])
    """
    return _like(input, None, dtype, "empty_like", device, layout, pin_memory, requires_grad, memory_format)


def full_like(input, fill_value, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None):
    """One value in the shape, dtype and memory order of input.

    >>> import fastnet
    >>> fastnet.full_like(fastnet.zeros(2), 3.0)
    tensor([3., 3.])
    """
    _of(fill_value, "full_like")
    return _like(input, fill_value, dtype, "full_like", device, layout, pin_memory, requires_grad, memory_format)


def new_zeros(input, *sizes, size=None, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """`zeros` with input's dtype.

    >>> import fastnet
    >>> fastnet.tensor([1]).new_zeros(2)
    tensor([0, 0])
    """
    return filled(sizes, size, 0, dtype, "new_zeros", device, layout, pin_memory, requires_grad,
                  require_tensor(input, "new_zeros", "input").t.dtype)


def new_ones(input, *sizes, size=None, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """`ones` with input's dtype.

    >>> import fastnet
    >>> fastnet.tensor([1]).new_ones(2)
    tensor([1, 1])
    """
    return filled(sizes, size, 1, dtype, "new_ones", device, layout, pin_memory, requires_grad,
                  require_tensor(input, "new_ones", "input").t.dtype)


def new_empty(input, *sizes, size=None, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """`empty` with input's dtype.

    >>> import fastnet
    >>> fastnet.tensor([1]).new_empty(2).dtype
    fastnet.int64
    """
    return filled(sizes, size, None, dtype, "new_empty", device, layout, pin_memory, requires_grad,
                  require_tensor(input, "new_empty", "input").t.dtype)


def new_full(input, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """`full` with input's dtype.

    >>> import fastnet
    >>> fastnet.tensor([1]).new_full((2,), 5)
    tensor([5, 5])
    """
    _of(fill_value, "new_full")
    return filled((size,), None, fill_value, dtype, "new_full", device, layout, pin_memory, requires_grad,
                  require_tensor(input, "new_full", "input").t.dtype)


def eye(n, m=None, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """Ones on the diagonal, zeros elsewhere.

    Args:
        n: rows.
        m: columns; default n.

    >>> import fastnet
    >>> fastnet.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    cdef Tensor y = filled((n, n if m is None else m), None, 0, dtype, "eye", device, layout, pin_memory, False, _default)
    cdef fn_tensor diagonal = y.t
    diagonal.ndim, diagonal.size = 1, min(y.t.dims[0], y.t.dims[1])
    diagonal.dims[0], diagonal.strides[0] = diagonal.size, y.t.dims[1] + 1
    fill(&diagonal, 1)
    return finished(y, requires_grad)


attach(new_zeros=new_zeros, new_ones=new_ones, new_empty=new_empty, new_full=new_full)
