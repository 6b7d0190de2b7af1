"""Images of another size, images at given places."""
from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.grid_sample import grid_sample
from fastnet.ops.interpolate import interpolate

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]


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


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for `grid_sample` that applies an affine map to images: each place of the result times theta.

    Args:
        theta: (N, 2, 3) or (N, 3, 4), a matrix for each image, which maps (x, y, 1) or (x, y, z, 1) of the result to places of the input.
        size: of the result, (N, C, H, W) or (N, C, D, H, W).
        align_corners: as in `grid_sample`; None means False and warns.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).

    Raises:
        ValueError: theta does not fit size, or size is not positive.

    >>> import fastnet
    >>> identity = fastnet.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> fastnet.nn.functional.affine_grid(identity, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    if not isinstance(theta, Tensor) or not theta.is_floating_point():
        raise ValueError(f"affine_grid: theta must be a floating-point tensor, got {getattr(theta, 'dtype', type(theta).__name__)}")
    shape, spatial = tuple(size), tuple(size)[2:]
    if len(shape) not in (4, 5) or min(shape) <= 0:
        raise ValueError(f"affine_grid: size must be 4 or 5 positive numbers (N, C, ...), got {shape}")
    if tuple(theta.shape) != (shape[0], len(spatial), len(spatial) + 1):
        raise ValueError(f"affine_grid: theta must have the shape {(shape[0], len(spatial), len(spatial) + 1)} for size {shape}, "
                         f"got {tuple(theta.shape)}")
    if align_corners is None:
        warnings.warn("affine_grid: align_corners was not given; False is taken, as in PyTorch", stacklevel=2)
    base = fn.ones(*spatial, len(spatial) + 1, dtype=theta.dtype)
    for d, n in enumerate(spatial):
        ends = fn.linspace(-1, 1, n, dtype=theta.dtype) if n > 1 else fn.zeros(1, dtype=theta.dtype)
        ends = ends if align_corners else ends * ((n - 1) / n)
        base[..., len(spatial) - 1 - d] = ends.reshape([-1 if k == d else 1 for k in range(len(spatial))])
    return fn.matmul(base.reshape(-1, len(spatial) + 1), theta.transpose(1, 2)).reshape(shape[0], *spatial, len(spatial))
