"""DistributedSampler: every process its part of a data set."""
from __future__ import annotations

from collections.abc import Iterator, Sized

import fastnet as fn
from fastnet.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Of all indices, drawn anew in each epoch, every num_replicas-th from rank on.

    Args:
        dataset: has a length.
        num_replicas: how many parts; None: the size of the group of `fastnet.distributed`.
        rank: which part; None: the number of this process there.
        shuffle: draw an order for each epoch, the same for all parts; call `set_epoch`.
        seed: of the order.
        drop_last: leave out what makes parts unequal; False: the first indices come again.

    Raises:
        ValueError: rank is no part, or num_replicas is None and there is no group.

    >>> import fastnet as fn
    >>> [list(fn.utils.data.DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(self, dataset: Sized, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True, seed: int = 0,
                 drop_last: bool = False) -> None:
        from fastnet import distributed
        self.num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        self.rank = distributed.get_rank() if rank is None else rank
        if not 0 <= self.rank < self.num_replicas:
            raise ValueError(f"DistributedSampler: rank must be from 0 to {self.num_replicas - 1}, got {self.rank}")
        self.dataset, self.shuffle, self.seed, self.drop_last, self.epoch = dataset, shuffle, seed, drop_last, 0
        n = len(dataset)
        self.num_samples = n // self.num_replicas if drop_last else -(-n // self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch.

        Args:
            epoch: its number.
        """
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order = fn.randperm(n, generator=fn.Generator().manual_seed(self.seed + self.epoch)).tolist() if self.shuffle else list(range(n))
        order = (order * -(-self.total_size // max(n, 1)))[:self.total_size]
        return iter(order[self.rank::self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples
