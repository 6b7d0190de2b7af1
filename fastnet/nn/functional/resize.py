"""Images of another size."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.interpolate import interpolate

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]


def upsample(input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None) -> Tensor:
    """`interpolate` by its former name.

    Args:
        input, size, scale_factor, mode, align_corners: as there.
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode nearest.

    Args:
        input, size, scale_factor: as there.
    """
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode bilinear and aligned corners.

    Args:
        input, size, scale_factor: as there.
    """
    return interpolate(input, size, scale_factor, "bilinear", True)
