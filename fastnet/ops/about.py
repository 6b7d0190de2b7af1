"""What a tensor is: is_tensor, numel, is_floating_point, is_nonzero, result_type and other questions."""
from __future__ import annotations

from typing import Any

from fastnet._core.dtypes import bool_, dtype, float32, float64
from fastnet._core.tensor import Tensor
from fastnet.ops.convert import as_tensor
from fastnet.ops.create import get_default_dtype, zeros
from fastnet.ops.operands import a_tensor


def is_tensor(obj: Any) -> bool:
    """Whether something is a Tensor.

    Args:
        obj: anything.

    >>> import fastnet
    >>> fastnet.is_tensor([1.0])
    False
    """
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.numel(fastnet.zeros(2, 3))
    6
    """
    return a_tensor(input, "numel").numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.is_floating_point(fastnet.tensor([1]))
    False
    """
    return a_tensor(input, "is_floating_point").is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers: they never are.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.is_complex(fastnet.zeros(1))
    False
    """
    a_tensor(input, "is_complex")
    return False


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not 0.

    Args:
        input: of one element.

    Raises:
        RuntimeError: no element, or several.

    >>> import fastnet
    >>> fastnet.is_nonzero(fastnet.tensor([0.0]))
    False
    """
    if a_tensor(input, "is_nonzero").numel() != 1:
        raise RuntimeError(f"is_nonzero: input must have one element, got {tuple(input.shape)}")
    return bool(input.item())


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape.

    Args:
        input: any tensor.
        other: any tensor.

    >>> import fastnet
    >>> fastnet.is_same_size(fastnet.zeros(2), fastnet.zeros(3))
    False
    """
    return a_tensor(input, "is_same_size").shape == a_tensor(other, "is_same_size").shape


def detach(input: Tensor) -> Tensor:
    """The same elements without their history.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.detach(fastnet.ones(1, requires_grad=True))
    tensor([1.])
    """
    return a_tensor(input, "detach").detach()


def result_type(tensor1: Tensor | float, tensor2: Tensor | float) -> dtype:
    """The dtype that arithmetic of two values gives.

    Args:
        tensor1: a tensor or a number.
        tensor2: a tensor or a number.

    >>> import fastnet
    >>> fastnet.result_type(fastnet.tensor([1]), 1.0)
    fastnet.float32
    """
    if not isinstance(tensor1, Tensor) and not isinstance(tensor2, Tensor):
        kinds = (type(tensor1), type(tensor2))
        if float in kinds:
            return get_default_dtype()
        return bool_ if kinds == (bool, bool) else (zeros(1, dtype=bool_) + 1).dtype
    x, y = (t.detach().new_zeros(t.shape and (1,) * t.ndim) if isinstance(t, Tensor) else t for t in (tensor1, tensor2))
    return as_tensor(x * y).dtype


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both can be converted to.

    Args:
        type1: a dtype.
        type2: a dtype.

    >>> import fastnet
    >>> fastnet.promote_types(fastnet.int64, fastnet.float32)
    fastnet.float32
    """
    return (zeros(1, dtype=type1) * zeros(1, dtype=type2)).dtype


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether a dtype may be converted to another in place: not from floating-point to integers, nor from numbers to bool.

    Args:
        from_: a dtype.
        to: a dtype.

    >>> import fastnet
    >>> fastnet.can_cast(fastnet.float32, fastnet.int64)
    False
    """
    floats = (float32, float64)
    return not (from_ in floats and to not in floats) and not (to == bool_ and from_ != bool_)


def cpu(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself: all are on the CPU.

    Args:
        input: any tensor.
        memory_format: as `Tensor.to`'s.

    >>> import fastnet
    >>> fastnet.ones(1).cpu()
    tensor([1.])
    """
    return input if memory_format is None else input.to(memory_format=memory_format)
