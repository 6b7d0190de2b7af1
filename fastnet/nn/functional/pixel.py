"""Pixels to channels and back; channels of groups mixed."""
from __future__ import annotations

from fastnet._core.tensor import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _image(x: Tensor, op: str, argument: str, factor: int) -> Tensor:
    """The input with its leading axes as one."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: input must be a Tensor, got {type(x).__name__}")
    if not isinstance(factor, int) or isinstance(factor, bool):
        raise TypeError(f"{op}: {argument} must be an int, got {factor!r}")
    if factor < 1:
        raise RuntimeError(f"{op}: {argument} must be positive, got {factor}")
    if x.ndim < 3:
        raise RuntimeError(f"{op}: input must have at least 3 axes, got shape {tuple(x.shape)}")
    return x if x.ndim == 4 else x.reshape(-1 if x.numel() else 0, *x.shape[-3:])


# Images lie with their channels innermost; axes are moved so that the one copy is written in that order.

def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels as finer pixels: (..., C r^2, H, W) to (..., C, H r, W r).

    Args:
        input: at least 3 axes.
        upscale_factor: r.

    Returns:
        y[..., c, h r + i, w r + j] = x[..., c r^2 + i r + j, h, w]

    Raises:
        RuntimeError: the channels are no multiple of r^2.

    >>> import fastnet as fn
    >>> fn.nn.functional.pixel_shuffle(fn.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    x, r = _image(input, "pixel_shuffle", "upscale_factor", upscale_factor), upscale_factor
    n, c, h, w = x.shape
    if c % (r * r):
        raise RuntimeError(f"pixel_shuffle: channels must be a multiple of upscale_factor {r} squared, got shape {tuple(input.shape)}")
    c //= r * r
    y = x.permute(0, 2, 3, 1).unflatten(-1, (c, r, r)).permute(0, 1, 4, 2, 5, 3).reshape(n, h * r, w * r, c).permute(0, 3, 1, 2)
    return y if input.ndim == 4 else y.reshape(*input.shape[:-3], c, h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels as channels of a coarser image, the inverse of `pixel_shuffle`: (..., C, H r, W r) to (..., C r^2, H, W).

    Args:
        input: at least 3 axes.
        downscale_factor: r.

    Raises:
        RuntimeError: height or width are no multiple of r.

    >>> import fastnet as fn
    >>> fn.nn.functional.pixel_unshuffle(fn.arange(4.0).reshape(1, 2, 2), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    x, r = _image(input, "pixel_unshuffle", "downscale_factor", downscale_factor), downscale_factor
    n, c, h, w = x.shape
    if h % r or w % r:
        raise RuntimeError(f"pixel_unshuffle: height and width must be multiples of downscale_factor {r}, got shape {tuple(input.shape)}")
    h, w = h // r, w // r
    y = x.permute(0, 2, 3, 1).reshape(n, h, r, w, r, c).permute(0, 1, 3, 5, 2, 4).reshape(n, h, w, c * r * r).permute(0, 3, 1, 2)
    return y if input.ndim == 4 else y.reshape(*input.shape[:-3], c * r * r, h, w)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of the groups in turn: the first of each group, then the second of each, ...

    Args:
        input: (N, C, ...), at least 3 axes.
        groups: g; y[:, i g + j] = x[:, j C / g + i].

    Raises:
        RuntimeError: the channels are no multiple of groups.

    >>> import fastnet as fn
    >>> fn.nn.functional.channel_shuffle(fn.arange(4.0).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    _image(input, "channel_shuffle", "groups", groups)
    if input.shape[1] % groups:
        raise RuntimeError(f"channel_shuffle: channels must be a multiple of groups {groups}, got shape {tuple(input.shape)}")
    last = input.movedim(1, -1)
    return last.unflatten(-1, (groups, last.shape[-1] // groups)).transpose(-1, -2).reshape(*last.shape).movedim(-1, 1)
