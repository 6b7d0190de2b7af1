"""Layers that move pixels: windows as columns and back, pixel and channel shuffles."""
from __future__ import annotations

from collections.abc import Sequence

import fastnet.nn.functional as F
from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module

__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold"]

Pair = int | Sequence[int]


class Unfold(Module):
    """The windows of an image (N, C, H, W) or (C, H, W) as columns (N, C * taps, L).

    Args:
        kernel_size, dilation, padding, stride: a number, or (height, width).

    >>> import fastnet as fn
    >>> tuple(fn.nn.Unfold(3)(fn.ones(2, 3, 5, 6)).shape)
    (2, 27, 12)
    """

    def __init__(self, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """(N, C * taps, number of windows)"""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """An image (N, C, H, W) from its windows (N, C * taps, L); what overlaps is added.

    Args:
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: a number, or (height, width).

    >>> import fastnet as fn
    >>> tuple(fn.nn.Fold((5, 6), 3)(fn.ones(2, 27, 12)).shape)
    (2, 3, 5, 6)
    """

    def __init__(self, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1) -> None:
        super().__init__()
        self.output_size, self.kernel_size, self.dilation, self.padding, self.stride = output_size, kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *output_size)"""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
                f"stride={self.stride}")


class PixelShuffle(Module):
    """Channels as finer pixels: (..., C r^2, H, W) to (..., C, H r, W r).

    Args:
        upscale_factor: r.

    >>> import fastnet as fn
    >>> tuple(fn.nn.PixelShuffle(2)(fn.ones(2, 12, 4, 5)).shape)
    (2, 3, 8, 10)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """(..., C, H r, W r)"""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels as channels of a coarser image: (..., C, H r, W r) to (..., C r^2, H, W).

    Args:
        downscale_factor: r.

    >>> import fastnet as fn
    >>> tuple(fn.nn.PixelUnshuffle(2)(fn.ones(2, 3, 8, 10)).shape)
    (2, 12, 4, 5)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """(..., C r^2, H, W)"""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels of the groups in turn: the first of each group, then the second of each, ...

    Args:
        groups: number of groups.

    >>> import fastnet as fn
    >>> fn.nn.ChannelShuffle(2)(fn.arange(4.0).reshape(1, 4, 1, 1)).flatten().tolist()
    [0.0, 2.0, 1.0, 3.0]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """The input's shape."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
