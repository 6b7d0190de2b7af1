"""Transformed: a dataset behind a transform whose random numbers belong to the sample, not to the worker or to the order."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.utils.data import Dataset, default_collate


class Transformed(Dataset[Any]):
    """The samples of another dataset with their images transformed, the key of random numbers being (seed, epoch, index).

    So the same sample of the same epoch is the same whatever batch, worker or resumed run asks for it. `Trainer` tells the epoch, through
    `set_epoch`. Images of one size, where the dataset has `getbatch`, are transformed a batch at a time.

    Args:
        dataset: samples are (image, ...), or dicts, which are transformed as a whole.
        transform: one of `fastnet.transforms`: called as ``transform(image, key=(seed, epoch, index))``.
        seed: of the random numbers.

    >>> import numpy as np
    >>> from fastnet.datasets import ArrayDataset, Transformed
    >>> def noise(image, key): return image + np.random.default_rng([*key[:2], *np.atleast_1d(key[2])]).random()
    >>> data = Transformed(ArrayDataset(np.zeros((4, 2)), np.arange(4)), noise)
    >>> bool((data[1][0] == data[1][0]).all()), bool((data[1][0] == data[2][0]).any())
    (True, False)
    """

    def __init__(self, dataset: Any, transform: Callable[..., Any], seed: int = 0) -> None:
        self.dataset, self.transform, self.seed, self.epoch = dataset, transform, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Other random numbers from now on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        sample, key = self.dataset[index], (self.seed, self.epoch, index)
        if isinstance(sample, dict):
            return self.transform(sample, key=key)
        return (self.transform(sample[0], key=key), *sample[1:])

    def getbatch(self, indices: Any) -> Any:
        """The samples as a batch.

        Raises: ValueError where the transform leaves images of different sizes.
        """
        whole = getattr(self.dataset, "getbatch", None)
        if whole is not None:
            first, *rest = whole(indices)
            images = self.transform(first.numpy() if isinstance(first, Tensor) else first,
                                    key=(self.seed, self.epoch, np.asarray(indices, np.int64)))
            return [from_numpy(images) if isinstance(images, np.ndarray) else images, *rest]
        samples = [self[int(i)] for i in indices]
        shapes = {tuple(np.shape(s[0])) for s in samples if not isinstance(s, dict)}
        if len(shapes) > 1:
            raise ValueError(f"Transformed: images of a batch have different sizes, {' and '.join(map(str, sorted(shapes)[:2]))}; end the "
                             "transform with Resize, CenterCrop or RandomResizedCrop")
        return default_collate(samples)
