"""Batching by length: batches of sequences of about the same length, padded, with a budget of tokens."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.text.draws import permutation
from fastnet.utils.data import Sampler


class LengthBatchSampler(Sampler[list[int]]):
    """Lists of indices of sequences of similar length, for `DataLoader(batch_sampler=...)`; each list fits a budget of tokens.

    The samples are ordered by their longest sequence and cut greedily. A batch of n costs n times the longest length in it, padding
    included; with several lengths a sample (source and target), n times the sum of the longest ones.

    Args:
        lengths: ints of shape (N,), or (N, k) for samples of k sequences.
        max_tokens: the budget of a batch.
        max_size: at most so many samples in a batch; None (the default): as many as fit.
        shuffle: in each pass, equally long sequences are mixed and the batches come in a new random order; False: from short to long.
        seed: of the shuffling; pass k of a seed is always the same.

    Raises: ValueError for a sample that alone is beyond the budget.

    >>> from fastnet.text import LengthBatchSampler
    >>> sampler = LengthBatchSampler([5, 1, 2, 9, 2], max_tokens=10, shuffle=False)
    >>> list(sampler), len(sampler)
    ([[1, 2, 4], [0], [3]], 3)
    """

    def __init__(self, lengths: Any, max_tokens: int, max_size: int | None = None, shuffle: bool = True, seed: int = 0) -> None:
        given = np.asarray(lengths)
        if given.ndim not in (1, 2) or given.shape[1:] == (0,) or (given.size and given.dtype.kind not in "iu"):
            raise ValueError(f"LengthBatchSampler: lengths must be ints of shape (N,) or (N, k), got shape {given.shape} of {given.dtype}")
        if max_tokens < 1 or (max_size is not None and max_size < 1):
            raise ValueError(f"LengthBatchSampler: max_tokens and max_size must be at least 1, got {max_tokens} and {max_size}")
        self.lengths = (given if given.ndim == 2 else given[:, None]).astype(np.int64)
        alone = self.lengths.sum(1)
        if len(alone) and alone.max() > max_tokens:
            i = int(alone.argmax())
            raise ValueError(f"LengthBatchSampler: sample {i} alone has {alone[i]} tokens, more than max_tokens={max_tokens}")
        self.max_tokens, self.max_size, self.shuffle, self.seed, self._pass = max_tokens, max_size, shuffle, seed, 0
        # Each pass sorts by the same lengths, so the sorted lengths, and with them the cuts, are the same.
        self._keys = (*self.lengths.T[::-1], self.lengths.max(1))   # the longest sequence of a sample counts first
        self._ends = self._cut(self.lengths[np.lexsort(self._keys)].tolist())

    def _cut(self, rows: list[list[int]]) -> list[int]:
        ends: list[int] = []
        begin, longest = 0, [0] * self.lengths.shape[1]
        for i, row in enumerate(rows):
            grown = list(map(max, longest, row))
            n = i - begin + 1
            if n > 1 and (n * sum(grown) > self.max_tokens or (self.max_size is not None and n > self.max_size)):
                ends.append(i)
                begin, grown = i, row
            longest = grown
        return [*ends, len(rows)] if rows else []

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass the one with this number, counted from 0: for a run that goes on where it was stopped."""
        if epoch < 0:
            raise ValueError(f"LengthBatchSampler.set_epoch: epoch must not be negative, got {epoch}")
        self._pass = epoch

    def __iter__(self) -> Iterator[list[int]]:
        n, ends = len(self.lengths), self._ends
        if not self.shuffle:
            order, turns = np.lexsort(self._keys), np.arange(len(ends))
        else:
            at, self._pass = self._pass, self._pass + 1
            mixed = permutation(self.seed, 2 * at, n)
            order = mixed[np.lexsort([key[mixed] for key in self._keys])]
            turns = permutation(self.seed, 2 * at + 1, len(ends))
        begins = [0, *ends]
        return (order[begins[i]:ends[i]].tolist() for i in turns.tolist())

    def __len__(self) -> int:
        return len(self._ends)


class PadCollate:
    """Collate function of a DataLoader: sequences of different lengths become one tensor, short ones filled up at the end.

    Args:
        padding_value: what short sequences are filled up with, 0 by default.

    A batch is a list of sequences of ints (lists, arrays, tensors), or of tuples of them: then the result is a tuple of tensors, each
    padded to its own longest. Tensors are int64 of shape (batch, longest).

    >>> from fastnet.text import PadCollate
    >>> x, y = PadCollate(padding_value=9)([([1, 2], [3]), ([4], [5])])
    >>> x.tolist(), y.tolist()
    ([[1, 2], [4, 9]], [[3], [5]])
    """

    def __init__(self, padding_value: int = 0) -> None:
        self.padding_value = padding_value

    def __call__(self, batch: Sequence[Any]) -> Tensor | tuple[Tensor, ...]:
        if not batch:
            raise ValueError("PadCollate: the batch is empty")
        if not isinstance(batch[0], tuple):
            return self._pad(batch)
        if any(not isinstance(sample, tuple) or len(sample) != len(batch[0]) for sample in batch):
            raise ValueError(f"PadCollate: each sample must be a tuple of {len(batch[0])} sequences, as the first one is")
        return tuple(map(self._pad, zip(*batch)))

    def _pad(self, sequences: Sequence[Any]) -> Tensor:
        arrays = [np.asarray(s) for s in sequences]
        for array in arrays:
            if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
                raise ValueError(f"PadCollate: sequences must be ints with one axis, got shape {array.shape} of {array.dtype}")
        out = np.full((len(arrays), max(map(len, arrays))), self.padding_value, dtype=np.int64)
        for row, array in zip(out, arrays):
            row[:len(array)] = array
        return fn.from_numpy(out)
