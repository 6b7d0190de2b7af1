"""Optimizer updates against the formulas, written out in float64 NumPy, over 100 steps."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastnet as fn
from fastnet.ops import clip, optim

STEPS = 100
SHAPES = [(3, 5), (1,), (17,), (2, 131)]
State = dict[str, np.ndarray]


def gradient(p: np.ndarray, x: np.ndarray, step: int) -> np.ndarray:
    """Of a bumpy function; its sign changes, and it is 0 now and then."""
    g = np.sin(3 * p) + 0.5 * p + 0.3 * np.cos(step + x)
    return np.where(np.abs(x - step % 7) < 0.1, 0.0, g)


def sgd(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    if momentum:
        s["b"] = g if t == 1 else momentum * s["b"] + (1 - dampening) * g
        g = g + momentum * s["b"] if nesterov else s["b"]
    return p - lr * g


def adam(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float = 0,
         amsgrad: bool = False, maximize: bool = False, decoupled: bool = False) -> np.ndarray:
    g = -g if maximize else g
    if decoupled:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    v = s["v"]
    if amsgrad:
        v = s["top"] = np.maximum(s.get("top", 0), v)
    return p - lr * (s["m"] / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def nadam(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float = 0,
          momentum_decay: float = 4e-3, maximize: bool = False, decoupled: bool = False) -> np.ndarray:
    g = -g if maximize else g
    if decoupled:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in (t, t + 1))
    s["product"] = s.get("product", 1.0) * mu
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    m = ahead * s["m"] / (1 - s["product"] * ahead) + (1 - mu) * g / (1 - s["product"])
    return p - lr * m / (np.sqrt(s["v"] / (1 - beta2**t)) + eps)


def radam(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float = 0,
          maximize: bool = False, decoupled: bool = False) -> np.ndarray:
    g = -g if maximize else g
    if decoupled:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    m = s["m"] / (1 - beta1**t)
    limit = 2 / (1 - beta2) - 1
    rho = limit - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= 5:
        return p - lr * m
    r = np.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
    return p - lr * m * r * np.sqrt(1 - beta2**t) / (np.sqrt(s["v"]) + eps)


def adamax(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float = 0,
           maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["u"] = np.maximum(beta2 * s.get("u", 0), np.abs(g) + eps)
    return p - lr / (1 - beta1**t) * s["m"] / s["u"]


def lion(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, beta1: float, beta2: float, weight_decay: float = 0,
         maximize: bool = False) -> np.ndarray:
    g = -g if maximize else g
    m = s.get("m", np.zeros_like(p))
    s["m"] = beta2 * m + (1 - beta2) * g
    return p * (1 - lr * weight_decay) - lr * np.sign(beta1 * m + (1 - beta1) * g)


def rmsprop(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
            momentum: float = 0, centered: bool = False, maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g * g
    v = s["v"]
    if centered:
        s["mean"] = alpha * s.get("mean", 0) + (1 - alpha) * g
        v = v - s["mean"] ** 2
    g = g / (np.sqrt(v) + eps)
    if momentum:
        g = s["b"] = momentum * s.get("b", 0) + g
    return p - lr * g


def adagrad(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, lr_decay: float = 0, eps: float = 1e-10, weight_decay: float = 0,
            maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    s["sum"] = s.get("sum", 0) + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["sum"]) + eps)


def adadelta(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
             maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    delta = np.sqrt(s.get("d", 0) + eps) / np.sqrt(s["v"] + eps) * g
    s["d"] = rho * s.get("d", 0) + (1 - rho) * delta * delta
    return p - lr * delta


def rprop(p: np.ndarray, g: np.ndarray, s: State, t: int, etaminus: float = 0.5, etaplus: float = 1.2, step_size_min: float = 1e-6,
          step_size_max: float = 50, maximize: bool = False) -> np.ndarray:
    g = -g if maximize else g
    turn = np.sign(g * s.get("prev", np.zeros_like(g)))
    size = s.get("size", np.full_like(g, 0.01))
    s["size"] = np.clip(size * np.where(turn > 0, etaplus, np.where(turn < 0, etaminus, 1)), step_size_min, step_size_max)
    s["prev"] = np.where(turn < 0, 0, g)
    return p - np.sign(s["prev"]) * s["size"]


def asgd(p: np.ndarray, g: np.ndarray, s: State, t: int, lr: float, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
         weight_decay: float = 0, maximize: bool = False) -> np.ndarray:
    g = (-g if maximize else g) + weight_decay * p
    eta, mu = s.get("eta", lr), s.get("mu", 1.0)
    p = p * (1 - lambd * eta) - eta * g
    s["ax"] = p if mu == 1 else s["ax"] + (p - s["ax"]) * mu
    s["eta"], s["mu"] = lr / (1 + lambd * lr * t) ** alpha, 1 / max(1, t - t0)
    return p


ADAM = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
LION = {"lr": 0.01, "beta1": 0.9, "beta2": 0.99}
# name, formula, states (a string: like the parameter; a number: a scalar that begins with it), options, each a case of its own
CASES: list[tuple[str, Callable[..., np.ndarray], list[Any], list[dict[str, Any]]]] = [
    ("sgd", sgd, [None], [{"lr": 0.02}, {"lr": 0.02, "weight_decay": 0.1, "maximize": True}, {"lr": 0.02, "momentum": 0.9},
                          {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
                          {"lr": 0.02, "momentum": 0.8, "nesterov": True, "maximize": True}]),
    ("adam", adam, ["m", "v", "top", 0.0], [ADAM, {**ADAM, "weight_decay": 0.1, "amsgrad": True}, {**ADAM, "maximize": True},
                                            {**ADAM, "weight_decay": 0.1, "decoupled": True}]),
    ("nadam", nadam, ["m", "v", 1.0, 0.0], [ADAM, {**ADAM, "weight_decay": 0.1, "momentum_decay": 0.1},
                                            {**ADAM, "weight_decay": 0.1, "decoupled": True, "maximize": True}]),
    ("radam", radam, ["m", "v", 0.0], [ADAM, {**ADAM, "weight_decay": 0.1, "decoupled": True},
                                      {**ADAM, "weight_decay": 0.1, "maximize": True}]),
    ("adamax", adamax, ["m", "u", 0.0], [ADAM, {**ADAM, "weight_decay": 0.1, "maximize": True}]),
    ("lion", lion, ["m"], [LION, {**LION, "weight_decay": 0.1, "maximize": True}]),
    ("rmsprop", rmsprop, ["v", "mean", "b"], [{"lr": 0.01}, {"lr": 0.01, "centered": True, "momentum": 0.9, "eps": 1e-3},
                                              {"lr": 0.01, "weight_decay": 0.1, "maximize": True, "momentum": 0.5}]),
    ("adagrad", adagrad, ["sum", 0.0], [{"lr": 0.1}, {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "maximize": True}]),
    ("adadelta", adadelta, ["v", "d"], [{}, {"rho": 0.8, "weight_decay": 0.1, "maximize": True}]),
    ("rprop", rprop, ["prev", "size"], [{}, {"etaminus": 0.4, "step_size_max": 0.05, "maximize": True}]),
    ("asgd", asgd, ["ax", "lr", 1.0, 0.0], [{"lr": 0.02}, {"lr": 0.02, "lambd": 0.1, "t0": 20.0, "weight_decay": 0.1, "maximize": True}]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "formula", "states", "options"), [(n, f, s, o) for n, f, s, os in CASES for o in os],
                         ids=[f"{n}-{i}" for n, _, _, os in CASES for i in range(len(os))])
def test_follows_the_formula(name: str, formula: Callable[..., np.ndarray], states: list[Any], options: dict[str, Any], dtype: str) -> None:
    rng = np.random.default_rng(7)
    wide = [rng.standard_normal(s) for s in SHAPES]
    place = [np.linspace(0, 10, p.size).reshape(p.shape) for p in wide]
    params = [fn.tensor(p.astype(dtype)).requires_grad_() for p in wide]
    wide = [p.astype(dtype).astype(np.float64) for p in wide]
    memory: list[State] = [{} for _ in wide]
    lists = []
    for state in states:
        if state is None:
            lists.append([None] * len(params))
        elif isinstance(state, float) or state == "lr":
            lists.append([fn.tensor(np.float32(options["lr"] if state == "lr" else state)) for _ in params])
        else:
            lists.append([fn.tensor(np.full(p.shape, 0.01 if state == "size" else 0, dtype)) for p in wide])
    smooth = name not in ("lion", "rprop")
    for step in range(1, STEPS + 1):
        for p, w, x, s in zip(params, wide, place, memory, strict=True):
            g = gradient(w, x, step).astype(dtype)       # the same gradient for both, so that rounding is not amplified
            p.grad = fn.tensor(g)
            w[...] = formula(w, g.astype(np.float64), s, step, **options)
        getattr(optim, f"{name}_update")(params, *lists, **options)
        tol = 1e-11 if dtype == "float64" else 2e-5
        if name in ("nadam", "asgd"):                    # their scalar state is float32, as in PyTorch
            tol = 2e-5
        for p, w in zip(params, wide, strict=True):
            error = np.abs(p.detach().numpy() - w) > tol * np.maximum(1, np.abs(w))
            # a sign may turn on a rounding of 0; that is one step of one element, not a wrong formula
            assert error.mean() <= (0 if smooth else 0.02), f"step {step}, shape {w.shape}"
    counters = [lists[i] for i, state in enumerate(states) if state == 0.0]
    assert all(t.item() == STEPS for steps in counters for t in steps)


def test_float32_and_float64_parameters_together() -> None:
    rng = np.random.default_rng(1)
    params = [fn.tensor(rng.standard_normal(5).astype(d)).requires_grad_() for d in ("float64", "float32", "float64", "float32", "float64")]
    alone = [fn.tensor(p.detach().numpy()).requires_grad_() for p in params]
    for p, q in zip(params, alone, strict=True):
        p.grad = fn.tensor(rng.standard_normal(5).astype(p.detach().numpy().dtype))
        q.grad = fn.tensor(p.grad.numpy())
    optim.sgd_update(params, [None] * 5, lr=0.1, momentum=0.9)
    for q in alone:
        optim.sgd_update([q], [None], lr=0.1, momentum=0.9)
    for p, q in zip(params, alone, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_long_and_short_tensors_in_one_launch() -> None:
    """A chunk is 16384 elements: pieces of any length give what the whole gives."""
    rng = np.random.default_rng(3)
    start, g = rng.standard_normal((2, 70_001)).astype(np.float32)
    cuts = [0, 1, 20, 16_384, 16_384 + 33, 50_000, 70_001]
    pieces = [fn.tensor(start[a:b]).requires_grad_() for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    whole = fn.tensor(start).requires_grad_()
    whole.grad = fn.tensor(g)
    for p, a, b in zip(pieces, cuts[:-1], cuts[1:], strict=True):
        p.grad = fn.tensor(g[a:b])
    for params in (pieces, [whole]):
        state = [[fn.tensor(np.zeros(p.numel(), np.float32)) for p in params] for _ in range(2)]
        steps = [fn.tensor(np.float32(0)) for _ in params]
        optim.adam_update(params, *state, [], steps, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-8)
    np.testing.assert_array_equal(np.concatenate([p.detach().numpy() for p in pieces]), whole.detach().numpy())


def test_a_gradient_in_another_memory_order() -> None:
    p = fn.tensor(np.arange(6.0).reshape(2, 3)).requires_grad_()
    p.grad = fn.from_numpy(np.arange(6.0).reshape(3, 2).T.copy(order="F"))
    optim.sgd_update([p], [None], lr=1.0)
    np.testing.assert_array_equal(p.detach().numpy(), np.arange(6.0).reshape(2, 3) - np.arange(6.0).reshape(3, 2).T)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_bits_do_not_depend_on_threads(threads: int) -> None:
    rng = np.random.default_rng(2)
    start, g = rng.standard_normal((2, 100_001)).astype(np.float32)
    results = []
    before, cost = fn.get_num_threads(), fn._core.launch._set_region_cost(0.0)
    try:
        for n in (1, threads):
            fn.set_num_threads(n)
            p = fn.tensor(start).requires_grad_()
            p.grad = fn.tensor(g)
            state = [[fn.tensor(np.zeros_like(start))] for _ in range(2)]
            for _ in range(3):
                optim.adam_update([p], *state, [], [steps := fn.tensor(np.float32(0))], lr=0.1, beta1=0.9, beta2=0.99, eps=1e-8)
            results.append(p.detach().numpy())
            assert steps.item() == 1
    finally:
        fn.set_num_threads(before)
        fn._core.launch._set_region_cost(cost)
    np.testing.assert_array_equal(*results)


def test_what_is_refused() -> None:
    p = fn.tensor([1.0, 2.0]).requires_grad_()
    with pytest.raises(ValueError, match="sgd_update: parameter 0 .* has no gradient"):
        optim.sgd_update([p], [None], lr=0.1)
    p.grad = fn.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"adam_update: exp_avgs\[0\] is .* of shape \(3,\)"):
        optim.adam_update([p], [fn.tensor([0.0] * 3)], [fn.tensor([0.0] * 2)], [], [fn.tensor(0.0)], **ADAM)
    with pytest.raises(ValueError, match="adam_update: 0 steps for 1 parameters"):
        optim.adam_update([p], [fn.tensor([0.0] * 2)], [fn.tensor([0.0] * 2)], [], [], **ADAM)
    kept = optim.with_grad([p, fn.tensor([1.0]).requires_grad_()])
    assert len(kept) == 1 and kept[0] is p
    np.testing.assert_array_equal(p.detach().numpy(), [1.0, 2.0])


@pytest.mark.parametrize("norm_type", [1.0, 2.0, np.inf, 3.0])
def test_total_norm(norm_type: float) -> None:
    rng = np.random.default_rng(4)
    arrays = [rng.standard_normal(s) for s in [(3, 5), (40_000,), (1,)]]
    want = np.linalg.norm(np.concatenate([a.ravel() for a in arrays]), norm_type)
    for dtypes in (["float64"] * 3, ["float32"] * 3, ["float32", "float64", "float32"]):
        got = clip.total_norm([fn.tensor(a.astype(d)) for a, d in zip(arrays, dtypes, strict=True)], norm_type)
        assert got.ndim == 0 and got.dtype is (fn.float64 if "float64" in dtypes else fn.float32)
        np.testing.assert_allclose(got.item(), want, rtol=1e-12 if dtypes == ["float64"] * 3 else 1e-6)
    assert clip.total_norm([]).item() == 0
    assert np.isnan(clip.total_norm([fn.tensor([1.0, np.nan])], norm_type).item())


def test_scale_and_clamp_all() -> None:
    arrays = [np.linspace(-2, 2, 33), np.linspace(-3, 3, 20_000).astype(np.float32)]
    tensors = [fn.tensor(a) for a in arrays]
    clip.scale_(tensors, 0.5)
    for a, t in zip(arrays, tensors, strict=True):
        np.testing.assert_array_equal(t.numpy(), a * a.dtype.type(0.5))
    clip.clamp_(tensors, -0.5, 0.75)
    for a, t in zip(arrays, tensors, strict=True):
        np.testing.assert_array_equal(t.numpy(), np.clip(a * a.dtype.type(0.5), -0.5, 0.75))
    poisoned = fn.tensor([np.nan, 9.0])
    clip.clamp_([poisoned], -1.0, 1.0)
    np.testing.assert_array_equal(poisoned.numpy(), [np.nan, 1.0])
