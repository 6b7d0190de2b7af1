"""Boxes under a matrix: the box of the four corners, clipped to the picture, dropped when little of it is left."""
from __future__ import annotations

import numpy as np


def move(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The bounding boxes of boxes (n, 4), xyxy, whose corners a matrix (3, 3) moves."""
    x, y = boxes[:, [0, 2, 2, 0]], boxes[:, [1, 1, 3, 3]]
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / w
    v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / w
    return np.stack([u.min(1), v.min(1), u.max(1), v.max(1)], 1)


def clip(boxes: np.ndarray, height: int, width: int, min_size: float, min_visibility: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes cut off at the border of the picture, and which of them stay.

    A box stays if both sides are at least min_size long, and at least min_visibility of its area is inside.
    """
    cut = boxes.copy()
    np.clip(cut[:, 0::2], 0, width, out=cut[:, 0::2])
    np.clip(cut[:, 1::2], 0, height, out=cut[:, 1::2])
    sides, before = cut[:, 2:] - cut[:, :2], (boxes[:, 2:] - boxes[:, :2]).prod(1)
    stay = (sides.min(1) >= min_size) & (sides.prod(1) >= min_visibility * before)
    return cut, stay
