"""Parameters as one vector, and back."""
from __future__ import annotations

from collections.abc import Iterable

import fastnet as fn
from fastnet._core.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened and joined in order; gradients flow back.

    >>> import fastnet as fn
    >>> tuple(fn.nn.utils.parameters_to_vector(fn.nn.Linear(2, 3).parameters()).shape)
    (9,)
    """
    return fn.cat([param.reshape(-1) for param in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy consecutive pieces of `vec` into the parameters.

    Raises: TypeError if `vec` is no Tensor; ValueError if it has fewer or more elements than the parameters together.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: vec must be a Tensor, got {type(vec).__name__}")
    parameters = list(parameters)
    total = sum(param.numel() for param in parameters)
    if tuple(vec.shape) != (total,):
        raise ValueError(f"vector_to_parameters: vec has shape {tuple(vec.shape)}, the parameters have {total} elements")
    at = 0
    with fn.no_grad():
        for param in parameters:
            param.copy_(vec[at:at + param.numel()].reshape(param.shape))
            at += param.numel()
