"""RandAugment, TrivialAugmentWide, AutoAugment: a few operations chosen at random."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.transforms import equalization, frames, matrices, policies, steps
from fastnet.transforms.base import Transform
from fastnet.transforms.draws import Draws
from fastnet.transforms.policies import OPERATIONS, RANDAUGMENT, SIGNED
from fastnet.transforms.scene import Scene, interpolation_of
from fastnet.transforms.warps import WARPS

_NUMBER = {name: i for i, name in enumerate(OPERATIONS)}
_HAS_SIGN = np.array([name in SIGNED for name in OPERATIONS])
_GEOMETRY = set(range(1, 6))
_CODES = np.zeros(len(OPERATIONS), np.int32)
for _name, _code in (("Brightness", frames.BRIGHTNESS), ("Color", frames.SATURATION), ("Contrast", frames.CONTRAST),
                     ("Posterize", frames.POSTERIZE), ("Solarize", frames.SOLARIZE), ("Invert", frames.INVERT)):
    _CODES[_NUMBER[_name]] = _code


def operate(scene: Scene, which: np.ndarray, strength: np.ndarray, interpolation: str, fill: Any, name: str) -> None:
    """One operation on each picture: its number in OPERATIONS and its strength, both (N,)."""
    def of(operation: str) -> np.ndarray:
        return np.where(which == _NUMBER[operation], strength, 0.0)
    present = set(which.tolist())
    if present & _GEOMETRY:
        shear = np.degrees(np.arctan(of("ShearX"))), np.degrees(np.arctan(of("ShearY")))
        move = np.trunc(of("TranslateX")), np.trunc(of("TranslateY"))
        matrix = matrices.affine(scene.size, 0.0, move, 1.0, shear, (0, 0), scene.n)
        if _NUMBER["Rotate"] in present:
            matrix = matrix @ matrices.affine(scene.size, -of("Rotate"), n=scene.n)
        scene.warp(matrix, None, interpolation, fill, name)
    if _CODES[which].any():
        values = np.zeros((scene.n, 4), np.float32)
        values[:, 0], values[:, 1] = 1 + strength, -strength
        posterized, solarized = which == _NUMBER["Posterize"], which == _NUMBER["Solarize"]
        values[posterized] = steps.posterize_values(strength[posterized], scene.image.floats)
        values[solarized, 0] = strength[solarized] * (1 if scene.image.floats else 255)
        steps.color(scene, _CODES[which], values, name)
    if _NUMBER["AutoContrast"] in present:
        scene.some(which == _NUMBER["AutoContrast"], equalization.autocontrast, name)
    if _NUMBER["Equalize"] in present:
        scene.some(which == _NUMBER["Equalize"], equalization.equalize, name)
    if _NUMBER["Sharpness"] in present:
        sharper = which == _NUMBER["Sharpness"]
        scene.some(sharper, lambda part: equalization.sharpness(part, 1 + strength[sharper]), name)


def _bins(name: str, bins: int) -> int:
    if int(bins) != bins or bins < 2:
        raise ValueError(f"{name}: num_magnitude_bins must be an integer from 2 on, got {bins!r}")
    return int(bins)


class RandAugment(Transform):
    """So many operations of 14, all of one strength (Cubuk, Zoph, Shlens, Le, 2019).

    Args:
        num_ops: how many, one after the other.
        magnitude: the strength, below num_magnitude_bins.
        num_magnitude_bins: how many strengths there are.
        interpolation: of warps, "nearest" or "bilinear".
        fill: the colour where a warped image does not reach; None: 0.
    """

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31, interpolation: Any = "nearest",
                 fill: Any = None) -> None:
        self.num_magnitude_bins = _bins("RandAugment", num_magnitude_bins)
        if int(num_ops) != num_ops or num_ops < 1:
            raise ValueError(f"RandAugment: num_ops must be a positive integer, got {num_ops!r}")
        if int(magnitude) != magnitude or not 0 <= magnitude < num_magnitude_bins:
            raise ValueError(f"RandAugment: magnitude must be an integer from 0 to {num_magnitude_bins - 1}, got {magnitude!r}")
        self.num_ops, self.magnitude = int(num_ops), int(magnitude)
        self.interpolation, self.fill = interpolation_of(interpolation, WARPS, "RandAugment"), fill

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        for _ in range(self.num_ops):
            u = draws.uniforms(2)
            which = (u[:, 0] * len(RANDAUGMENT)).astype(np.int64)
            strength = policies.strengths(self.num_magnitude_bins, *scene.size)[which, self.magnitude]
            strength = np.where(_HAS_SIGN[which] & (u[:, 1] < 0.5), -strength, strength)
            operate(scene, which, strength, self.interpolation, self.fill, "RandAugment")


class TrivialAugmentWide(Transform):
    """One operation of 14, of any strength (Mueller, Hutter, 2021).

    Args:
        num_magnitude_bins: how many strengths there are.
        interpolation: of warps, "nearest" or "bilinear".
        fill: the colour where a warped image does not reach; None: 0.
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Any = "nearest", fill: Any = None) -> None:
        self.num_magnitude_bins = _bins("TrivialAugmentWide", num_magnitude_bins)
        self.interpolation, self.fill = interpolation_of(interpolation, WARPS, "TrivialAugmentWide"), fill

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        u = draws.uniforms(3)
        which, bins = (u[:, 0] * len(RANDAUGMENT)).astype(np.int64), (u[:, 1] * self.num_magnitude_bins).astype(np.int64)
        strength = policies.strengths(self.num_magnitude_bins, *scene.size, wide=True)[which, bins]
        strength = np.where(_HAS_SIGN[which] & (u[:, 2] < 0.5), -strength, strength)
        operate(scene, which, strength, self.interpolation, self.fill, "TrivialAugmentWide")


class AutoAugment(Transform):
    """One of 25 pairs of operations that were learned for a data set (Cubuk, Zoph, Mane, Vasudevan, Le, 2018).

    Args:
        policy: "imagenet" or "cifar10".
        interpolation: of warps, "nearest" or "bilinear".
        fill: the colour where a warped image does not reach; None: 0.
    """

    def __init__(self, policy: Any = "imagenet", interpolation: Any = "nearest", fill: Any = None) -> None:
        word = getattr(policy, "value", policy)
        if word not in policies.POLICIES:
            raise ValueError(f"AutoAugment: policy must be one of {', '.join(policies.POLICIES)}, got {policy!r}")
        self.policy, self._table = word, policies.parsed(word)
        self.interpolation, self.fill = interpolation_of(interpolation, WARPS, "AutoAugment"), fill

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        u = draws.uniforms(5)
        pairs = self._table[(u[:, 0] * len(self._table)).astype(np.int64)]
        for k in range(2):
            which, chance, bins = pairs[:, k, 0].astype(np.int64), pairs[:, k, 1], pairs[:, k, 2].astype(np.int64)
            which = np.where(u[:, 1 + 2 * k] <= chance, which, 0)
            strength = policies.strengths(10, *scene.size)[which, bins]
            strength = np.where(_HAS_SIGN[which] & (u[:, 2 + 2 * k] < 0.5), -strength, strength)
            operate(scene, which, strength, self.interpolation, self.fill, "AutoAugment")
