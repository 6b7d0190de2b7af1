"""Variable: what tensors with gradients were called before PyTorch 0.4."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor


def Variable(data: Tensor, requires_grad: bool = False, volatile: Any = None) -> Tensor:
    """A tensor that shares data's memory and may require grad.

    Args:
        data: any tensor.
        requires_grad: whether gradients are to be computed for it.
        volatile: must be None: `no_grad` took its place.

    Raises:
        ValueError: volatile is given.

    >>> import fastnet
    >>> fastnet.autograd.Variable(fastnet.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    """
    if volatile is not None:
        raise ValueError("Variable: volatile was taken out of PyTorch; use no_grad()")
    if not isinstance(data, Tensor):
        raise TypeError(f"Variable: data must be a Tensor, got {type(data).__name__}")
    return data.detach().requires_grad_() if requires_grad else data
