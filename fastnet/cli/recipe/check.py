"""A recipe checked as a whole, and filled up with its defaults, before anything is loaded."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from fastnet.cli.recipe import boxes, text
from fastnet.cli.recipe.arguments import check_arguments, find
from fastnet.cli.recipe.kinds import (
    COUNT, DECAY, FLAG, NATURAL, POSITIVE, SEED, TABLE, TEXT, Kind, check_table, one_of, shown,
)
from fastnet.cli.recipe.sources import exists, source_of
from fastnet.cli.recipe.toml import SECTIONS, normalised
from fastnet.cli.refused import Refused

TOP = {"name": TEXT, "out": TEXT, "seed": SEED, "threads": COUNT}
DATA = {"name": TEXT, "batch_size": COUNT, "workers": NATURAL, "drop_last": FLAG}
TRAINER = {"epochs": COUNT, "steps": COUNT, "validate_every": COUNT, "accumulate": COUNT, "clip_norm": POSITIVE, "clip_value": POSITIVE,
           "ema": DECAY, "monitor": TEXT, "mode": one_of("min", "max"), "nonfinite": one_of("raise", "skip", "ignore"),
           "checkpoints": TABLE, "early_stopping": TABLE, "doctor": FLAG, "tensorboard": FLAG}
DEFAULTS: dict[str, Any] = {"seed": 0, "data": {"batch_size": 32, "workers": 0}, "optimizer": {"name": "Adam"}}
HOMES = {"trainer": TRAINER, "data": DATA, "optimizer": ("lr", "weight_decay", "momentum", "betas")}
FROM_DATA = ("num_classes", "n_classes", "out_features", "in_channels", "n_channels", "in_features", "image_size", "vocab_size",
             "block_size", "max_position_embeddings")
FROM_RUN = {"OneCycleLR": ("max_lr", "total_steps"), "CosineAnnealingLR": ("T_max",), "PolynomialLR": ("total_iters",)}
NOT_MODELS = ("DetectionLoss", "LanguageModel", "Seq2Seq", "DCGANGenerator", "DCGANDiscriminator", "ResNet", "VGG")
NOT_TRANSFORMS = ("Augmented", "Mosaic", "Transform", "Compose", "Lambda")
NOT_SCHEDULERS = ("LRScheduler", "LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler")


def check(tree: dict[str, Any], paths: bool = True) -> dict[str, Any]:
    """The recipe with its defaults; data and network are not looked at yet.

    Args:
        tree: what the file holds.
        paths: whether the files of the data must be there.

    Raises: Refused that names the section and the key, and says what is expected there.

    >>> from fastnet.cli.recipe.check import check
    >>> tree = check({"data": "digits", "model": "SmallCNN", "optimizer": {"lr": 0.01}, "trainer": {"epochs": 1}})
    >>> tree["optimizer"], tree["data"]["batch_size"]
    ({'lr': 0.01, 'name': 'Adam'}, 32)
    """
    tree = normalised(tree)
    for key in tree:
        home = next((name for name, kinds in HOMES.items() if key in kinds), None)
        if key not in (*TOP, *SECTIONS) and home:
            raise Refused(f"recipe {key}: it belongs into [{home}] (--set {home}.{key}=...)")
    check_table("recipe", tree, TOP | {section: Kind("a table", lambda v: isinstance(v, dict)) for section in SECTIONS})
    for section in ("data", "model", "trainer"):
        if section not in tree:
            raise Refused(f"recipe: there is no [{section}]; it needs {'epochs or steps' if section == 'trainer' else 'a name'}")
    tree = filled(tree, DEFAULTS)
    check_data(tree["data"], paths)
    check_transforms(tree.get("transforms", {}))
    finders: dict[str, tuple[Callable[[str], Callable[..., Any]], tuple[str, ...]]] = {
        "model": (model_of, ()), "loss": (loss_of, ()), "optimizer": (optimizer_of, ("params",)),
        "scheduler": (scheduler_of, ("optimizer",))}
    for section, (finder, provided) in finders.items():
        if section in tree:
            where, table = f"[{section}]", tree[section]
            check_table(where, {k: v for k, v in table.items() if k == "name"}, {"name": TEXT})
            if "name" not in table:
                raise Refused(f"{where}: there is no name")
            function = finder(table["name"])
            fill = {"model": FROM_DATA, "loss": ("num_classes",), "scheduler": FROM_RUN.get(function.__name__, ())}.get(section, ())
            given = {k: v for k, v in table.items() if k != "name"}
            if section == "scheduler" and "interval" in given:
                check_table(where, {"interval": given.pop("interval")}, {"interval": one_of("step", "epoch")})
            check_arguments(where, function, given, (*provided, *(f for f in fill if f not in given)))
    check_trainer(tree["trainer"])
    boxes.check(tree)
    text.check(tree)
    for name, table in tree.get("metrics", {}).items():
        check_metric(name, table)
    return tree


def filled(tree: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The tree with what it lacks of the defaults."""
    tree = deepcopy(tree)
    for key, value in defaults.items():
        if isinstance(value, dict):
            tree[key] = {**tree.get(key, {}), **{k: v for k, v in value.items() if k not in tree.get(key, {})}}
        else:
            tree.setdefault(key, value)
    return tree


def check_data(data: dict[str, Any], paths: bool) -> None:
    """[data], which gets the defaults of its set."""
    if not isinstance(data.get("name"), str):
        raise Refused("[data]: there is no name of a data set")
    source = source_of(data["name"])
    for key, value in source.defaults.items():
        data.setdefault(key, value)
    check_table("[data]", data, DATA | source.kinds)
    for key in source.needs:
        if key not in data:
            raise Refused(f"[data]: {data['name']} needs {key} ({source.kinds[key].words})")
    if paths:
        exists(data)


def check_transforms(table: dict[str, Any]) -> None:
    """[transforms]: lists of names with arguments, for both or neither."""
    lists = dict.fromkeys(("train", "validation"), Kind("a list", lambda v: isinstance(v, list)))
    check_table("[transforms]", table, {**lists, "mix": Kind("a table with a name and arguments", lambda v: isinstance(v, dict))})
    if ("train" in table) != ("validation" in table):
        lacks = "validation" if "train" in table else "train"
        raise Refused(f"[transforms]: give {lacks} as well, so that both kinds of pictures are treated alike; [] does nothing")
    for key, items in table.items():
        for i, item in enumerate(items if key != "mix" else [items]):
            where = f"[transforms] {key}" + f"[{i}]" * (key != "mix")
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                raise Refused(f"{where}: expected the name of a transform, or a table with a name and arguments, got {shown(item)}")
            function = transform_of(item["name"], where)
            fill = ("num_classes",) if key == "mix" and "num_classes" not in item else ()
            check_arguments(where, function, {k: v for k, v in item.items() if k != "name"}, fill)


def check_trainer(table: dict[str, Any]) -> None:
    """[trainer]."""
    from fastnet.training import Checkpoints, EarlyStopping
    check_table("[trainer]", table, TRAINER)
    if "epochs" not in table and "steps" not in table:
        raise Refused("[trainer]: give epochs or steps")
    if "early_stopping" in table:
        check_arguments("[trainer] early_stopping", EarlyStopping, table["early_stopping"])
    check_arguments("[trainer] checkpoints", Checkpoints, table.get("checkpoints", {}), ("folder", "best", "monitor", "mode"))


def check_metric(name: str, table: Any) -> None:
    """A metric: its class and arguments."""
    where = f"[metrics] {name}"
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise Refused(f"{where}: expected the name of a metric, or a table with a name and arguments, got {shown(table)}")
    check_arguments(where, metric_of(table["name"], where), {k: v for k, v in table.items() if k != "name"})


def classes_in(space: Any, base: type, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Names of a module's classes below `base`."""
    return [n for n, v in vars(space).items() if inspect.isclass(v) and issubclass(v, base) and v is not base and n not in leave_out]


def model_of(name: str) -> Callable[..., Any]:
    """A function or class of `fastnet.models`, or the user's own."""
    from fastnet import models, nn
    built = [n for n in models.__all__ if n not in NOT_MODELS and not n.endswith(("_checkpoint", "Embedding", "Positions"))]
    names = [n for n in built if inspect.isfunction(v := getattr(models, n)) and "num_classes" in inspect.signature(v).parameters
             or inspect.isclass(v) and issubclass(v, nn.Module)]
    return find("[model]", name, models, names)


def loss_of(name: str) -> Callable[..., Any]:
    """A loss of `fastnet.nn`, that of detectors, or the user's own."""
    from fastnet import models, nn
    names = [n for n in dir(nn) if n.endswith("Loss")]
    return models.DetectionLoss if name == "DetectionLoss" else find("[loss]", name, nn, [*names, "DetectionLoss"])


def optimizer_of(name: str) -> Callable[..., Any]:
    """An optimizer of `fastnet.optim`, or the user's own."""
    from fastnet import optim
    return find("[optimizer]", name, optim, classes_in(optim, optim.Optimizer, ("LBFGS",)))


def scheduler_of(name: str) -> Callable[..., Any]:
    """A schedule of `fastnet.optim.lr_scheduler`, or the user's own."""
    from fastnet.optim import lr_scheduler
    return find("[scheduler]", name, lr_scheduler, classes_in(lr_scheduler, object, NOT_SCHEDULERS))


def metric_of(name: str, where: str) -> Callable[..., Any]:
    """A metric of `fastnet.metrics`, or the user's own."""
    from fastnet import metrics
    return find(where, name, metrics, [n for n in metrics.__all__ if n != "Metric" and n[0].isupper()])


def transform_of(name: str, where: str) -> Callable[..., Any]:
    """A transform of `fastnet.transforms`, or the user's own."""
    from fastnet import transforms
    return find(where, name, transforms, [n for n in transforms.__all__ if n[0].isupper() and n not in NOT_TRANSFORMS])
