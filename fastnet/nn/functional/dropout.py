"""dropout, also of whole channels, and alpha_dropout of both kinds."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.dropout import dropout, dropout1d, dropout2d, dropout3d

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]
_SELU_FLOOR = -1.7580993408473766  # what SELU tends to for x to minus infinity: -scale alpha


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps zero mean and unit variance of SELU networks: dropped elements become SELU's floor, then all are rescaled.

    Args:
        input: any shape.
        p: probability that an element is dropped.
        training: False: the identity.
        inplace: write into the input.
    """
    return _alpha("alpha_dropout", input, tuple(input.shape), p, training, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels.

    Args:
        input: (N, C, ...).
        p: probability that a channel is dropped.
        training: False: the identity.
        inplace: write into the input.

    >>> import fastnet
    >>> fastnet.nn.functional.feature_alpha_dropout(fastnet.ones(2, 3, 4), p=0.0, training=True).sum()
    tensor(24.)
    """
    if input.ndim < 2:
        raise RuntimeError(f"feature_alpha_dropout: input must have at least 2 axes (N, C, ...), got shape {tuple(input.shape)}")
    return _alpha("feature_alpha_dropout", input, (*input.shape[:2], *(1,) * (input.ndim - 2)), p, training, inplace)


def _alpha(op: str, input: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool) -> Tensor:
    """With a mask of a shape that broadcasts to input's."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{op}: p must be between 0 and 1, got {p}")
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input.mul_(0.0) if inplace else input * 0.0
    keep = (fn.rand(shape, dtype=input.dtype) >= p).to(input.dtype)
    scale = ((1 - p) * (1 + p * _SELU_FLOOR**2)) ** -0.5
    shift = (1 - keep) * (_SELU_FLOOR * scale) - p * _SELU_FLOOR * scale
    return input.mul_(keep * scale).add_(shift) if inplace else input * (keep * scale) + shift
