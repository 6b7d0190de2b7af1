"""GaussianNoise and RandomErasing."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms.base import Transform, probability
from fastnet.transforms.draws import Draws
from fastnet.transforms.frames import Frames
from fastnet.transforms.scene import Scene
from fastnet.transforms.steps import not_negative


def _normals(seed: int | None, shape: Sequence[int]) -> np.ndarray:
    """Standard normal numbers, float32; of the default generator where there is no seed."""
    return fn.randn(*shape, generator=None if seed is None else fn.Generator().manual_seed(int(seed))).numpy()


def add_noise(scene: Scene, seeds: np.ndarray | None, mean: float, sigma: float, clip: bool) -> None:
    """Add mean + sigma * N(0, 1) where white is 1."""
    x = scene.image.done()
    white = np.float32(255 if x.dtype == np.uint8 else 1)
    made = np.empty_like(x)
    for i, picture in enumerate(x):
        noise = _normals(None if seeds is None else int(seeds[i]), picture.shape)
        y = picture + (np.float32(sigma) * noise + np.float32(mean)) * white
        if x.dtype == np.uint8:
            np.rint(y, out=y)
        made[i] = np.clip(y, 0, white) if clip or x.dtype == np.uint8 else y
    scene.image = Frames(made, scene.image.merge)


class GaussianNoise(Transform):
    """Add normal noise.

    Args:
        mean, sigma: where white is 1, also for uint8.
        clip: bound the result to what lies between black and white; bytes always are.
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        self.mean, self.sigma, self.clip = float(mean), not_negative("GaussianNoise", "sigma", sigma), bool(clip)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        add_noise(scene, draws.seeds(), self.mean, self.sigma, self.clip)


class RandomErasing(Transform):
    """Put a rectangle of another colour, or of noise, somewhere (Zhong, Zheng, Kang, Li, Yang, 2017). Boxes and masks stay as they are.

    Args:
        p: the probability.
        scale: the rectangle's part of the area, at least and at most.
        ratio: its height over its width, at least and at most.
        value: its colour, a number or one for each channel; "random": standard normal numbers, for float32 images.
    """

    def __init__(self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3),
                 value: Any = 0.0) -> None:
        if len(scale) != 2 or not 0 <= scale[0] <= scale[1] <= 1:
            raise ValueError(f"RandomErasing: scale must be two numbers between 0 and 1, the smaller first, got {scale!r}")
        if len(ratio) != 2 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(f"RandomErasing: ratio must be two positive numbers, the smaller first, got {ratio!r}")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value must be numbers or 'random', got {value!r}")
        self.p, self.scale, self.ratio, self.value = probability("RandomErasing", p), tuple(scale), tuple(ratio), value

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        chosen, seeds = draws.chance(self.p), draws.seeds()
        area = draws.uniforms(10, *self.scale) * scene.size[0] * scene.size[1]
        tall = np.exp(draws.uniforms(10, float(np.log(self.ratio[0])), float(np.log(self.ratio[1]))))
        heights, widths = np.rint(np.sqrt(area * tall)).astype(int), np.rint(np.sqrt(area / tall)).astype(int)
        places = draws.uniforms(2)
        fits = (heights < scene.size[0]) & (widths < scene.size[1])
        if not (chosen & fits.any(1)).any():
            return
        noise = self.value == "random" if isinstance(self.value, str) else False
        if noise and not scene.image.floats:
            raise TypeError("RandomErasing: value 'random' wants a float32 image, got uint8; ToFloat() goes before")
        values = np.asarray(0.0 if noise else self.value)
        if values.size not in (1, scene.channels):
            raise ValueError(f"RandomErasing: value has {values.size} numbers for {scene.channels} channels")
        x = scene.image.done().copy(order="K")
        for i in np.flatnonzero(chosen & fits.any(1)):
            t = fits[i].argmax()
            h, w = int(heights[i, t]), int(widths[i, t])
            top, left = int(places[i, 0] * (x.shape[2] - h + 1)), int(places[i, 1] * (x.shape[3] - w + 1))
            x[i, :, top:top + h, left:left + w] = _normals(int(seeds[i]), (x.shape[1], h, w)) if noise else values.reshape(-1, 1, 1)
        scene.image = Frames(x, scene.image.merge)
