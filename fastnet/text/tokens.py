"""Tokens: a long row of token ids, cut into windows of x and y, where y is x one token later."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.text.draws import uniform
from fastnet.utils.data import Dataset


class Tokens:
    """Token ids one after the other, from which language models are trained; `TokenFile` has them on disk.

    Args:
        ids: ints with one axis: a list, an array (which is shared) or a tensor.

    >>> from fastnet.text import Tokens
    >>> tokens = Tokens(range(10))
    >>> [x.tolist() for x in tokens.batch(block=3, batch=2, seed=0, step=0)]
    [[[0, 1, 2], [1, 2, 3]], [[1, 2, 3], [2, 3, 4]]]
    >>> [(x.tolist(), y.tolist()) for x, y in tokens.sequential(block=4, batch=2)]
    [([[0, 1, 2, 3], [4, 5, 6, 7]], [[1, 2, 3, 4], [5, 6, 7, 8]]), ([[8]], [[9]])]
    """

    def __init__(self, ids: Any) -> None:
        self.ids = ids.numpy() if isinstance(ids, Tensor) else np.asarray(ids if hasattr(ids, "__array__") else list(ids))
        if self.ids.ndim != 1 or (self.ids.dtype.kind not in "iu" and self.ids.size):
            raise ValueError(f"Tokens: ids must be ints with one axis, got shape {self.ids.shape} of {self.ids.dtype}")

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, validation: float = 0.1) -> tuple[Tokens, Tokens]:
        """The beginning and the end, sharing memory: to train on, and to validate on text that was never seen.

        Args:
            validation: the share of the end, between 0 and 1.
        """
        if not 0 <= validation <= 1:
            raise ValueError(f"Tokens.split: validation must lie between 0 and 1, got {validation}")
        cut = len(self) - round(len(self) * validation)
        return Tokens(self.ids[:cut]), Tokens(self.ids[cut:])

    def _gather(self, starts: np.ndarray, block: int) -> tuple[Tensor, Tensor]:
        """Windows that begin at `starts`: x and y, int64 of shape (len(starts), block)."""
        x = np.empty((len(starts), block), dtype=np.int64)
        y = np.empty_like(x)
        for row, start in enumerate(starts.tolist()):
            x[row] = self.ids[start:start + block]
            y[row] = self.ids[start + 1:start + block + 1]
        return fn.from_numpy(x), fn.from_numpy(y)

    def _check(self, op: str, block: int, batch: int = 1) -> None:
        if block < 1 or batch < 1:
            raise ValueError(f"{op}: block and batch must be at least 1, got {block} and {batch}")

    def batch(self, block: int, batch: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """The random windows of one step. They depend on seed and step alone, so that a run goes on where it was stopped.

        Args:
            block: tokens in a window.
            batch: windows.
            seed, step: ints from 0 on.

        Returns: x and y, int64 of shape (batch, block), where ``y[:, i]`` is the token after ``x[:, i]``.

        Raises: ValueError if there are fewer than block + 1 tokens.
        """
        self._check("Tokens.batch", block, batch)
        if len(self) <= block:
            raise ValueError(f"Tokens.batch: a window of {block} and the token after it need {block + 1} tokens, there are {len(self)}")
        starts = uniform(seed, step, batch) * (len(self) - block)
        return self._gather(starts.astype(np.int64), block)

    def batches(self, block: int, batch: int, seed: int = 0, steps: int | None = None, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Random windows for `steps` steps (None: without end), from step `start` on; see `batch`."""
        step = start
        while steps is None or step < start + steps:
            yield self.batch(block, batch, seed, step)
            step += 1

    def sequential(self, block: int, batch: int = 1, drop_last: bool = False) -> Iterator[tuple[Tensor, Tensor]]:
        """Windows side by side from the beginning, for evaluation: each token but the first is in y exactly once.

        Args:
            block: tokens in a window.
            batch: windows at a time; the last batch may have fewer.
            drop_last: leave out the last window if it is shorter than block; otherwise it comes at the end, alone.

        Returns: pairs (x, y), int64 of shape (up to batch, block).
        """
        self._check("Tokens.sequential", block, batch)
        whole, rest = divmod(max(len(self) - 1, 0), block)
        for first in range(0, whole, batch):
            yield self._gather(np.arange(first, min(first + batch, whole)) * block, block)
        if rest and not drop_last:
            yield self._gather(np.array([whole * block]), rest)

    def windows(self, block: int, stride: int | None = None) -> TokenWindows:
        """The windows as a Dataset for a DataLoader, which then chooses their order.

        Args:
            block: tokens in a window.
            stride: from one window's beginning to the next one's; block by default.

        >>> from fastnet.text import Tokens
        >>> from fastnet.utils.data import DataLoader
        >>> for x, y in DataLoader(Tokens(range(7)).windows(3), batch_size=2):
        ...     print(x.tolist(), y.tolist())
        [[0, 1, 2], [3, 4, 5]] [[1, 2, 3], [4, 5, 6]]
        """
        return TokenWindows(self, block, block if stride is None else stride)


class TokenWindows(Dataset[tuple[Tensor, Tensor]]):
    """Windows of equal length as samples (x, y), int64 of shape (block,); made by `Tokens.windows`."""

    def __init__(self, tokens: Tokens, block: int, stride: int) -> None:
        tokens._check("Tokens.windows", block)
        if stride < 1:
            raise ValueError(f"Tokens.windows: stride must be at least 1, got {stride}")
        self.tokens, self.block, self.stride = tokens, block, stride

    def __len__(self) -> int:
        return max(0, (len(self.tokens) - 1 - self.block) // self.stride + 1)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        x, y = self.getbatch([index])
        return x[0], y[0]

    def getbatch(self, indices: Any) -> list[Tensor]:
        """x and y of several windows, each of shape (len(indices), block)."""
        at = np.asarray(indices, dtype=np.int64)
        n = len(self)
        if at.size and not (-n <= at.min() and at.max() < n):
            raise IndexError(f"TokenWindows: index {at.min() if at.min() < -n else at.max()} is out of range for {n} windows")
        return list(self.tokens._gather(at % max(n, 1) * self.stride, self.block))
