"""A few thousand elements that stand for a tensor, so that looking at one costs microseconds whatever its size."""
from __future__ import annotations

import numpy as np

LIMIT = 8192                                              # elements that are looked at
IMAGES = 8                                                # samples of a batch among which they are spread


def rows(a: np.ndarray, channels: bool) -> np.ndarray:
    """A sample of an activation as a matrix (rows, units): some of a batch's samples, some of their positions, all units.

    Args:
        a: (N, features), (N, T, features), or with `channels` (N, C, ...).
        channels: axis 1 is the axis of units, not the last one.

    >>> import numpy as np
    >>> from fastnet.doctor.sample import rows
    >>> rows(np.zeros((64, 16, 32, 32)), True).shape[1]
    16
    """
    if a.ndim < 2:
        return a.reshape(-1, 1)[::max(1, a.size // LIMIT) | 1]                # an odd step meets all units of what was flattened
    if channels and a.ndim > 2:
        a = np.moveaxis(a, 1, -1)
    units = a.shape[-1]
    if a.size > LIMIT:
        inner = a.ndim - 2
        if inner:
            a = a[::max(1, a.shape[0] // IMAGES)]
            step = max(1, round((a.size / LIMIT) ** (1 / inner)))
            a = a[(slice(None), *(slice(None, None, min(step, n)) for n in a.shape[1:-1]))]
        most = max(32, LIMIT // max(units, 1))            # of a very wide layer a few rows more than LIMIT allows
        flat = a.reshape(-1, units) if a.size else a.reshape(0, units)
        return flat[::max(1, -(-len(flat) // most))]
    return a.reshape(-1, units)


def part(a: np.ndarray) -> np.ndarray:
    """Every k-th row of a parameter, about LIMIT elements, as a vector of its own."""
    if a.size <= 2 * LIMIT or a.ndim < 2:
        return np.array(a[::max(1, a.size // LIMIT)] if a.ndim == 1 else a).ravel()
    return a[::max(1, a.size // LIMIT)].ravel() if a.shape[0] > 1 else np.array(a.ravel()[::a.size // LIMIT])


def rms(a: np.ndarray) -> float:
    """The root of the mean square.

    >>> import numpy as np
    >>> from fastnet.doctor.sample import rms
    >>> rms(np.array([3.0, -3.0]))
    3.0
    """
    if not a.size:
        return 0.0
    flat = a.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.dot(flat, flat)) / flat.size
        if not square < np.inf or square < 1e-30:         # float32 is too narrow for the squares: once more in float64
            wide = flat.astype(np.float64)
            square = float(np.dot(wide, wide)) / flat.size
    return square ** 0.5
