"""Pooling: NaN in every channel, memory layout, large gradients, degenerate windows, and a grid of calls against PyTorch."""
import random
import re

import numpy as np
import pytest

import fastnet as fn
import fastnet.nn.functional as F


def test_nan_wins_in_every_channel(isa):
    for n in (1, 3, 16, 17, 70):
        x = np.tile(np.arange(16.0, dtype="float32").reshape(1, 1, 4, 4), (n, n, 1, 1))
        for c in range(n):
            x[c, c, 1, 1] = np.nan
        y, at = F.max_pool2d(fn.tensor(x), 2, return_indices=True)
        assert np.array_equal(np.isnan(y.numpy()[:, :, 0, 0]), np.eye(n, dtype=bool)), f"{n} channels"
        assert np.array_equal(np.isnan(F.max_pool2d(fn.tensor(x), 2).numpy()), np.isnan(y.numpy()))
        assert np.array_equal(at.numpy()[:, :, 0, 0], np.full((n, n), 5)) and not np.isnan(y.numpy()[:, :, 1:]).any()


def test_infinities(isa):
    x = fn.full((1, 18, 2, 2), -np.inf).requires_grad_()
    y, at = F.max_pool2d(x, 2, return_indices=True)
    y.sum().backward()
    assert np.array_equal(y.detach().numpy().ravel(), np.full(18, -np.inf)) and not at.any()
    assert np.array_equal(x.grad.numpy()[0, :, 0, 0], np.ones(18)) and x.grad.sum().item() == 18
    assert F.avg_pool2d(fn.full((1, 18, 2, 2), np.inf), 2).isinf().all()


def test_a_window_that_sees_nothing_is_minus_infinity(isa):
    x = fn.ones(1, 3, 1).requires_grad_()
    y = F.max_pool1d(x, 2, 1, 1, dilation=2)
    y.sum().backward()
    assert y.flatten().tolist() == [-np.inf] * 3 and x.grad.flatten().tolist() == [0.0] * 3


@pytest.mark.parametrize("shape, last", [((2, 5, 6), None), ((2, 5, 6, 4), fn.channels_last), ((2, 5, 6, 4, 4), fn.channels_last_3d)])
def test_results_and_gradients_are_channels_last(shape, last):
    rank = len(shape) - 2
    x = fn.randn(*shape, requires_grad=True)
    for pool in ("max_pool", "avg_pool"):
        x.grad = None
        y = getattr(F, f"{pool}{rank}d")(x, 2)
        y.backward(fn.ones_like(y))
        for t in (y, x.grad):
            assert t.stride()[1] == 1 and (last is None or t.is_contiguous(memory_format=last))


def test_large_gradients_are_those_of_small_ones(isa):
    """Beyond 24 MB gradients are written past the caches."""
    x = fn.randn(4, 32, 240, 240)
    for pool, args in ((F.max_pool2d, (2,)), (F.max_pool2d, (3, 2, 1)), (F.avg_pool2d, (2,)), (F.avg_pool2d, (3, 2, 1))):
        whole = x.clone().requires_grad_()
        y = pool(whole, *args)
        gy = fn.randn(*y.shape)
        y.backward(gy)
        for i in range(4):
            one = x[i].clone().requires_grad_()
            pool(one, *args).backward(gy[i])
            assert np.array_equal(whole.grad[i].numpy(), one.grad.numpy()), (pool.__name__, args, i)


def test_ones_average_to_exactly_one(isa):
    for size in (1, 3, 7):
        assert F.avg_pool2d(fn.ones(1, 17, 7, 7), size).eq(1).all() and F.adaptive_avg_pool2d(fn.ones(1, 17, 49, 7), size).eq(1).all()


def test_indices_bring_unpooling_back():
    x = fn.randn(2, 20, 8, 6)
    y, at = F.max_pool2d(x, 2, return_indices=True)
    back = F.max_unpool2d(y, at, 2)
    assert np.array_equal(back.numpy(), np.where(back.numpy() != 0, x.numpy(), 0)) and back.ne(0).sum().item() == y.numel()
    assert np.array_equal(F.max_pool2d(back, 2).numpy(), np.maximum(y.numpy(), 0)[..., :]) or (y < 0).any()


def test_modules_say_what_they_are():
    assert repr(fn.nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    assert repr(fn.nn.AvgPool2d(3, 2, 1)) == "AvgPool2d(kernel_size=3, stride=2, padding=1)"
    assert repr(fn.nn.AdaptiveAvgPool2d((None, 2))) == "AdaptiveAvgPool2d(output_size=(None, 2))"
    assert repr(fn.nn.LPPool1d(2, 3)) == "LPPool1d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"


@pytest.mark.parametrize("name", ["MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "LPPool"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_modules_call_their_functions(name, rank):
    x = fn.rand(2, 3, *(6, 5, 4)[:rank]) + 0.5
    args = (2, 2) if name == "LPPool" else (2,)
    function = re.sub("(.)(?=Pool|Avg|Max)", r"\1_", name).lower()
    got, want = getattr(fn.nn, f"{name}{rank}d")(*args)(x), getattr(F, f"{function}{rank}d")(x, *args)
    assert np.array_equal(got.numpy(), want.numpy())


def calls(count):
    """Random calls of every kind of pooling: name, shape, arguments."""
    rng = random.Random(1)
    for _ in range(count):
        rank, kind = rng.choice([1, 2, 3]), rng.choice(["max", "avg", "adaptive_max", "adaptive_avg", "lp"])
        shape = [*([rng.choice([0, 1, 2])] if rng.random() < 0.8 else []), rng.choice([1, 2, 5, 16, 17, 33, 70]),
                 *(rng.randint(4, 9) for _ in range(rank))]

        def sizes(low, high):
            return rng.randint(low, high) if rng.random() < 0.5 else tuple(rng.randint(low, high) for _ in range(rank))
        if kind.startswith("adaptive"):
            yield f"{kind}_pool{rank}d", shape, (sizes(1, 5),), {"return_indices": True} if kind.endswith("max") else {}
            continue
        args = {"stride": rng.choice([None, sizes(1, 3)]), "ceil_mode": rng.random() < 0.5}
        if kind == "max":
            args.update(padding=sizes(0, 1), dilation=sizes(1, 2), return_indices=rng.random() < 0.5)
        elif kind == "avg":
            args.update(padding=sizes(0, 1), count_include_pad=rng.random() < 0.5)
        yield f"{kind}_pool{rank}d", shape, (rng.choice([2, 3.0]), rng.randint(1, 3)) if kind == "lp" else (sizes(2, 3),), args


def run(lib, name, x, args, kwargs, gy):
    t = lib.tensor(x).requires_grad_()
    out = getattr(lib.nn.functional, name)(t, *args, **kwargs)
    y, at = out if isinstance(out, tuple) else (out, None)
    y.backward(lib.tensor(gy(tuple(y.shape))))
    return y.detach().numpy(), t.grad.numpy(), None if at is None else at.numpy()


def test_pytorch_gives_the_same():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pooling was not compared with it")
    rng = np.random.default_rng(0)
    done = 0
    for name, shape, args, kwargs in calls(600):
        x = rng.standard_normal(shape) if not name.startswith("lp") else rng.uniform(0.1, 2, shape)
        def gy(of):
            return np.random.default_rng(3).standard_normal(of)
        try:
            want = run(torch, name, x, args, kwargs, gy)
        except RuntimeError:
            with pytest.raises(RuntimeError):
                run(fn, name, x, args, kwargs, gy)
            continue
        if np.isinf(want[0]).any():
            continue                                      # a window without an element: PyTorch's gradient goes astray
        got, where = run(fn, name, x, args, kwargs, gy), f"{name} {shape} {args} {kwargs}"
        assert got[0].shape == want[0].shape and np.allclose(got[0], want[0], rtol=1e-12, atol=1e-12), where
        assert np.allclose(got[1], want[1], rtol=1e-11, atol=1e-11), where
        assert want[2] is None or np.array_equal(got[2], want[2]), where
        done += 1
    assert done > 400


@pytest.mark.parametrize("call", [
    lambda x: F.adaptive_avg_pool2d(x, 2 ** 62), lambda x: F.adaptive_max_pool2d(x, (2 ** 40, 2 ** 40)),
    lambda x: F.max_pool2d(x, 2 ** 40, 1, 2 ** 39),
    lambda x: F.max_pool2d(x, 2 ** 30, 1, 2 ** 29), lambda x: F.avg_pool2d(x, 2 ** 62), lambda x: F.unfold(x, 2 ** 30, 1, 2 ** 30),
    lambda x: F.fold(x.reshape(1, 4, 8), (2 ** 30, 2 ** 30), 2), lambda x: F.pad(x, (2 ** 40, 2 ** 40), "replicate")])
def test_absurd_sizes_are_refused(call):
    with pytest.raises((RuntimeError, MemoryError)):
        call(fn.ones(1, 2, 4, 4))
