"""What a recipe for a detector has more than others: pictures with boxes on one canvas, mosaics, and what the Trainer is given."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.cli.recipe.kinds import COUNT, NATURAL, PART, TEXT, TEXTS, Kind, number
from fastnet.cli.refused import Refused
from fastnet.utils.data import Dataset, Subset

SIZE = Kind("a multiple of 32 above 0", lambda v: type(v) is int and v > 0 and v % 32 == 0)
SPLIT = Kind("the name of a split, or a number between 0 and 1 (the share that is held back)",
             lambda v: isinstance(v, str) and bool(v) or number(v) and 0 < v < 1)
COMMON = {"size": SIZE, "mosaic": PART, "mosaic_off": NATURAL}
KEYS = {"yolo": COMMON | {"folder": TEXT, "names": TEXTS, "val": SPLIT}, "digit-scenes": COMMON | {"train": COUNT, "test": COUNT}}
DEFAULTS: dict[str, dict[str, Any]] = {
    "yolo": {"size": 640, "mosaic": 1.0, "mosaic_off": 10, "val": "val"},
    "digit-scenes": {"size": 128, "mosaic": 0.25, "mosaic_off": 3, "train": 1200, "test": 250}}
SMALLEST = 2.0                                            # sides of boxes, in pixels, that augmentation leaves


class OnCanvas(Dataset[dict[str, Any]]):
    """Samples with boxes, letterboxed to a square or put into mosaics, then transformed; images become numbers from 0 to 1.

    Random numbers are those of (seed, epoch, index).

    Args:
        dataset: a `BoxDataset`.
        size: side of the square in pixels.
        transform: what is done to each sample; None: nothing.
        seed: of the random numbers.
        mosaic: share of the samples that are mosaics of four.
        until: epoch, from 0 on, from which on there are none; None: always.
    """

    def __init__(self, dataset: Any, size: int, transform: Any = None, seed: int = 0, mosaic: float = 0.0,
                 until: int | None = None) -> None:
        from fastnet import transforms as T
        self.dataset, self.seed, self.mosaic, self.until, self.epoch = dataset, seed, mosaic, until, 0
        self.fours = T.Mosaic(dataset, size, scale=(0.5, 1.2), seed=seed, min_size=SMALLEST)
        steps: list[Any] = ([] if transform is None else [transform])
        self.alone = T.Compose([T.LetterBox(size), *steps, T.ToFloat()], min_size=SMALLEST)
        self.joined = T.Compose([*steps, T.ToFloat()], min_size=SMALLEST)

    def __len__(self) -> int:
        return len(self.dataset)

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0 on, whose random numbers are used from now on."""
        self.epoch = epoch
        self.fours.set_epoch(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        from fastnet.transforms.draws import Draws
        key = (self.seed, self.epoch, index)
        joined = (self.until is None or self.epoch < self.until) and Draws(key, 1).child(99).chance(self.mosaic)[0]
        sample = self.fours[index] if joined else self.dataset[index]
        sample = (self.joined if joined else self.alone)({name: sample[name] for name in ("image", "boxes", "labels")}, key=key)
        boxes, labels = np.asarray(sample["boxes"], np.float32), np.asarray(sample["labels"], np.int64)
        return {"boxes": boxes, "labels": labels, "image": sample["image"]}


def load(data: dict[str, Any], seed: int) -> Any:
    """The pictures of [data], to train on and to validate."""
    from fastnet.cli.recipe.sources import Data, split
    if data["name"] == "digit-scenes":
        from fastnet.datasets import DigitScenes
        train, held = (DigitScenes(part, data[part], data["size"], seed) for part in ("train", "test"))
        return Data(train, held, train.classes, {"kind": "boxes"})
    from fastnet.datasets import YoloDetection
    pictures = YoloDetection(data["folder"], "train", names=data.get("names"))
    if isinstance(data["val"], str):
        return Data(pictures, YoloDetection(data["folder"], data["val"], names=data.get("names")), pictures.classes, {"kind": "boxes"})
    kept, left = split(len(pictures), data["val"], seed)
    return Data(Subset(pictures, kept), Subset(pictures, left), pictures.classes, {"kind": "boxes"})


def prepared(tree: dict[str, Any], found: Any, chains: tuple[Any, Any], measured: bool) -> None:
    """Put the pictures of `found` on canvases, those to train on with augmentation unless they are only measured."""
    if "mix" in tree.get("transforms", {}):
        raise Refused("[transforms] mix: pictures with boxes are not mixed; [data] mosaic joins them")
    data, epochs = tree["data"], tree["trainer"].get("epochs")
    until = None if epochs is None else max(0, epochs - data["mosaic_off"])
    mosaic, chain = (0.0, chains[1]) if measured else (data["mosaic"], chains[0])
    found.train = OnCanvas(found.train, data["size"], chain, tree["seed"], mosaic, until)
    found.validation = OnCanvas(found.validation, data["size"], chains[1], tree["seed"])
    sample = found.train[0]
    found.facts = {**found.facts, "shape": list(sample["image"].shape), "classes": found.classes}


def is_detection(tree: dict[str, Any]) -> bool:
    """Whether [data] has boxes."""
    return tree["data"]["name"] in KEYS


def fill(tree: dict[str, Any], found: Any) -> None:
    """The usual loss and metric of a detector."""
    tree.setdefault("loss", {"name": "DetectionLoss"})
    if tree["loss"]["name"] == "DetectionLoss":
        tree["loss"].setdefault("num_classes", len(found.classes))
    tree.setdefault("metrics", {"map": {"name": "MeanAveragePrecision", "convention": "yolo"}})


def check(tree: dict[str, Any]) -> None:
    """Refuse a detector's loss for other data, and data with boxes for another loss."""
    name = tree.get("loss", {}).get("name", "DetectionLoss" if is_detection(tree) else "")
    if (name == "DetectionLoss") != is_detection(tree) and ":" not in name and ":" not in tree["data"]["name"]:
        which = "has boxes: DetectionLoss is their loss" if is_detection(tree) else f"has no boxes; {' and '.join(KEYS)} have"
        raise Refused(f"[loss] name: {name} does not go with [data] {tree['data']['name']}, which {which}")


def for_trainer(tree: dict[str, Any], loss: Any, batches: int) -> tuple[Any, list[Any]]:
    """The batch loss of a detector, and its callbacks."""
    from fastnet.models import DetectionStep, ShiftHeads
    table = tree["trainer"]
    epochs = table.get("epochs") or math.ceil(table["steps"] * table.get("accumulate", 1) / max(1, batches))
    return DetectionStep(loss), [ShiftHeads(loss, epochs)]
