"""`fastnet train`: a perceptron on a data set that ships with the package; weights, a log and a picture of the loss."""
from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from time import perf_counter

import fastnet
from fastnet.cli.curve import loss_curve
from fastnet.cli.progress import Progress

DATASETS = ("digits",)


class Refused(Exception):
    """A request that cannot be carried out; the message says what to change."""


def run(args: argparse.Namespace) -> None:
    """Train, test after each epoch, write the results.  Nothing is trained before the folder for the results is known to work."""
    if args.dataset not in DATASETS:
        raise Refused(f"there is no data set {args.dataset!r}; choose one of: {', '.join(DATASETS)}")
    out = folder(args.out)
    fastnet.set_num_threads(args.threads)
    fastnet.manual_seed(args.seed)
    train, test = digits("train"), digits("test")
    model = perceptron()
    epochs = fit(model, train, test, args)
    last = epochs[-1]
    fastnet.save(model.state_dict(), out / "weights.fnet")
    settings = {k: getattr(args, k) for k in ("dataset", "epochs", "batch_size", "lr", "seed")} | {
        "threads": fastnet.get_num_threads(), "version": fastnet.__version__, "model": repr(model)}
    (out / "log.json").write_text(json.dumps({"settings": settings, "epochs": epochs}, indent=1) + "\n")
    curves = {"training": [e["train_loss"] for e in epochs], "test": [e["test_loss"] for e in epochs]}
    (out / "loss.svg").write_text(loss_curve(curves, f"{args.dataset}: test accuracy {last['test_accuracy']:.1%}"))
    print(f"test accuracy {last['test_accuracy']:.2%} after {len(epochs)} epoch{'s' * (len(epochs) > 1)} in {last['seconds']:.2f} s")
    print(f"wrote {out / 'weights.fnet'}, {out / 'log.json'} and {out / 'loss.svg'}")


def folder(name: str) -> Path:
    """The folder for the results, made and tried."""
    out = Path(name)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Refused(f"--out {name}: a file stands in the way; give the name of a folder") from None
    except OSError as error:
        raise Refused(f"--out {name}: cannot make this folder ({error.strerror}); give one that you may write to") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise Refused(f"--out {name}: you may not write to this folder; give another one")
    return out


def digits(split: str) -> fastnet.utils.data.TensorDataset:
    """The handwritten digits as a data set of (image, label)."""
    from fastnet.datasets import load_digits
    images, labels = load_digits(split)
    return fastnet.utils.data.TensorDataset(fastnet.from_numpy(images), fastnet.from_numpy(labels))


def perceptron() -> fastnet.nn.Sequential:
    """64 pixels, 256 hidden units, 10 classes."""
    nn = fastnet.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


def fit(model, train, test, args: argparse.Namespace) -> list[dict[str, float]]:
    """Adam with a learning rate that falls along a cosine; one entry an epoch."""
    optimizer = fastnet.optim.Adam(model.parameters(), lr=args.lr)
    schedule = fastnet.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    batches = fastnet.utils.data.DataLoader(train, batch_size=args.batch_size, shuffle=True)
    epochs: list[dict[str, float]] = []
    start = perf_counter()
    with Progress(args.epochs, len(batches)) as progress:
        for epoch in range(1, args.epochs + 1):
            total = 0.0
            for step, (x, y) in enumerate(batches, 1):
                optimizer.zero_grad()
                loss = fastnet.nn.functional.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                value = loss.item()
                if not math.isfinite(value):
                    raise Refused(f"the loss became {value} in epoch {epoch}; try a --lr below {args.lr:g}")
                total += value * len(y)
                progress.step(epoch, step, value)
            schedule.step()
            test_loss, accuracy = evaluate(model, *test.tensors)
            epochs.append({"epoch": epoch, "train_loss": total / len(train), "test_loss": test_loss, "test_accuracy": accuracy,
                           "seconds": perf_counter() - start})
            progress.epoch(epochs[-1])
    return epochs


def evaluate(model, x: fastnet.Tensor, y: fastnet.Tensor) -> tuple[float, float]:
    """Mean loss and accuracy on (x, y)."""
    with fastnet.no_grad():
        logits = model(x)
        loss = fastnet.nn.functional.cross_entropy(logits, y).item()
        right = (logits.argmax(1) == y).sum().item()
    return loss, right / len(y)
