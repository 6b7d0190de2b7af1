# Part of tensor.pyx: tensors from Python's and NumPy's data.

cdef int _default_float = FN_F32        # the dtype of Python floats


def set_default_float(int index) -> None:
    """Let Python floats become tensors of this dtype."""
    global _default_float
    _default_float = index


cdef Tensor from_data(object data, int dtype):
    """A new tensor with a copy of data; dtype < 0: by PyTorch's rule (Python floats are float32, integers int64)."""
    cdef cnp.ndarray a
    cdef Tensor y
    if isinstance(data, Tensor):
        data = (<Tensor>data)._ndarray()
    is_array = isinstance(data, (np.ndarray, np.generic))
    if not is_array and isinstance(data, (list, tuple)):
        data = _plain(data)
    a = np.asarray(data)
    if dtype < 0:
        if a.dtype.kind == "f" and not is_array:
            dtype = _default_float
        elif a.size == 0 and not is_array:
            dtype = _default_float
        elif a.dtype.kind == "i" and not is_array:
            dtype = FN_I64
        else:
            dtype = as_dtype(a.dtype).index
    if a.dtype.kind not in "fiub":
        raise TypeError(f"tensor: data of type {type(data).__name__} holds {a.dtype} elements, not numbers")
    if a.ndim > FN_MAXDIM:
        raise ValueError(f"tensor: data has {a.ndim} axes, a tensor has at most {FN_MAXDIM}")
    y = tensor_new(a.ndim, <Py_ssize_t *>cnp.PyArray_DIMS(a), dtype)
    np.copyto(y._ndarray(), a, casting="unsafe")
    return y


cdef object _plain(object data):
    """Nested sequences with tensors replaced by what NumPy can read."""
    if isinstance(data, Tensor):
        return (<Tensor>data)._ndarray() if (<Tensor>data).t.ndim else (<Tensor>data).item()
    if isinstance(data, (list, tuple)):
        for x in data:
            if isinstance(x, (list, tuple, Tensor)):
                return [_plain(x) for x in data]
    return data


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor with a copy of data.

    Args:
        data: a number, nested sequences of numbers, an ndarray or a tensor.
        dtype: default float32 for Python floats, int64 for integers, bool for bools; arrays keep theirs.
        device: "cpu" or None.
        requires_grad: record operations on it.
        pin_memory: must be False: there is no device to copy to.

    Raises:
        TypeError: data does not hold numbers.

    >>> import fastnet
    >>> fastnet.tensor([[1, 2], [3, 4]]).shape
    fastnet.Size([2, 2])
    """
    check_device(device, "tensor")
    if pin_memory:
        raise ValueError("tensor: pin_memory has no meaning on a CPU")
    cdef Tensor y = from_data(data, -1 if dtype is None else dtype_index(dtype))
    return y.requires_grad_() if requires_grad else y


def from_numpy(array):
    """A tensor that shares memory with an ndarray (any strides; copied only where its elements are misaligned).

    Args:
        array: an ndarray of float32, float64, int64, int32, uint8 or bool; a read-only one gives a tensor that refuses in-place ops.

    Raises:
        TypeError: not an ndarray, or another dtype.

    >>> import fastnet, numpy as np
    >>> a = np.zeros(2); x = fastnet.from_numpy(a); a[0] = 5.0; x[0].item()
    5.0
    """
    cdef cnp.ndarray a
    cdef fn_tensor t
    cdef int d
    cdef Tensor y
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, got {type(array).__name__}")
    t.dtype = as_dtype(array.dtype).index
    a = array
    if not a.dtype.isnative:
        a = a.astype(a.dtype.newbyteorder("="))
    cdef Py_ssize_t width = itemsize(t.dtype)
    if a.ndim > FN_MAXDIM:
        raise ValueError(f"from_numpy: the array has {a.ndim} axes, a tensor has at most {FN_MAXDIM}")
    if <size_t>cnp.PyArray_DATA(a) % width or any([a.strides[d] % width for d in range(a.ndim)]):
        a = a.copy()
    t.ndim, t.size, t.p = a.ndim, a.size, <char *>cnp.PyArray_DATA(a)
    for d in range(a.ndim):
        t.dims[d] = a.shape[d]
        t.strides[d] = a.strides[d] // width
    t.st = storage_wrap(t.p, a.nbytes, a)
    y = tensor_take(&t)
    if not cnp.PyArray_ISWRITEABLE(a):
        y.flags |= READ_ONLY
    return y


def check_device(device, op) -> None:
    """Refuse every device but the CPU."""
    if device is not None and device is not _cpu:
        _device_class(device)


def rebuild(cls, array, requires_grad, attributes):
    cdef Tensor y = Tensor.__new__(cls)
    y._alias(from_data(array, as_dtype(array.dtype).index))
    if requires_grad:
        y.requires_grad_()
    if attributes:
        y.__dict__.update(attributes)
    return y


cdef object _taken = None               # hears when Python takes values out of a tensor


cdef inline int tell_taken(Tensor x) except -1:
    if _taken is not None:
        _taken(x)
    return 0


def on_taken(call):
    """Call `call(tensor)` whenever Python takes values out of a tensor, as numbers, bools or arrays; None ends it.

    Returns:
        What was called before, or None.
    """
    global _taken
    before, _taken = _taken, call
    return before
