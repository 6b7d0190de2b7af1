"""Dropout, also of whole channels, and AlphaDropout."""
from __future__ import annotations

from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn.module import Module


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: p must be between 0 and 1, got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training mode, zero each element with probability `p` and scale the rest by 1/(1-p); otherwise the identity.

    Args:
        p: probability of a zero.
        inplace: write into the input.

    >>> import fastnet as fn
    >>> fn.nn.Dropout(0.2).eval()(fn.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) or (C, L) to the same shape."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of (N, C, H, W).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, D, H, W) or (C, D, H, W) to the same shape."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for SELU networks: keeps zero mean and unit variance; dropped elements go to SELU's negative saturation.

    Args:
        p: probability that an element is dropped.
        inplace: write into the input.

    >>> import fastnet as fn
    >>> fn.nn.AlphaDropout(0.2).eval()(fn.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    Args:
        p: probability that a channel is dropped.
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to the same shape."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
