"""ImageFolder: one folder for each class, as in torchvision."""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from fastnet.datasets.image import read_image
from fastnet.utils.data import KeyedDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class DatasetFolder(KeyedDataset[tuple[Any, int]]):
    """Files in one folder for each class: ROOT/CLASS/.../FILE. A sample is (loader(path), class).

    Args:
        root: the folder with the folders of the classes.
        loader: path -> sample.
        extensions: ends of the names of the files that count, in lower case, such as (".npy",); or else
        is_valid_file: path -> whether it counts.
        transform: called with what the loader gave; random ones of `fastnet.transforms` get the sample's key: see
            `utils.data.KeyedDataset`.
        target_transform: called with the class.
        allow_empty: whether a class may have no file.

    Attributes: classes (names in order), class_to_idx, samples (list of (path, class)), targets.

    Raises: FileNotFoundError for a folder without classes, or, unless `allow_empty`, for a class without files.

    >>> import os
    >>> import numpy as np
    >>> from fastnet.datasets import DatasetFolder
    >>> for name in ("cat", "dog"):
    ...     os.makedirs(f"animals/{name}")
    ...     np.save(f"animals/{name}/1.npy", np.zeros(3))
    >>> data = DatasetFolder("animals", np.load, extensions=(".npy",))
    >>> data.classes, data.samples[1]
    (['cat', 'dog'], ('animals/dog/1.npy', 1))
    """

    def __init__(self, root: str | os.PathLike, loader: Callable[[str], Any], extensions: tuple[str, ...] | None = None,
                 transform: Callable[[Any], Any] | None = None, target_transform: Callable[[int], Any] | None = None,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> None:
        if (extensions is None) == (is_valid_file is None):
            raise ValueError(f"{type(self).__name__}: give either extensions or is_valid_file")
        self.root, self.loader, self.extensions = os.fspath(root), loader, extensions
        self.transform, self.target_transform = transform, target_transform
        self.classes, self.class_to_idx = self.find_classes(self.root)
        counts = is_valid_file if extensions is None else lambda path: path.lower().endswith(tuple(extensions))
        self.samples = [(path, label) for name, label in self.class_to_idx.items()
                        for path in files(os.path.join(self.root, name)) if counts(path)]  # type: ignore[misc]
        self.targets = [label for _, label in self.samples]
        present = set(self.targets)
        empty = [name for name, label in self.class_to_idx.items() if label not in present]
        if empty and not allow_empty:
            ends = "" if extensions is None else f"; it may end in {', '.join(extensions)}"
            raise FileNotFoundError(f"{type(self).__name__}: {os.path.join(self.root, empty[0])} has no file of its class{ends} "
                                    "(allow_empty=True accepts that)")

    def find_classes(self, directory: str) -> tuple[list[str], dict[str, int]]:
        """Names of the folders in `directory`, sorted, and the number of each; a subclass may choose others."""
        try:
            with os.scandir(directory) as entries:
                classes = sorted(entry.name for entry in entries if entry.is_dir())
        except OSError as error:
            raise FileNotFoundError(f"{type(self).__name__}: cannot list {directory} ({error.strerror}); give the folder that has one "
                                    "folder for each class") from None
        if not classes:
            raise FileNotFoundError(f"{type(self).__name__}: {directory} has no folders; it should have one for each class, "
                                    "with the class's files in it")
        return classes, {name: i for i, name in enumerate(classes)}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        sample = self.loader(path)
        return (self.transformed(sample, index),
                label if self.target_transform is None else self.target_transform(label))


def files(folder: str) -> list[str]:
    """All files below a folder, links to folders followed, in an order that does not depend on the system."""
    return [os.path.join(place, name) for place, _, names in sorted(os.walk(folder, followlinks=True)) for name in sorted(names)]


class ImageFolder(DatasetFolder):
    """Pictures in one folder for each class: ROOT/CLASS/.../PICTURE. A sample is (image, class); torchvision's semantics.

    Args:
        root: the folder with the folders of the classes.
        transform: called with the image: uint8 of shape (3, H, W), red, green, blue; random ones of `fastnet.transforms` get the
            sample's key: see `utils.data.KeyedDataset`.
        target_transform: called with the class.
        loader: path -> image; `read_image` by default, which needs Pillow: `pip install 'fastnet[image]'`.
        is_valid_file: path -> whether it counts; by default the names that end in one of `IMG_EXTENSIONS` do.
        allow_empty: whether a class may have no picture.

    Attributes: classes (names in order), class_to_idx, samples and imgs (list of (path, class)), targets.

    Raises: FileNotFoundError for a folder without classes, or, unless `allow_empty`, for a class without pictures.
    """

    def __init__(self, root: str | os.PathLike, transform: Callable[[Any], Any] | None = None,
                 target_transform: Callable[[int], Any] | None = None, loader: Callable[[str], Any] = read_image,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> None:
        super().__init__(root, loader, IMG_EXTENSIONS if is_valid_file is None else None, transform, target_transform, is_valid_file,
                         allow_empty)
        self.imgs = self.samples
