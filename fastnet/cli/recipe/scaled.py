"""Pictures of bytes as numbers from 0 to 1, whole batches at a time."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet.utils.data import Dataset, default_collate


class Scaled(Dataset[Any]):
    """Another dataset whose uint8 images are float32 from 0 to 1: what is of bytes is divided by 255, the rest stays.

    Args:
        dataset: samples are (image, ...).

    >>> import numpy as np
    >>> from fastnet.cli.recipe.scaled import Scaled
    >>> from fastnet.datasets import ArrayDataset
    >>> Scaled(ArrayDataset(np.full((1, 1), 255, np.uint8), np.zeros(1)))[0][0].tolist()
    [1.0]
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        first, *rest = self.dataset[index]
        return (scaled(first), *rest)

    def getbatch(self, indices: Any) -> Any:
        """The samples as a batch."""
        whole = getattr(self.dataset, "getbatch", None)
        first, *rest = whole(indices) if whole else default_collate([self.dataset[int(i)] for i in indices])
        return [scaled(first), *rest]


def scaled(x: Any) -> Any:
    """Bytes as float32 from 0 to 1."""
    if isinstance(x, np.ndarray):
        return x.astype(np.float32) / 255 if x.dtype == np.uint8 else x
    return x.float() / 255 if isinstance(x, fn.Tensor) and x.dtype == fn.uint8 else x
