"""MNIST and Fashion-MNIST from their IDX files, which are on this machine already; nothing is downloaded."""
from __future__ import annotations

import os

import numpy as np

from fastnet.datasets import idx

FASHION_CLASSES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def load_mnist(split: str = "train", root: str | os.PathLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """MNIST: 60,000 handwritten digits of 28x28 pixels to train on, 10,000 to test on.

    Args:
        split: ``"train"`` (the default) or ``"test"``.
        root: folder of the four IDX files, compressed by gzip or not, or the one that torchvision was given; None looks in
            `datasets/mnist` of the user's, Python's and the system's shared data folders.

    Returns: images, uint8 of shape (N, 1, 28, 28), 0 is paper and 255 ink, and labels, int64 of shape (N,).

    Raises: FileNotFoundError that says where it was looked for; ValueError for a damaged file or another split.
    """
    return idx.load("mnist", split, root, "MNIST",
                    "get its four IDX files (train-images-idx3-ubyte.gz and so on; http://yann.lecun.com/exdb/mnist describes them) and "
                    "give their folder")


def load_fashion_mnist(split: str = "train", root: str | os.PathLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017): 60,000 pictures of clothes of 28x28 pixels to train on, 10,000 to test on.

    Args:
        split: ``"train"`` (the default) or ``"test"``.
        root: folder of the four IDX files, compressed by gzip or not, or the one that torchvision was given; None looks in
            `datasets/fashion-mnist` of the user's, Python's and the system's shared data folders,
            where Debian's package `dataset-fashion-mnist` puts it.

    Returns: images, uint8 of shape (N, 1, 28, 28), 0 is the background, and labels, int64 of shape (N,); `FASHION_CLASSES` names them.

    Raises: FileNotFoundError that says where it was looked for; ValueError for a damaged file or another split.
    """
    return idx.load("fashion-mnist", split, root, "FashionMNIST",
                    "install Debian's package dataset-fashion-mnist or give the folder of its four IDX files "
                    "(https://github.com/zalandoresearch/fashion-mnist has them)")
