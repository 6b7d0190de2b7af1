"""Muon against its formulas, averages of weights, schedules for them; PyTorch's values."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import nn, optim
from fastnet.optim.muon import orthogonal
from fastnet.optim.swa_utils import SWALR, AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, update_bn


@pytest.mark.parametrize("shape", [(4, 4), (3, 8), (9, 2)])
def test_the_iteration_keeps_the_directions_and_evens_the_lengths(shape):
    g = np.random.default_rng(0).standard_normal(shape)
    y = orthogonal(fn.from_numpy(g), (3.4445, -4.775, 2.0315), 10, 1e-7).numpy()
    u, _, vt = np.linalg.svd(g, full_matrices=False)
    s = np.diag(u.T @ y @ vt.T)
    assert s.min() > 0.6 and s.max() < 1.3 and np.allclose(u * s @ vt, y, atol=1e-8)


@pytest.mark.parametrize("options", [{}, {"nesterov": False, "weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw", "momentum": 0.8}])
def test_muon_is_its_formula_and_pytorchs(options):
    rng = np.random.default_rng(1)
    start, gradients = rng.standard_normal((6, 4)), rng.standard_normal((5, 6, 4))
    w = nn.Parameter(fn.from_numpy(start.copy()))
    optimizer = optim.Muon([w], lr=0.05, **options)
    p, m = start.copy(), 0.0
    full = {"weight_decay": 0.1, "momentum": 0.95, "nesterov": True, "adjust_lr_fn": None, **options}
    for g in gradients:
        w.grad = fn.from_numpy(g)
        optimizer.step()
        k = full["momentum"]
        m = k * m + (1 - k) * g
        x = (k * m + (1 - k) * g if full["nesterov"] else m).T
        x = x / np.linalg.norm(x)
        for _ in range(5):
            x = 3.4445 * x + (-4.775 * x @ x.T + 2.0315 * (x @ x.T) @ (x @ x.T)) @ x
        p = p * (1 - 0.05 * full["weight_decay"]) - 0.05 * (0.2 * 6 ** 0.5 if full["adjust_lr_fn"] else 1.5 ** 0.5) * x.T
    assert np.allclose(w.detach().numpy(), p, atol=1e-12)
    torch = pytest.importorskip("torch")
    v = torch.nn.Parameter(torch.from_numpy(start.copy()))
    theirs = torch.optim.Muon([v], lr=0.05, **options)
    for g in gradients:
        v.grad = torch.from_numpy(g)
        theirs.step()
    assert np.allclose(w.detach().numpy(), v.detach().numpy(), atol=0.02)      # PyTorch iterates in bfloat16


def test_muon_refuses_what_is_no_matrix():
    with pytest.raises(ValueError, match=r"Muon: only parameters of 2 axes, got \(3,\)"):
        optim.Muon([nn.Parameter(fn.ones(3))])
    with pytest.raises(ValueError, match="Muon: adjust_lr_fn"):
        optim.Muon([nn.Parameter(fn.ones(3, 3))], adjust_lr_fn="half")


def test_muon_resumes_from_its_state():
    def run(stop):
        fn.manual_seed(0)
        w = nn.Parameter(fn.randn(4, 3))
        step = optim.Muon([w], lr=0.1)
        for i in range(6):
            if i == stop:
                state, w = step.state_dict(), nn.Parameter(w.detach().clone())
                step = optim.Muon([w], lr=0.7)
                step.load_state_dict(state)
            w.grad = fn.sin(3 * w.detach())
            step.step()
        return w.detach()
    assert fn.equal(run(None), run(3))


@pytest.mark.parametrize("shape", [(), (5,), (6, 4), (2, 3, 4)])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "maximize": True},
                                     {"lr": 0.4, "eps": (1e-3, 0.5), "d": 2.0, "beta2_decay": -0.5}])
def test_adafactor_is_its_formula_and_pytorchs(shape, options):
    rng = np.random.default_rng(2)
    start, gradients = rng.standard_normal(shape), rng.standard_normal((5, *shape))
    gradients[1] *= 30                                     # so that the update is clipped
    full = {"lr": 1e-2, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0, "weight_decay": 0.0, "maximize": False, **options}
    w = nn.Parameter(fn.from_numpy(start.copy()))
    optimizer = optim.Adafactor([w], **options)
    p, rows, columns, v = start.copy(), 0.0, 0.0, 0.0
    least, smallest = full["eps"]
    least = np.finfo(np.float64).eps if least is None else least
    for t, g in enumerate(gradients, 1):
        w.grad = fn.tensor(g, dtype=fn.float64)
        optimizer.step()
        g, new = -g if full["maximize"] else g, t ** full["beta2_decay"]
        alpha = max(smallest, np.sqrt(np.mean(p ** 2))) * min(full["lr"], 1 / np.sqrt(t))
        p = p * (1 - full["lr"] * full["weight_decay"])
        if len(shape) > 1:
            rows, columns = (1 - new) * rows + new * (g * g).mean(-1), (1 - new) * columns + new * (g * g).mean(-2)
            v = rows[..., :, None] * columns[..., None, :] / np.maximum(rows.mean(-1), least)[..., None, None]
        else:
            v = (1 - new) * v + new * g * g
        u = g / np.maximum(np.sqrt(v), least)
        p = p - alpha * u / max(1, np.sqrt(np.mean(u ** 2)) / full["d"])
    assert np.allclose(w.detach().numpy(), p, rtol=1e-10, atol=1e-12)
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Parameter(torch.tensor(start))
    other = torch.optim.Adafactor([theirs], **options)
    for g in gradients:
        theirs.grad = torch.tensor(g)
        other.step()
    assert np.allclose(w.detach().numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
    assert set(other.state[theirs]) == set(optimizer.state[w])
    for name, value in other.state[theirs].items():
        assert tuple(optimizer.state[w][name].shape) == tuple(value.shape)


def test_adafactor_refuses():
    for bad in ({"beta2_decay": 0.1}, {"d": 0.5}, {"eps": (-1.0, 1.0)}, {"lr": -1.0}):
        with pytest.raises(ValueError):
            optim.Adafactor([nn.Parameter(fn.ones(3))], **bad)


@pytest.mark.parametrize("how", ["mean", "avg_fn", "multi_avg_fn"])
def test_averages(how):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    options = {"mean": {}, "avg_fn": {"avg_fn": get_ema_avg_fn(0.75)}, "multi_avg_fn": {"multi_avg_fn": get_ema_multi_avg_fn(0.75)}}[how]
    average = AveragedModel(model, **options)
    seen, want = [], None
    for _ in range(4):
        with fn.no_grad():
            for p in model.parameters():
                p.add_(fn.randn_like(p))
        model(fn.randn(5, 3))
        average.update_parameters(model)
        w = model[0].weight.detach().numpy().copy()
        seen.append(w)
        want = w if want is None else 0.75 * want + 0.25 * w
    want = np.mean(seen, 0) if how == "mean" else want
    assert np.allclose(average.module[0].weight.detach().numpy(), want, atol=1e-6) and int(average.n_averaged) == 4
    assert fn.equal(average.module[1].running_mean, model[1].running_mean)
    x = [fn.randn(8, 3) for _ in range(3)]
    update_bn([(b, None) for b in x], average)
    hidden = np.stack([average.module[0](b).detach().numpy() for b in x])
    assert np.allclose(average.module[1].running_mean.numpy(), hidden.mean(1).mean(0), atol=1e-6) and average.module[1].momentum == 0.1


def test_swalr_goes_to_its_rate():
    for strategy in ("linear", "cos"):
        step = optim.SGD([nn.Parameter(fn.ones(1))], lr=1.0)
        schedule = SWALR(step, 0.2, 4, strategy)
        rates = []
        for _ in range(6):
            rates.append(step.param_groups[0]["lr"])
            step.step()
            schedule.step()
        part = np.minimum(np.arange(6) / 4, 1)
        part = (1 - np.cos(np.pi * part)) / 2 if strategy == "cos" else part
        assert np.allclose(rates, 1 + (0.2 - 1) * part)
    with pytest.raises(ValueError, match="SWALR: anneal_strategy"):
        SWALR(step, 0.2, anneal_strategy="exp")
