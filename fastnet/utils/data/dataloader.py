"""DataLoader: batches of a dataset, in order or shuffled, fetched here or by worker threads."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import fastnet as fn
from fastnet.utils.data.collate import default_collate, default_convert
from fastnet.utils.data.dataset import IterableDataset
from fastnet.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from fastnet.utils.data.workers import WorkerPool

_FIXED = ("dataset", "batch_size", "batch_sampler", "sampler", "drop_last", "num_workers", "persistent_workers")
_END = object()


class DataLoader:
    """Iterate over batches of a dataset.

    Args:
        dataset: a `Dataset` (anything with `__getitem__` and `__len__`) or an `IterableDataset`.
        batch_size: samples a batch; None: single samples, only converted to tensors.
        shuffle: a new random order in each pass.
        sampler: gives the indices, in place of `shuffle`.
        batch_sampler: gives lists of indices, in place of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: threads that fetch in advance; 0: fetch here. Results come in the same order for any number.
        collate_fn: list of samples to batch; `default_collate` (`default_convert` if `batch_size` is None).
        pin_memory: of no use: there is no device to copy to. True warns, as PyTorch does without one.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a batch from the workers; 0: any time.
        worker_init_fn: called in each worker thread with its number when it starts.
        multiprocessing_context: must be None: workers are threads.
        generator: random generator of `shuffle` and of the workers' seeds; the default one if None.
        prefetch_factor: batches each worker is ahead; 2 by default.
        persistent_workers: keep the threads from one pass to the next.
        pin_memory_device: must be "".
        in_order: must be True: batches come in the order of the sampler.

    A dataset with `getbatch(indices)` (a `TensorDataset`, or a `Subset` of one) is asked for whole batches, which is much faster.

    >>> import fastnet as fn
    >>> data = fn.utils.data.TensorDataset(fn.arange(5), fn.ones(5, 2))
    >>> [x.tolist() for x, y in fn.utils.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Iterable | None = None,
                 batch_sampler: Iterable | None = None, num_workers: int = 0, collate_fn: Callable[[list], Any] | None = None,
                 pin_memory: bool = False, drop_last: bool = False, timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None,
                 multiprocessing_context: Any = None, generator: Any = None, *, prefetch_factor: int | None = None,
                 persistent_workers: bool = False, pin_memory_device: str = "", in_order: bool = True) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative; use num_workers=0 to fetch here, got {num_workers}")
        if timeout < 0:
            raise ValueError(f"timeout option should be non-negative, got {timeout}")
        if num_workers == 0 and (prefetch_factor is not None or persistent_workers or worker_init_fn is not None):
            raise ValueError("prefetch_factor, persistent_workers and worker_init_fn need num_workers > 0")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"prefetch_factor option should be positive, got {prefetch_factor}")
        if pin_memory_device:
            raise ValueError("pin_memory_device is not supported: there is no device to copy to")
        if pin_memory:
            warnings.warn("DataLoader: pin_memory=True does nothing: there is no device to copy to", UserWarning, stacklevel=2)
        if multiprocessing_context is not None:
            raise ValueError("multiprocessing_context is not supported: the workers are threads")
        if not in_order:
            raise ValueError("in_order=False is not supported: batches come in the order of the sampler")
        self.dataset, self.num_workers, self.timeout, self.worker_init_fn = dataset, num_workers, timeout, worker_init_fn
        self.generator, self.persistent_workers = generator, persistent_workers
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor
        self.pin_memory = False
        self._stream = isinstance(dataset, IterableDataset)
        self._choose(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.collate_fn = collate_fn or (default_collate if self._batched else default_convert)
        self._pool: WorkerPool | None = None
        self._made = True

    def _choose(self, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
        """Settle the sampler and the batch sampler, or refuse options that exclude each other."""
        if self._stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader with IterableDataset: shuffle, sampler and batch_sampler have no meaning for a stream")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None and not self._stream and batch_sampler is None:
            sampler = RandomSampler(self.dataset, generator=self.generator) if shuffle else SequentialSampler(self.dataset)
        if batch_size is not None and not self._stream:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        elif batch_size is not None and (not isinstance(batch_size, int) or batch_size <= 0):
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        self.batch_size, self.drop_last, self.sampler, self.batch_sampler = batch_size, drop_last, sampler, batch_sampler
        self._batched = batch_size is not None or batch_sampler is not None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and "_made" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after DataLoader is initialized")
        object.__setattr__(self, name, value)

    def __len__(self) -> int:
        if self._stream:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.batch_sampler if self._batched else self.sampler)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return self.iterate()

    def iterate(self, first: int = 0) -> Iterator[Any]:
        """A pass that begins with batch number `first`.

        The batches before it are drawn from the sampler at once, but not fetched; those of a stream are fetched and dropped. Generators
        that are as they were at the beginning of another pass give that pass's batches, from `first` on.

        >>> import fastnet as fn
        >>> loader = fn.utils.data.DataLoader(fn.utils.data.TensorDataset(fn.arange(5)), batch_size=2)
        >>> [x.tolist() for x, in loader.iterate(1)]
        [[2, 3], [4]]
        """
        if self._stream:
            run = self._run_pool(self._stream_tasks()) if self.num_workers else self._run_here(self._stream_tasks())
            return _drop(run, first)
        tasks = _drop(self._index_tasks(), first)
        if not self.num_workers:
            return self._run_here(tasks)
        if first and self._pool is None:
            return self._run_pool(tasks, first, self._open_pool())
        return self._run_pool(tasks, first)

    # a task is called with its worker's number and returns a batch, or _END

    def _index_tasks(self) -> Iterator[Callable[[int], Any]]:
        if not self._batched:
            return (partial(self._one, index) for index in self.sampler)
        batches = self.batch_sampler.arrays() if isinstance(self.batch_sampler, BatchSampler) else self.batch_sampler
        whole = getattr(self.dataset, "getbatch", None) if self.collate_fn is default_collate else None
        if whole is not None:
            return (partial(_whole_batch, whole, indices) for indices in batches)
        return (partial(self._batch, indices) for indices in batches)

    def _one(self, index: Any, worker: int) -> Any:
        return self.collate_fn(self.dataset[index])

    def _batch(self, indices: Any, worker: int) -> Any:
        indices = indices.tolist() if hasattr(indices, "tolist") else indices
        fetch = getattr(self.dataset, "__getitems__", None)
        return self.collate_fn(fetch(indices) if fetch is not None else [self.dataset[i] for i in indices])

    def _stream_tasks(self) -> Iterator[Callable[[int], Any]]:
        """Endless tasks; each worker has its own pass over the stream and says _END when that is over."""
        streams: dict[int, Iterator] = {}
        ended: set[int] = set()

        def take(worker: int) -> Any:
            if worker in ended:
                return _END
            if worker not in streams:
                streams[worker] = iter(self.dataset)
            samples = list(islice(streams[worker], self.batch_size or 1))
            if not samples or (self.drop_last and len(samples) < (self.batch_size or 1)):
                ended.add(worker)
                return _END
            return self.collate_fn(samples if self.batch_size is not None else samples[0])

        while len(ended) < max(1, self.num_workers):
            yield take

    def _run_here(self, tasks: Iterable[Callable[[int], Any]]) -> Iterator[Any]:
        for task in tasks:
            batch = task(0)
            if batch is not _END:
                yield batch

    def _open_pool(self) -> WorkerPool:
        seed = fn.randint(0, 2**31, (), generator=self.generator).item()
        pool = WorkerPool(self.num_workers, self.dataset, seed, self.worker_init_fn)
        if self.persistent_workers:
            self._pool = pool
        return pool

    def _run_pool(self, tasks: Iterator[Callable[[int], Any]], first: int = 0, pool: WorkerPool | None = None) -> Iterator[Any]:
        pool = pool or self._pool
        if pool is None:
            # the order is drawn before the workers' seed, so that it is the same with any number of workers
            head = list(islice(tasks, 1))
            pool, tasks = self._open_pool(), chain(head, tasks)
        try:
            for batch in pool.run(tasks, self.num_workers * (self.prefetch_factor or 2), self.timeout, first):
                if batch is not _END:
                    yield batch
        finally:
            if not self.persistent_workers:
                pool.close()

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)              # not there where __init__ raised
        if pool is not None:
            pool.close()


def _drop(items: Iterator[Any], n: int) -> Iterator[Any]:
    """The iterator, without its first n items, which are taken now."""
    for _ in islice(items, n):
        pass
    return items


def _whole_batch(getbatch: Callable[[Any], Any], indices: Any, worker: int) -> Any:
    return getbatch(indices)
