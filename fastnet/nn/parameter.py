"""Parameter: a tensor that a Module registers."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor


class Parameter(Tensor):
    """A tensor that becomes one of a module's parameters when it is assigned to an attribute of it.

    Args:
        data: a Tensor whose memory it shares; an empty one if None.
        requires_grad: whether gradients are computed for it.

    >>> import fastnet as fn
    >>> fn.nn.Parameter(fn.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        if data is None:
            data = fn.empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: data must be a Tensor, got {type(data).__name__}")
        self._alias(data)
        if requires_grad:
            self.requires_grad_()
