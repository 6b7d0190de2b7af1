"""Random draws that depend on a seed and a place alone: the same on every machine and with every NumPy."""
from __future__ import annotations

import numpy as np


def uniform(seed: int, place: int, n: int) -> np.ndarray:
    """n numbers in [0, 1), float64: the first ones of block `place` of the Philox stream of `seed`.

    NumPy promises that the raw words of a bit generator never change, unlike the numbers its `Generator` makes of them.
    """
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must lie between 0 and 2**64 - 1, got {seed}")
    words = np.random.Philox(key=seed, counter=[0, 0, place, 0]).random_raw(n)
    return (words >> np.uint64(11)) * 2.0**-53


def permutation(seed: int, place: int, n: int) -> np.ndarray:
    """0 to n - 1 in random order, int64."""
    return np.argsort(uniform(seed, place, n), kind="stable")
