"""squeeze_, unsqueeze_, transpose_, t_: the shape of a tensor changed in place."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor


def squeeze_(input: Tensor, *dim: Any) -> Tensor:
    """Take away axes of size 1, in place.

    Args:
        input: a tensor that does not require grad.
        dim: which axes; all by default.

    Raises:
        RuntimeError: the tensor requires grad: use `squeeze`.

    >>> import fastnet
    >>> fastnet.zeros(1, 2).squeeze_().shape
    fastnet.Size([2])
    """
    return _reshaped(input, "squeeze", *dim)


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Add an axis of size 1, in place.

    Args:
        input: a tensor that does not require grad.
        dim: where.

    Raises:
        RuntimeError: the tensor requires grad: use `unsqueeze`.

    >>> import fastnet
    >>> fastnet.zeros(2).unsqueeze_(0).shape
    fastnet.Size([1, 2])
    """
    return _reshaped(input, "unsqueeze", dim)


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two axes, in place.

    Args:
        input: a tensor that does not require grad.
        dim0: an axis.
        dim1: another.

    Raises:
        RuntimeError: the tensor requires grad: use `transpose`.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).transpose_(0, 1).shape
    fastnet.Size([3, 2])
    """
    return _reshaped(input, "transpose", dim0, dim1)


def t_(input: Tensor) -> Tensor:
    """Transpose a matrix, in place.

    Args:
        input: of at most 2 axes; it must not require grad.

    Raises:
        RuntimeError: the tensor requires grad: use `t`.

    >>> import fastnet
    >>> fastnet.zeros(2, 3).t_().shape
    fastnet.Size([3, 2])
    """
    return _reshaped(input, "t")


def _reshaped(x: Tensor, name: str, *args: Any) -> Tensor:
    if x.requires_grad:
        raise RuntimeError(f"{name}_: the tensor requires grad, and its shape is part of its history; use {name}")
    x.data = getattr(x, name)(*args)
    return x
