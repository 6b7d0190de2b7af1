"""Segment with a U-Net: several real digits lie on a noisy field, and every pixel is told which digit it belongs to, or none."""
from time import perf_counter

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.models import UNet

SIDE, DIGITS, NONE = 32, 5, 10
STEPS, STEP = 300, 0.01


def fields(images, labels, count, rng):
    """Fields with digits that do not overlap, as (count, 1, SIDE, SIDE), and the class of each pixel, (count, SIDE, SIDE)."""
    x = rng.random((count, 1, SIDE, SIDE), np.float32) * 0.3
    y = np.full((count, SIDE, SIDE), NONE, np.int64)
    for i in range(count):
        for cell in rng.choice(9, DIGITS, replace=False):              # one of nine cells, and somewhere in it
            top, left = 10 * np.array(divmod(cell, 3)) + rng.integers(0, 3, 2)
            j = rng.integers(len(labels))
            ink = images[j, 0]
            x[i, 0, top:top + 8, left:left + 8] += 0.7 * ink
            y[i, top:top + 8, left:left + 8][ink > 0.25] = labels[j]
    return fn.from_numpy(x), fn.from_numpy(y)


train, test = load_digits("train"), load_digits("test")
fn.manual_seed(0)
rng = np.random.default_rng(0)
model = UNet(1, 11, width=12)
optimizer = fn.optim.Adam(model.parameters(), lr=STEP)
schedule = fn.optim.lr_scheduler.OneCycleLR(optimizer, STEP, total_steps=STEPS)
weight = fn.tensor([1.0] * 10 + [0.1])                   # nine pixels of ten are of no digit
start = perf_counter()
for step in range(STEPS):
    x, y = fields(*train, 16, rng)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y, weight)
    loss.backward()
    optimizer.step()
    schedule.step()
print(f"{STEPS} steps in {perf_counter() - start:.1f} s, last loss {loss.item():.3f}")

x, y = fields(*test, 64, rng)
model.eval()
with fn.no_grad():
    guesses = model(x).argmax(1).numpy()
truth = y.numpy()
overlaps = [((guesses == k) & (truth == k)).sum() / ((guesses == k) | (truth == k)).sum() for k in range(11)]
print(f"pixels right: {(guesses == truth).mean():.1%}; of the digits' own: {(guesses == truth)[truth != NONE].mean():.1%}; "
      f"mean intersection over union: {np.mean(overlaps):.2f}")
print("\na field, and what the network sees in it:")
for row, classes in zip(x.numpy()[0, 0], guesses[0], strict=True):
    print("".join(" .:*#"[min(int(5 * v), 4)] for v in row), "".join("." if k == NONE else str(k) for k in classes))
