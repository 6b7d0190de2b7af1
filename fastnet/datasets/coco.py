"""Boxes in COCO's format: a folder of pictures and a JSON file of instances."""
from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet.datasets.boxes import BoxDataset
from fastnet.datasets.image import read_image

NEEDED = {"images": ("id", "file_name"), "annotations": ("image_id", "category_id", "bbox"), "categories": ("id", "name")}


class CocoDetection(BoxDataset):
    """Pictures and boxes in COCO's format, `instances_*.json`.

    Classes are numbered from 0 on in the order of their `id` in the file; `category_ids[label]` is that id. Boxes, in the file left,
    top, width, height, become left, top, right, bottom. Annotations without a box of positive size cannot be learned; they are left
    out, and `skipped` counts them.

    Args:
        root: folder of the pictures.
        annFile: the JSON file.
        transform: called with the sample, a dict: see `BoxDataset`.
        crowd: whether boxes around crowds (`iscrowd` is 1) are among the samples: True for evaluation by COCO's rules, False (the
            default) to train.
        loader: path -> image.

    Attributes: classes, category_ids, paths, image_ids, skipped.

    Raises: FileNotFoundError for a file or folder that is not there; ValueError with the file, and the entry or line, for a damaged one.
    """

    def __init__(self, root: str | os.PathLike, annFile: str | os.PathLike, transform: Callable[[dict[str, Any]], Any] | None = None,
                 crowd: bool = False, loader: Callable[[str], Any] = read_image) -> None:
        super().__init__(transform, loader)
        self.file = os.fspath(annFile)
        if not os.path.isdir(root):
            raise FileNotFoundError(f"CocoDetection: {os.fspath(root)} is no folder; give the folder of the pictures")
        tree = self._read()
        kinds = sorted(tree["categories"], key=lambda c: c["id"])
        self.category_ids, self.classes = [c["id"] for c in kinds], [str(c["name"]) for c in kinds]
        self.image_ids = [image["id"] for image in tree["images"]]
        self.paths = [os.path.join(os.fspath(root), image["file_name"]) for image in tree["images"]]
        self.skipped = 0
        self._targets = self._group(tree["annotations"], crowd)

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.file, encoding="utf-8") as file:
                tree = json.load(file)
        except FileNotFoundError:
            raise FileNotFoundError(f"CocoDetection: there is no {self.file}; get the annotations (for COCO itself: instances_*.json in "
                                    "annotations_trainval2017.zip from https://cocodataset.org) and give the file") from None
        except ValueError as error:                       # no JSON, or no UTF-8
            raise ValueError(f"CocoDetection: {self.file} is no JSON: {error}") from None
        for part, keys in NEEDED.items():
            entries = tree.get(part) if isinstance(tree, dict) else None
            if not isinstance(entries, list):
                raise ValueError(f"CocoDetection: {self.file} has no list {part!r}; is it a file of instances?")
            for i, entry in enumerate(entries):
                lacks = [key for key in keys if not isinstance(entry, dict) or key not in entry]
                if lacks:
                    raise ValueError(f"CocoDetection: {self.file}: {part}[{i}] has no {lacks[0]!r}")
        for part in ("images", "categories"):
            ids = [entry["id"] for entry in tree[part]]
            if len(set(ids)) != len(ids):
                raise ValueError(f"CocoDetection: {self.file}: two {part} have the same id")
        return tree

    def _group(self, annotations: list[dict[str, Any]], crowd: bool) -> list[np.ndarray]:
        """For each picture an array (n, 7): left, top, right, bottom, label, iscrowd, area."""
        place = {image: i for i, image in enumerate(self.image_ids)}
        label = {category: i for i, category in enumerate(self.category_ids)}
        rows: list[list[tuple[float, ...]]] = [[] for _ in place]
        for i, a in enumerate(annotations):
            where, box = f"CocoDetection: {self.file}: annotations[{i}]", a["bbox"]
            if a["image_id"] not in place or a["category_id"] not in label:
                missing = "image_id" if a["image_id"] not in place else "category_id"
                raise ValueError(f"{where} has {missing} {a[missing]}, which the file does not describe")
            numbers = isinstance(box, list) and len(box) == 4 and all(isinstance(v, (int, float)) and v == v for v in box)
            if not numbers or min(box[2:]) < 0:
                raise ValueError(f"{where}: bbox must be left, top, width, height, got {box}")
            left, top, width, height = box
            if not width or not height:
                self.skipped += 1
            elif crowd or not a.get("iscrowd"):
                rows[place[a["image_id"]]].append((left, top, left + width, top + height, label[a["category_id"]],
                                                   int(bool(a.get("iscrowd"))), a.get("area", width * height)))
        return [np.array(r, np.float64).reshape(-1, 7) for r in rows]

    def target(self, index: int, height: int, width: int) -> dict[str, Any]:
        """The boxes of a picture."""
        rows = self._targets[index]
        return {"boxes": rows[:, :4].astype(np.float32), "labels": rows[:, 4].astype(np.int64), "image_id": self.image_ids[index],
                "iscrowd": rows[:, 5].astype(np.int64), "area": rows[:, 6].astype(np.float32)}
