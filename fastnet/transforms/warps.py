"""RandomRotation, RandomAffine, RandomPerspective."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnet.transforms import matrices, steps
from fastnet.transforms.base import Transform, probability
from fastnet.transforms.draws import Draws
from fastnet.transforms.scene import Scene, interpolation_of

WARPS = ("nearest", "bilinear")


def _span(name: str, argument: str, value: Any) -> tuple[float, float]:
    """(low, high) of a number, which stands for both sides of 0, or of a pair."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"{name}: {argument} must not be negative where it is one number, got {value}")
        return -float(value), float(value)
    if len(value) != 2 or value[0] > value[1]:
        raise ValueError(f"{name}: {argument} must be a number or (low, high), got {value!r}")
    return float(value[0]), float(value[1])


def _center(name: str, center: Any) -> tuple[float, float] | None:
    if center is None:
        return None
    if len(center) != 2:
        raise ValueError(f"{name}: center must be (x, y), got {center!r}")
    return float(center[0]), float(center[1])


class RandomRotation(Transform):
    """Turn the image by a random angle.

    Args:
        degrees: at least and at most, counter-clockwise; one number stands for both directions.
        interpolation: "nearest" or "bilinear".
        expand: make the result large enough for all of the turned image; not for batches.
        center: (x, y) that stays; the image's centre if None.
        fill: the colour where the image does not reach.
    """

    def __init__(self, degrees: Any, interpolation: Any = "nearest", expand: bool = False, center: Any = None, fill: Any = 0) -> None:
        self.degrees = _span("RandomRotation", "degrees", degrees)
        self.interpolation = interpolation_of(interpolation, WARPS, "RandomRotation")
        self.expand, self.center, self.fill = bool(expand), _center("RandomRotation", center), fill

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        steps.rotate(scene, draws.uniform(*self.degrees), self.interpolation, self.expand, self.center, self.fill, "RandomRotation")


class RandomAffine(Transform):
    """Shear, turn, scale and move the image at random.

    Args:
        degrees: angle, at least and at most, clockwise; one number stands for both directions.
        translate: how far at most, as parts of the width and the height; None: not.
        scale: at least and at most; None: 1.
        shear: degrees: one number for both directions along x, (low, high) along x, or (low x, high x, low y, high y); None: not.
        interpolation: "nearest" or "bilinear".
        fill: the colour where the image does not reach.
        center: (x, y) that stays; the image's centre if None.
    """

    def __init__(self, degrees: Any, translate: Sequence[float] | None = None, scale: Sequence[float] | None = None, shear: Any = None,
                 interpolation: Any = "nearest", fill: Any = 0, center: Any = None) -> None:
        if translate is not None and (len(translate) != 2 or not all(0 <= t <= 1 for t in translate)):
            raise ValueError(f"RandomAffine: translate must be two numbers between 0 and 1, got {translate!r}")
        if scale is not None and (len(scale) != 2 or not 0 < scale[0] <= scale[1]):
            raise ValueError(f"RandomAffine: scale must be two positive numbers, the smaller first, got {scale!r}")
        self.degrees, self.translate, self.scale = _span("RandomAffine", "degrees", degrees), translate, scale
        self.shear: tuple[tuple[float, float], tuple[float, float]] | None = None
        if shear is not None:
            many = not isinstance(shear, (int, float)) and len(shear) == 4
            self.shear = ((_span("RandomAffine", "shear", shear[:2]), _span("RandomAffine", "shear", shear[2:])) if many
                          else (_span("RandomAffine", "shear", shear), (0.0, 0.0)))
        self.interpolation, self.fill = interpolation_of(interpolation, WARPS, "RandomAffine"), fill
        self.center = _center("RandomAffine", center)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        u = draws.uniforms(6)

        def between(k: int, low: float, high: float) -> np.ndarray:
            return low + (high - low) * u[:, k]
        h, w = scene.size
        far = (self.translate[0] * w, self.translate[1] * h) if self.translate else (0.0, 0.0)
        move = tuple(np.rint(between(1 + k, -far[k], far[k])) for k in (0, 1))
        zoom = between(3, *self.scale) if self.scale else 1.0  # type: ignore[misc]
        shear = (between(4, *self.shear[0]), between(5, *self.shear[1])) if self.shear else (0.0, 0.0)
        matrix = matrices.affine(scene.size, between(0, *self.degrees), move, zoom, shear, self.center, draws.n)
        scene.warp(matrix, None, self.interpolation, self.fill, "RandomAffine")


class RandomPerspective(Transform):
    """Look at the image from a random side, with probability p; corners that would fold a tiny image over leave it as it is.

    Args:
        distortion_scale: how far corners move, 0 to 1, where 1 is half of the image.
        p: the probability.
        interpolation: "bilinear" or "nearest".
        fill: the colour where the image does not reach.
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Any = "bilinear", fill: Any = 0) -> None:
        self.distortion_scale = probability("RandomPerspective", distortion_scale, "distortion_scale")
        self.p = probability("RandomPerspective", p)
        self.interpolation, self.fill = interpolation_of(interpolation, WARPS, "RandomPerspective"), fill

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        chosen, u = draws.chance(self.p), draws.uniforms(8)
        if not chosen.any():
            return
        h, w = scene.size
        down, across = int(self.distortion_scale * (h // 2)) + 1, int(self.distortion_scale * (w // 2)) + 1
        start = np.array([[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]])
        inward = np.floor(u.reshape(-1, 4, 2) * [across, down]) * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
        end = start + inward
        edges = np.roll(end, -1, 1) - end
        after = np.roll(edges, -1, 1)
        convex = (edges[..., 0] * after[..., 1] - edges[..., 1] * after[..., 0] > 0).all(1)
        if min(h, w) < 2:
            return
        kept = ~(chosen & convex)[:, None, None]
        end = np.where(kept, start, end)
        matrix = np.where(kept, np.eye(3), matrices.perspective(np.broadcast_to(start, end.shape), end))
        scene.warp(matrix, None, self.interpolation, self.fill, "RandomPerspective")
