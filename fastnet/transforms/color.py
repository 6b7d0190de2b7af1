"""Colours, blur, and what prepares an image for a network."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnet.transforms import frames, steps
from fastnet.transforms.base import Transform, probability
from fastnet.transforms.draws import Draws
from fastnet.transforms.scene import Scene


def _range(name: str, value: Any, middle: float, most: float) -> tuple[float, float] | None:
    """(low, high) of a number around the middle, or of a pair; None where nothing changes."""
    if value is None:
        return None
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"ColorJitter: {name} must not be negative, got {value}")
        low, high = middle - float(value), middle + float(value)
        low = max(low, 0.0) if middle else low
    else:
        if len(value) != 2:
            raise ValueError(f"ColorJitter: {name} must be a number or (low, high), got {value!r}")
        low, high = float(value[0]), float(value[1])
    if not (-most if not middle else 0) <= low <= high <= most:
        raise ValueError(f"ColorJitter: {name} must lie between {-most if not middle else 0} and {most}, got {value!r}")
    return None if low == high == middle else (low, high)


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue at random, in random order.

    Args:
        brightness, contrast, saturation: the factor, 1 - value to 1 + value, or (low, high); None: not.
        hue: the part of the circle, -value to value or (low, high), within -0.5 and 0.5; None: not.
    """

    def __init__(self, brightness: Any = None, contrast: Any = None, saturation: Any = None, hue: Any = None) -> None:
        most = float("inf")
        self.brightness, self.contrast = _range("brightness", brightness, 1.0, most), _range("contrast", contrast, 1.0, most)
        self.saturation, self.hue = _range("saturation", saturation, 1.0, most), _range("hue", hue, 0.0, 0.5)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        spans = [(frames.BRIGHTNESS, self.brightness), (frames.CONTRAST, self.contrast), (frames.SATURATION, self.saturation),
                 (frames.HUE, self.hue)]
        used = [(code, span) for code, span in spans if span is not None]
        if not used:
            return
        u = draws.uniforms(8)
        codes = np.array([code for code, _ in used])
        values = np.zeros((draws.n, len(used), 4), np.float32)
        for k, (code, (low, high)) in enumerate(used):
            v = low + (high - low) * u[:, k]
            values[:, k, 0] = 6 * v if code == frames.HUE else v
            values[:, k, 1] = 1 - v                       # what saturation wants; the others do not look
        order = u[:, 4:4 + len(used)].argsort(1)
        rows = np.arange(draws.n)
        for k in range(len(used)):
            steps.color(scene, codes[order[:, k]], values[rows, order[:, k]], "ColorJitter")


class RandomHSV(Transform):
    """Multiply hue, saturation and value, each by a random factor from 1 - gain to 1 + gain.

    Args:
        hue, saturation, value: the gains, 0 to 1.
    """

    def __init__(self, hue: float = 0.015, saturation: float = 0.7, value: float = 0.4) -> None:
        self.hue, self.saturation, self.value = (probability("RandomHSV", gain, name) for gain, name in (
            (hue, "hue"), (saturation, "saturation"), (value, "value")))

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        values = np.zeros((draws.n, 4), np.float32)
        values[:, :3] = 1 + draws.uniforms(3, -1.0, 1.0) * [self.hue, self.saturation, self.value]
        steps.color(scene, frames.HSV, values, "RandomHSV")


class RandomGrayscale(Transform):
    """Take the colours away, with probability p; the channels stay three."""

    def __init__(self, p: float = 0.1) -> None:
        self.p = probability("RandomGrayscale", p)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.color(scene, np.where(draws.chance(self.p), frames.GREY, frames.KEEP), (0, 0, 0, 0), "RandomGrayscale")


class GaussianBlur(Transform):
    """Blur by a Gaussian of random width.

    Args:
        kernel_size: odd, or (across, down).
        sigma: in pixels, at least and at most, or one number.
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        across, down = steps.odd_pair(kernel_size, "GaussianBlur")
        span = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(sigma)
        if len(span) != 2 or not 0 < span[0] <= span[1]:
            raise ValueError(f"GaussianBlur: sigma must be positive, a number or (low, high), got {sigma!r}")
        self.kernel_size, self.sigma = (across, down), span

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        sigma = draws.uniform(*self.sigma)
        steps.blur(scene, self.kernel_size[::-1], np.stack([sigma, sigma], 1), "GaussianBlur")


class ToDtype(Transform):
    """Change uint8 to float32 or back.

    Args:
        dtype: "float32" or "uint8", as a dtype of fastnet or NumPy or by name.
        scale: white is 255 as uint8 and 1 as float32; False: numbers stay as they are.
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        self.dtype, self.scale = steps.dtype_name(dtype, "ToDtype"), bool(scale)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.to_dtype(scene, self.dtype, self.scale)


class ToFloat(Transform):
    """Bytes from 0 to 255 become float32 from 0 to 1: ToDtype("float32", scale=True)."""

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.to_dtype(scene, "float32", True)


class ToTensor(ToFloat):
    """`ToFloat`, and the image becomes a tensor: what programs for torchvision begin with.

    Images are (C, H, W) here already, as the data sets of `fastnet.datasets` give them.

    >>> import numpy as np
    >>> from fastnet import transforms as T
    >>> T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.25,))])(np.full((1, 2, 2), 255, np.uint8))
    tensor([[[2., 2.],
             [2., 2.]]])
    """

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        super().apply(scene, draws)
        scene.tensor = True


class Normalize(Transform):
    """(image - mean) / std for each channel of a float32 image.

    Args:
        mean, std: a number for each channel, or one for all.
    """

    def __init__(self, mean: Sequence[float] | float, std: Sequence[float] | float) -> None:
        self.mean, self.std = mean, std
        self._mean, self._std = steps.mean_std(mean, std, "Normalize")

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.normalize(scene, self._mean, self._std, "Normalize")
