"""What `fastnet train` can train: data sets, the networks for each, and the settings that were found good for them."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastnet
from fastnet.datasets import load_digits, load_fashion_mnist

Data = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Job:
    """A network and how it is trained unless the command says otherwise."""
    about: str
    model: Callable[[], Any]
    epochs: int
    batch_size: int
    lr: float
    optimizer: str = "Adam"                               # Adam, or SGD with Nesterov's momentum and weight decay
    augment: bool = False                                 # shifted and mirrored pictures
    threads: int = 1                                      # 0: all


@dataclass(frozen=True)
class DataSet:
    """Where pictures come from, and the jobs on them, the usual one first."""
    load: Callable[[str, str | None], Data]
    jobs: dict[str, Job]
    takes_data: bool = False                              # whether --data means something


def digits(split: str, folder: str | None) -> Data:
    return load_digits(split)


def fashion(split: str, folder: str | None) -> Data:
    images, labels = load_fashion_mnist(split, folder)
    if images.shape[1:] != (1, 28, 28) or labels.max() > 9:
        raise ValueError(f"fashion-mnist: expected images of 28x28 and labels from 0 to 9, got {images.shape[2]}x{images.shape[3]} and "
                         f"labels up to {labels.max()}")
    return images.astype(np.float32) / 255, labels


def perceptron() -> Any:
    """64 pixels, 256 hidden units, 10 classes."""
    nn = fastnet.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


def small_cnn() -> Any:
    """Three convolutions of 3x3 with batch norm, two poolings, one dense layer, for images of 8x8."""
    nn = fastnet.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 10))


def lenet() -> Any:
    """LeNet-5 of four times the width."""
    from fastnet.models import LeNet5
    return LeNet5(width=4)


def resnet18() -> Any:
    """ResNet-18 for small images, a quarter of the width."""
    from fastnet.models import resnet18
    return resnet18(10, width=16, stem="cifar", in_channels=1)


DATASETS = {
    "digits": DataSet(digits, {
        "cnn": Job("three convolutions", small_cnn, epochs=12, batch_size=32, lr=1e-2),
        "mlp": Job("one hidden layer", perceptron, epochs=30, batch_size=32, lr=2e-3)}),
    "fashion-mnist": DataSet(fashion, {
        "lenet": Job("LeNet-5, four times as wide", lenet, epochs=20, batch_size=128, lr=3e-3, augment=True, threads=0),
        "resnet18": Job("ResNet-18, a quarter as wide", resnet18, epochs=6, batch_size=128, lr=0.2, optimizer="SGD", augment=True,
                        threads=0)}, takes_data=True),
}


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


def optimizer_of(job: Job, model: Any, lr: float) -> Any:
    """The job's optimizer over the model's parameters."""
    if job.optimizer == "SGD":
        return fastnet.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    return fastnet.optim.Adam(model.parameters(), lr=lr)
