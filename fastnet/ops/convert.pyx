"""as_tensor, asarray, from_dlpack, new_tensor, one_hot: tensors from other data."""
from libc.stdint cimport int64_t
from fastnet._core.array cimport *
from fastnet._core.fn cimport *
from fastnet._core.tensor cimport Tensor, dtype_index, from_data, require_tensor, shape_of, tensor_new
from fastnet.ops.create cimport check_options, finished

import numpy as np

from fastnet._core.dtypes import as_dtype
from fastnet._core.tensor import attach, from_numpy, tensor


def as_tensor(data, dtype=None, device=None):
    """A tensor of the data: the tensor itself, the memory of an ndarray, else a copy.

    Args:
        data: a tensor, an ndarray, numbers or nested sequences of numbers.
        dtype: the result's; another one makes a copy.

    >>> import fastnet, numpy as np
    >>> a = np.zeros(2); x = fastnet.as_tensor(a); a[0] = 1.0; x
    tensor([1., 0.], dtype=fastnet.float64)
    """
    check_options("as_tensor", device, None, False)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    if isinstance(data, np.ndarray) and (dtype is None or as_dtype(dtype).numpy == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """A tensor of an object that holds numbers, sharing memory where it can.

    Args:
        obj: a tensor, an ndarray, an object with DLPack or the buffer protocol, numbers or nested sequences.
        dtype: the result's.
        copy: True: always copy; False: never (ValueError where that is impossible); None: where needed.
        requires_grad: record operations on it.

    >>> import fastnet
    >>> fastnet.asarray([1.0, 2.0])
    tensor([1., 2.])
    """
    cdef Tensor y
    check_options("asarray", device, None, False)
    source = obj
    if not isinstance(obj, (Tensor, np.ndarray, np.generic, list, tuple, int, float)):
        source = np.from_dlpack(obj) if hasattr(obj, "__dlpack__") else np.asarray(obj)
    shares = isinstance(source, (Tensor, np.ndarray)) and (dtype is None or as_dtype(dtype) == as_dtype(source.dtype))
    if copy is False and not shares:
        raise ValueError(f"asarray: {type(obj).__name__} cannot become a tensor without a copy")
    y = as_tensor(source, dtype)
    if copy and shares:
        y = y.clone()
    if isinstance(obj, Tensor):
        return y if not requires_grad or y.node != NULL else y.detach().requires_grad_()
    return finished(y, requires_grad)


def from_dlpack(ext_tensor):
    """A tensor over the memory of another library's CPU array.

    >>> import fastnet, numpy as np
    >>> fastnet.from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    return from_numpy(np.from_dlpack(ext_tensor))


def new_tensor(input, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A new tensor with a copy of data, of input's dtype.

    >>> import fastnet
    >>> fastnet.zeros(1).new_tensor([1, 2])
    tensor([1., 2.])
    """
    cdef Tensor x = require_tensor(input, "new_tensor", "input")
    check_options("new_tensor", device, layout, pin_memory)
    return finished(from_data(data, x.t.dtype if dtype is None else dtype_index(dtype)), requires_grad)


def one_hot(tensor, num_classes=-1):
    """Classes as rows of zeros with a one at the class.

    Args:
        tensor: (...) int64, from 0 on.
        num_classes: columns; -1: one more than the largest class.

    Returns:
        (..., num_classes) int64.

    Raises:
        RuntimeError: a class is negative or not below num_classes.

    >>> import fastnet
    >>> fastnet.nn.functional.one_hot(fastnet.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    cdef Tensor x = require_tensor(tensor, "one_hot", "tensor")
    cdef Tensor y
    cdef fn_tensor rows
    cdef Py_ssize_t dims[8]
    cdef Py_ssize_t i, classes = num_classes
    cdef const int64_t *of
    if x.t.dtype != FN_I64:
        raise RuntimeError(f"one_hot: tensor must be int64, got {x.dtype}")
    if x.t.size == 0 and classes <= 0:
        raise RuntimeError(f"one_hot: num_classes cannot be found from an empty tensor of shape {shape_of(&x.t)}")
    if x.t.ndim == FN_MAXDIM:
        raise ValueError(f"one_hot: a tensor of {FN_MAXDIM} axes cannot have one more")
    array_contiguous(&rows, &x.t)
    try:
        of = <const int64_t *>rows.p
        if classes == -1:
            for i in range(rows.size):
                classes = max(classes, of[i] + 1)
        for i in range(rows.size):
            if not 0 <= of[i] < classes:
                raise RuntimeError(f"one_hot: class {of[i]} is not in [0, {classes})")
        for i in range(x.t.ndim):
            dims[i] = x.t.dims[i]
        dims[x.t.ndim] = classes
        y = tensor_new(x.t.ndim + 1, dims, FN_I64)
        array_fill_zero(&y.t)
        for i in range(rows.size):
            (<int64_t *>y.t.p)[i * classes + of[i]] = 1
    finally:
        array_drop(&rows)
    return y


attach(new_tensor=new_tensor)
