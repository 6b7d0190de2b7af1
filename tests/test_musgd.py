"""MuSGD against its formulas written out in float64; its groups; resuming."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import models, nn, optim

SHAPES = [(8, 3), (3, 8), (4, 2, 3, 3), (4, 2, 3, 3), (2, 1, 1, 3), (5,), ()]
FULL = {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.0, "muon": 0.2, "sgd": 1.0, "lr_scale": 1.0}


def written_out(start, gradients, o):
    p, m, b = start.copy(), np.zeros_like(start), np.zeros_like(start)
    lr, k = o["lr"] * o["lr_scale"], o["momentum"]
    for g in gradients:
        if start.ndim > 1:
            m = k * m + (1 - k) * g
            x = (k * m + (1 - k) * g).reshape(len(g), -1)
            tall = x.shape[0] > x.shape[1]
            x = x.T if tall else x
            x = x / (np.sqrt((x ** 2).sum()) + 1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
            x = (x.T if tall else x).reshape(g.shape)
            p = p - lr * o["muon"] * np.sqrt(max(1, g.shape[-2] / g.shape[-1])) * x
        d = g + o["weight_decay"] * p
        b = k * b + d
        p = p - lr * (o["sgd"] if start.ndim > 1 else 1.0) * (d + k * b)
    return p


@pytest.mark.parametrize("options", [{}, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.05, "muon": 0.5, "sgd": 0.5, "lr_scale": 3.0},
                                     {"muon": 0.0}])
def test_musgd_is_its_formulas(options):
    rng = np.random.default_rng(0)
    starts, gradients = [rng.standard_normal(s) for s in SHAPES], [rng.standard_normal((5, *s)) for s in SHAPES]
    params = [nn.Parameter(fn.from_numpy(np.array(s))) for s in starts]
    optimizer = optim.MuSGD(params, **options)
    for k in range(5):
        for p, g in zip(params, gradients):
            p.grad = fn.from_numpy(np.array(g[k]))
        optimizer.step()
    for p, start, g in zip(params, starts, gradients):
        assert np.allclose(p.detach().numpy(), written_out(start, g, {**FULL, **options}), atol=1e-11), start.shape


def test_the_groups_of_a_detector():
    model = models.YOLO26(3, (0.5, 0.125, 64))
    groups = optim.MuSGD.groups(model, 5e-4)
    name = {id(p): n for n, p in model.named_parameters()}
    assert [(g["lr_scale"], g["weight_decay"]) for g in groups] == [(1.0, 5e-4), (1.0, 0.0), (3.0, 5e-4), (3.0, 0.0)]
    assert sum(len(g["params"]) for g in groups) == len(name)
    for g in groups:
        for p in g["params"]:
            assert ("23.cv3." in name[id(p)] or "23.one2one_cv3." in name[id(p)]) == (g["lr_scale"] == 3.0)
            assert (p.ndim > 1) == (g["weight_decay"] > 0) or name[id(p)].endswith("bias")
    optim.MuSGD(groups)


def test_musgd_resumes_from_its_state():
    def run(stop):
        fn.manual_seed(0)
        w, b = nn.Parameter(fn.randn(4, 3)), nn.Parameter(fn.randn(4))
        optimizer = optim.MuSGD([w, b], lr=0.1)
        for i in range(6):
            if i == stop:
                state = optimizer.state_dict()
                optimizer = optim.MuSGD([w, b], lr=9.0)
                optimizer.load_state_dict(state)
            optimizer.zero_grad()
            (fn.nn.functional.linear(fn.ones(2, 3), w, b) ** 2).sum().backward()
            optimizer.step()
        return w.tolist(), b.tolist()
    assert run(3) == run(None)


def test_what_is_refused():
    with pytest.raises(ValueError, match="muon value"):
        optim.MuSGD([nn.Parameter(fn.ones(2, 2))], muon=-1)
    with pytest.raises(ValueError, match="ns_steps"):
        optim.MuSGD([nn.Parameter(fn.ones(2, 2))], ns_steps=0)


@pytest.mark.parametrize("make", [optim.MuSGD, optim.Muon])
def test_matrices_without_elements_stay(make):
    params = [nn.Parameter(fn.ones(*shape)) for shape in ((0, 3), (3, 0), (0, 0), (2, 2))]
    optimizer = make(params, lr=0.1)
    sum((p * p).sum() for p in params).backward()
    optimizer.step()
    assert [tuple(p.shape) for p in params] == [(0, 3), (3, 0), (0, 0), (2, 2)] and bool((params[3] < 1).all())


@pytest.mark.parametrize("shape", [(6, 40), (3, 6, 40)])
def test_wide_matrices_iterate_on_their_products(shape):
    """The short way is the long way; in float32 to a thousandth, also where directions are a million times smaller than others."""
    from fastnet.optim.muon import newton_schulz
    rng = np.random.default_rng(3)
    g = rng.standard_normal((*shape[:-1], shape[-2])) * 10.0 ** -np.linspace(0, 6, shape[-2]) @ rng.standard_normal(shape)
    x = g = g / np.sqrt((g ** 2).sum((-2, -1), keepdims=True))
    for _ in range(5):
        a = x @ np.swapaxes(x, -1, -2)
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    for dtype, error in ((np.float64, 1e-11), (np.float32, 2e-3)):
        got = newton_schulz(fn.tensor(g.astype(dtype)), (3.4445, -4.775, 2.0315), 5).numpy()
        assert np.abs(got - x).max() < error * np.abs(x).max()
