"""MixUp and CutMix: each image of a batch with another, and their labels likewise."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms.draws import Draws, Key


def soft_labels(labels: Any, num_classes: int | None, name: str) -> np.ndarray:
    """Class numbers (N,) as rows of 0 and 1, float32 (N, K); rows that are soft already as they are."""
    y = labels.detach().numpy() if isinstance(labels, fn.Tensor) else np.asarray(labels)
    if y.ndim == 2 and y.dtype.kind == "f":
        if num_classes is not None and y.shape[1] != num_classes:
            raise ValueError(f"{name}: labels {y.shape} do not have num_classes {num_classes} columns")
        return y.astype(np.float32)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(f"{name}: labels must be class numbers (N,) or probabilities (N, K), got {y.dtype} {y.shape}")
    if num_classes is None:
        raise ValueError(f"{name}: num_classes must be given for labels that are class numbers")
    if len(y) and not 0 <= y.min() <= y.max() < num_classes:
        raise ValueError(f"{name}: labels go from {y.min()} to {y.max()}, num_classes is {num_classes}")
    return np.eye(num_classes, dtype=np.float32)[y]


class _Mix:
    """What both have in common; a batch is (images, labels) or a dict with "image" and "labels"."""

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None) -> None:
        if not alpha > 0:
            raise ValueError(f"{type(self).__name__}: alpha must be positive, got {alpha!r}")
        self.alpha, self.num_classes = float(alpha), num_classes

    def __call__(self, batch: Any, key: Key | None = None) -> Any:
        """The mixed batch: images as they were given, labels float32 (N, K).

        Args:
            batch: (images, labels) or a dict; images (N, C, H, W).
            key: (seed, epoch, indices), whose first index counts; None: from the default generator.
        """
        name, mapping = type(self).__name__, isinstance(batch, Mapping)
        if not mapping and (not isinstance(batch, (tuple, list)) or len(batch) != 2):
            raise TypeError(f"{name}: a batch must be (images, labels) or a dict with 'image' and 'labels', got {type(batch).__name__}")
        images, labels = (batch["image"], batch["labels"]) if mapping else batch
        x = images.detach().numpy() if isinstance(images, fn.Tensor) else np.asarray(images)
        if x.ndim != 4 or len(x) == 0 or len(labels) != len(x):
            raise ValueError(f"{name}: a batch must have images (N, C, H, W) and a label for each, got {x.shape} and {len(labels)} labels")
        y = soft_labels(labels, self.num_classes, name)
        draws = Draws(None if key is None else (key[0], key[1], np.reshape(key[2], -1)[:1]), 1)
        share = float(np.random.Generator(np.random.Philox(key=int(draws.seeds()[0]))).beta(self.alpha, self.alpha))
        made, share = self.mix(x, np.roll(np.arange(len(x)), 1), share, draws)
        y = np.float32(share) * y + np.float32(1 - share) * np.roll(y, 1, 0)
        mixed = fn.from_numpy(made) if isinstance(images, fn.Tensor) else made
        soft = fn.from_numpy(y) if isinstance(labels, fn.Tensor) else y
        return {**batch, "image": mixed, "labels": soft} if mapping else type(batch)((mixed, soft))

    def mix(self, x: np.ndarray, other: np.ndarray, share: float, draws: Draws) -> tuple[np.ndarray, float]:
        """Images and what part of each is its own."""
        raise TypeError(f"{type(self).__name__} does not define mix")


class MixUp(_Mix):
    """Each image is lambda of itself and 1 - lambda of the one before; so are the labels (Zhang, Cisse, Dauphin, Lopez-Paz, 2017).

    Args:
        alpha: lambda is drawn from Beta(alpha, alpha), once a batch.
        num_classes: how many there are; not needed where labels are probabilities.

    >>> import numpy as np
    >>> from fastnet.transforms import MixUp
    >>> x, y = MixUp(num_classes=2)((np.ones((2, 1, 1, 1), np.float32), np.array([0, 1])), key=(0, 0, 0))
    >>> x.ravel().tolist(), y.sum(1).tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """

    def mix(self, x: np.ndarray, other: np.ndarray, share: float, draws: Draws) -> tuple[np.ndarray, float]:
        """Images and what part of each is its own."""
        if x.dtype.kind != "f":
            raise TypeError(f"MixUp: images must be floating-point, got {x.dtype}")
        kind = x.dtype.type
        return kind(share) * x + kind(1 - share) * x[other], share


class CutMix(_Mix):
    """A rectangle of each image comes from the one before; labels are mixed by area (Yun et al., 2019).

    Args:
        alpha: the part of the image that stays is drawn from Beta(alpha, alpha), once a batch.
        num_classes: how many there are; not needed where labels are probabilities.
    """

    def mix(self, x: np.ndarray, other: np.ndarray, share: float, draws: Draws) -> tuple[np.ndarray, float]:
        """Images and what part of each is its own."""
        h, w = x.shape[2:]
        u, half = draws.uniforms(2)[0], 0.5 * np.sqrt(1 - share)
        row, col = int(u[0] * h), int(u[1] * w)
        top, bottom = max(0, row - int(half * h)), min(h, row + int(half * h))
        left, right = max(0, col - int(half * w)), min(w, col + int(half * w))
        made = x.copy(order="K")
        made[:, :, top:bottom, left:right] = x[other][:, :, top:bottom, left:right]
        return made, 1 - (bottom - top) * (right - left) / (h * w)
