"""Datasets: by index (Dataset) or as a stream (IterableDataset), and those made of others."""
from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor

T = TypeVar("T")


class Dataset(Generic[T]):
    """Samples by index: define `__getitem__(index)` and `__len__()`.

    A dataset that can fetch many samples at once may define `__getitems__(indices)`, returning the list of samples; one that can
    return a finished batch of them may define `getbatch(indices)`: `DataLoader` uses it in place of `default_collate`.
    """

    def __getitem__(self, index: Any) -> T:
        raise TypeError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """A stream of samples: define `__iter__()`. With workers, `get_worker_info()` tells each which part is its own."""

    def __iter__(self) -> Iterator[T]:
        raise TypeError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other: Dataset[T]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples are the rows of tensors with equally many of them; a `DataLoader` gathers a whole batch at once.

    Args:
        *tensors: each with the same size on axis 0.

    >>> import fastnet as fn
    >>> data = fn.utils.data.TensorDataset(fn.ones(10, 3), fn.zeros(10))
    >>> len(data), tuple(data[4][0].shape)
    (10, (3,))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset: expected Tensors, got {type(tensor).__name__}")
        if not tensors or any(tensor.ndim == 0 for tensor in tensors) or len({tensor.shape[0] for tensor in tensors}) != 1:
            raise ValueError(f"TensorDataset: tensors must have the same size on axis 0, got {[tuple(t.shape) for t in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def getbatch(self, indices: Any) -> list[Tensor]:
        """The rows `indices` of all tensors, each as one tensor."""
        index = as_index(indices)
        return [tensor.index_select(0, index) for tensor in self.tensors]


def as_index(indices: Any) -> Tensor:
    """A list or an array of ints as an int64 tensor."""
    return fn.from_numpy(np.ascontiguousarray(indices, dtype=np.int64))


class StackDataset(Dataset[Any]):
    """Samples are tuples, or dicts, of the samples of several datasets of one length.

    Args:
        *args: datasets, for tuples; or
        **kwargs: named datasets, for dicts.
    """

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give datasets either as positional or as keyword arguments, at least one")
        self.datasets: Any = args or kwargs
        lengths = {len(d) for d in (args or kwargs.values())}  # type: ignore[arg-type]
        if len(lengths) != 1:
            raise ValueError(f"StackDataset: datasets must have one length, got {sorted(lengths)}")
        self._length = lengths.pop()

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T]):
    """Datasets one after the other.

    Args:
        datasets: at least one; no IterableDataset.
    """

    def __init__(self, datasets: Iterable[Dataset[T]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise TypeError("ConcatDataset does not support IterableDataset: use ChainDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset: index {index} is out of range for {len(self)} samples")
        index %= len(self)
        i = bisect_right(self.cumulative_sizes, index)
        return self.datasets[i][index - (self.cumulative_sizes[i - 1] if i else 0)]


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other.

    Args:
        datasets: IterableDatasets.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets: list[Any] = list(datasets)         # IterableDatasets; some have a length
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class Subset(Dataset[T]):
    """Some samples of a dataset.

    Args:
        dataset: the whole.
        indices: which samples of it, in order.
    """

    def __init__(self, dataset: Dataset[T], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[T]:
        inner = [self.indices[i] for i in indices]
        fetch = getattr(self.dataset, "__getitems__", None)
        return fetch(inner) if fetch is not None else [self.dataset[i] for i in inner]

    def __len__(self) -> int:
        return len(self.indices)

    def __getattr__(self, name: str) -> Any:
        # a subset of a dataset that knows whole batches knows them too
        if name == "getbatch" and "dataset" in self.__dict__ and hasattr(self.dataset, "getbatch"):
            return self._getbatch
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _getbatch(self, indices: Any) -> Any:
        rows = np.asarray(self.indices, dtype=np.int64)[np.asarray(indices, dtype=np.int64)]
        return self.dataset.getbatch(rows)  # type: ignore[attr-defined]


def random_split(dataset: Dataset[T], lengths: Sequence[int | float], generator: Any = None) -> list[Subset[T]]:
    """Split a dataset into random parts that do not overlap.

    Args:
        dataset: with a length.
        lengths: sizes that add up to it, or fractions that add up to 1 (what rounding leaves over goes to the first parts, one each).
        generator: a random generator; the default one if None.

    >>> import fastnet as fn
    >>> [len(part) for part in fn.utils.data.random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9 and any(isinstance(length, float) for length in lengths):
        if any(not 0 <= length <= 1 for length in lengths):
            raise ValueError(f"random_split: fractions must be between 0 and 1, got {list(lengths)}")
        sizes = [math.floor(n * length) for length in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(length) for length in lengths]
    if sum(sizes) != n:
        raise ValueError(f"Sum of input lengths does not equal the length of the input dataset: {list(lengths)} for {n} samples")
    order = fn.randperm(n, generator=generator).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size:end]) for size, end in zip(sizes, ends)]
