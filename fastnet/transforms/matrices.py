"""Matrices of warps, (n, 3, 3): from places of the result to places of the picture, both in pixels from the picture's upper left corner."""
from __future__ import annotations

from typing import Any

import numpy as np


def shift(x: Any, y: Any, n: int = 1) -> np.ndarray:
    """Moves by x to the right and y down."""
    m = np.zeros((n, 3, 3))
    m[:, 0, 0] = m[:, 1, 1] = m[:, 2, 2] = 1
    m[:, 0, 2], m[:, 1, 2] = x, y
    return m


def scale(x: Any, y: Any, n: int = 1) -> np.ndarray:
    """Scales from the corner."""
    m = np.zeros((n, 3, 3))
    m[:, 0, 0], m[:, 1, 1], m[:, 2, 2] = x, y, 1
    return m


def affine(size: tuple[int, int], angle: Any, translate: Any = (0, 0), zoom: Any = 1.0, shear: Any = (0, 0),
           center: Any = None, n: int = 1) -> np.ndarray:
    """The inverse of: shear, turn by angle (degrees, clockwise) and zoom about the centre, then translate.

    size is (H, W); angle, zoom and both entries of translate, shear may be (n,).
    """
    rot, sx, sy = np.radians(angle), np.radians(shear[0]), np.radians(shear[1])
    m = np.zeros((n, 3, 3))
    m[:, 0, 0] = np.cos(rot - sy) / np.cos(sy) * zoom
    m[:, 0, 1] = (-np.cos(rot - sy) * np.tan(sx) / np.cos(sy) - np.sin(rot)) * zoom
    m[:, 1, 0] = np.sin(rot - sy) / np.cos(sy) * zoom
    m[:, 1, 1] = (-np.sin(rot - sy) * np.tan(sx) / np.cos(sy) + np.cos(rot)) * zoom
    m[:, 2, 2] = 1
    x, y = (size[1] / 2, size[0] / 2) if center is None else center
    m[:, 0, 2] = x + translate[0] - m[:, 0, 0] * x - m[:, 0, 1] * y
    m[:, 1, 2] = y + translate[1] - m[:, 1, 0] * x - m[:, 1, 1] * y
    return np.linalg.inv(m)


def expanded(matrix: np.ndarray, size: tuple[int, int], exact: tuple[int, int] | None = None) -> tuple[np.ndarray, tuple[int, int]]:
    """The matrix and size of the result that holds all of the turned picture; `exact` is that size where it is known."""
    h, w = size
    corners = (np.linalg.inv(matrix) @ shift(w / 2, h / 2) @ np.array([[-w, w, w, -w], [-h, -h, h, h], [2, 2, 2, 2]]) / 2)[0, :2]
    high, low = np.ceil(np.trunc(corners.max(1) / 1e-4) * 1e-4), np.floor(np.trunc(corners.min(1) / 1e-4) * 1e-4)
    wide, tall = (high - low).astype(int).tolist() if exact is None else exact[::-1]
    return matrix @ shift(w / 2 - wide / 2, h / 2 - tall / 2), (tall, wide)


def perspective(start: Any, end: Any) -> np.ndarray:
    """Four corners of the picture, and where they go: (4, 2) or (n, 4, 2), no three of them on a line."""
    bases = []
    for corners in (start, end):
        points = np.ones((np.asarray(corners).size // 8, 3, 4))
        points[:, :2] = np.swapaxes(np.asarray(corners, np.float64).reshape(-1, 4, 2), 1, 2)
        try:                                              # from the unit vectors and (1, 1, 1) to the corners
            bases.append(points[:, :, :3] * np.linalg.solve(points[:, :, :3], points[:, :, 3:]).transpose(0, 2, 1))
        except np.linalg.LinAlgError:
            raise ValueError(f"perspective: {corners} do not make a quadrangle") from None
    try:
        matrix = bases[0] @ np.linalg.inv(bases[1])
    except np.linalg.LinAlgError:
        raise ValueError(f"perspective: {end} do not make a quadrangle") from None
    last = matrix[:, 2:, 2:]
    return matrix / np.where(np.abs(last) > 1e-9 * np.abs(matrix).max((1, 2), keepdims=True), last, 1.0)
