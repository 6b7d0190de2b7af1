"""What Tensor owes to Python and to other libraries: copying, pickling, formatting, DLPack, and PyTorch's second names."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, attach, from_numpy, rebuild


def _state(x: Tensor) -> tuple:
    return type(x), np.array(x._ndarray()), x.requires_grad, dict(getattr(x, "__dict__", ()))


def _reduce(self: Tensor, protocol: int) -> tuple:
    return rebuild, _state(self)


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError("deepcopy: only leaves can be copied with their place on the tape; use detach().clone()")
    y = rebuild(*_state(self))
    if self.grad is not None:
        y.grad = self.grad.clone() if self.grad.is_sparse else from_numpy(np.array(self.grad._ndarray()))
    memo[id(self)] = y
    return y


def _format(self: Tensor, spec: str) -> str:
    return format(self.item(), spec) if self.ndim == 0 else object.__format__(self, spec)


def _dlpack(self: Tensor, **kwargs: Any) -> Any:
    return self.numpy().__dlpack__(**kwargs)


def tolist(self: Tensor) -> Any:
    """The values as nested lists of Python numbers; a number for 0-dim.

    >>> import fastnet
    >>> fastnet.tensor([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return self._ndarray().tolist()


attach(__reduce_ex__=_reduce, __deepcopy__=_deepcopy, __format__=_format, __dlpack__=_dlpack, __dlpack_device__=lambda self: (1, 0),
       tolist=tolist, ndimension=Tensor.dim, nelement=Tensor.numel, get_device=lambda self: -1, is_cuda=property(lambda self: False),
       is_cpu=property(lambda self: True),
       is_complex=lambda self: False)
