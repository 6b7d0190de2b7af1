"""Transform, and the transforms made of others: Compose, RandomApply, RandomChoice, Lambda."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastnet.transforms.draws import Draws, Key
from fastnet.transforms.frames import Frames
from fastnet.transforms.scene import Scene, run


class Transform:
    """What changes samples at random or not: call it with a sample.

    A sample is an image, a tuple (image, label, ...) or a dict with "image" and perhaps "boxes", "labels" and "masks". An image is uint8 or
    float32, an array or a tensor, (C, H, W), or a batch (N, C, H, W), of which each image gets its own random numbers.

    To write one: define `apply(scene, draws)`, which acts on the scene with random numbers from draws.
    """
    takes_key = True                                     # data sets that have a transform give it the key of the sample

    def __call__(self, sample: Any, key: Key | None = None) -> Any:
        """The changed sample; what it was made from stays as it is.

        Args:
            sample: see above.
            key: (seed, epoch, index), which settles all random numbers; index is (N,) for a batch. None: from the default generator.
        """
        image = sample["image"] if isinstance(sample, Mapping) and "image" in sample else None
        if image is not None and np.ndim(image) == 4 and (sample.get("boxes") is not None or sample.get("masks") is not None):  # type: ignore[attr-defined]
            return self._each(sample, key)
        return run(sample, lambda scene: self.apply(scene, Draws(key, scene.n)), type(self).__name__, self.settle)

    def _each(self, batch: Any, key: Key | None) -> Any:
        """A batch with boxes or masks: sample by sample, images joined again, and masks where they were joined."""
        draws = Draws(key, len(batch["image"]))
        parts = [name for name in ("boxes", "labels", "masks") if batch.get(name) is not None]
        for name in parts:
            if len(batch[name]) != draws.n:
                raise ValueError(f"{type(self).__name__}: {draws.n} images and {len(batch[name])} of {name}")
        made = [self({"image": batch["image"][i], **{name: batch[name][i] for name in parts}}, (draws.seed, draws.epoch, draws.index[i]))
                for i in range(draws.n)]
        result = {**batch, **{name: [m[name] for m in made] for name in ("image", *parts)}}
        for name in ("image", "masks"):
            if name in result and hasattr(batch[name], "ndim"):
                first = result[name][0]
                result[name] = np.stack(result[name]) if isinstance(first, np.ndarray) else _stack(result[name])
        return result

    def settle(self, scene: Scene) -> None:
        """Set a new scene up."""

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        raise TypeError(f"{type(self).__name__} does not define apply")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({shown})"


def _stack(tensors: list) -> Any:
    import fastnet as fn
    return fn.stack(tensors)


def _transforms(name: str, transforms: Any) -> list[Transform]:
    if not isinstance(transforms, Sequence) or not transforms:
        raise TypeError(f"{name}: transforms must be a list of at least one transform, got {transforms!r}")
    for t in transforms:
        if not isinstance(t, Transform):
            raise TypeError(f"{name}: {t!r} is not a transform; Lambda makes one of a function")
    return list(transforms)


class Compose(Transform):
    """Transforms one after the other, in as few passes over the pixels as give the same bytes.

    Crops, flips and padding, at most one warp or resize after them, then colours, ToDtype and Normalize are one pass. Float results may
    differ in their last two bits from those of single steps.

    Args:
        transforms: a list of them.
        merge_warps: let rotations, affine and perspective transforms that follow each other become one warp: sharper and quicker, but not
            the pixels of the single steps.
        min_size: boxes with a shorter side, in pixels, are dropped after each step that moves them.
        min_visibility: so are boxes of which a step leaves less than this part of their area inside the image.

    >>> import numpy as np
    >>> from fastnet import transforms as T
    >>> prepare = T.Compose([T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ToFloat(), T.Normalize([0.5], [0.25])])
    >>> y = prepare(np.zeros((3, 32, 32), np.uint8), key=(0, 0, 0))
    >>> y.shape, y.dtype.name, float(y[0, 0, 0])
    ((3, 32, 32), 'float32', -2.0)
    """

    def __init__(self, transforms: Sequence[Transform], *, merge_warps: bool = False, min_size: float = 1.0,
                 min_visibility: float = 0.1) -> None:
        self.transforms = _transforms("Compose", transforms)
        self.merge_warps, self.min_size, self.min_visibility = bool(merge_warps), min_size, min_visibility

    def settle(self, scene: Scene) -> None:
        """Set a new scene up."""
        scene.image.merge, scene.min_size, scene.min_visibility = self.merge_warps, self.min_size, self.min_visibility
        if scene.masks is not None:
            scene.masks.merge = self.merge_warps

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        for i, transform in enumerate(self.transforms):
            transform.apply(scene, draws.child(i))


class RandomApply(Transform):
    """All of some transforms with probability p, else none.

    Args:
        transforms: a list of them.
        p: the probability.
    """

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        self.transforms, self.p = _transforms("RandomApply", transforms), probability("RandomApply", p)

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        chosen = draws.chance(self.p)
        both = Compose(self.transforms)
        scene.some(chosen, lambda part: both.apply(part, draws if part.n == draws.n else draws.some(chosen)), "RandomApply")


class RandomChoice(Transform):
    """One of some transforms.

    Args:
        transforms: a list of them.
        p: their probabilities, which need not add up to 1; None: all the same.
    """

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        self.transforms = _transforms("RandomChoice", transforms)
        if p is not None and (len(p) != len(self.transforms) or min(p) < 0 or sum(p) <= 0):
            raise ValueError(f"RandomChoice: p must be {len(self.transforms)} numbers, none negative and one positive, got {p!r}")
        self.p = None if p is None else [v / sum(p) for v in p]

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        k = len(self.transforms)
        ends = np.cumsum(self.p if self.p is not None else np.full(k, 1 / k))
        which = np.minimum((draws.uniform()[:, None] >= ends).sum(1), k - 1)
        for i, transform in enumerate(self.transforms):
            chosen, own = which == i, draws.child(i)
            scene.some(chosen, lambda part: transform.apply(part, own if part.n == own.n else own.some(chosen)), "RandomChoice")  # noqa: B023


class Lambda(Transform):
    """A function of an image, (C, H, W), or of a batch, (N, C, H, W): an array to an array.

    Args:
        function: gets the array, which it must not change, and returns one of the same layout, uint8 or float32.
    """

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable, got {function!r}")
        self.function = function

    def apply(self, scene: Scene, draws: Draws) -> None:
        """Act on a scene."""
        x = scene.image.done()
        made = self.function(x if x.shape[0] > 1 else x[0])
        if not isinstance(made, np.ndarray) or made.dtype not in (np.uint8, np.float32) or made.ndim not in (3, 4):
            raise TypeError(f"Lambda: the function must return an image, uint8 or float32, got {type(made).__name__}")
        scene.image = Frames(made if made.ndim == 4 else made[None], scene.image.merge)


def probability(name: str, p: float, argument: str = "p") -> float:
    """p, if it is a probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: {argument} must be between 0 and 1, got {p!r}")
    return float(p)
