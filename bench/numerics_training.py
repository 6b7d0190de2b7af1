"""A ResNet-18 trained with Winograd's algorithm and without it, from the same seeds: whether the end differs by more than the seeds do."""
from __future__ import annotations

import statistics
import sys

import numpy as np

import fastnet as fn

SEEDS, EPOCHS, IMAGES, BATCH, WIDTH = (0, 1, 2), 3, 6400, 64, 16


def clothes(split: str, count: int, root: str | None) -> tuple[fn.Tensor, fn.Tensor]:
    images, labels = fn.datasets.load_fashion_mnist(split, root)
    x = (images[:count].astype(np.float32) / 255 - 0.286) / 0.353
    return fn.from_numpy(np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])), fn.from_numpy(labels[:count])


def train(seed: int, precision: str, x: fn.Tensor, y: fn.Tensor) -> tuple[fn.nn.Module, float]:
    """The model, and the mean loss of the last epoch."""
    fn.set_float32_matmul_precision(precision)
    fn.manual_seed(seed)
    model = fn.models.resnet18(num_classes=10, width=WIDTH, stem="cifar", in_channels=1)
    steps = len(x) // BATCH
    optimizer = fn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = fn.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    total = 0.0
    for _ in range(EPOCHS):
        order, total = fn.randperm(len(x)).numpy(), 0.0
        for step in range(steps):
            at = order[step * BATCH:(step + 1) * BATCH]
            optimizer.zero_grad()
            loss = fn.nn.functional.cross_entropy(model(x[at]), y[at])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() / steps
    return model, total


def accuracy(model: fn.nn.Module, x: fn.Tensor, y: fn.Tensor) -> float:
    model.eval()
    with fn.no_grad():
        return sum((model(x[i:i + 500]).argmax(1) == y[i:i + 500]).sum().item() for i in range(0, len(x), 500)) / len(x)


def section(root: str | None = None) -> str:
    """The runs as a section in Markdown."""
    data, tests = clothes("train", IMAGES, root), clothes("test", 10000, root)
    found: dict[str, list[tuple[float, float]]] = {"high": [], "highest": []}
    try:
        for seed in SEEDS:
            for precision, runs in found.items():
                model, loss = train(seed, precision, *data)
                runs.append((accuracy(model, *tests), loss))
                print(f"seed {seed}, {precision}: accuracy {runs[-1][0]:.2%}, loss {loss:.4f}", file=sys.stderr)
    finally:
        fn.set_float32_matmul_precision("high")
    rows = [f"| {p} | " + " | ".join(f"{a:.2%} ({loss:.3f})" for a, loss in runs) + f" | {statistics.mean(a for a, _ in runs):.2%} |"
            for p, runs in found.items()]
    means, spreads = zip(*((statistics.mean(a for a, _ in runs), statistics.stdev(a for a, _ in runs)) for runs in found.values()))
    error = (sum(s * s for s in spreads) / len(SEEDS)) ** 0.5
    verdict = "within noise" if abs(means[0] - means[1]) <= 3 * error else "MORE THAN NOISE"
    head = "| precision | " + " | ".join(f"seed {s}" for s in SEEDS) + " | mean |\n|" + "---|" * (len(SEEDS) + 2) + "\n"
    return f"""## Training

A ResNet-18 of width {WIDTH} on the first {IMAGES:,} images of Fashion-MNIST, {EPOCHS} epochs, batches of {BATCH}: accuracy on the 10,000
test images, and in brackets the training loss of the last epoch, with Winograd's algorithm ("high") and without ("highest"), from the same
seeds. The means differ by {abs(means[0] - means[1]):.2%}; the standard error of that is {error:.2%}: {verdict}.

{head}""" + "\n".join(rows) + "\n"
