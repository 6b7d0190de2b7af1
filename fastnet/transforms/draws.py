"""Draws: random numbers of samples, each by its key (seed, epoch, index), whoever asks and in whatever order."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet.ops.image import image_uniform

Key = tuple[int, int, Any]
_WORD = (1 << 64) - 1


def _mix(x: int) -> int:
    """The finaliser of SplitMix64: 64 bits to 64 bits, each of which depends on all."""
    x = (x + 0x9E3779B97F4A7C15) & _WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD
    return x ^ (x >> 31)


class Draws:
    """Random numbers for n samples, from counters (Philox4x32-10).

    A number depends on the seed, the epoch, the sample's index, on which transform asks and how often it has asked; not on other samples.

    Args:
        key: (seed, epoch, index); index is a number, or n of them. None: seed drawn from fastnet's default generator.
        n: how many samples.

    >>> from fastnet.transforms.draws import Draws
    >>> one, many = Draws((0, 0, 7), 1), Draws((0, 0, [6, 7]), 2)
    >>> bool(one.uniform()[0] == many.uniform()[1])
    True
    """

    def __init__(self, key: Key | None, n: int) -> None:
        if key is None:
            seed, epoch, index = int(fn.randint(0, 2**63 - 1, (1,)).item()), 0, range(n)
        else:
            try:
                seed, epoch, index = key
            except (TypeError, ValueError):
                raise TypeError(f"transforms: key must be (seed, epoch, index), got {key!r}") from None
        self.index = np.ascontiguousarray(index, dtype=np.int64).reshape(-1)
        if len(self.index) != n:
            raise ValueError(f"transforms: key has {len(self.index)} indices for {n} images")
        self.seed, self.epoch, self.n, self.calls = int(seed) & _WORD, int(epoch), n, 0
        self._at = fn.from_numpy(self.index)

    def child(self, number: int) -> Draws:
        """Draws of the same samples that have nothing to do with these."""
        draws = object.__new__(Draws)
        draws.seed, draws.epoch, draws.n, draws.calls = _mix(self.seed + (number + 1) * 0x9E6C63D0876A9A47 & _WORD), self.epoch, self.n, 0
        draws.index, draws._at = self.index, self._at
        return draws

    def some(self, chosen: np.ndarray) -> Draws:
        """The draws of some of the samples, as they would be alone."""
        draws = self.child(0)
        draws.seed, draws.index, draws.n = self.seed, np.ascontiguousarray(self.index[chosen]), int(np.count_nonzero(chosen))
        draws._at, draws.calls = fn.from_numpy(draws.index), self.calls
        return draws

    def uniforms(self, count: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """(n, count) numbers between low and high."""
        self.calls += 1
        u = image_uniform(self.seed + self.calls * 0xD1B54A32D192ED03, self.epoch, self._at, count).numpy()
        return u if low == 0.0 and high == 1.0 else low + (high - low) * u

    def uniform(self, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """(n,) numbers between low and high."""
        return self.uniforms(1, low, high)[:, 0]

    def below(self, bound: Any) -> np.ndarray:
        """(n,) whole numbers from 0 to bound - 1; bound may differ from sample to sample."""
        return (self.uniform() * bound).astype(np.int64)

    def chance(self, p: float) -> np.ndarray:
        """(n,) truths, each with probability p."""
        return self.uniform() < p

    def seeds(self) -> np.ndarray:
        """(n,) seeds of 62 bits, for what needs many numbers a sample."""
        u = self.uniforms(2)
        return (u[:, 0] * 2**31).astype(np.int64) << 31 | (u[:, 1] * 2**31).astype(np.int64)
