"""FloatTensor, LongTensor and their kind: constructors of PyTorch's first years, and what isinstance says of them."""
from __future__ import annotations

from typing import Any

from fastnet._core import dtypes
from fastnet._core.tensor import Tensor, tensor
from fastnet.ops.create import empty


class _TypeOf(type):
    dtype: Any

    def __instancecheck__(cls, obj: Any) -> bool:
        return isinstance(obj, Tensor) and obj.dtype == cls.dtype

    def __call__(cls, *args: Any) -> Tensor:
        if len(args) == 1 and not isinstance(args[0], int):
            return tensor(args[0], dtype=cls.dtype)
        if not all(isinstance(a, int) for a in args):
            raise TypeError(f"{cls.__name__}: give sizes or one sequence of numbers, got {', '.join(type(a).__name__ for a in args)}")
        return empty(*args or (0,), dtype=cls.dtype)


class FloatTensor(metaclass=_TypeOf):
    """A float32 tensor: of numbers, or empty of the given sizes.

    >>> import fastnet
    >>> fastnet.FloatTensor([1, 2])
    tensor([1., 2.])
    """

    dtype = dtypes.float32


class DoubleTensor(metaclass=_TypeOf):
    """A float64 tensor: of numbers, or empty of the given sizes."""

    dtype = dtypes.float64


class LongTensor(metaclass=_TypeOf):
    """An int64 tensor: of numbers, or empty of the given sizes."""

    dtype = dtypes.int64


class IntTensor(metaclass=_TypeOf):
    """An int32 tensor: of numbers, or empty of the given sizes."""

    dtype = dtypes.int32


class ByteTensor(metaclass=_TypeOf):
    """A uint8 tensor: of numbers, or empty of the given sizes."""

    dtype = dtypes.uint8


class BoolTensor(metaclass=_TypeOf):
    """A bool tensor: of truth values, or empty of the given sizes."""

    dtype = dtypes.bool_
