"""Casts between dtypes: to, type, float, double, long, int, bool, byte.  Gradients are cast back."""
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tape cimport *
from fastnet._core.tensor cimport *
from fastnet.ops.elementwise cimport array_cast, gradient_to

from fastnet._core.size import device as _device
from fastnet._core.tensor import attach, check_device


cdef int cast_backward(fn_node *n, fn_tensor *gy, fn_tensor *gin) except -1:
    cdef fn_tensor g
    array_share(&g, gy)
    return gradient_to(&gin[0], &g, n.inputs[0])


cdef fn_op CAST = [b"ToCopyBackward0", cast_backward, False]


cdef Tensor cast(Tensor x, int dtype, bint copy):
    cdef fn_tensor t
    cdef Tensor y
    if x.t.dtype == dtype and not copy:
        return x
    array_cast(&t, &x.t, dtype)
    y = tensor_take(&t)
    if x.node != NULL and is_float(dtype) and grad_enabled():
        node_input(record(y, &CAST, 1, 0), 0, x.node)
    return y


def to(input, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """A tensor with another dtype; the tensor itself where nothing changes.

    Args:
        args: a dtype, the device "cpu", both in that order, or a tensor whose dtype is taken; then non_blocking and copy.
        dtype, device: the same as keywords.
        non_blocking: accepted; there is no device to wait for.
        copy: make a copy even where nothing changes.
        memory_format: None, or the order of axes that the result has, as for `Tensor.contiguous`.

    Raises:
        TypeError: an argument is none of these.

    >>> import fastnet
    >>> fastnet.tensor([1.7, -1.7]).to(fastnet.int64)
    tensor([ 1, -1])
    """
    cdef Tensor x = require_tensor(input, "to", "input")
    if memory_format not in (None, "preserve_format", "contiguous_format", "channels_last", "channels_last_3d"):
        raise ValueError(f"to: memory_format {memory_format!r} is not one of fastnet's")
    flags = []
    for value in args:
        if isinstance(value, bool):
            flags.append(value)
        elif isinstance(value, Tensor):
            dtype = value.dtype
        elif isinstance(value, _device) or (isinstance(value, str) and value.split(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta")):
            device = value
        elif value is not None:
            dtype = value
    if len(flags) > 2:
        raise TypeError("to: at most two flags, non_blocking and copy, may follow")
    check_device(device, "to")
    x = cast(x, x.t.dtype if dtype is None else dtype_index(dtype), flags[1] if len(flags) > 1 else copy)
    return x if memory_format is None else x.contiguous(memory_format=memory_format)


def type(input, dtype=None, non_blocking=False):
    """The tensor as another dtype; without one, PyTorch's name of its type.

    >>> import fastnet
    >>> fastnet.tensor([1.0]).type(fastnet.float64).dtype
    fastnet.float64
    """
    cdef Tensor x = require_tensor(input, "type", "input")
    if dtype is None:
        return "fastnet." + _TYPES[x.t.dtype] + "Tensor"
    if isinstance(dtype, str) and dtype.split(".")[-1] in _NAMES:
        dtype = dtype_object(_NAMES[dtype.split(".")[-1]])
    return cast(x, dtype_index(dtype), False)


_TYPES = ("Float", "Double", "Long", "Int", "Byte", "Bool")
_NAMES = {name + "Tensor": i for i, name in enumerate(_TYPES)}


def type_as(input, other):
    """The tensor as other's dtype."""
    return cast(require_tensor(input, "type_as", "input"), require_tensor(other, "type_as", "other").t.dtype, False)


def _method(str name, int dtype):
    def method(input, memory_format=None):
        y = cast(require_tensor(input, name, "input"), dtype, False)
        return y if memory_format is None else y.contiguous(memory_format=memory_format)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The tensor as {dtype_object(dtype).name}; itself where it is that already."
    return method


attach(to=to, type=type, type_as=type_as,
       **{name: _method(name, i) for i, name in enumerate(("float", "double", "long", "int", "byte", "bool"))})
