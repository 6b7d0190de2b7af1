"""`fastnet train`: a network on real pictures; weights, a log, the curve as numbers and as a picture."""
from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import fastnet
from fastnet.cli.jobs import DATASETS, Batches, Data, Job, recipe
from fastnet.cli.progress import Progress
from fastnet.cli.recipe import build
from fastnet.cli.recipe.folder import describe, held
from fastnet.cli.refused import Refused
from fastnet.training import Callback, NonFiniteLoss, Trainer
from fastnet.training.curve import loss_curve

Epochs = list[dict[str, float]]


def run(args: argparse.Namespace) -> None:
    """Train, test after each epoch, write the results.  Nothing is trained before the folder for the results is known to work."""
    job = choose(args)
    with held(args.out) as out:
        learn(job, args, out)


def learn(job: Job, args: argparse.Namespace, out: Path) -> None:
    """The same, once the job is chosen and its folder held."""
    data = DATASETS[args.dataset]
    try:
        train, test = data.load("train", args.data), data.load("test", args.data)
    except (OSError, ValueError) as error:
        raise Refused(f"{error}{'; --data DIR names the folder' if args.data is None else ''}") from None
    fastnet.set_num_threads(args.threads)
    fastnet.manual_seed(args.seed)
    tree = recipe(job, args)
    model = build.model(tree)
    epochs = fit(model, tree, train, test, args)
    last = epochs[-1]
    fastnet.save(model.state_dict(), out / "weights.fnet")
    settings = {k: getattr(args, k) for k in ("dataset", "network", "epochs", "batch_size", "lr", "seed")} | {
        "threads": fastnet.get_num_threads(), "version": fastnet.__version__, "model": repr(model)}
    build.fill_model(tree, {"shape": list(train[0].shape[1:]), "classes": list(range(10))})
    describe(out, tree, {"kind": "image", "shape": list(train[0].shape[1:]), "classes": list(data.classes())})
    (out / "log.json").write_text(json.dumps({"settings": settings, "epochs": epochs}, indent=1) + "\n")
    with open(out / "curve.csv", "w", newline="") as file:
        table = csv.DictWriter(file, epochs[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows({k: f"{v:.6g}" for k, v in e.items()} for e in epochs)
    curves = {"training": [e["train_loss"] for e in epochs], "test": [e["test_loss"] for e in epochs]}
    (out / "loss.svg").write_text(loss_curve(curves, f"{args.dataset}, {args.network}: test accuracy {last['test_accuracy']:.1%}"))
    print(f"test accuracy {last['test_accuracy']:.2%} after {len(epochs)} epoch{'s' * (len(epochs) > 1)} in {last['seconds']:.2f} s")
    print(f"wrote weights.fnet, log.json, curve.csv and loss.svg to {out}")


def choose(args: argparse.Namespace) -> Job:
    """The job that the arguments name; what they leave open is filled in from it."""
    if args.dataset not in DATASETS:
        raise Refused(f"there is no data set {args.dataset!r}; choose one of: {', '.join(DATASETS)}, chars, translate, detect, or give a "
                      "RECIPE.toml")
    data = DATASETS[args.dataset]
    args.network = args.network or next(iter(data.jobs))
    if args.network not in data.jobs:
        raise Refused(f"--model {args.network}: for {args.dataset} there is {', '.join(data.jobs)}")
    if args.data is not None and not data.takes_data:
        raise Refused(f"--data {args.data}: {args.dataset} ships with fastnet and is read from there")
    job = data.jobs[args.network]
    for name in ("epochs", "batch_size", "lr"):
        if getattr(args, name) is None:
            setattr(args, name, getattr(job, name))
    args.threads = args.threads or job.threads or fastnet.get_num_threads()
    args.out = args.out or f"runs/{args.dataset}-{args.network}"
    return job


class Shown(Callback):
    """Tells each step and each epoch, and keeps the epochs as log.json has them: the data to validate on are the test images.

    Args:
        progress: draws.
        steps: batches in an epoch.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.steps = progress, steps
        self.epochs: Epochs = []

    def on_step_end(self, trainer: Trainer) -> None:
        """Draw, at most every few milliseconds."""
        self.progress.step(trainer.epoch, trainer.batches, trainer.loss_value)

    def on_record(self, trainer: Trainer) -> None:
        """An epoch is over."""
        r = trainer.record
        self.epochs.append({"epoch": r["epoch"], "train_loss": r["train_loss"], "test_loss": r["val_loss"],
                            "test_accuracy": r["val_accuracy"], "seconds": r["seconds"]})
        self.progress.epoch(self.epochs[-1])


def fit(model: Any, tree: dict[str, Any], train: Data, test: Data, args: argparse.Namespace) -> Epochs:
    """The learning rate rises from a 25th to --lr and falls to nothing, a little with each step; one entry an epoch."""
    batches = Batches(train, args.batch_size, args.seed, "transforms" in tree)
    held = [tuple(fastnet.from_numpy(part[at:at + 500]) for part in test) for at in range(0, len(test[1]), 500)]
    with Progress(args.epochs, len(batches)) as progress:
        shown = Shown(progress, len(batches))
        trainer = build.trainer(tree, model, len(batches), None, progress=False, callbacks=(shown,))
        try:
            trainer.fit(batches, held, epochs=args.epochs)
        except NonFiniteLoss:
            raise Refused(f"the loss became {trainer.loss_value} in epoch {trainer.epoch}; try a --lr below {args.lr:g}") from None
        if trainer.interrupted:
            raise KeyboardInterrupt
    return shown.epochs
