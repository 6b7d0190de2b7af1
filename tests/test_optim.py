"""Every optimizer over 100 steps against its formula written out in NumPy float64, in both dtypes, with every option."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import optim

STEPS = 100


class Reference:
    """One parameter in NumPy: `step(g)` is the definition. `k`: options; `t`: step from 1; `s`: state by name."""

    def __init__(self, p, **options):
        self.p, self.k, self.t, self.s = p.copy(), options, 0, {}

    def state(self, name, start=0.0):
        return self.s.setdefault(name, np.full_like(self.p, start))

    def gradient(self, g):
        g = -g if self.k.get("maximize") else g
        decay = self.k.get("weight_decay", 0)
        if self.k.get("decoupled"):
            self.p = self.p * (1 - self.k["lr"] * decay)
            return g
        return g + decay * self.p


class SGD(Reference):
    def step(self, g):
        g, mu = self.gradient(g), self.k.get("momentum", 0)
        if mu:
            self.s["b"] = g if self.t == 1 else mu * self.s["b"] + (1 - self.k.get("dampening", 0)) * g
            g = g + mu * self.s["b"] if self.k.get("nesterov") else self.s["b"]
        self.p = self.p - self.k["lr"] * g


class Adam(Reference):
    def moments(self, g):
        b1, b2 = self.k["betas"]
        self.s["m"] = b1 * self.state("m") + (1 - b1) * g
        self.s["v"] = b2 * self.state("v") + (1 - b2) * g * g
        return b1, b2, self.s["m"], self.s["v"]

    def step(self, g):
        b1, b2, m, v = self.moments(self.gradient(g))
        if self.k.get("amsgrad"):
            v = self.s["top"] = np.maximum(self.state("top"), v)
        self.p = self.p - self.k["lr"] * (m / (1 - b1**self.t)) / (np.sqrt(v / (1 - b2**self.t)) + 1e-8)


class NAdam(Adam):
    def step(self, g):
        g = self.gradient(g)
        b1, b2, m, v = self.moments(g)
        mu, after = (b1 * (1 - 0.5 * 0.96 ** (t * self.k.get("momentum_decay", 4e-3))) for t in (self.t, self.t + 1))
        product = self.s["product"] = self.state("product", 1.0) * mu
        mean = after * m / (1 - product * after) + (1 - mu) * g / (1 - product)
        self.p = self.p - self.k["lr"] * mean / (np.sqrt(v / (1 - b2**self.t)) + 1e-8)


class RAdam(Adam):
    def step(self, g):
        b1, b2, m, v = self.moments(self.gradient(g))
        m = m / (1 - b1**self.t)
        most = 2 / (1 - b2) - 1
        rho = most - 2 * self.t * b2**self.t / (1 - b2**self.t)
        if rho > 5:
            r = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
            m = m * r * np.sqrt(1 - b2**self.t) / (np.sqrt(v) + 1e-8)
        self.p = self.p - self.k["lr"] * m


class Adamax(Adam):
    def step(self, g):
        g = self.gradient(g)
        b1, b2 = self.k["betas"]
        self.s["m"] = b1 * self.state("m") + (1 - b1) * g
        self.s["u"] = np.maximum(b2 * self.state("u"), np.abs(g) + 1e-8)
        self.p = self.p - self.k["lr"] / (1 - b1**self.t) * self.s["m"] / self.s["u"]


class RMSprop(Reference):
    def step(self, g):
        g, a, mu = self.gradient(g), self.k.get("alpha", 0.99), self.k.get("momentum", 0)
        v = self.s["v"] = a * self.state("v") + (1 - a) * g * g
        if self.k.get("centered"):
            self.s["mean"] = a * self.state("mean") + (1 - a) * g
            v = v - self.s["mean"] ** 2
        move = g / (np.sqrt(v) + 1e-8)
        if mu:
            move = self.s["b"] = mu * self.state("b") + move
        self.p = self.p - self.k["lr"] * move


class Adagrad(Reference):
    def step(self, g):
        g = self.gradient(g)
        self.s["sum"] = self.state("sum", self.k.get("initial_accumulator_value", 0)) + g * g
        self.p = self.p - self.k["lr"] / (1 + (self.t - 1) * self.k.get("lr_decay", 0)) * g / (np.sqrt(self.s["sum"]) + 1e-10)


class Adadelta(Reference):
    def step(self, g):
        g, rho = self.gradient(g), self.k.get("rho", 0.9)
        v = self.s["v"] = rho * self.state("v") + (1 - rho) * g * g
        delta = np.sqrt(self.state("a") + 1e-6) / np.sqrt(v + 1e-6) * g
        self.s["a"] = rho * self.s["a"] + (1 - rho) * delta**2
        self.p = self.p - self.k["lr"] * delta


class Rprop(Reference):
    def step(self, g):
        g = -g if self.k.get("maximize") else g
        turn = np.sign(g * self.state("prev"))
        size = self.state("size", self.k["lr"])
        self.s["size"] = np.clip(np.where(turn > 0, size * 1.2, np.where(turn < 0, size * 0.5, size)), 1e-6, 50)
        self.s["prev"] = np.where(turn < 0, 0, g)
        self.p = self.p - np.sign(self.s["prev"]) * self.s["size"]


class ASGD(Reference):
    def step(self, g):
        g = self.gradient(g)
        lr, lambd, t0 = self.k["lr"], self.k.get("lambd", 1e-4), self.k.get("t0", 1e6)
        eta = lr if self.t == 1 else lr / (1 + lambd * lr * (self.t - 1)) ** self.k.get("alpha", 0.75)
        self.p = self.p * (1 - lambd * eta) - eta * g
        mu = 1 / max(1, self.t - 1 - t0) if self.t > 1 else 1.0
        self.s["ax"] = self.state("ax") + (self.p - self.state("ax")) * mu


class Lion(Reference):
    def step(self, g):
        g = self.gradient(g)
        b1, b2 = self.k["betas"]
        m = self.state("m")
        self.p = self.p - self.k["lr"] * np.sign(b1 * m + (1 - b1) * g)
        self.s["m"] = b2 * m + (1 - b2) * g


B, L = (0.9, 0.999), (0.9, 0.99)
CASES = [
    (SGD, {"lr": 0.1}), (SGD, {"lr": 0.1, "momentum": 0.9}), (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "maximize": True}), (Adam, {"lr": 0.01, "betas": B}),
    (Adam, {"lr": 0.01, "betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True}), (Adam,
                                                                                       {"lr": 0.01, "betas": (0.8, 0.9), "amsgrad": True}),
    (Adam, {"lr": 0.01, "betas": B, "weight_decay": 0.1, "decoupled": "AdamW"}), (NAdam, {"lr": 0.01, "betas": B}),
    (NAdam, {"lr": 0.01, "betas": B, "weight_decay": 0.1, "momentum_decay": 0.01, "maximize": True}),
    (NAdam, {"lr": 0.01, "betas": B, "weight_decay": 0.1, "decoupled": True}), (RAdam, {"lr": 0.01, "betas": B}),
    (RAdam, {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1, "maximize": True}),
    (RAdam, {"lr": 0.01, "betas": B, "weight_decay": 0.1, "decoupled": True}), (Adamax, {"lr": 0.01, "betas": B}),
    (Adamax, {"lr": 0.01, "betas": B, "weight_decay": 0.1, "maximize": True}), (RMSprop, {"lr": 0.01}),
    (RMSprop, {"lr": 0.01, "alpha": 0.9, "centered": True, "weight_decay": 0.1}), (RMSprop,
                                                                                   {"lr": 0.01, "momentum": 0.9, "maximize": True}),
    (RMSprop, {"lr": 0.01, "momentum": 0.9, "centered": True, "alpha": 0.9}), (Adagrad, {"lr": 0.1}),
    (Adagrad, {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "maximize": True}),
    (Adadelta, {"lr": 1.0}),
    (Adadelta, {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1, "maximize": True}), (Rprop, {"lr": 0.01}),
    (Rprop, {"lr": 0.01, "maximize": True}),
    (ASGD, {"lr": 0.1}), (ASGD, {"lr": 0.1, "lambd": 0.01, "t0": 20, "weight_decay": 0.1, "maximize": True}),
    (Lion, {"lr": 0.01, "betas": L}), (Lion, {"lr": 0.01, "betas": L, "weight_decay": 0.1, "maximize": True, "decoupled": "Lion"}),
]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 2e-3)])
@pytest.mark.parametrize("reference, options", CASES, ids=lambda value: getattr(value, "__name__", None) or ",".join(map(str, value)))
def test_a_hundred_steps(reference, options, dtype, tolerance):
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape) for shape in [(3, 5), (17,), (), (2, 3, 4), (1,)]]
    targets = [rng.standard_normal(start.shape) for start in starts]
    decoupled = options.get("decoupled")
    name = decoupled if isinstance(decoupled, str) else reference.__name__
    given = {key: value for key, value in options.items() if key != "decoupled"}
    if decoupled is True:
        given["decoupled_weight_decay"] = True
    params = [fn.nn.Parameter(fn.tensor(start.astype(dtype))) for start in starts]
    optimizer = getattr(optim, name)(params, **given)
    references = [reference(start.astype(dtype).astype("float64"), **options) for start in starts]
    sign = -1 if options.get("maximize") else 1
    for t in range(STEPS):
        optimizer.zero_grad()
        for i, (param, ref, target) in enumerate(zip(params, references, targets)):
            if i == 2 and t % 3 == 1:                      # a parameter without a gradient stays as it is
                continue
            # the gradient of sign * (p - target)^2 / 2 plus noise, the same for both
            noise = 0.1 * rng.standard_normal(ref.p.shape)
            p = param.detach().numpy().astype("float64") if dtype == "float32" else ref.p
            g = (sign * (p - target) + noise).astype(dtype)
            param.grad = fn.tensor(g)
            ref.t += 1
            ref.step(g.astype("float64"))
        optimizer.step()
    if reference in (NAdam, ASGD):                         # they keep scalars in float32, as PyTorch does
        tolerance = max(tolerance, 1e-7)
    for param, ref in zip(params, references):
        error = np.abs(param.detach().numpy() - ref.p).max()
        assert error <= tolerance * max(1, np.abs(ref.p).max()), (error, ref.p.shape)


def test_mixed_dtypes_in_one_group():
    params = [fn.nn.Parameter(fn.ones(3, dtype=dtype)) for dtype in (fn.float32, fn.float64, fn.float32, fn.float64)]
    optimizer = optim.Adam(params, lr=0.1)
    for _ in range(2):
        for param in params:
            param.grad = fn.ones_like(param.detach())
        optimizer.step()
    assert all(np.allclose(param.detach().numpy(), 0.8, atol=1e-6) for param in params)


def test_lbfgs_finds_the_minimum_of_rosenbrock():
    x = fn.nn.Parameter(fn.zeros(6, dtype=fn.float64))
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe", history_size=7)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss
    for _ in range(6):
        optimizer.step(closure)
    assert np.allclose(x.detach().numpy(), 1, atol=1e-4) and len(calls) < 120
    plain = fn.nn.Parameter(fn.tensor([3.0, -2.0], dtype=fn.float64))
    scale = fn.tensor([1.0, 10.0], dtype=fn.float64)
    optimizer = optim.LBFGS([plain], lr=0.5)

    def quadratic():
        optimizer.zero_grad()
        loss = (scale * plain * plain).sum()
        loss.backward()
        return loss
    first = optimizer.step(quadratic)
    assert first.item() == pytest.approx(49.0) and quadratic().item() < 1e-6
    with pytest.raises(ValueError, match="line_search_fn"):
        optim.LBFGS([plain], line_search_fn="armijo")
    with pytest.raises(ValueError, match="parameter groups"):
        optim.LBFGS([{"params": [plain]}, {"params": [x]}])
    with pytest.raises(ValueError, match="LBFGS.step needs a closure"):
        optimizer.step()
