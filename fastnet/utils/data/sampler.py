"""Samplers: in which order a DataLoader takes the samples."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

import fastnet as fn

T = TypeVar("T", covariant=True)


def _positive(op: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{op}: {name} should be a positive integer value, but got {name}={value}")
    return int(value)


class Sampler(Generic[T]):
    """Base of the samplers: define `__iter__`, which gives indices (or lists of them), and `__len__` if it is known."""

    def __iter__(self) -> Iterator[T]:
        raise TypeError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    Args:
        data_source: what has the length.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> np.ndarray:
        """All indices at once."""
        return np.arange(len(self))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or random indices with replacement.

    Args:
        data_source: what has the length.
        replacement: draw each index from all.
        num_samples: how many; the length by default.
        generator: a random generator; the default one if None.

    >>> import fastnet as fn
    >>> sorted(fn.utils.data.RandomSampler(range(4)))
    [0, 1, 2, 3]
    """

    def __init__(self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Any = None) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = None if num_samples is None else _positive("RandomSampler", "num_samples", num_samples)
        if num_samples is None and len(data_source) == 0:
            raise ValueError("num_samples should be a positive integer value, but got num_samples=0")

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        """All indices of a pass at once."""
        n, m = len(self.data_source), self.num_samples
        if self.replacement:
            return fn.randint(0, n, (m,), generator=self.generator).numpy()
        passes = [fn.randperm(n, generator=self.generator).numpy() for _ in range(-(-m // n))]
        return passes[0][:m] if len(passes) == 1 else np.concatenate(passes)[:m]

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order.

    Args:
        indices: what is drawn from.
        generator: a random generator; the default one if None.
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in fn.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Random indices, each with a probability in proportion to its weight.

    Args:
        weights: one a sample; they need not add up to 1.
        num_samples: how many are drawn.
        replacement: False: no index comes twice.
        generator: a random generator; the default one if None.
    """

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None) -> None:
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = fn.as_tensor(weights, dtype=fn.float64)
        if self.weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}")
        self.num_samples = _positive("WeightedRandomSampler", "num_samples", num_samples)
        self.replacement, self.generator = replacement, generator

    def __iter__(self) -> Iterator[int]:
        return iter(fn.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler.

    Args:
        sampler: gives the indices.
        batch_size: how many in a list.
        drop_last: leave out a last list that is shorter.

    >>> import fastnet as fn
    >>> list(fn.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.batch_size = _positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.drop_last = sampler, drop_last

    def arrays(self) -> Iterator[Any]:
        """The batches, as arrays where the sampler can give all its indices at once, as lists otherwise."""
        sampler = self.sampler
        if type(self) is not BatchSampler or not (type(sampler) is SequentialSampler or type(sampler) is RandomSampler):
            yield from self
            return
        order = sampler.order()
        for i in range(0, len(order), self.batch_size):
            if i + self.batch_size <= len(order) or not self.drop_last:
                yield order[i:i + self.batch_size]

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
