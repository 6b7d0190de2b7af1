"""What older programs ask of a tensor: resize_, new, apply_, map_, sum_to_size, frombuffer, scalar_tensor, unravel_index, msort."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.dtypes import as_dtype
from fastnet._core.tensor import Tensor, from_numpy, tensor
from fastnet.ops.create import empty, get_default_dtype
from fastnet.ops.operands import a_tensor


def resize_(input: Tensor, *sizes: Any) -> Tensor:
    """Give a tensor another shape in place; its first elements stay, those beyond them are not initialised.

    Args:
        input: a tensor that does not require grad.
        sizes: integers, or one sequence of them.

    Raises:
        RuntimeError: the tensor requires grad.

    >>> import fastnet
    >>> fastnet.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    x = a_tensor(input, "resize_")
    if x.requires_grad:
        raise RuntimeError("resize_: the tensor requires grad, and its shape is part of its history; use reshape")
    y = empty(*sizes, dtype=x.dtype)
    if y.numel() == x.numel() and x.is_contiguous():
        x.data = x.view(y.shape)
    elif y.shape != x.shape:
        n = min(x.numel(), y.numel())
        y.view(-1)[:n] = x.reshape(-1)[:n]
        x.data = y
    return x


def resize_as_(input: Tensor, other: Tensor) -> Tensor:
    """`resize_` to the shape of another tensor.

    >>> import fastnet
    >>> fastnet.zeros(4).resize_as_(fastnet.ones(2, 2)).shape
    fastnet.Size([2, 2])
    """
    return resize_(a_tensor(input, "resize_as_"), a_tensor(other, "resize_as_", "other").shape)


def new(input: Tensor, *args: Any) -> Tensor:
    """A tensor of the dtype of `input`, with a copy of data, or not initialised and of the sizes that are given.

    >>> import fastnet
    >>> fastnet.zeros(1, dtype=fastnet.float64).new([1, 2])
    tensor([1., 2.], dtype=fastnet.float64)
    """
    dtype = a_tensor(input, "new").dtype
    if len(args) == 1 and not isinstance(args[0], int) and type(args[0]) is not type(input.shape):
        return tensor(args[0], dtype=dtype)
    return empty(*args, dtype=dtype) if args else empty(0, dtype=dtype)


def apply_(input: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Write f(x) over every element x, with a Python call for each.

    Args:
        input: a tensor that does not require grad.
        callable: from a Python number to one.

    Raises:
        TypeError: the tensor requires grad.

    >>> import fastnet
    >>> fastnet.tensor([1, 2]).apply_(lambda x: x * x + 1)
    tensor([2, 5])
    """
    return map_(input, a_tensor(input, "apply_"), lambda x, _: callable(x), "apply_")


def map_(input: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any], _op: str = "map_") -> Tensor:
    """Write f(x, y) over every element x, y being the element of `tensor` at its place; they broadcast to the shape of `input`.

    >>> import fastnet
    >>> fastnet.tensor([1.0, 2.0]).map_(fastnet.tensor([5.0, 0.0]), max)
    tensor([5., 2.])
    """
    x, y = a_tensor(input, _op), a_tensor(tensor, _op, "tensor")
    if x.requires_grad or y.requires_grad:
        raise TypeError(f"{_op}: a tensor that requires grad cannot be changed by a Python function")
    values = [callable(a, b) for a, b in zip(x.reshape(-1).tolist(), y.expand(x.shape).reshape(-1).tolist())]
    return x.copy_(from_numpy(np.array(values, x.numpy().dtype)).view(x.shape))


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the axes along which a tensor of this size would be broadcast.

    Args:
        input: any tensor.
        size: integers, or one sequence of them.

    Raises:
        RuntimeError: this size does not broadcast to the shape of input.

    >>> import fastnet
    >>> fastnet.ones(3, 2).sum_to_size(1, 2)
    tensor([[3., 3.]])
    """
    x = a_tensor(input, "sum_to_size")
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    more = x.ndim - len(shape)
    if more < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[more:])):
        raise RuntimeError(f"sum_to_size: size {shape} is not expandable to size {tuple(x.shape)}")
    axes = [*range(more), *(d + more for d, n in enumerate(shape) if n == 1 and x.shape[d + more] != 1)]
    return x.sum(axes, True).reshape(shape) if axes else x


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A tensor of one axis over the memory of a buffer, such as bytes, a bytearray or a memory map.

    Args:
        buffer: what the tensor shares memory with; one over read-only memory refuses in-place ops.
        dtype: of the elements.
        count: how many; -1: all.
        offset: bytes to skip.
        requires_grad: record operations on it.

    Raises:
        ValueError: the buffer is too short, or no whole number of elements.

    >>> import fastnet
    >>> fastnet.frombuffer(bytes([1, 2, 3]), dtype=fastnet.uint8, offset=1)
    tensor([2, 3], dtype=fastnet.uint8)
    """
    x = from_numpy(np.frombuffer(buffer, as_dtype(dtype).numpy, count, offset))
    return x.requires_grad_() if requires_grad else x


def scalar_tensor(s: float, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of no axes; in the default dtype unless one is given.

    >>> import fastnet
    >>> fastnet.scalar_tensor(3)
    tensor(3.)
    """
    return tensor(s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates of elements that are numbered in row-major order.

    Args:
        indices: any shape, integers.
        shape: of the array, an int or a sequence of them.

    Returns:
        A tensor of the shape of indices for each axis.

    Raises:
        ValueError: no such element.  TypeError: indices are not integers.

    >>> import fastnet
    >>> fastnet.unravel_index(fastnet.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    x = a_tensor(indices, "unravel_index", "indices").numpy()
    if x.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: indices must be integers, got {indices.dtype}")
    return tuple(tensor(i) for i in np.unravel_index(x, shape))


def msort(input: Tensor) -> Tensor:
    """The values sorted along the first axis, ascending.

    >>> import fastnet
    >>> fastnet.msort(fastnet.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    x = a_tensor(input, "msort")
    return x.sort(0)[0] if x.ndim else x.clone()
