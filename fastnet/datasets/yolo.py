"""Boxes in YOLO's text format: images/ and labels/, a line a box, and a data.yaml or data.toml with the names."""
from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastnet.datasets.boxes import BoxDataset
from fastnet.datasets.folder import IMG_EXTENSIONS, files
from fastnet.datasets.image import read_image
from fastnet.datasets.yolo_description import read_description


class YoloDetection(BoxDataset):
    """Pictures and boxes in YOLO's format.

    A picture `images/.../NAME.jpg` has its boxes in `labels/.../NAME.txt` (the last folder `images` of the path becomes `labels`), a line
    each: the class, from 0 on, and centre x, centre y, width, height as shares of the picture's width and height. No label file, or an
    empty one: no boxes. Outlines (more than five numbers in a line) are refused.

    Args:
        root: a `data.yaml` or `data.toml` (see `read_description`), or a folder with one of them, or a folder with `images` and `labels`.
        split: ``"train"``, ``"val"``, ``"test"`` or another name. Without a description the pictures are those in `images/SPLIT` or
            `SPLIT/images`.
        transform: called with the sample, a dict: see `BoxDataset`.
        names: names of the classes, where there is no description.
        loader: path -> image.

    Attributes: classes; paths; boxes, the list of arrays (n, 5) as in the files.

    Raises: FileNotFoundError that says what is looked for; ValueError with file and line for a description or labels that are damaged.
    """

    def __init__(self, root: str | os.PathLike, split: str = "train", transform: Callable[[dict[str, Any]], Any] | None = None,
                 names: Sequence[str] | None = None, loader: Callable[[str], Any] = read_image) -> None:
        super().__init__(transform, loader)
        place = Path(root)
        described = [p for p in (place, place / "data.yaml", place / "data.yml", place / "data.toml") if p.is_file()]
        if described:
            description = read_description(described[0])
            if names is not None:
                raise ValueError(f"YoloDetection: {described[0]} has the names of the classes; leave out names")
            if split not in description.splits:
                raise ValueError(f"YoloDetection: {described[0]} has no {split!r}; it has {', '.join(description.splits) or 'no split'}")
            self.classes, folders = description.names, description.splits[split]
        elif names is None:
            raise FileNotFoundError(f"YoloDetection: {place} has no data.yaml or data.toml with the names of the classes; write one "
                                    "(names = [\"cat\", \"dog\"]) or give names=[...]")
        else:
            self.classes, folders = list(names), [p for p in (place / "images" / split, place / split / "images") if p.is_dir()][:1]
            if not folders:
                raise FileNotFoundError(f"YoloDetection: neither {place / 'images' / split} nor {place / split / 'images'} is a folder")
        self.paths = [path for folder in folders for path in pictures(folder)]
        if not self.paths:
            raise FileNotFoundError(f"YoloDetection: no pictures in {', '.join(map(str, folders))}")
        self.boxes = [read_labels(labels_of(path), len(self.classes)) for path in self.paths]

    def target(self, index: int, height: int, width: int) -> dict[str, Any]:
        """Boxes in pixels, kept within the picture."""
        rows = self.boxes[index]
        centre, half = rows[:, 1:3], rows[:, 3:5] / 2
        boxes = np.concatenate([centre - half, centre + half], 1).clip(0, 1) * np.array([width, height, width, height])
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return {"boxes": boxes.astype(np.float32), "labels": rows[:, 0].astype(np.int64), "image_id": index,
                "iscrowd": np.zeros(len(rows), np.int64), "area": area.astype(np.float32)}


def pictures(place: Path) -> list[str]:
    """The pictures below a folder, or those that a text file lists, a path a line, relative to it."""
    if place.is_file():
        lines = (line.strip() for line in place.read_text(encoding="utf-8").splitlines())
        return [os.path.normpath(place.parent / line) for line in lines if line]
    if not place.is_dir():
        raise FileNotFoundError(f"YoloDetection: {place} is neither a folder of pictures nor a file that lists them")
    return [path for path in files(os.fspath(place)) if path.lower().endswith(IMG_EXTENSIONS)]


def labels_of(picture: str) -> Path:
    """The label file of a picture.

    >>> from fastnet.datasets.yolo import labels_of
    >>> labels_of("pets/images/train/7.jpg").as_posix()
    'pets/labels/train/7.txt'
    """
    parts = list(Path(picture).with_suffix(".txt").parts)
    at = max((i for i, part in enumerate(parts[:-1]) if part == "images"), default=None)
    if at is not None:
        parts[at] = "labels"
    return Path(*parts)


def read_labels(path: Path, classes: int) -> np.ndarray:
    """The boxes of a label file, (n, 5): class, centre x, centre y, width, height.

    Raises: ValueError with file and line for a line that is no box.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return np.zeros((0, 5))
    except UnicodeDecodeError:
        raise ValueError(f"YoloDetection: {path} is not text") from None
    rows = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        where = f"YoloDetection: {path}, line {number}:"
        if len(words) != 5:
            raise ValueError(f"{where} expected class, centre x, centre y, width, height, got {len(words)} numbers"
                             f"{'; outlines are not boxes' if len(words) > 5 else ''}")
        try:
            row = [float(word) for word in words]
        except ValueError:
            raise ValueError(f"{where} expected five numbers, got {line.strip()!r}") from None
        if row[0] not in range(classes):
            raise ValueError(f"{where} the class is {words[0]}, but there are {classes} names, counted from 0")
        if not all(math.isfinite(v) and 0 <= v <= 1 for v in row[1:]):
            raise ValueError(f"{where} centre and size are shares from 0 to 1 of the picture's width and height, got {' '.join(words[1:])}")
        if not (row[3] > 0 and row[4] > 0):
            raise ValueError(f"{where} the box has no area: width {words[3]}, height {words[4]}")
        rows.append(row)
    return np.array(rows, np.float64).reshape(-1, 5)
