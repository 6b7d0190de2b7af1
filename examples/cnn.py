"""Train a small convolutional network on real digits, fold its batch norms into the convolutions, and look at where it looks."""
from time import perf_counter

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.utils.data import DataLoader, TensorDataset

fn.manual_seed(0)
train = TensorDataset(*map(fn.from_numpy, load_digits("train")))
images, labels = map(fn.from_numpy, load_digits("test"))
model = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
    nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10))
optimizer = fn.optim.Adam(model.parameters(), lr=5e-3)
schedule = fn.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
start = perf_counter()
for epoch in range(12):
    for x, y in DataLoader(train, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    schedule.step()
print(f"12 epochs in {perf_counter() - start:.2f} s, last loss {loss.item():.4f}")


def test(network):
    """Accuracy, and seconds for all test images."""
    begin = perf_counter()
    with fn.no_grad():
        accuracy = (network(images).argmax(1) == labels).float().mean().item()
    return accuracy, perf_counter() - begin


model.eval()
print("test accuracy {:.2%} in {:.4f} s".format(*test(model)))
fused = fn.fuse_conv_bn(model, images)
print("with batch norm folded into the convolutions {:.2%} in {:.4f} s".format(*test(fused)))

# The gradient of the winning logit with respect to the pixels: which of them decide
image = images[:1].clone().requires_grad_()
model(image).max().backward()
influence = image.grad.abs()[0, 0].numpy()
print(f"\na {labels[0].item()}, and the pixels that decide:")
for row, weight in zip(images.numpy()[0, 0], influence / influence.max(), strict=True):
    print("".join(" .:*#"[int(4 * v)] * 2 for v in row), "   ", "".join(" .:*#"[int(4 * v)] * 2 for v in weight))
