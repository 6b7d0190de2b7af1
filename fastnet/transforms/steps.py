"""Steps on scenes that functions and transforms share, and the reading of their arguments."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.transforms import frames, matrices
from fastnet.transforms.frames import Frames
from fastnet.transforms.scene import Scene

DTYPES = ("uint8", "float32")


def pair(size: Any, name: str, argument: str = "size") -> tuple[int, int]:
    """(height, width) of a number or a pair."""
    values = (size, size) if isinstance(size, (int, np.integer)) else tuple(size) if not isinstance(size, str) else ()
    if len(values) == 1:
        values *= 2
    if len(values) != 2 or any(int(v) != v or v < 1 for v in values):
        raise ValueError(f"{name}: {argument} must be a positive integer or a pair of them, got {size!r}")
    return int(values[0]), int(values[1])


def borders(padding: Any, name: str) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    p = [padding] if isinstance(padding, (int, np.integer)) else list(padding)
    if len(p) not in (1, 2, 4) or any(int(v) != v for v in p):
        raise ValueError(f"{name}: padding must be 1, 2 or 4 integers, got {padding!r}")
    left, top, right, bottom = p * 4 if len(p) == 1 else p * 2 if len(p) == 2 else p
    return int(left), int(top), int(right), int(bottom)


def resized(size: Any, max_size: int | None, height: int, width: int, name: str) -> tuple[int, int]:
    """The height and width that Resize gives: a pair as it is; a number is the shorter side, and the longer at most max_size."""
    if not isinstance(size, (int, np.integer)) and size is not None and len(size) != 1:
        if max_size is not None:
            raise ValueError(f"{name}: max_size goes with a size of one number, got size {size!r}")
        return pair(size, name)
    short, long = sorted((height, width))
    if size is None:
        if max_size is None:
            raise ValueError(f"{name}: give size or max_size")
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short = pair(size, name)[0]
        new_long = int(new_short * long / short)
        if max_size is not None:
            if max_size <= new_short:
                raise ValueError(f"{name}: max_size {max_size} must be larger than size {new_short}")
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def center_crop(scene: Scene, size: tuple[int, int], name: str) -> None:
    """Keep the middle; a picture that is too small is padded with 0."""
    (h, w), (ch, cw) = scene.size, size
    if ch > h or cw > w:
        scene.pad(*((cw - w) // 2 if cw > w else 0, (ch - h) // 2 if ch > h else 0, (cw - w + 1) // 2 if cw > w else 0,
                    (ch - h + 1) // 2 if ch > h else 0), name=name)
        h, w = scene.size
    scene.crop(int(round((h - ch) / 2.0)), int(round((w - cw) / 2.0)), ch, cw)


def grey(scene: Scene, channels: int, name: str) -> None:
    """Grey, in 1 or 3 channels."""
    if scene.channels not in (1, 3):
        raise ValueError(f"{name}: an image must have 1 or 3 channels, got {scene.channels}")
    scene.image.color(frames.GREY, (0, 0, 0, 0))
    if scene.channels != channels:
        x = scene.image.done()
        scene.image = Frames(x[:, :1] if channels == 1 else np.repeat(x, 3, 1), scene.image.merge)


def color(scene: Scene, code: Any, values: Any, name: str) -> None:
    """One colour step; values are (4,) or (N, 4)."""
    if scene.channels not in (1, 3):
        raise ValueError(f"{name}: an image must have 1 or 3 channels, got {scene.channels}")
    scene.image.color(code, values)


def blur(scene: Scene, size: tuple[int, int], sigma: np.ndarray, name: str) -> None:
    """Blur; sigma is (N, 2), down and across."""
    if size[0] // 2 >= scene.image.h or size[1] // 2 >= scene.image.w:
        raise ValueError(f"{name}: half of the kernel {size} must be smaller than the image {scene.size}, which is mirrored at its border")
    scene.image.blur(size, sigma)


def to_dtype(scene: Scene, dtype: str, scale: bool) -> None:
    """uint8 to float32 or back."""
    image = scene.image
    if dtype == "float32" and not image.floats:
        image.to_float(1 / 255 if scale else 1.0)
    elif dtype == "uint8" and image.floats:
        x = image.done()
        if scale:
            x = x * np.float32(255.999)
        scene.image = Frames(np.clip(x, 0, 255).astype(np.uint8), image.merge)


def normalize(scene: Scene, mean: np.ndarray, std: np.ndarray, name: str) -> None:
    """(x - mean) / std."""
    if not scene.image.floats:
        raise TypeError(f"{name}: the image must be float32, got uint8; ToFloat() or ToDtype('float32', scale=True) goes before")
    for argument, values in (("mean", mean), ("std", std)):
        if values.size not in (1, scene.channels):
            raise ValueError(f"{name}: {argument} has {values.size} values for {scene.channels} channels")
    scene.image.normalize(mean, std)


def dtype_name(dtype: Any, name: str) -> str:
    """"uint8" or "float32" of a dtype of fastnet or NumPy, or its name."""
    word = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    if word not in DTYPES and isinstance(dtype, type):
        word = np.dtype(dtype).name
    if word not in DTYPES:
        raise ValueError(f"{name}: dtype must be uint8 or float32, got {dtype!r}")
    return word


def rotate(scene: Scene, angle: np.ndarray, interpolation: Any, expand: bool, center: Any, fill: Any, name: str) -> None:
    """Turn; angle is (N,) or (1,), degrees counter-clockwise."""
    if expand and center is not None:
        raise ValueError(f"{name}: expand wants center None, got {center}")
    if expand and len(angle) > 1:
        raise ValueError(f"{name}: with expand, images of a batch would get different sizes: give them one by one")
    matrix, size = matrices.affine(scene.size, -angle, center=center, n=len(angle)), scene.size
    if expand:
        quarters = float(angle[0]) / 90
        matrix, size = matrices.expanded(matrix, size, None if quarters % 1 else size[::-1] if quarters % 2 else size)
    scene.warp(matrix, size, interpolation, fill, name)


def letterbox(scene: Scene, size: tuple[int, int], fill: Any, scaleup: bool, name: str) -> None:
    """Resize so that the whole picture fits into size, and pad what is left on both sides."""
    (h, w), (th, tw) = scene.size, size
    r = min(th / h, tw / w)
    if not scaleup:
        r = min(r, 1.0)
    nh, nw = max(1, min(th, round(h * r))), max(1, min(tw, round(w * r)))
    scene.resize(nh, nw, name=name)
    left, top = (tw - nw) // 2, (th - nh) // 2
    scene.pad(left, top, tw - nw - left, th - nh - top, fill, name=name)


def not_negative(name: str, argument: str, value: float) -> float:
    """The value, if it is a number and not negative."""
    if not value >= 0 or math.isinf(value):
        raise ValueError(f"{name}: {argument} must not be negative, got {value}")
    return value


def posterize_values(bits: Any, floats: bool) -> np.ndarray:
    """The kernel's numbers for `bits`: multiply, round down, at most, and back."""
    step = np.power(2.0, bits if floats else np.subtract(8, bits))
    up, most = (step, step - 1) if floats else (1 / step, np.full_like(step, 255.0))
    return np.stack([up, 1 / up, most, np.zeros_like(step)], -1)


def odd_pair(kernel_size: Any, name: str) -> tuple[int, int]:
    """The two sizes of a blur's kernel."""
    sizes = pair(kernel_size, name, "kernel_size")
    if sizes[0] % 2 == 0 or sizes[1] % 2 == 0:
        raise ValueError(f"{name}: kernel_size must be odd, got {kernel_size!r}")
    return sizes


def mean_std(mean: Any, std: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays."""
    m, s = (np.atleast_1d(np.asarray(v, np.float64)) for v in (mean, std))
    if m.ndim != 1 or s.ndim != 1 or not (s != 0).all():
        raise ValueError(f"{name}: mean and std must be numbers, one for each channel, std not 0, got {mean!r} and {std!r}")
    return m, s
