"""CIFAR-10 and CIFAR-100 from the files of their binary version, which hold bytes and nothing that could be executed."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fastnet.datasets.places import find

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PIXELS = 3 * 32 * 32
FILES10: dict[str, tuple[str, ...]] = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
FILES100: dict[str, tuple[str, ...]] = {"train": ("train.bin",), "test": ("test.bin",)}
LABELS100 = ("coarse", "fine")                            # in the order of the bytes


def load_cifar10(split: str = "train", root: str | os.PathLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10 (Krizhevsky, 2009): 50,000 colour pictures of 32x32 pixels to train on, 10,000 to test on, ten classes.

    Args:
        split: ``"train"`` (the default) or ``"test"``.
        root: folder of the binary version's files (`data_batch_1.bin` ...), or the one where the archive was unpacked; None looks in
            `datasets/cifar-10` of the user's, Python's and the system's shared data folders.

    Returns: images, uint8 of shape (N, 3, 32, 32), and labels, int64 of shape (N,); `CIFAR10_CLASSES` names them.

    Raises: FileNotFoundError that says what to get and where it was looked for; ValueError for a damaged file or another split.
    """
    images, labels = records("cifar-10", "cifar-10-batches-bin", FILES10, split, root, (10,))
    return images, labels[:, 0]


def load_cifar100(split: str = "train", root: str | os.PathLike | None = None, labels: str = "fine") -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-100 (Krizhevsky, 2009): 50,000 colour pictures of 32x32 pixels to train on, 10,000 to test on, 100 classes in 20 groups.

    Args:
        split: ``"train"`` (the default) or ``"test"``.
        root: folder of the binary version's files (`train.bin` ...), or the one where the archive was unpacked; None looks in
            `datasets/cifar-100` of the shared data folders.
        labels: ``"fine"`` (the 100 classes, the default) or ``"coarse"`` (the 20 groups).

    Returns: images, uint8 of shape (N, 3, 32, 32), and labels, int64 of shape (N,).

    Raises: FileNotFoundError that says what to get and where it was looked for; ValueError for a damaged file or another word.
    """
    if labels not in LABELS100:
        raise ValueError(f"cifar-100: labels must be one of {', '.join(LABELS100)}, got {labels!r}")
    images, both = records("cifar-100", "cifar-100-binary", FILES100, split, root, (20, 100))
    return images, both[:, LABELS100.index(labels)]


def cifar100_classes(root: str | os.PathLike | None = None, labels: str = "fine") -> tuple[str, ...]:
    """The names of CIFAR-100's classes, from `fine_label_names.txt` (or `coarse_label_names.txt`) among its files.

    Args:
        root: as of `load_cifar100`.
        labels: ``"fine"`` or ``"coarse"``.

    Raises: FileNotFoundError where the files are not; ValueError for another word, or where there are not 100 (20) names.
    """
    if labels not in LABELS100:
        raise ValueError(f"cifar-100: labels must be one of {', '.join(LABELS100)}, got {labels!r}")
    path = folder("cifar-100", "cifar-100-binary", FILES100, root) / f"{labels}_label_names.txt"
    names = tuple(path.read_text(encoding="utf-8").split())
    if len(names) != (20, 100)[LABELS100.index(labels)]:
        raise ValueError(f"cifar-100: {path} has {len(names)} names")
    return names


def folder(name: str, archive: str, files: dict[str, tuple[str, ...]], root: str | os.PathLike | None) -> Path:
    """Where the files of the binary version are."""
    def missing(place: Path) -> str | None:
        lacks = [file for split in files.values() for file in split if not (place / file).exists()]
        return lacks[0] if lacks else None
    advice = (f"get the binary version ({name}-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html), unpack it with tar -xzf "
              "and give the folder; the Python version is not read, since its files are pickles, which can execute anything")
    return find(name, root, missing, (archive,), advice)


def records(name: str, archive: str, files: dict[str, tuple[str, ...]], split: str, root: str | os.PathLike | None,
            classes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, 32, 32), uint8, and labels (N, kinds), int64: a record is a byte for each kind of label, then the three planes."""
    if split not in files:
        raise ValueError(f"{name}: split must be one of {', '.join(files)}, got {split!r}")
    place, length, parts = folder(name, archive, files, root), len(classes) + PIXELS, []
    for file in files[split]:
        data = np.fromfile(place / file, np.uint8)
        if not len(data) or len(data) % length:
            raise ValueError(f"{name}: {place / file} is damaged: {len(data)} bytes are no whole number of records of {length}")
        part = data.reshape(-1, length)
        bad = (part[:, :len(classes)] >= classes).any(1)
        if bad.any():
            raise ValueError(f"{name}: {place / file} is damaged: the labels of record {bad.argmax()} are "
                             f"{part[bad.argmax(), :len(classes)].tolist()}, but there are {list(classes)} classes")
        parts.append(part)
    whole = np.concatenate(parts)
    labels, images = whole[:, :len(classes)].astype(np.int64), whole[:, len(classes):]
    return np.ascontiguousarray(images).reshape(-1, 3, 32, 32), labels
