"""What Trainer.fit costs beside the plain loop: `python bench/trainer.py`, one thread.

Both make steps on the same batch, by turns: while a fit waits for its next batch, the plain loop makes as many steps as the fit does
then. The times are processor time, the least and the median of all turns. Both loops read each loss as a number and check that it is
finite.
"""
import math
import os
from statistics import median
from time import process_time

import fastnet as fn


def perceptron():
    """8-64-64-4, a batch of 32."""
    nn = fn.nn
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
    return model, fn.optim.Adam(model.parameters()), (fn.randn(32, 8), fn.randint(0, 4, (32,)))


def resnet():
    """ResNet-18 of width 16, a batch of 64 images of 32x32."""
    model = fn.models.resnet18(10, width=16, stem="cifar")
    return model, fn.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), (fn.randn(64, 3, 32, 32), fn.randint(0, 10, (64,)))


def plain(model, loss, optimizer, batches):
    """The loop that a user would write."""
    total = 0.0
    for x, y in batches:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        number = value.item()
        if not math.isfinite(number):
            raise FloatingPointError(number)
        total += number
    return total


def measure(model, optimizer, batch, turns, steps):
    """Seconds a step of the plain loop and of a fit, by turns."""
    loss = fn.nn.CrossEntropyLoss()
    times = {"plain": [], "fit": []}

    def by_turns():
        for _ in range(turns):
            start = process_time()
            plain(model, loss, optimizer, [batch] * steps)
            middle = process_time()
            yield from [batch] * steps                    # the last one's step is over when the next turn is asked for
            times["plain"].append((middle - start) / steps)
            times["fit"].append((process_time() - middle) / steps)

    with open(os.devnull, "w") as nowhere:
        fn.Trainer(model, loss, optimizer, progress=fn.training.Progress(stream=nowhere)).fit(by_turns(), epochs=1)
    return times


def main():
    """A line a network."""
    fn.set_num_threads(1)
    for name, make, turns, steps in (("MLP 8-64-64-4", perceptron, 200, 50), ("ResNet-18", resnet, 40, 1)):
        times = measure(*make(), turns, steps)
        for what, of in (("least", min), ("median", median)):
            step, fit = of(times["plain"]), of(times["fit"])
            print(f"{name:14} {what:7} plain step {step * 1e6:9.2f} us   Trainer adds {(fit - step) * 1e6:8.2f} us  {fit / step - 1:7.2%}")


if __name__ == "__main__":
    main()
