"""Augmented and Mosaic: data sets whose samples are transformed, each by its own key."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms import steps
from fastnet.transforms.base import Transform
from fastnet.transforms.draws import Draws
from fastnet.transforms.scene import Scene, fill_of, pixels, run
from fastnet.utils.data import Dataset, default_collate


class Augmented(Dataset[Any]):
    """A data set whose samples are transformed with random numbers of their own: those of (seed, epoch, index).

    So a sample is the same whichever worker makes it, and in whatever order; it is another in the next epoch. A `DataLoader` gets whole
    batches at once where images have one size.

    Args:
        dataset: samples are images, (image, label, ...) or dicts, as `Transform` takes them, or what the transform takes.
        transform: what is done to each: called with the sample and its key.
        seed: of the random numbers.
        mix: MixUp or CutMix, done to each batch that a `DataLoader` gets; None: nothing.

    >>> import fastnet as fn, numpy as np
    >>> from fastnet import transforms as T
    >>> data = T.Augmented([(np.zeros((3, 40, 40), np.uint8), 1)] * 8, T.Compose([T.RandomCrop(32), T.ToFloat()]))
    >>> images, labels = next(iter(fn.utils.data.DataLoader(data, batch_size=4)))
    >>> tuple(images.shape), labels.tolist()
    ((4, 3, 32, 32), [1, 1, 1, 1])
    """

    def __init__(self, dataset: Any, transform: Callable[..., Any], seed: int = 0, mix: Callable[..., Any] | None = None) -> None:
        if not callable(transform):
            raise TypeError(f"Augmented: transform must be callable, got {type(transform).__name__}")
        self.dataset, self.transform, self.seed, self.mix, self.epoch = dataset, transform, int(seed), mix, 0

    def __len__(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0 on, whose random numbers are used from now on. A `Trainer` calls it."""
        if int(epoch) != epoch or epoch < 0:
            raise ValueError(f"Augmented.set_epoch: epoch must not be negative, got {epoch!r}")
        self.epoch = int(epoch)

    def __getitem__(self, index: int) -> Any:
        return self.transform(self.dataset[index], key=(self.seed, self.epoch, index % len(self)))

    def getbatch(self, indices: Any) -> Any:
        """The samples `indices` as one batch."""
        at = np.asarray(indices, np.int64) % max(1, len(self))
        whole = getattr(self.dataset, "getbatch", None) if isinstance(self.transform, Transform) else None
        samples = [] if whole is not None else [self.dataset[int(i)] for i in at]
        batch = whole(at) if whole is not None else _joined(samples) if isinstance(self.transform, Transform) else None
        if batch is not None:
            batch = self.transform(batch, key=(self.seed, self.epoch, at))
        else:
            batch = default_collate([self.transform(s, key=(self.seed, self.epoch, i)) for s, i in zip(samples, at)])
        batch = _tensors(batch)
        return batch if self.mix is None else self.mix(batch, key=(self.seed, self.epoch, at))


def _joined(samples: list[Any]) -> Any:
    """Samples that are images of one size, with their labels, as one batch of arrays; None where they are not."""
    first = samples[0]
    images = [s[0] for s in samples] if isinstance(first, (tuple, list)) else samples
    if any(not isinstance(x, (np.ndarray, fn.Tensor)) or tuple(x.shape) != tuple(images[0].shape) for x in images):
        return None
    images = [pixels(x, "Augmented")[0] for x in images]
    if len({x.dtype for x in images}) > 1:
        return None
    joined = np.empty((len(images), *images[0].shape), images[0].dtype)
    if images[0].strides[0] < images[0].strides[2]:                        # pixels, not planes: keep it so
        joined = np.moveaxis(np.empty((len(images), *images[0].shape[1:], images[0].shape[0]), images[0].dtype), -1, 1)
    for to, x in zip(joined, images):
        to[...] = x
    if not isinstance(first, (tuple, list)):
        return joined
    return [joined, *(default_collate([s[k] for s in samples]) for k in range(1, len(first)))]


def _tensors(batch: Any) -> Any:
    if isinstance(batch, np.ndarray):
        return fn.from_numpy(batch)
    if isinstance(batch, (tuple, list)):
        return [_tensors(part) for part in batch]
    return {name: _tensors(part) for name, part in batch.items()} if isinstance(batch, dict) else batch


class Mosaic(Dataset[dict]):
    """Samples of four images around a point, each with its boxes (Bochkovskiy, Wang, Liao, 2020).

    A sample is the one of the same index and three others, which (seed, epoch, index) chooses. Each is resized so that its longer side is a
    random part of `size`, and put into one quarter; what does not fit is cut off.

    Args:
        dataset: samples are dicts with "image", "boxes", and perhaps "labels" and "masks".
        size: of the result, a number or (height, width).
        scale: the longer side of each image, at least and at most, as a part of the result's longer side.
        fill: the colour of what no image covers.
        seed: of the random numbers.
        min_size, min_visibility: which boxes are dropped, as for `Compose`.
    """

    def __init__(self, dataset: Any, size: Any = 640, *, scale: Sequence[float] = (0.4, 1.0), fill: Any = 114, seed: int = 0,
                 min_size: float = 1.0, min_visibility: float = 0.1) -> None:
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(f"Mosaic: scale must be two positive numbers, the smaller first, got {scale!r}")
        self.dataset, self.size, self.scale, self.fill = dataset, steps.pair(size, "Mosaic"), tuple(scale), fill
        self.seed, self.epoch, self.min_size, self.min_visibility = int(seed), 0, min_size, min_visibility

    def __len__(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0 on, whose random numbers are used from now on. A `Trainer` calls it."""
        if int(epoch) != epoch or epoch < 0:
            raise ValueError(f"Mosaic.set_epoch: epoch must not be negative, got {epoch!r}")
        self.epoch = int(epoch)

    def __getitem__(self, index: int) -> dict:
        u = Draws((self.seed, self.epoch, index % len(self)), 1).uniforms(9)[0]
        h, w = self.size
        row, col = int((0.25 + 0.5 * u[0]) * h), int((0.25 + 0.5 * u[1]) * w)
        samples = [self.dataset[index], *(self.dataset[int(v * len(self))] for v in u[2:5])]
        scales = self.scale[0] + (self.scale[1] - self.scale[0]) * u[5:9]
        parts = [self._placed(sample, k, row, col, scales[k]) for k, sample in enumerate(samples)]
        first = pixels(parts[0]["image"], "Mosaic")[0]
        canvas = np.empty((len(first), h, w), first.dtype)
        for k, part in enumerate(parts):
            rows, cols = slice(0, row) if k < 2 else slice(row, h), slice(0, col) if k % 2 == 0 else slice(col, w)
            canvas[:, rows, cols] = pixels(part["image"], "Mosaic")[0][:, rows, cols]
        made = {"image": canvas}
        for name in ("boxes", "labels", "masks"):
            if name in samples[0]:
                values = [np.asarray(part[name]) for part in parts]
                made[name] = np.concatenate([v for v in values if len(v)] or values[:1])
        return {name: fn.from_numpy(v) if isinstance(samples[0][name], fn.Tensor) else v for name, v in made.items()}

    def _placed(self, sample: Any, k: int, row: int, col: int, scale: float) -> dict:
        """The sample on a canvas, in quarter k: upper left, upper right, lower left, lower right of (row, col)."""
        if not isinstance(sample, dict) or "image" not in sample or "boxes" not in sample:
            raise TypeError(f"Mosaic: samples must be dicts with 'image' and 'boxes', got {type(sample).__name__}")
        h, w = self.size

        def act(scene: Scene) -> None:
            r = scale * max(h, w) / max(scene.size)
            scene.resize(max(1, round(scene.image.h * r)), max(1, round(scene.image.w * r)), name="Mosaic")
            tall, wide = min(scene.image.h, row if k < 2 else h - row), min(scene.image.w, col if k % 2 == 0 else w - col)
            scene.crop(scene.image.h - tall if k < 2 else 0, scene.image.w - wide if k % 2 == 0 else 0, tall, wide)
            top, left = (row - tall if k < 2 else row), (col - wide if k % 2 == 0 else col)
            scene.pad(left, top, w - left - wide, h - top - tall, fill_of(self.fill, scene.channels, "Mosaic"), name="Mosaic")

        def settle(scene: Scene) -> None:
            scene.min_size, scene.min_visibility = self.min_size, self.min_visibility
        return run(sample, act, "Mosaic", settle)
