"""From a checked recipe to what a Trainer takes: data, model, loss, optimizer, schedule, metrics."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.cli.recipe import boxes, text
from fastnet.cli.recipe.arguments import call, parameters
from fastnet.cli.recipe.check import loss_of, metric_of, model_of, optimizer_of, scheduler_of, transform_of
from fastnet.cli.recipe.scaled import Scaled
from fastnet.cli.recipe.sources import Data, source_of
from fastnet.cli.refused import Refused
from fastnet.training import Callback, Checkpoints, EarlyStopping, Trainer
from fastnet.utils.data import DataLoader, RandomSampler


def without_name(table: dict[str, Any]) -> dict[str, Any]:
    """The arguments in a section."""
    return {key: value for key, value in table.items() if key != "name"}


def transforms(tree: dict[str, Any]) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]:
    """What is done to images to train on and to validate; None: nothing."""
    def chain(key: str) -> Callable[[Any], Any] | None:
        items = tree.get("transforms", {}).get(key, [])
        made = [call(f"[transforms] {key}[{i}]", transform_of(item["name"], ""), **without_name(item)) for i, item in enumerate(items)]
        if not made:
            return None
        from fastnet.transforms import Compose, ToFloat
        return Compose([*made, ToFloat()])                # in the same pass; nothing where they are floats already
    return chain("train"), chain("validation")


def data(tree: dict[str, Any], measured: bool = False) -> Data:
    """The data sets, and in `facts` the shape of a sample; `measured`: the samples to train on, too, are treated as those to validate."""
    table = tree["data"]
    try:
        found = source_of(table["name"]).load(table, tree["seed"])
    except (OSError, ValueError) as error:
        raise Refused(f"[data]: {error}") from error
    if len(found.train) == 0:
        raise Refused("[data]: there is no sample to train on")
    if text.is_text(tree):
        text.prepared(tree, found, measured)
        return found
    chains = transforms(tree)
    if boxes.is_detection(tree):
        try:
            boxes.prepared(tree, found, chains, measured)
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise Refused(f"[data]: the first sample: {error}") from error
        return found
    found.train = prepared(found.train, chains[1 if measured else 0], tree["seed"], None if measured else mixing(tree, found.classes))
    found.validation = None if found.validation is None else prepared(found.validation, chains[1], tree["seed"])
    sample = found.train[0]
    shape = list(np.shape(sample[0])) if isinstance(sample, (tuple, list)) else []
    kind = found.facts.get("kind", "image" if len(shape) == 3 else "array")
    found.facts = {**found.facts, "kind": kind, "shape": shape, "classes": found.classes}
    return found


def mixing(tree: dict[str, Any], classes: list[str]) -> Any:
    """What mixes the samples of a batch, MixUp or CutMix; None: nothing."""
    item = tree.get("transforms", {}).get("mix")
    if item is None:
        return None
    arguments = without_name(item)
    if "num_classes" in parameters(transform_of(item["name"], ""))[0] and classes:
        arguments.setdefault("num_classes", len(classes))
    return call("[transforms] mix", transform_of(item["name"], ""), **arguments)


def prepared(dataset: Any, transform: Any, seed: int, mix: Any = None) -> Any:
    """The dataset behind a transform, its random numbers those of (seed, epoch, sample), and images of bytes as numbers from 0 to 1."""
    if transform is not None or mix is not None:
        from fastnet.transforms import Augmented, Compose, ToFloat
        dataset = Augmented(dataset, transform or Compose([ToFloat()]), seed, mix)
    try:
        sample = dataset[0]
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise Refused(f"[{'data' if transform is None else 'transforms'}]: the first sample: {error}") from error
    return Scaled(dataset) if isinstance(sample, (tuple, list)) and getattr(sample[0], "dtype", None) in (np.uint8, fn.uint8) else dataset


def loaders(tree: dict[str, Any], found: Data) -> tuple[DataLoader, DataLoader | None]:
    """Batches to train on, shuffled, and to validate."""
    table = tree["data"]
    options = {"batch_size": table["batch_size"], "num_workers": table["workers"], "collate_fn": collate(tree)}
    # Order, workers and network draw from generators of their own, so that the number of workers changes nothing.
    order, workers = (fn.Generator().manual_seed(tree["seed"] + i) for i in (1, 2))
    train = DataLoader(found.train, sampler=RandomSampler(found.train, generator=order), generator=workers,
                       drop_last=table.get("drop_last", False), **options)
    if not len(train):
        raise Refused(f"[data] batch_size: {len(found.train)} samples make no batch of {table['batch_size']}, and drop_last is true")
    return train, None if found.validation is None else DataLoader(found.validation, generator=workers, **options)


def collate(tree: dict[str, Any]) -> Any:
    """How samples become a batch; None: the usual way."""
    from fastnet.datasets import collate_boxes
    return collate_boxes if boxes.is_detection(tree) else None


def fill_model(tree: dict[str, Any], facts: dict[str, Any]) -> None:
    """Arguments of the model that the data tell, where the recipe does not: they are written into it."""
    known, shape, classes = parameters(model_of(tree["model"]["name"]))[0], facts["shape"], len(facts["classes"])
    outputs = classes or 1
    told = {"num_classes": outputs, "n_classes": outputs, "out_features": outputs, "in_features": math.prod(shape)}
    if len(shape) == 3:
        told |= {"in_channels": shape[0], "n_channels": shape[0], **({"image_size": shape[1]} if shape[1] == shape[2] else {})}
    for key, value in (text.told(facts) if facts.get("kind") == "text" else told).items():
        if key in known:
            tree["model"].setdefault(key, value)


def model(tree: dict[str, Any]) -> Any:
    """The network."""
    made = call("[model]", model_of(tree["model"]["name"]), **without_name(tree["model"]))
    if not isinstance(made, fn.nn.Module):
        raise Refused(f"[model] name: {tree['model']['name']} must return a Module, got {type(made).__name__}")
    return made


def fill_loss_and_metrics(tree: dict[str, Any], found: Data) -> None:
    """The usual loss and metrics where the recipe has none: those of classes (targets are whole numbers), or those of numbers."""
    if boxes.is_detection(tree):
        boxes.fill(tree, found)
        return
    if text.is_text(tree):
        text.fill(tree)
        return
    sample = found.train[0]
    target = np.asarray(sample[-1]) if isinstance(sample, (tuple, list)) else np.zeros(1)
    classes = target.ndim == 0 and target.dtype.kind in "iu"
    tree.setdefault("loss", {"name": "CrossEntropyLoss" if classes else "MSELoss"})
    if "metrics" not in tree:
        tree["metrics"] = {"accuracy": {"name": "Accuracy"}} if classes else {"mae": {"name": "MeanAbsoluteError"}}


def metrics(tree: dict[str, Any]) -> dict[str, Any]:
    """name -> metric."""
    return {name: call(f"[metrics] {name}", metric_of(table["name"], ""), **without_name(table)) for name, table in tree["metrics"].items()}


def scheduler(tree: dict[str, Any], optimizer: Any, batches: int) -> Any:
    """The schedule; what the run knows better than the recipe is filled in."""
    if "scheduler" not in tree:
        return None
    table, trainer = without_name(tree["scheduler"]), tree["trainer"]
    interval = table.pop("interval", None)
    function = scheduler_of(tree["scheduler"]["name"])
    steps = min(trainer.get("steps", math.inf), trainer.get("epochs", math.inf) * math.ceil(batches / trainer.get("accumulate", 1)))
    if function.__name__ == "OneCycleLR":
        table.setdefault("max_lr", optimizer.param_groups[0]["lr"])
        if "epochs" not in table:
            table.setdefault("total_steps", steps)
    length = steps if interval == "step" or "epochs" not in trainer else trainer["epochs"]
    for name, key in (("CosineAnnealingLR", "T_max"), ("PolynomialLR", "total_iters")):
        if function.__name__ == name:
            table.setdefault(key, length)
    tree["scheduler"].update(table)
    return call("[scheduler]", function, optimizer, **table)


def optimizer_for(tree: dict[str, Any], network: Any) -> Any:
    """The optimizer; MuSGD gets its groups: no decay of vectors, and the model's own rates."""
    function, table = optimizer_of(tree["optimizer"]["name"]), without_name(tree["optimizer"])
    params = network.parameters()
    if function is fn.optim.MuSGD:
        params = fn.optim.MuSGD.groups(network, table.pop("weight_decay", 0.0))
    return call("[optimizer]", function, params, **table)


def trainer(tree: dict[str, Any], network: Any, batches: int, out: Path | None, validation: bool = True,
            progress: bool | None = None, callbacks: Iterable[Callback] = ()) -> Trainer:
    """The Trainer of a recipe; without `out` nothing is written."""
    table = tree["trainer"]
    optimizer = optimizer_for(tree, network)
    schedule = scheduler(tree, optimizer, batches)
    loss = call("[loss]", loss_of(tree["loss"]["name"]), **without_name(tree["loss"]))
    options = {key: table[key] for key in ("accumulate", "clip_norm", "clip_value", "ema", "monitor", "mode", "nonfinite") if key in table}
    if not validation and table.get("monitor", "").startswith("val_"):
        raise Refused(f"[trainer] monitor: there is no {table['monitor']} without validation data")
    callbacks = list(callbacks)
    batch_loss: Any = text.LanguageStep() if text.is_text(tree) else None
    if boxes.is_detection(tree):
        if not isinstance(network, fn.models.YOLO26):
            raise Refused(f"[model] name: {tree['model']['name']} finds no boxes; YOLO26 and yolo26n to yolo26x do")
        batch_loss, shift = boxes.for_trainer(tree, loss, batches)
        callbacks += shift
    if "early_stopping" in table:
        callbacks.append(call("[trainer] early_stopping", EarlyStopping, **table["early_stopping"]))
    checkpoints = None
    if out is not None:
        rest = {key: table[key] for key in ("monitor", "mode") if key in table}
        checkpoints = call("[trainer] checkpoints", Checkpoints, out / "checkpoints", best=out / "best.fnet", **rest,
                           **table.get("checkpoints", {}))
    interval = tree.get("scheduler", {}).get("interval")
    return call("[trainer]", Trainer, network, None if batch_loss else loss, optimizer, schedule, batch_loss=batch_loss,
                metrics=metrics(tree), callbacks=callbacks, out=out, checkpoints=checkpoints, scheduler_interval=interval,
                progress=progress, **options)
