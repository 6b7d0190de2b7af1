"""Crops, flips, padding and resizing."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnet.transforms import steps
from fastnet.transforms.base import Transform, probability
from fastnet.transforms.draws import Draws
from fastnet.transforms.scene import PADDINGS, RESIZE, Scene, interpolation_of


class Pad(Transform):
    """Put a border around the image.

    Args:
        padding: a number; (left and right, top and bottom); or (left, top, right, bottom).
        fill: the border's colour, a number or one for each channel.
        padding_mode: "constant", or "edge", "reflect", "symmetric".
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        if padding_mode not in PADDINGS:
            raise ValueError(f"Pad: padding_mode must be one of {', '.join(PADDINGS)}, got {padding_mode!r}")
        self.padding, self.fill, self.padding_mode = steps.borders(padding, "Pad"), fill, padding_mode

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        scene.pad(*self.padding, self.fill, self.padding_mode, "Pad")


class RandomCrop(Transform):
    """Keep a rectangle at a random place.

    Args:
        size: a number or (height, width).
        padding: a border put around the image before, as for Pad; None: none.
        pad_if_needed: where the image is smaller than size, pad it on both sides first.
        fill, padding_mode: of the border, as for Pad.

    Raises: ValueError where the image is smaller than size, and not padded.
    """

    def __init__(self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0, padding_mode: str = "constant") -> None:
        if padding_mode not in PADDINGS:
            raise ValueError(f"RandomCrop: padding_mode must be one of {', '.join(PADDINGS)}, got {padding_mode!r}")
        self.size, self.padding = steps.pair(size, "RandomCrop"), None if padding is None else steps.borders(padding, "RandomCrop")
        self.pad_if_needed, self.fill, self.padding_mode = bool(pad_if_needed), fill, padding_mode

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        h, w = self.size
        if self.padding is not None:
            scene.pad(*self.padding, self.fill, self.padding_mode, "RandomCrop")
        if self.pad_if_needed:
            down, across = max(0, h - scene.image.h), max(0, w - scene.image.w)
            scene.pad(across, down, across, down, self.fill, self.padding_mode, "RandomCrop")
        if h > scene.image.h or w > scene.image.w:
            raise ValueError(f"RandomCrop: size {self.size} is larger than the image {scene.size}; pad_if_needed=True would pad it")
        u = draws.uniforms(2)
        scene.crop((u[:, 0] * (scene.image.h - h + 1)).astype(np.int64), (u[:, 1] * (scene.image.w - w + 1)).astype(np.int64), h, w)


class CenterCrop(Transform):
    """Keep the middle; an image that is too small is padded with 0.

    Args:
        size: a number or (height, width).
    """

    def __init__(self, size: Any) -> None:
        self.size = steps.pair(size, "CenterCrop")

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.center_crop(scene, self.size, "CenterCrop")


class RandomResizedCrop(Transform):
    """Keep a rectangle of random size, proportions and place, resized (Szegedy et al., 2014).

    Args:
        size: of the result, a number or (height, width).
        scale: the rectangle's part of the area, at least and at most.
        ratio: its width over its height, at least and at most.
        interpolation: "bilinear", "bicubic", "nearest" or "nearest-exact".
        antialias: as for Resize.
    """

    def __init__(self, size: Any, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3),
                 interpolation: Any = "bilinear", antialias: bool = True) -> None:
        for argument, values in (("scale", scale), ("ratio", ratio)):
            if len(values) != 2 or not 0 < values[0] <= values[1]:
                raise ValueError(f"RandomResizedCrop: {argument} must be two positive numbers, the smaller first, got {values!r}")
        self.size, self.scale, self.ratio = steps.pair(size, "RandomResizedCrop"), tuple(scale), tuple(ratio)
        self.interpolation, self.antialias = interpolation_of(interpolation, RESIZE, "RandomResizedCrop"), bool(antialias)

    def boxes(self, height: int, width: int, draws: Draws) -> tuple[np.ndarray, ...]:
        """Top, left, height and width for each sample: of ten tries the first that fits, or the middle."""
        area = draws.uniforms(10, *self.scale) * height * width
        wide = np.exp(draws.uniforms(10, math.log(self.ratio[0]), math.log(self.ratio[1])))
        ws, hs = np.rint(np.sqrt(area * wide)).astype(np.int64), np.rint(np.sqrt(area / wide)).astype(np.int64)
        fits = (ws > 0) & (ws <= width) & (hs > 0) & (hs <= height)
        first, rows = fits.argmax(1), np.arange(draws.n)
        h, w, found = hs[rows, first], ws[rows, first], fits.any(1)
        if not found.all():
            inside = min(max(width / height, self.ratio[0]), self.ratio[1])
            whole_w, whole_h = (width, round(width / inside)) if width / height < self.ratio[0] else (round(height * inside), height)
            h, w = np.where(found, h, min(max(whole_h, 1), height)), np.where(found, w, min(max(whole_w, 1), width))
        u = draws.uniforms(2)
        top = np.where(found, (u[:, 0] * (height - h + 1)).astype(np.int64), (height - h) // 2)
        left = np.where(found, (u[:, 1] * (width - w + 1)).astype(np.int64), (width - w) // 2)
        return top, left, h, w

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        top, left, h, w = self.boxes(*scene.size, draws)
        scene.resized_crop(top, left, h, w, self.size, self.interpolation, self.antialias, "RandomResizedCrop")


class Resize(Transform):
    """Resize.

    Args:
        size: (height, width); a number for the shorter side; or None, with max_size.
        interpolation: "bilinear", "bicubic", "nearest" or "nearest-exact".
        max_size: the longer side at most; only where size is a number or None.
        antialias: weigh all pixels that an output covers, as Pillow does; False: the nearest two (four for bicubic) along each axis.
    """

    def __init__(self, size: Any, interpolation: Any = "bilinear", max_size: int | None = None, antialias: bool = True) -> None:
        steps.resized(size, max_size, 1, 1, "Resize")
        self.size, self.max_size = size, max_size
        self.interpolation, self.antialias = interpolation_of(interpolation, RESIZE, "Resize"), bool(antialias)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        h, w = steps.resized(self.size, self.max_size, *scene.size, "Resize")
        scene.resize(h, w, self.interpolation, self.antialias, "Resize")


class LetterBox(Transform):
    """Resize the image so that all of it fits into size with its proportions kept, and pad the rest evenly.

    Args:
        size: a number or (height, width).
        fill: the colour of the border.
        scaleup: False: small images are only padded.
    """

    def __init__(self, size: Any, fill: Any = 114, scaleup: bool = True) -> None:
        self.size, self.fill, self.scaleup = steps.pair(size, "LetterBox"), fill, bool(scaleup)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.letterbox(scene, self.size, self.fill, self.scaleup, "LetterBox")


class RandomHorizontalFlip(Transform):
    """Left becomes right, with probability p."""

    axis = 1

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability(type(self).__name__, p)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        scene.flip(draws.chance(self.p), self.axis)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top becomes bottom, with probability p."""

    axis = 0
