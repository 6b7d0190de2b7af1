"""`fastnet train`: a network on real pictures; weights, a log, the curve as numbers and as a picture."""
from __future__ import annotations

import argparse
import csv
import json
import math
from time import perf_counter

import numpy as np

import fastnet
from fastnet.cli.curve import loss_curve
from fastnet.cli.jobs import DATASETS, Data, Job, optimizer_of, shifted_and_mirrored
from fastnet.cli.progress import Progress
from fastnet.cli.recipe.folder import writable as folder
from fastnet.cli.refused import Refused

Epochs = list[dict[str, float]]


def run(args: argparse.Namespace) -> None:
    """Train, test after each epoch, write the results.  Nothing is trained before the folder for the results is known to work."""
    job = choose(args)
    data = DATASETS[args.dataset]
    out = folder(args.out)
    try:
        train, test = data.load("train", args.data), data.load("test", args.data)
    except (OSError, ValueError) as error:
        raise Refused(f"{error}{'; --data DIR names the folder' if args.data is None else ''}") from None
    fastnet.set_num_threads(args.threads)
    fastnet.manual_seed(args.seed)
    model = job.model()
    epochs = fit(model, job, train, test, args)
    last = epochs[-1]
    fastnet.save(model.state_dict(), out / "weights.fnet")
    settings = {k: getattr(args, k) for k in ("dataset", "network", "epochs", "batch_size", "lr", "seed")} | {
        "threads": fastnet.get_num_threads(), "version": fastnet.__version__, "model": repr(model)}
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
        raise Refused(f"there is no data set {args.dataset!r}; choose one of: {', '.join(DATASETS)}")
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


def fit(model, job: Job, train: Data, test: Data, args: argparse.Namespace) -> Epochs:
    """The learning rate rises from a 25th to --lr and falls to nothing, a little with each step; one entry an epoch."""
    images, labels = train
    rng = np.random.default_rng(args.seed)
    steps = math.ceil(len(labels) / args.batch_size)
    optimizer = optimizer_of(job, model, args.lr)
    schedule = fastnet.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.epochs * steps)
    epochs: Epochs = []
    start = perf_counter()
    with Progress(args.epochs, steps) as progress:
        for epoch in range(1, args.epochs + 1):
            total, order = 0.0, rng.permutation(len(labels))
            for step in range(steps):
                chosen = order[step * args.batch_size:(step + 1) * args.batch_size]
                x = shifted_and_mirrored(images[chosen], rng) if job.augment else images[chosen]
                optimizer.zero_grad()
                loss = fastnet.nn.functional.cross_entropy(model(fastnet.from_numpy(x)), fastnet.from_numpy(labels[chosen]))
                loss.backward()
                optimizer.step()
                schedule.step()
                value = loss.item()
                if not math.isfinite(value):
                    raise Refused(f"the loss became {value} in epoch {epoch}; try a --lr below {args.lr:g}")
                total += value * len(chosen)
                progress.step(epoch, step + 1, value)
            test_loss, accuracy = evaluate(model, *test)
            epochs.append({"epoch": epoch, "train_loss": total / len(labels), "test_loss": test_loss, "test_accuracy": accuracy,
                           "seconds": perf_counter() - start})
            progress.epoch(epochs[-1])
    return epochs


def evaluate(model, images: np.ndarray, labels: np.ndarray, batch: int = 500) -> tuple[float, float]:
    """Mean loss and accuracy of the model in evaluation mode, which is left as it was found."""
    was, loss, right = model.training, 0.0, 0
    model.eval()
    with fastnet.no_grad():
        for at in range(0, len(labels), batch):
            y = fastnet.from_numpy(labels[at:at + batch])
            logits = model(fastnet.from_numpy(images[at:at + batch]))
            loss += fastnet.nn.functional.cross_entropy(logits, y, reduction="sum").item()
            right += (logits.argmax(1) == y).sum().item()
    model.train(was)
    return loss / len(labels), right / len(labels)
