"""Train a perceptron on real handwritten digits with a plain loop, save it, load it, and look at its mistakes."""
from time import perf_counter

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.utils.data import DataLoader, TensorDataset

fn.manual_seed(0)
train = TensorDataset(*map(fn.from_numpy, load_digits("train")))
images, labels = map(fn.from_numpy, load_digits("test"))


def network():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))


model = network()
optimizer = fn.optim.Adam(model.parameters(), lr=2e-3)
schedule = fn.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
start = perf_counter()
for epoch in range(30):
    for x, y in DataLoader(train, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    schedule.step()
print(f"30 epochs in {perf_counter() - start:.2f} s, last loss {loss.item():.4f}")

fn.save(model.state_dict(), "digits.fnet")
model = network()
model.load_state_dict(fn.load("digits.fnet"))
with fn.no_grad():
    guesses = model(images).argmax(1)
wrong = (guesses != labels).numpy().nonzero()[0]
print(f"test accuracy {1 - len(wrong) / len(labels):.2%}; {len(wrong)} of {len(labels)} are wrong")
for i in wrong[:2]:
    print(f"\na {labels[i].item()} that it reads as a {guesses[i].item()}:")
    for row in images.numpy()[i, 0]:
        print("".join(" .:*#"[int(4 * ink)] * 2 for ink in row))
