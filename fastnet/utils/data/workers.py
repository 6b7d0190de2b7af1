"""Worker threads of a DataLoader: each runs its tasks in order, results come back in the order of the tasks."""
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

_here = threading.local()


class WorkerInfo(NamedTuple):
    """Which worker of a DataLoader this thread is: `id` of `num_workers`, its `seed`, and the `dataset`, which all workers share."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """The `WorkerInfo` of the calling thread; None outside a DataLoader's workers.

    >>> import fastnet as fn
    >>> fn.utils.data.get_worker_info() is None
    True
    """
    return getattr(_here, "info", None)


def _start(info: WorkerInfo, init: Callable[[int], Any] | None) -> None:
    _here.info = info
    if init is not None:
        init(info.id)


class WorkerPool:
    """`n` threads; task k is run by thread k mod n.

    Args:
        n: number of threads.
        dataset: for `get_worker_info`.
        seed: the seed of worker 0; the next have the next.
        init: called in each thread with its number before its first task.
    """

    def __init__(self, n: int, dataset: Any, seed: int, init: Callable[[int], Any] | None) -> None:
        from concurrent.futures import ThreadPoolExecutor  # here, because it costs `import fastnet` 10 ms that few programs need

        self.workers = [ThreadPoolExecutor(1, f"fastnet-data-{i}") for i in range(n)]
        self.begun = [worker.submit(_start, WorkerInfo(i, n, seed + i, dataset), init) for i, worker in enumerate(self.workers)]

    def run(self, tasks: Iterable[Callable[[int], Any]], ahead: int, timeout: float, first: int = 0) -> Iterator[Any]:
        """Results of the tasks, each called with its worker's number, in order, computed up to `ahead` tasks in advance.

        `first` is the number of the first task.
        A task's exception is raised here; `StopIteration` results are the caller's to look at. Raises RuntimeError after
        `timeout` seconds (0: never) of waiting for one result.
        """
        from concurrent.futures import TimeoutError as FutureTimeout

        pending: deque[Any] = deque()
        source, k, open_ = iter(tasks), first, True
        for future in self.begun:
            future.result()
        try:
            while True:
                while open_ and len(pending) < ahead:
                    task = next(source, None)
                    if task is None:
                        open_ = False
                    else:
                        i = k % len(self.workers)
                        pending.append(self.workers[i].submit(task, i))
                        k += 1
                if not pending:
                    return
                try:
                    result = pending[0].result(timeout or None)
                except FutureTimeout:
                    if pending[0].done():
                        raise
                    raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None
                pending.popleft()
                yield result
        finally:
            for future in pending:
                future.cancel()

    def close(self) -> None:
        """Let the threads end when their present task is done."""
        for worker in self.workers:
            worker.shutdown(wait=False, cancel_futures=True)
