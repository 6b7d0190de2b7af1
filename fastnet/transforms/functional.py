"""transforms.functional: the deterministic functions on images, with torchvision's names and arguments.

An image is uint8 or float32, an array or a tensor, (C, H, W) or a batch (N, C, H, W); the result is the same kind and new. Grey comes from
0.2989 R + 0.587 G + 0.114 B. Bytes are rounded as torchvision rounds them: colours down, warps and resizes to the nearest.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms import equalization, frames, matrices, steps
from fastnet.transforms.frames import Frames
from fastnet.transforms.scene import Scene, run

Image = Any


def _on(image: Image, name: str, act: Callable[[Scene], Any]) -> Image:
    if isinstance(image, (tuple, list, dict)):
        raise TypeError(f"{name}: an image must be an array or a tensor, got {type(image).__name__}; only transforms take samples")
    return run(image, act, name, new=True)


def crop(image: Image, top: int, left: int, height: int, width: int) -> Image:
    """Keep a rectangle; what of it is outside the image is 0.

    Args:
        image: see the module.
        top, left: its upper left corner.
        height, width: its size.
    """
    def act(scene: Scene) -> None:
        h, w = scene.size
        if height < 1 or width < 1:
            raise ValueError(f"crop: size must be positive, got {(height, width)}")
        before = max(0, -left), max(0, -top)
        scene.pad(*before, max(0, left + width - w), max(0, top + height - h), name="crop")
        scene.crop(top + before[1], left + before[0], height, width)
    return _on(image, "crop", act)


def center_crop(image: Image, output_size: Any) -> Image:
    """Keep the middle, of size output_size (a number or (height, width)); an image that is too small is padded with 0."""
    size = steps.pair(output_size, "center_crop", "output_size")
    return _on(image, "center_crop", lambda scene: steps.center_crop(scene, size, "center_crop"))


def pad(image: Image, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Image:
    """Put a border around the image.

    Args:
        padding: a number; (left and right, top and bottom); or (left, top, right, bottom).
        fill: the border's colour, a number or one for each channel.
        padding_mode: "constant", or "edge", "reflect", "symmetric".

    >>> import numpy as np
    >>> from fastnet.transforms.functional import pad
    >>> pad(np.ones((1, 1, 1), np.uint8), (1, 0), fill=7).tolist()
    [[[7, 1, 7]]]
    """
    return _on(image, "pad", lambda scene: scene.pad(*steps.borders(padding, "pad"), fill, padding_mode))


def horizontal_flip(image: Image) -> Image:
    """The image in a mirror: left is right."""
    return _on(image, "horizontal_flip", lambda scene: scene.flip(True, 1))


def vertical_flip(image: Image) -> Image:
    """The image upside down."""
    return _on(image, "vertical_flip", lambda scene: scene.flip(True, 0))


hflip, vflip = horizontal_flip, vertical_flip


def resize(image: Image, size: Any, interpolation: Any = "bilinear", max_size: int | None = None, antialias: bool = True) -> Image:
    """Resize.

    Args:
        size: (height, width); a number for the shorter side; or None, with max_size.
        interpolation: "bilinear", "bicubic", "nearest" or "nearest-exact".
        max_size: the longer side at most; only where size is a number or None.
        antialias: weigh all pixels that an output covers, as Pillow does; False: the nearest two (four for bicubic) along each axis.
    """
    return _on(image, "resize", lambda s: s.resize(*steps.resized(size, max_size, *s.size, "resize"), interpolation, antialias))  # type: ignore[misc]


def resized_crop(image: Image, top: int, left: int, height: int, width: int, size: Any, interpolation: Any = "bilinear",
                 antialias: bool = True) -> Image:
    """Resize a rectangle of the image, which must lie inside, to size (height, width) or a number for both."""
    def act(scene: Scene) -> None:
        if top < 0 or left < 0 or height < 1 or width < 1 or top + height > scene.image.h or left + width > scene.image.w:
            raise ValueError(f"resized_crop: the rectangle {(top, left, height, width)} is not inside the image {scene.size}")
        scene.resized_crop(top, left, height, width, steps.pair(size, "resized_crop"), interpolation, antialias)
    return _on(image, "resized_crop", act)


def rotate(image: Image, angle: float, interpolation: Any = "nearest", expand: bool = False, center: Sequence[float] | None = None,
           fill: Any = None) -> Image:
    """Turn the image.

    Args:
        angle: degrees, counter-clockwise.
        interpolation: "nearest" or "bilinear".
        expand: make the result large enough for all of the turned image; wants center None.
        center: (x, y) that stays; the image's centre if None.
        fill: the colour where the image does not reach; None: 0.
    """
    def act(scene: Scene) -> None:
        steps.rotate(scene, np.array([angle]), interpolation, expand, center, fill, "rotate")
    return _on(image, "rotate", act)


def affine(image: Image, angle: float, translate: Sequence[float], scale: float, shear: Any, interpolation: Any = "nearest",
           fill: Any = None, center: Sequence[float] | None = None) -> Image:
    """Shear, turn and scale the image about its centre, then move it.

    Args:
        angle: degrees, clockwise.
        translate: (right, down), in pixels.
        scale: greater than 0.
        shear: degrees, along x, or (along x, along y).
        interpolation: "nearest" or "bilinear".
        fill: the colour where the image does not reach; None: 0.
        center: (x, y) that stays; the image's centre if None.
    """
    if scale <= 0:
        raise ValueError(f"affine: scale must be positive, got {scale}")
    both = (shear, 0.0) if isinstance(shear, (int, float)) else tuple(shear) if len(shear) == 2 else (shear[0], 0.0)
    return _on(image, "affine", lambda scene: scene.warp(matrices.affine(scene.size, angle, translate, scale, both, center),
                                                         None, interpolation, fill, "affine"))


def perspective(image: Image, startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]], interpolation: Any = "bilinear",
                fill: Any = None) -> Image:
    """Move four points of the image to four others, straight lines staying straight.

    Args:
        startpoints, endpoints: four (x, y) each, upper left, upper right, lower right, lower left.
        interpolation: "bilinear" or "nearest".
        fill: the colour where the image does not reach; None: 0.
    """
    if np.shape(startpoints) != (4, 2) or np.shape(endpoints) != (4, 2):
        raise ValueError(f"perspective: startpoints and endpoints must be four (x, y) each, got {startpoints!r} and {endpoints!r}")
    matrix = matrices.perspective(startpoints, endpoints)
    return _on(image, "perspective", lambda scene: scene.warp(matrix, None, interpolation, fill, "perspective"))


def letterbox(image: Image, size: Any, fill: Any = 114, scaleup: bool = True) -> Image:
    """Resize the image so that all of it fits into size with its proportions kept, and pad the rest evenly.

    Args:
        size: a number or (height, width).
        fill: the colour of the border.
        scaleup: False: small images are only padded.
    """
    return _on(image, "letterbox", lambda scene: steps.letterbox(scene, steps.pair(size, "letterbox"), fill, scaleup, "letterbox"))


def _color(image: Image, name: str, code: int, *values: float) -> Image:
    return _on(image, name, lambda scene: steps.color(scene, code, (*values, *(0,) * (4 - len(values))), name))


def adjust_brightness(image: Image, brightness_factor: float) -> Image:
    """Brighter or darker: pixels times the factor, 1 for the same, 0 for black."""
    factor = steps.not_negative("adjust_brightness", "brightness_factor", brightness_factor)
    return _color(image, "adjust_brightness", frames.BRIGHTNESS, factor)


def adjust_contrast(image: Image, contrast_factor: float) -> Image:
    """More or less contrast: away from the mean of the grey image, 1 for the same, 0 for all grey."""
    return _color(image, "adjust_contrast", frames.CONTRAST, steps.not_negative("adjust_contrast", "contrast_factor", contrast_factor))


def adjust_saturation(image: Image, saturation_factor: float) -> Image:
    """More or less colour: away from each pixel's grey, 1 for the same, 0 for grey."""
    f = steps.not_negative("adjust_saturation", "saturation_factor", saturation_factor)
    return _color(image, "adjust_saturation", frames.SATURATION, f, 1 - f)


def adjust_hue(image: Image, hue_factor: float) -> Image:
    """Turn the circle of colours by a part of it, from -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"adjust_hue: hue_factor must be between -0.5 and 0.5, got {hue_factor}")
    return _color(image, "adjust_hue", frames.HUE, 6 * hue_factor)


def adjust_hsv(image: Image, hue: float, saturation: float, value: float) -> Image:
    """Multiply hue (modulo the circle), saturation and value (up to their maximum), each 1 for the same."""
    for argument, factor in (("hue", hue), ("saturation", saturation), ("value", value)):
        steps.not_negative("adjust_hsv", argument, factor)
    return _color(image, "adjust_hsv", frames.HSV, hue, saturation, value)


def rgb_to_grayscale(image: Image, num_output_channels: int = 1) -> Image:
    """Grey, in 1 channel or in 3 equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"rgb_to_grayscale: num_output_channels must be 1 or 3, got {num_output_channels}")
    return _on(image, "rgb_to_grayscale", lambda scene: steps.grey(scene, num_output_channels, "rgb_to_grayscale"))


def invert(image: Image) -> Image:
    """The negative."""
    return _color(image, "invert", frames.INVERT)


def solarize(image: Image, threshold: float) -> Image:
    """The negative of all values from the threshold on."""
    return _color(image, "solarize", frames.SOLARIZE, threshold)


def posterize(image: Image, bits: int) -> Image:
    """Keep so many bits of each value, 0 to 8."""
    if not 0 <= bits <= 8 or int(bits) != bits:
        raise ValueError(f"posterize: bits must be an integer from 0 to 8, got {bits}")
    return _on(image, "posterize", lambda s: steps.color(s, frames.POSTERIZE, steps.posterize_values(bits, s.image.floats), "posterize"))


def autocontrast(image: Image) -> Image:
    """Stretch each channel so that its darkest value becomes 0 and its lightest white."""
    return _on(image, "autocontrast", equalization.autocontrast)


def equalize(image: Image) -> Image:
    """Change each channel so that all its values become about equally frequent."""
    return _on(image, "equalize", equalization.equalize)


def adjust_sharpness(image: Image, sharpness_factor: float) -> Image:
    """Sharper or smoother: away from a smoothed image, 1 for the same, 0 for smooth."""
    f = np.array([steps.not_negative("adjust_sharpness", "sharpness_factor", sharpness_factor)])
    return _on(image, "adjust_sharpness", lambda scene: equalization.sharpness(scene, f))


def gaussian_blur(image: Image, kernel_size: Any, sigma: Any = None) -> Image:
    """Blur by a Gaussian, the image mirrored at its borders.

    Args:
        kernel_size: odd, or (across, down).
        sigma: in pixels, or (across, down); None: 0.15 * kernel_size + 0.35.
    """
    across, down = steps.odd_pair(kernel_size, "gaussian_blur")
    if sigma is None:
        sigma = (across * 0.15 + 0.35, down * 0.15 + 0.35)
    sigmas = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(sigma) * (3 - len(sigma))
    if len(sigmas) != 2 or not min(sigmas) > 0:
        raise ValueError(f"gaussian_blur: sigma must be positive, one or two numbers, got {sigma!r}")
    return _on(image, "gaussian_blur", lambda scene: steps.blur(scene, (down, across), np.array([[sigmas[1], sigmas[0]]]), "gaussian_blur"))


def erase(image: Image, i: int, j: int, h: int, w: int, v: Any) -> Image:
    """Put values into the rectangle of h x w pixels whose upper left corner is at row i, column j.

    Args:
        v: a number, one for each channel, or (C, h, w).
    """
    def act(scene: Scene) -> None:
        if i < 0 or j < 0 or h < 0 or w < 0 or i + h > scene.image.h or j + w > scene.image.w:
            raise ValueError(f"erase: the rectangle {(i, j, h, w)} is not inside the image {scene.size}")
        x = scene.image.done().copy()
        values = v.detach().numpy() if isinstance(v, fn.Tensor) else np.asarray(v)
        x[:, :, i:i + h, j:j + w] = values.reshape(-1, 1, 1) if values.ndim == 1 else values
        scene.image = Frames(x)
    return _on(image, "erase", act)


def normalize(image: Image, mean: Sequence[float], std: Sequence[float]) -> Image:
    """(image - mean) / std for each channel of a float32 image.

    Raises: TypeError for uint8; ValueError for other numbers of channels or a std of 0.
    """
    m, s = steps.mean_std(mean, std, "normalize")
    return _on(image, "normalize", lambda scene: steps.normalize(scene, m, s, "normalize"))


def to_dtype(image: Image, dtype: Any = "float32", scale: bool = False) -> Image:
    """Change uint8 to float32 or back.

    Args:
        dtype: "float32" or "uint8", as a dtype of fastnet or NumPy or by name.
        scale: white is 255 as uint8 and 1 as float32; False: numbers stay as they are.

    >>> import numpy as np
    >>> from fastnet.transforms.functional import to_dtype
    >>> to_dtype(np.full((1, 1, 1), 51, np.uint8), "float32", scale=True).round(6).tolist()
    [[[0.20000000298023224]]]
    """
    word = steps.dtype_name(dtype, "to_dtype")
    return _on(image, "to_dtype", lambda scene: steps.to_dtype(scene, word, scale))


def gaussian_noise(image: Image, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Image:
    """Add normal noise from fastnet's default generator.

    Args:
        mean, sigma: where white is 1.
        clip: bound the result to what lies between black and white; bytes always are.
    """
    from fastnet.transforms.noise import add_noise
    steps.not_negative("gaussian_noise", "sigma", sigma)
    return _on(image, "gaussian_noise", lambda scene: add_noise(scene, None, mean, sigma, clip))


__all__ = ["adjust_brightness", "adjust_contrast", "adjust_hsv", "adjust_hue", "adjust_saturation", "adjust_sharpness",
           "affine", "autocontrast", "center_crop", "crop", "equalize", "erase", "gaussian_blur", "gaussian_noise", "hflip",
           "horizontal_flip", "invert", "letterbox", "normalize", "pad", "perspective", "posterize", "resize",
           "resized_crop", "rgb_to_grayscale", "rotate", "solarize", "to_dtype", "vertical_flip", "vflip"]
