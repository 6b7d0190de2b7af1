"""dropout, also of whole channels, and alpha_dropout."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.dropout import dropout, dropout1d, dropout2d, dropout3d

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d"]
_SELU_FLOOR = -1.7580993408473766  # what SELU tends to for x to minus infinity: -scale alpha


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps zero mean and unit variance of SELU networks: dropped elements become SELU's floor, then all are rescaled.

    Args:
        input: any shape.
        p: probability that an element is dropped.
        training: False: the identity.
        inplace: write into the input.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"alpha_dropout: p must be between 0 and 1, got {p}")
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input.mul_(0.0) if inplace else input * 0.0
    keep = (fn.rand_like(input) >= p).to(input.dtype)
    scale = ((1 - p) * (1 + p * _SELU_FLOOR**2)) ** -0.5
    shift = (1 - keep) * (_SELU_FLOOR * scale) - p * _SELU_FLOOR * scale
    return input.mul_(keep * scale).add_(shift) if inplace else input * (keep * scale) + shift
