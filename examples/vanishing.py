"""A deep sigmoid network whose gradient vanishes, and three cures: batch norm, residual connections, ReLU with its initialisation.

--svg FILE draws the gradient flow of the four.
"""
import argparse

import fastnet as fn
from fastnet import nn
from fastnet.datasets import load_digits
from fastnet.doctor import gradient_flow
from fastnet.utils.data import DataLoader, TensorDataset

DEPTH, WIDTH = 10, 64
fn.set_num_threads(1)                                      # layers this small gain nothing from more
train = TensorDataset(*map(fn.from_numpy, load_digits("train")))
images, labels = map(fn.from_numpy, load_digits("test"))


class Residual(nn.Module):
    """x + f(x): whatever f does to the gradient, it also passes x by."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return x + self.f(x)


def plain():
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Sigmoid())


def batch_norm():
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.Sigmoid())


def residual():
    return Residual(nn.Sequential(nn.Sigmoid(), nn.Linear(WIDTH, WIDTH)))


def relu():
    layer = nn.Linear(WIDTH, WIDTH)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.ReLU())


def network(block):
    fn.manual_seed(0)
    return nn.Sequential(nn.Flatten(), *[block() for _ in range(DEPTH)], nn.Linear(WIDTH, 10))


def accuracy(model):
    """After eight epochs."""
    optimizer = fn.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(8):
        for x, y in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    model.eval()
    with fn.no_grad():
        return (model(images).argmax(1) == labels).numpy().mean()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--svg", help="where to draw the gradient flow")
    svg = parser.parse_args().svg
    flows = {}
    print(f"{DEPTH} layers            gradient of the first layer   test accuracy   verdicts")
    print("                     over that of the last")
    for name, block in {"sigmoid": plain, "batch norm": batch_norm, "residual": residual, "ReLU, Kaiming": relu}.items():
        model = network(block)
        report = fn.diagnose(model, nn.CrossEntropyLoss(), train, batch_size=64)
        flows[name] = list(report.flow().values())
        verdicts = ", ".join(v.name for v in report.verdicts) or "none"
        print(f"{name:20} {report.depth_ratio:<29.1e} {accuracy(model):<15.1%} {verdicts}")
    if svg:
        with open(svg, "w", encoding="utf-8") as file:
            file.write(gradient_flow(flows, title=f"Gradient flow before training, {DEPTH} hidden layers"))
