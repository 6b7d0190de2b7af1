"""Upsample, UpsamplingNearest2d, UpsamplingBilinear2d."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn.module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Images (N, C, W), (N, C, H, W) or (N, C, D, H, W) in another size, as `nn.functional.interpolate` makes them.

    Args:
        size: of the result, one number or one for each axis.
        scale_factor: how many times as large, instead of size.
        mode: "nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: whether the centres of the corner places coincide, instead of their corners.
        recompute_scale_factor: take the ratio of the sizes as the scale, instead of scale_factor itself.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Upsample(scale_factor=2)(fn.ones(1, 3, 4, 5)).shape)
    (1, 3, 8, 10)
    """

    def __init__(self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
                 recompute_scale_factor: bool | None = None) -> None:
        super().__init__()
        self.size, self.mode, self.align_corners, self.recompute_scale_factor = size, mode, align_corners, recompute_scale_factor
        several = isinstance(scale_factor, (tuple, list))
        self.scale_factor = tuple(map(float, scale_factor)) if several else scale_factor and float(scale_factor)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to (N, C, ...) with other sizes."""
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)

    def extra_repr(self) -> str:
        return (f"scale_factor={self.scale_factor!r}" if self.scale_factor is not None else f"size={self.size!r}") + f", mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of (N, C, H, W) by mode nearest.

    Args:
        size, scale_factor: as there.

    >>> import fastnet as fn
    >>> fn.nn.UpsamplingNearest2d(scale_factor=2)(fn.tensor([[[[1.0, 2.0]]]])).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of (N, C, H, W) by mode bilinear, corners aligned.

    Args:
        size, scale_factor: as there.
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
