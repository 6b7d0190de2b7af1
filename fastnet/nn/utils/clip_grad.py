"""Gradient clipping by norm and by value, in place."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.clip import clamp_, scale_, total_norm


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients, of a sparse one its rows: the gradient becomes the coalesced one, so that what is done to them reaches it."""
    found = []
    for param in [parameters] if isinstance(parameters, Tensor) else parameters:
        grad: Any = param.grad                            # a Tensor or a SparseTensor
        if grad is not None and grad.is_sparse:
            param.grad = grad = grad.coalesce()
            grad = grad.values()
        if grad is not None:
            found.append(grad)
    return found


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The norm of all tensors taken as one vector.

    Args:
        tensors: what is measured.
        norm_type: p of the norm; may be inf.
        error_if_nonfinite: raise RuntimeError if the norm is NaN or infinite.
        foreach: accepted for PyTorch's sake; there is one implementation.

    Returns: a 0-d tensor; 0 if there are no tensors.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    total = total_norm(tensors, norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. "
                           "To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`")
    return total


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale the gradients by min(1, max_norm / (total_norm + 1e-6)), in place.

    Args:
        parameters: whose gradients are scaled.
        max_norm: largest norm allowed.
        total_norm: the norm they have.
        foreach: accepted for PyTorch's sake; there is one implementation.
    """
    factor = float(max_norm) / (float(total_norm) + 1e-6)
    if not factor >= 1.0:  # NaN too reaches the gradients
        scale_(_gradients(parameters), factor)


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
                    foreach: bool | None = None) -> Tensor:
    """Scale all gradients together, in place, so that their norm as one vector is at most `max_norm`.

    Args:
        parameters: one tensor or several; those without gradient are passed over.
        max_norm: largest norm allowed.
        norm_type: p of the norm; may be inf.
        error_if_nonfinite: raise RuntimeError, before anything is scaled, if the norm is NaN or infinite.
        foreach: accepted for PyTorch's sake; there is one implementation.

    Returns: the norm before clipping, a 0-d tensor.

    >>> import fastnet as fn
    >>> w = fn.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = fn.tensor([3.0, 4.0])
    >>> fn.nn.utils.clip_grad_norm_([w], max_norm=1.0).item()
    5.0
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of the gradients to [-clip_value, clip_value], in place.

    Args:
        parameters: one tensor or several; those without gradient are passed over.
        clip_value: the limit.
        foreach: accepted for PyTorch's sake; there is one implementation.
    """
    clip_value = float(clip_value)
    clamp_(_gradients(parameters), -clip_value, clip_value)
