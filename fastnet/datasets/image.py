"""Image files: read_image and write_image, through Pillow."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

MODES = {"L": 1, "RGB": 3, "RGBA": 4}


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("image files need Pillow: pip install 'fastnet[image]'") from None
    return Image


def read_image(path: str | os.PathLike, mode: str = "RGB") -> np.ndarray:
    """Read an image file (PNG, JPEG, and what else Pillow reads).

    Args:
        path: the file.
        mode: "RGB" (the default), "L" (grey) or "RGBA"; other files are converted to it. The orientation that a camera noted is applied.

    Returns: uint8 of shape (C, H, W) with 3, 1 or 4 channels; in memory the channels of a pixel lie together.

    Raises: FileNotFoundError; ValueError for another mode or a file that is no image, or a damaged one; ImportError without Pillow.
    """
    if mode not in MODES:
        raise ValueError(f"read_image: mode must be one of {', '.join(MODES)}, got {mode!r}")
    image = _pillow()
    from PIL import ImageOps, UnidentifiedImageError
    try:
        with image.open(path) as file:
            pixels = np.asarray(ImageOps.exif_transpose(file).convert(mode))
    except FileNotFoundError:
        raise FileNotFoundError(f"read_image: no file {os.fspath(path)!r}") from None
    except (UnidentifiedImageError, SyntaxError, OSError) as error:
        if isinstance(error, (PermissionError, IsADirectoryError)):
            raise
        raise ValueError(f"read_image: {os.fspath(path)!r} is not an image that Pillow reads: {error}") from error
    return pixels.reshape(*pixels.shape[:2], MODES[mode]).transpose(2, 0, 1)


def write_image(image: Any, path: str | os.PathLike, quality: int = 90) -> None:
    """Write an image file; the end of its name says which kind (.png, .jpg, ...).

    Args:
        image: uint8, or float from 0 to 1, of shape (C, H, W) with 1, 3 or 4 channels or (H, W); an array or a tensor.
        path: the file.
        quality: of a JPEG, 1 to 95.

    Raises: ValueError for another shape, or a name whose end Pillow does not know; TypeError for another dtype; ImportError without Pillow.
    """
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3, 4) or 0 in pixels.shape:
        raise ValueError(f"write_image: image must be (C, H, W) with 1, 3 or 4 channels or (H, W), got {tuple(np.shape(image))}")
    if pixels.dtype.kind == "f":
        pixels = np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise TypeError(f"write_image: image must be uint8 or float, got {pixels.dtype}")
    pixels = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    picture = _pillow().fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    more = {"quality": quality} if Path(path).suffix.lower() in (".jpg", ".jpeg") else {}
    try:
        picture.save(path, **more)
    except (ValueError, KeyError) as error:
        raise ValueError(f"write_image: {os.fspath(path)!r}: {error}") from None
