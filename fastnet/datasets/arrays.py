"""Image sets that are held in memory, as Datasets with torchvision's names: Digits, MNIST, FashionMNIST, CIFAR10, CIFAR100."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnet._core.tensor import from_numpy
from fastnet.datasets.cifar import CIFAR10_CLASSES, cifar100_classes, load_cifar10, load_cifar100
from fastnet.datasets.digits import load_digits
from fastnet.datasets.mnist import FASHION_CLASSES, load_fashion_mnist, load_mnist
from fastnet.utils.data import KeyedDataset, default_collate

Root = str | os.PathLike | None
Transform = Callable[[Any], Any] | None


class ArrayDataset(KeyedDataset[tuple[Any, Any]]):
    """Rows of an array and their targets; a sample is (data[i], target).

    Args:
        data: array of shape (N, ...), such as uint8 images (N, C, H, W). It is not copied.
        targets: array of shape (N, ...).
        transform: called with data[i] (uint8 images as they are), gives what takes its place; random ones of `fastnet.transforms` get the
            sample's key: see `utils.data.KeyedDataset`.
        target_transform: the same for the target.
        classes: names of the classes.

    Raises: ValueError if the two have different lengths.

    A `DataLoader` gathers whole batches at once where there is no transform.

    >>> import numpy as np
    >>> from fastnet.datasets import ArrayDataset
    >>> data = ArrayDataset(np.zeros((3, 1, 8, 8), np.uint8), np.array([0, 1, 0]), transform=lambda image: image / 255)
    >>> data[1][0].shape, data[1][1], len(data)
    ((1, 8, 8), 1, 3)
    """

    def __init__(self, data: np.ndarray, targets: np.ndarray, transform: Transform = None, target_transform: Transform = None,
                 classes: Sequence[str] = ()) -> None:
        data, targets = np.asarray(data), np.asarray(targets)
        if data.ndim == 0 or data.shape[:1] != targets.shape[:1]:
            raise ValueError(f"{type(self).__name__}: data and targets must have one length, got shapes {data.shape} and {targets.shape}")
        self.data, self.targets = data, targets
        self.transform, self.target_transform = transform, target_transform
        self.classes = tuple(classes)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.data[index], self.targets[index]
        target = target.item() if target.ndim == 0 and target.dtype.kind in "iu" else target
        return (self.transformed(image, index),
                target if self.target_transform is None else self.target_transform(target))

    def getbatch(self, indices: Any) -> list[Any]:
        """The samples `indices` as a batch: by two gathers where there are no transforms."""
        if self.transform is None and self.target_transform is None:
            index = np.asarray(indices, dtype=np.int64)
            return [from_numpy(self.data[index]), from_numpy(self.targets[index])]
        return default_collate([self[int(i)] for i in indices])


def no_download(name: str, download: bool) -> None:
    """Refuse `download=True`, which torchvision's classes take."""
    if download:
        raise ValueError(f"{name}: download=True is not supported: nothing is ever downloaded here; without it, where files are missing, "
                         "the error says what to get and where to put it")


class Digits(ArrayDataset):
    """The handwritten digits that ship inside the package: images float32 (1, 8, 8) from 0 to 1, and their class.

    Args:
        train: the 1,284 images to train on (the default), or the 513 to test on.
        transform, target_transform: see `ArrayDataset`.

    >>> from fastnet.datasets import Digits
    >>> len(Digits()), len(Digits(train=False))
    (1284, 513)
    """

    def __init__(self, train: bool = True, transform: Transform = None, target_transform: Transform = None) -> None:
        super().__init__(*load_digits("train" if train else "test"), transform, target_transform, [str(i) for i in range(10)])


class MNIST(ArrayDataset):
    """MNIST as a Dataset: images uint8 (1, 28, 28), 0 is paper and 255 ink, and their class.

    Args:
        root: folder of the IDX files, or the one that torchvision was given; None: see `load_mnist`.
        train: 60,000 images to train on (the default), or 10,000 to test on.
        transform, target_transform: see `ArrayDataset`.
        download: must be False.

    Raises: FileNotFoundError that says what to get and where it was looked for.
    """

    def __init__(self, root: Root = None, train: bool = True, transform: Transform = None, target_transform: Transform = None,
                 download: bool = False) -> None:
        no_download("MNIST", download)
        super().__init__(*load_mnist("train" if train else "test", root), transform, target_transform, [str(i) for i in range(10)])


class FashionMNIST(ArrayDataset):
    """Fashion-MNIST as a Dataset: images uint8 (1, 28, 28), 0 is the background, and their class.

    Args:
        root: folder of the IDX files, or the one that torchvision was given; None: see `load_fashion_mnist`.
        train: 60,000 images to train on (the default), or 10,000 to test on.
        transform, target_transform: see `ArrayDataset`.
        download: must be False.

    Raises: FileNotFoundError that says what to get and where it was looked for.
    """

    def __init__(self, root: Root = None, train: bool = True, transform: Transform = None, target_transform: Transform = None,
                 download: bool = False) -> None:
        no_download("FashionMNIST", download)
        super().__init__(*load_fashion_mnist("train" if train else "test", root), transform, target_transform, FASHION_CLASSES)


class CIFAR10(ArrayDataset):
    """CIFAR-10 as a Dataset: images uint8 (3, 32, 32) and their class, from the binary version's files.

    Args:
        root: folder of the files, or the one where the archive was unpacked; None: see `load_cifar10`.
        train: 50,000 images to train on (the default), or 10,000 to test on.
        transform, target_transform: see `ArrayDataset`.
        download: must be False.

    Raises: FileNotFoundError that says what to get and where it was looked for.
    """

    def __init__(self, root: Root = None, train: bool = True, transform: Transform = None, target_transform: Transform = None,
                 download: bool = False) -> None:
        no_download("CIFAR10", download)
        super().__init__(*load_cifar10("train" if train else "test", root), transform, target_transform, CIFAR10_CLASSES)


class CIFAR100(ArrayDataset):
    """CIFAR-100 as a Dataset: images uint8 (3, 32, 32) and their class, from the binary version's files.

    Args:
        root: folder of the files, or the one where the archive was unpacked; None: see `load_cifar100`.
        train: 50,000 images to train on (the default), or 10,000 to test on.
        transform, target_transform: see `ArrayDataset`.
        download: must be False.
        labels: ``"fine"`` (100 classes, the default) or ``"coarse"`` (20 groups).

    Raises: FileNotFoundError that says what to get and where it was looked for.
    """

    def __init__(self, root: Root = None, train: bool = True, transform: Transform = None, target_transform: Transform = None,
                 download: bool = False, labels: str = "fine") -> None:
        no_download("CIFAR100", download)
        images, targets = load_cifar100("train" if train else "test", root, labels)
        super().__init__(images, targets, transform, target_transform, cifar100_classes(root, labels))
