"""What data sets of pictures with boxes share: the sample, as the transforms take it, and batches of samples."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, from_numpy
from fastnet.datasets.image import read_image
from fastnet.utils.data import KeyedDataset, default_collate


class BoxDataset(KeyedDataset[dict[str, Any]]):
    """Pictures with boxes: a sample is a dict.

    | key | is |
    |---|---|
    | image | uint8 (3, H, W), or what `loader` gives |
    | boxes | float32 (n, 4): left, top, right, bottom in pixels |
    | labels | int64 (n,): classes from 0 on, names in `classes` |
    | image_id | int |
    | iscrowd | int64 (n,): 1 for a box around a crowd |
    | area | float32 (n,): pixels of the box, or of the outline where the file tells it |

    A subclass fills `paths`, `classes` and defines `target(index, height, width)`.

    Args:
        transform: called with the sample; random ones of `fastnet.transforms` get its key: see `utils.data.KeyedDataset`.
        loader: path -> image; `read_image` by default, which needs Pillow: `pip install 'fastnet[image]'`.
    """

    paths: list[str]
    classes: list[str]

    def __init__(self, transform: Callable[[dict[str, Any]], Any] | None = None, loader: Callable[[str], Any] = read_image) -> None:
        self.transform, self.loader = transform, loader

    def target(self, index: int, height: int, width: int) -> dict[str, Any]:
        """All of the sample but the image, whose size is given."""
        raise TypeError(f"{type(self).__name__} does not define target")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        image = self.loader(self.paths[index])
        sample = {"image": image, **self.target(index, image.shape[-2], image.shape[-1])}
        return self.transformed(sample, index)


def collate_boxes(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch of samples with boxes, for `DataLoader(collate_fn=...)`: images of one size are stacked, all else is in lists.

    Args:
        samples: dicts of equal keys.

    Returns: a dict of the same keys: `image` is a tensor (N, C, H, W), or a list of tensors where sizes differ; of the others a list with
        an entry a sample, arrays as tensors.

    >>> import numpy as np
    >>> from fastnet.datasets import collate_boxes
    >>> two = [{"image": np.zeros((3, 4, 4), np.uint8), "boxes": np.zeros((n, 4), np.float32)} for n in (1, 2)]
    >>> batch = collate_boxes(two)
    >>> batch["image"].shape, [tuple(b.shape) for b in batch["boxes"]]
    (fastnet.Size([2, 3, 4, 4]), [(1, 4), (2, 4)])
    """
    if not samples:
        raise ValueError("collate_boxes: samples is empty")
    batch: dict[str, Any] = {key: [as_tensor(sample[key]) for sample in samples] for key in samples[0]}
    if len({tuple(image.shape) for image in batch["image"]}) == 1:
        batch["image"] = default_collate(batch["image"])
    return batch


def as_tensor(value: Any) -> Any:
    """An array as a tensor; anything else as it is."""
    return value if isinstance(value, Tensor) or not isinstance(value, np.ndarray) else from_numpy(value)
