"""What `fastnet train` can train: data sets, the networks for each, and the settings that were found good for them."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastnet

Data = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Job:
    """A network and how it is trained unless the command says otherwise; `model` and `optimizer` are tables of a recipe."""
    about: str
    model: dict[str, Any]
    epochs: int
    batch_size: int
    lr: float
    optimizer: dict[str, Any]
    augment: bool = False                                 # shifted and mirrored pictures
    threads: int = 1                                      # 0: all


@dataclass(frozen=True)
class DataSet:
    """Where pictures come from, and the jobs on them, the usual one first."""
    load: Callable[[str, str | None], Data]
    jobs: dict[str, Job]
    classes: Callable[[], Sequence[str]]
    takes_data: bool = False                              # whether --data means something


def digits(split: str, folder: str | None) -> Data:
    from fastnet.datasets import load_digits
    return load_digits(split)


def fashion(split: str, folder: str | None) -> Data:
    from fastnet.datasets import load_fashion_mnist
    images, labels = load_fashion_mnist(split, folder)
    if images.shape[1:] != (1, 28, 28) or labels.max() > 9:
        raise ValueError(f"fashion-mnist: expected images of 28x28 and labels from 0 to 9, got {images.shape[2]}x{images.shape[3]} and "
                         f"labels up to {labels.max()}")
    return images.astype(np.float32) / 255, labels


def fashion_classes() -> Sequence[str]:
    """Names of the clothes."""
    from fastnet.datasets import FASHION_CLASSES
    return FASHION_CLASSES


ADAM = {"name": "Adam"}
SGD = {"name": "SGD", "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
RESNET = {"name": "resnet18", "num_classes": 10, "width": 16, "stem": "cifar", "in_channels": 1}
DATASETS = {
    "digits": DataSet(digits, {
        "cnn": Job("three convolutions", {"name": "SmallCNN"}, 12, 32, 1e-2, ADAM),
        "mlp": Job("one hidden layer", {"name": "MLP", "in_features": 64, "out_features": 10, "hidden": [256]}, 30, 32, 2e-3, ADAM)},
        lambda: [str(i) for i in range(10)]),
    "fashion-mnist": DataSet(fashion, {
        "lenet": Job("LeNet-5, four times as wide", {"name": "LeNet5", "width": 4}, 20, 128, 3e-3, ADAM, augment=True, threads=0),
        "resnet18": Job("ResNet-18, a quarter as wide", RESNET, 6, 128, 0.2, SGD, augment=True, threads=0)},
        fashion_classes, takes_data=True),
}


def recipe(job: Job, args: argparse.Namespace) -> dict[str, Any]:
    """The recipe of a job with its options: what `fastnet evaluate` and `predict` read, and what `fastnet train RECIPE.toml` takes.

    Such a run is much like the job's, not the same to the bit: batches are drawn in another order.
    """
    tree: dict[str, Any] = {"name": f"{args.dataset}-{args.network}", "seed": args.seed, "threads": args.threads}
    tree["data"] = {"name": args.dataset, "batch_size": args.batch_size, **({} if args.data is None else {"folder": args.data})}
    if job.augment:
        moves = [{"name": "RandomCrop", "size": 28, "padding": 2}, {"name": "RandomHorizontalFlip"}]
        tree["transforms"] = {"train": moves, "validation": []}
    tree |= {"model": dict(job.model), "loss": {"name": "CrossEntropyLoss"}, "optimizer": {**job.optimizer, "lr": args.lr},
             "scheduler": {"name": "OneCycleLR"}, "trainer": {"epochs": args.epochs}, "metrics": {"accuracy": {"name": "Accuracy"}}}
    return tree


def shifted_and_mirrored(images: np.ndarray, rng: np.random.Generator, by: int = 2) -> np.ndarray:
    """Each picture moved by up to `by` pixels in either direction, zeros coming in, and mirrored left to right with probability 1/2.

    Args:
        images: (N, C, H, W).
        rng: draws the moves.

    >>> import numpy as np
    >>> from fastnet.cli.jobs import shifted_and_mirrored
    >>> shifted_and_mirrored(np.ones((4, 1, 8, 8), np.float32), np.random.default_rng(0)).shape
    (4, 1, 8, 8)
    """
    n, _, h, w = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (by, by), (by, by)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (h, w), (2, 3))          # (N, C, 2 by + 1, 2 by + 1, H, W)
    moved = windows[np.arange(n), :, rng.integers(0, 2 * by + 1, n), rng.integers(0, 2 * by + 1, n)]
    mirrored = rng.random(n) < 0.5
    moved[mirrored] = moved[mirrored, ..., ::-1]
    return moved


class Batches:
    """The training batches of a job, in a new order in each pass; pictures shifted and mirrored where the job wants that.

    Args:
        data: images and labels.
        batch_size: images a batch; the last of a pass may have fewer.
        seed: of the orders and of the moves.
        augment: whether pictures are moved.
    """

    def __init__(self, data: Data, batch_size: int, seed: int, augment: bool) -> None:
        self.data, self.batch_size, self.augment = data, batch_size, augment
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self.data[1]) // self.batch_size)

    def __iter__(self) -> Iterator[list[Any]]:
        images, labels = self.data
        order = self.rng.permutation(len(labels))
        for at in range(0, len(labels), self.batch_size):
            chosen = order[at:at + self.batch_size]
            x = shifted_and_mirrored(images[chosen], self.rng) if self.augment else images[chosen]
            yield [fastnet.from_numpy(x), fastnet.from_numpy(labels[chosen])]
