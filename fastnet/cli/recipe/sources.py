"""The data sets that a recipe can name, their keys, and how each becomes two Datasets: to train on and to validate."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fastnet.cli.recipe import boxes, text
from fastnet.cli.recipe.kinds import FLAG, SHARE, SHARE_OR_PATH, TABLE, TEXT, TEXTS, Kind, one_of, shown
from fastnet.cli.refused import Refused
from fastnet.utils.data import Subset


@dataclass
class Data:
    """What a run learns from."""
    train: Any
    validation: Any
    classes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)   # what `fastnet predict` must know: kind, encoder of a table


@dataclass(frozen=True)
class Source:
    """A data set: its keys in [data] besides the common ones, and what loads it, given (data, seed)."""
    kinds: dict[str, Kind]
    load: Callable[[dict[str, Any], int], Data]
    needs: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)


def split(count: int, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and to validate."""
    from fastnet.datasets.table import split_rows
    train, held = split_rows(np.arange(count), share, seed)
    if not len(train) or not len(held):
        raise Refused(f"[data] validation: {share:g} of {count} samples leaves one side empty")
    return train.tolist(), held.tolist()


def in_memory(load: Callable[..., tuple[np.ndarray, np.ndarray]], names: Callable[[dict[str, Any]], Any]) -> Any:
    """A loader of arrays; without `validation` the set's own test images are validated on."""
    def loader(data: dict[str, Any], seed: int) -> Data:
        from fastnet.datasets import ArrayDataset
        options = {"root": data.get("folder")} if load.__name__ != "load_digits" else {}
        if "labels" in data:
            options["labels"] = data["labels"]
        images, labels = load("train", **options)
        classes = list(names(data))
        train = ArrayDataset(images, labels, classes=classes)
        if "validation" in data:
            kept, held = split(len(labels), data["validation"], seed)
            return Data(Subset(train, kept), Subset(train, held), classes)
        return Data(train, ArrayDataset(*load("test", **options)), classes)
    return loader


def image_folder(data: dict[str, Any], seed: int) -> Data:
    """ImageFolder, with another folder to validate on or a share held back."""
    from fastnet.datasets import ImageFolder
    train, held = ImageFolder(data["folder"]), data["validation"]
    if isinstance(held, str):
        other = ImageFolder(held)
        if other.classes != train.classes:
            raise Refused(f"[data] validation: {held} has the classes {', '.join(other.classes)}, but {data['folder']} has "
                          f"{', '.join(train.classes)}")
        return Data(train, other, train.classes, {"kind": "image"})
    kept, left = split(len(train), held, seed)
    return Data(Subset(train, kept), Subset(train, left), train.classes, {"kind": "image"})


def table(data: dict[str, Any], seed: int) -> Data:
    """CSVTable, with another file to validate on or a share of the rows held back."""
    from fastnet.datasets import CSVTable
    options = {k: data[k] for k in ("target", *TABLE_OPTIONS) if k in data}
    held, delimiter = data["validation"], data.get("delimiter")
    if isinstance(held, str):
        train = CSVTable(data["file"], **options)
        validation = CSVTable(held, like=train, delimiter=delimiter)
    else:
        train, validation = (CSVTable(data["file"], split=part, validation=held, seed=seed, **options) for part in ("train", "validation"))
    return of_tables(train, validation, "table")


def arrays(data: dict[str, Any], seed: int) -> Data:
    """NumpyTable of .npy files."""
    from fastnet.datasets import NumpyTable
    options = {k: data[k] for k in ("task", "missing", "standardize") if k in data}
    train, validation = (NumpyTable(data["x"], data["y"], split=part, validation=data["validation"], seed=seed, **options)
                         for part in ("train", "validation"))
    return of_tables(train, validation, "array")


def of_tables(train: Any, validation: Any, kind: str) -> Data:
    """Targets that are numbers get an axis of one, as networks give them."""
    if not train.classes:
        for part in (train, validation):
            if len(part.arrays) < len(train.arrays):
                raise Refused("[data] validation: the file has no target column")
            part.arrays = (*part.arrays[:-1], part.arrays[-1][:, None])
    return Data(train, validation, train.classes, {"kind": kind, "encoder": train.encoder.to_dict()})


def own(data: dict[str, Any], seed: int) -> Data:
    """A function of the user's that returns a Dataset to train on, or one to train on and one to validate."""
    from fastnet.cli.recipe.arguments import call, find
    function = find("[data]", data["name"], None, ())
    made = call("[data]", function, **data.get("arguments", {}))
    train, validation = made if isinstance(made, (tuple, list)) and len(made) == 2 else (made, None)
    for part in (train, validation):
        if part is not None and not (hasattr(part, "__getitem__") and hasattr(part, "__len__")):
            raise Refused(f"[data]: {data['name']} must return a Dataset, or two: to train on and to validate; got {shown(part)}")
    return Data(train, validation, list(getattr(train, "classes", [])))


def loaders() -> dict[str, Any]:
    """Loaders of the sets in memory."""
    from fastnet import datasets
    numbers = [str(i) for i in range(10)]
    return {"digits": in_memory(datasets.load_digits, lambda data: numbers), "mnist": in_memory(datasets.load_mnist, lambda data: numbers),
            "fashion-mnist": in_memory(datasets.load_fashion_mnist, lambda data: datasets.FASHION_CLASSES),
            "cifar10": in_memory(datasets.load_cifar10, lambda data: datasets.CIFAR10_CLASSES),
            "cifar100": in_memory(datasets.load_cifar100,
                                  lambda data: datasets.cifar100_classes(data.get("folder"), data.get("labels", "fine")))}


TABLE_OPTIONS = {"columns": TEXTS, "ignore": TEXTS, "categorical": TEXTS, "task": one_of("classification", "regression"),
                 "missing": one_of("error", "drop", "mean"), "unknown": one_of("error", "zero"), "categories": one_of("one-hot", "index"),
                 "standardize": FLAG, "delimiter": TEXT}
IMAGES = {"folder": TEXT, "validation": SHARE}
SOURCES = {name: Source(IMAGES if name != "digits" else {"validation": SHARE}, load) for name, load in loaders().items()}
SOURCES["cifar100"] = Source({**IMAGES, "labels": one_of("fine", "coarse")}, SOURCES["cifar100"].load)
SOURCES["image-folder"] = Source({"folder": TEXT, "validation": SHARE_OR_PATH}, image_folder, ("folder",), {"validation": 0.1})
SOURCES["csv"] = Source({"file": TEXT, "target": TEXT, "validation": SHARE_OR_PATH, **TABLE_OPTIONS}, table, ("file", "target"),
                        {"validation": 0.1})
SOURCES["npy"] = Source({"x": TEXT, "y": TEXT, "validation": SHARE, "standardize": FLAG, "task": TABLE_OPTIONS["task"],
                         "missing": TABLE_OPTIONS["missing"]}, arrays, ("x", "y"), {"validation": 0.1})
SOURCES |= {name: Source(boxes.KEYS[name], boxes.load, ("folder",) if name == "yolo" else (), boxes.DEFAULTS[name]) for name in boxes.KEYS}
SOURCES |= {name: Source(text.KEYS[name], text.load, (), text.DEFAULTS[name]) for name in text.KEYS}
OWN = Source({"arguments": TABLE}, own)


def source_of(name: str) -> Source:
    """The source of a name in [data]; `module:function` is the user's own."""
    from fastnet.cli.recipe.kinds import closest
    if ":" in name:
        return OWN
    if name not in SOURCES:
        advice = closest(name, SOURCES)
        raise Refused(f"[data] name: there is no data set {name!r}; {advice} (module:function names your own)")
    return SOURCES[name]


def exists(data: dict[str, Any]) -> None:
    """Refuse paths that lead nowhere, before anything is loaded."""
    for key in ("folder", "file", "files", "x", "y", "validation"):
        paths = data.get(key)
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str) and not Path(path).exists():
                raise Refused(f"[data] {key}: there is no {path} (paths are relative to where the command is run)")
