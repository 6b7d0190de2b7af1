"""A small network on 200 handwritten digits, as they are and augmented: moved, turned, scaled and sheared a little, anew in each epoch."""
import time

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet import transforms as T

images, labels = fn.datasets.load_digits("all")
images = (images * 255).astype(np.uint8)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:200], order[200:]

plain = T.Compose([T.ToFloat(), T.Normalize([0.3], [0.35])])
augmented = T.Compose([T.RandomAffine(12, translate=(0.12, 0.12), scale=(0.85, 1.15), shear=8, interpolation="bilinear"), plain])


def accuracy(transform, seed):
    """The part of the other 1,597 digits that a network gets right after 50 epochs on the 200."""
    fn.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = fn.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = fn.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=50 * 4)
    data = T.Augmented(fn.datasets.ArrayDataset(images[train], labels[train]), transform, seed=seed)
    loader = fn.utils.data.DataLoader(data, batch_size=50, shuffle=True)
    for epoch in range(50):
        data.set_epoch(epoch)
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            schedule.step()
    with fn.no_grad():
        guesses = model(fn.from_numpy(plain(images[test]))).argmax(1).numpy()
    return (guesses == labels[test]).mean()


for name, transform in (("as they are", plain), ("augmented", augmented)):
    start = time.perf_counter()
    results = [accuracy(transform, seed) for seed in range(2)]
    print(f"{name}: {100 * np.mean(results):.1f}% right, two networks in {time.perf_counter() - start:.1f} s")
