"""Scenes to find digits in: handwritten digits of several sizes and colours on cluttered backgrounds, with exact boxes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet.datasets.boxes import BoxDataset
from fastnet.datasets.digits import load_digits

SMALLEST, LARGEST = 0.11, 0.45                            # height of a digit, as a part of the scene's side
MOST_DIGITS, MOST_PIECES, MOST_LINES = 6, 4, 5
INK = 0.5                                                 # share of ink from which on a pixel belongs to the digit


class DigitScenes(BoxDataset):
    """Made-up pictures with real strokes: one to six of the bundled UCI digits, stretched, coloured and put on clutter.

    The clutter is blotches of colour, lines, and pieces of digits whose quarters have changed places. A digit's box is that of its
    inked pixels. Scenes of "train" have digits of `load_digits("train")`, those of "test" others; each scene belongs to (seed, split,
    index), however many there are. For the keys of a sample see `BoxDataset`.

    Args:
        split: "train" or "test".
        count: how many scenes.
        size: side of a scene in pixels, 48 or more.
        seed: of the random numbers.
        transform: called with the sample.

    Attributes: classes, the names "0" to "9"; images, uint8 (count, 3, size, size); boxes and labels, a list of (n, 4) and of (n,).

    >>> from fastnet.datasets import DigitScenes
    >>> scene = DigitScenes("test", count=2, size=64)[1]
    >>> scene["image"].shape, scene["boxes"].shape == (len(scene["labels"]), 4)
    ((3, 64, 64), True)
    """

    def __init__(self, split: str = "train", count: int = 1000, size: int = 128, seed: int = 0,
                 transform: Callable[[dict[str, Any]], Any] | None = None) -> None:
        super().__init__(transform, lambda path: self.images[int(path)])
        if split not in ("train", "test"):
            raise ValueError(f"DigitScenes: split must be 'train' or 'test', got {split!r}")
        if count < 1 or size < 48:
            raise ValueError(f"DigitScenes: count must be at least 1 and size at least 48, got {count!r} and {size!r}")
        self.classes, self.paths = [str(i) for i in range(10)], [str(i) for i in range(count)]
        digits, names = load_digits(split)
        made = [scene(digits[:, 0], names, size, np.random.default_rng([seed, split == "test", i])) for i in range(count)]
        self.images = np.stack([image for image, *_ in made])
        self.boxes, self.labels = [box for _, box, _ in made], [label for *_, label in made]

    def target(self, index: int, height: int, width: int) -> dict[str, Any]:
        """Boxes and labels."""
        boxes = self.boxes[index]
        return {"boxes": boxes, "labels": self.labels[index], "image_id": index, "iscrowd": np.zeros(len(boxes), np.int64),
                "area": (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])}


def scene(digits: np.ndarray, names: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One picture, uint8 (3, size, size), its boxes (n, 4) and labels (n,)."""
    image = background(size, rng)
    boxes: list[np.ndarray] = []
    labels = []
    for _ in range(rng.integers(1, MOST_DIGITS + 1)):
        which = rng.integers(len(digits))
        box = put(image, stretched(digits[which], size, rng), rng, boxes)
        if box is not None:
            boxes.append(box)
            labels.append(names[which])
    for _ in range(rng.integers(0, MOST_PIECES + 1)):
        quarters = digits[rng.integers(len(digits))].reshape(2, 4, 2, 4).transpose(0, 2, 1, 3).reshape(4, 4, 4)[rng.permutation(4)]
        piece = quarters.reshape(2, 2, 4, 4).transpose(0, 2, 1, 3).reshape(8, 8)
        put(image, stretched(piece, size, rng), rng, boxes)
    pixels = (image + rng.normal(0, 0.02, image.shape)).clip(0, 1) * 255
    return pixels.round().astype(np.uint8), np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)


def background(size: int, rng: np.random.Generator) -> np.ndarray:
    """Blotches of colour, coarse and fine, and lines: float64 (3, size, size) from 0 to 1."""
    image = np.full((3, size, size), rng.uniform(0.2, 0.8, (3, 1, 1)))
    for cells, strength in ((3, 0.15), (12, 0.06)):
        up = weights(size, cells)
        image = image + up @ rng.normal(0, strength, (3, cells, cells)) @ up.T
    y, x = np.mgrid[:size, :size]
    for _ in range(rng.integers(0, MOST_LINES + 1)):
        angle, (cy, cx) = rng.uniform(0, np.pi), rng.uniform(0, size, 2)
        across = (x - cx) * np.sin(angle) - (y - cy) * np.cos(angle)
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        on = (np.abs(across) < rng.uniform(0.5, 2)) & (np.abs(along) < rng.uniform(0.05, 0.4) * size)
        image[:, on] = rng.uniform(0, 1, (3, 1))
    return image.clip(0, 1)


def weights(size: int, cells: int) -> np.ndarray:
    """Linear interpolation from `cells` values to `size`: a matrix (size, cells)."""
    at = ((np.arange(size) + 0.5) * cells / size - 0.5).clip(0, cells - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(cells)))


def stretched(digit: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The ink of a digit (8, 8) at a random size, cut to where it is: shares (h, w) from 0 to 1."""
    height = size * np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    width = height * rng.uniform(0.75, 1.25)
    ink = weights(max(8, round(height)), 8) @ digit @ weights(max(8, round(width)), 8).T
    ink = ((ink - 0.25) * 3).clip(0, 1)
    rows, columns = np.flatnonzero((ink >= INK).any(1)), np.flatnonzero((ink >= INK).any(0))
    return ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if len(rows) else ink[:0]


def put(image: np.ndarray, ink: np.ndarray, rng: np.random.Generator, taken: list[np.ndarray]) -> np.ndarray | None:
    """Draw ink at a free place of the image, in a colour that can be seen there; its box, or None where no place was found."""
    (h, w), size = ink.shape, image.shape[1]
    for _ in range(20 if h else 0):
        top, left = rng.integers(0, size - h + 1), rng.integers(0, size - w + 1)
        box = np.array([left, top, left + w, top + h], np.float64)
        if all(min(box[2], t[2]) <= max(box[0], t[0]) or min(box[3], t[3]) <= max(box[1], t[1]) for t in taken):
            ground = image[:, top:top + h, left:left + w]
            light = ground.mean() < rng.uniform(0.45, 0.55)
            colour = rng.uniform(0.75, 1, (3, 1, 1)) if light else rng.uniform(0, 0.25, (3, 1, 1))
            ground += ink * (colour - ground)
            return box
    return None
