"""The UCI handwritten digits: 1,797 images of 8x8 pixels, ten classes (licence and citation in LICENSE-digits.txt)."""
from pathlib import Path

import numpy as np

SPLITS = ("train", "test", "all")


def load_digits(split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits as NumPy arrays, with a split that never changes.

    Of every seven images in the published order, the third and the sixth belong to the test set (seven, since the writers
    went through the ten digits in turn). Both sets hold the same writers: the accuracy tells how well a network reads these
    hands, not unseen ones.

    Args:
        split: ``"train"`` (1,284 images, the default), ``"test"`` (513) or ``"all"`` (1,797).

    Returns:
        images, float32 of shape (N, 1, 8, 8), from 0 (paper) to 1 (ink), and labels, int64 of shape (N,), from 0 to 9.

    Raises:
        ValueError: if split is another word.

    >>> from fastnet.datasets import load_digits
    >>> images, labels = load_digits("test")
    >>> images.shape, labels[:4].tolist()
    ((513, 1, 8, 8), [2, 5, 9, 2])
    """
    if split not in SPLITS:
        raise ValueError(f"load_digits: split must be one of {', '.join(SPLITS)}, got {split!r}")
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"], file["labels"]
    held_out = np.isin(np.arange(len(labels)) % 7, (2, 5))
    chosen = {"train": ~held_out, "test": held_out, "all": np.ones_like(held_out)}[split]
    return images[chosen, None].astype(np.float32) / 16, labels[chosen].astype(np.int64)
