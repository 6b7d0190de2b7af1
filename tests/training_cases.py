"""Small networks and data for the tests of the Trainer."""
import numpy as np

import fastnet as fn


def data(n=20, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 4)).astype("float32"), rng.standard_normal((n, 2)).astype("float32")


def batches(size=5, n=20):
    x, y = data(n)
    return [(fn.tensor(x[i:i + size]), fn.tensor(y[i:i + size])) for i in range(0, n, size)]


def network(seed=0, dtype=fn.float32):
    fn.manual_seed(seed)
    return fn.nn.Sequential(fn.nn.Linear(4, 8), fn.nn.Tanh(), fn.nn.Linear(8, 2)).to(dtype)


def trainer_of(model, lr=0.1, progress=False, **options):
    optimizer = fn.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return fn.Trainer(model, fn.nn.MSELoss(), optimizer, progress=progress, **options)


def weights(model):
    return [param.detach().numpy().copy() for param in model.parameters()]


def same(a, b, tolerance=0.0):
    return all(np.abs(p - q).max() <= tolerance for p, q in zip(weights(a), weights(b), strict=True))
