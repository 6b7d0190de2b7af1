"""KeyedDataset: data sets with a transform, whose random numbers belong to the sample and not to the worker that makes it."""
from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

import fastnet as fn
from fastnet.utils.data.dataset import Dataset

T = TypeVar("T")


class KeyedDataset(Dataset[T]):
    """What data sets with a `transform` share: one of `fastnet.transforms` gets the key (seed, epoch, index) of its sample.

    The seed is that of `fastnet.manual_seed` when the first sample is made. The epoch is what `set_epoch` said, which a `Trainer` does;
    without that it is how often this sample has been asked for before. So what comes out does not depend on the number of workers.
    Any other callable gets the sample alone.

    >>> import numpy as np
    >>> from fastnet import datasets, transforms as T
    >>> images = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    >>> first, second = (datasets.ArrayDataset(images, np.zeros(1), transform=T.RandomCrop(4)) for _ in range(2))
    >>> bool((first[0][0] == second[0][0]).all())                         # the same sample in the same epoch
    True
    """

    transform: Any = None
    _epoch: int | None = None
    _key_seed: int | None = None
    _asked: np.ndarray | None = None

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0 on, whose random numbers are used from now on."""
        if int(epoch) != epoch or epoch < 0:
            raise ValueError(f"{type(self).__name__}.set_epoch: epoch must not be negative, got {epoch!r}")
        self._epoch = int(epoch)

    def transformed(self, sample: Any, index: int) -> Any:
        """The sample as `transform` leaves it."""
        if self.transform is None:
            return sample
        if not getattr(self.transform, "takes_key", False):
            return self.transform(sample)
        n = len(self)  # type: ignore[arg-type]
        at, epoch = int(index) % n, self._epoch
        if self._key_seed is None:
            self._key_seed = fn.initial_seed()
        if epoch is None:
            if self._asked is None or len(self._asked) != n:
                self._asked = np.zeros(n, np.int64)
            epoch = int(self._asked[at])
            self._asked[at] += 1
        return self.transform(sample, key=(self._key_seed, epoch, at))
