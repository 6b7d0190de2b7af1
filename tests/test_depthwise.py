"""Depthwise convolution: three passes against the definition on every path of the kernels; channels apart; threads do not matter."""
from itertools import product

import numpy as np
import pytest

import fastnet as fn
from fastnet.backends import conv

# (n, c, spatial...), copies of a channel, kernel, stride, padding, dilation.
CALLS = {
    "3x3": ((2, 40, 9, 14), 1, (3, 3), 1, 1, 1),
    "3x3, rows of fours": ((1, 33, 5, 8), 1, (3, 3), 1, 1, 1),
    "3x3, stride 2": ((2, 16, 13, 14), 1, (3, 3), 2, 1, 1),
    "3x3, stride 2, odd": ((1, 19, 7, 9), 1, (3, 3), 2, 0, 1),
    "3x3, rows of eights": ((1, 150, 6, 31), 1, (3, 3), 1, 1, 1),
    "3x3, stride 2, rows of eights": ((1, 37, 5, 31), 1, (3, 3), 2, 1, 1),
    "5x5": ((1, 35, 10, 7), 1, (5, 5), 1, 2, 1),
    "5x5, stride 2": ((2, 17, 11, 16), 1, (5, 5), 2, 2, 1),
    "5x5, stride (1, 2)": ((1, 16, 6, 17), 1, (5, 5), (1, 2), (2, 1), 1),
    "3x5, rows apart": ((1, 32, 9, 11), 1, (3, 5), (2, 1), (2, 4), (2, 1)),
    "many rows": ((1, 18, 45, 15), 1, (3, 3), 1, 1, 1),
    "few channels": ((2, 5, 9, 8), 1, (3, 3), 1, 1, 1),
    "few columns": ((2, 20, 9, 3), 1, (3, 3), 1, 1, 1),
    "wide padding": ((1, 20, 4, 6), 1, (3, 3), 1, 5, 1),
    "wide padding, stride 2": ((1, 20, 4, 6), 1, (3, 3), 2, 6, 1),
    "7x7": ((1, 66, 9, 8), 1, (7, 7), 1, 3, 1),
    "7x7, stride 3": ((1, 18, 9, 10), 1, (7, 7), 3, 3, 1),
    "dilated": ((2, 33, 9, 10), 1, (3, 3), 1, 2, 2),
    "dilated, stride 2": ((1, 17, 9, 10), 1, (3, 3), 2, 2, 2),
    "three kernels a channel": ((2, 6, 7, 8), 3, (3, 3), 1, 1, 1),
    "two kernels a channel, stride 2": ((1, 17, 7, 8), 2, (5, 3), 2, 2, 1),
    "1d": ((2, 20, 19), 1, (3,), 1, 1, 1),
    "1d, long": ((2, 20, 33), 1, (9,), 2, 4, 1),
    "3d": ((1, 17, 4, 5, 9), 1, (3, 3, 3), 1, 1, 1),
    "3d, stride 2": ((2, 16, 5, 5, 8), 1, (3, 3, 3), 2, 1, 1),
}


def each(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def data(call, dtype):
    shape, copies, kernel, stride, padding, dilation = call
    rank = len(kernel)
    stride, padding, dilation = (each(v, rank) for v in (stride, padding, dilation))
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation)]
    k = shape[1] * copies
    rng = np.random.default_rng(3)
    arrays = [rng.standard_normal(s).astype(dtype) for s in (shape, (k, 1, *kernel), (k,), (shape[0], k, *out))]
    return arrays, (stride, padding, dilation)


def definition(call, x, w, b, gy):
    """y, gx, gw in float64: each tap multiplies a shifted image."""
    _, (stride, padding, dilation) = data(call, "float64")
    x, w, b, gy = (a.astype(np.float64) for a in (x, w, b, gy))
    padded = np.repeat(np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)]), call[1], 1)
    column = (slice(None), *[None] * len(stride))
    y, gx, gw = np.zeros(gy.shape) + b[column], np.zeros_like(padded), np.zeros_like(w)
    for tap in product(*map(range, call[2])):
        axes = zip(tap, dilation, stride, gy.shape[2:])
        part = (slice(None), slice(None), *(slice(t * d, t * d + s * (n - 1) + 1, s) for t, d, s, n in axes))
        y += padded[part] * w[(slice(None), 0, *tap)][column]
        gx[part] += gy * w[(slice(None), 0, *tap)][column]
        gw[(slice(None), 0, *tap)] = (gy * padded[part]).sum((0, *range(2, gy.ndim)))
    inside = (slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, x.shape[2:])))
    return y, gx.reshape(x.shape[0], -1, call[1], *gx.shape[2:]).sum(2)[inside], gw


def passes(call, x, w, b, gy, algorithm=None):
    stride, padding, dilation = (each(v, len(call[2])) for v in call[3:])
    x, w, b = (fn.tensor(a, requires_grad=True) for a in (x, w, b))
    function = getattr(fn.nn.functional, f"conv{len(call[2])}d")
    with conv.flags(algorithm=algorithm):
        y = function(x, w, b, stride, padding, dilation, groups=x.shape[1])
        y.backward(fn.tensor(gy))
    return y.detach().numpy(), x.grad.numpy(), w.grad.numpy()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_passes_agree_with_the_definition(isa, dtype, call):
    arrays, _ = data(call, dtype)
    for name, got, want in zip(("y", "gx", "gw"), passes(call, *arrays), definition(call, *arrays)):
        assert got.shape == want.shape and got.dtype == dtype, name
        error = np.abs(got - want).max() / np.abs(want).max()
        assert error < (2e-6 if dtype == "float32" else 1e-14), f"{name}: {error}"


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_threads_do_not_change_a_bit(split, call):
    arrays, _ = data(call, "float32")
    runs = []
    for threads in (1, 2, 3, 8):
        fn.set_num_threads(threads)
        runs.append(passes(call, *arrays))
    assert all(np.array_equal(a, b) for run in runs[1:] for a, b in zip(run, runs[0]))


@pytest.mark.parametrize("call", [CALLS[k] for k in ("3x3", "5x5, stride 2", "few channels", "7x7", "two kernels a channel, stride 2")])
def test_nan_stays_in_its_channel(isa, call):
    (x, w, b, gy), _ = data(call, "float32")
    whole = passes(call, x, w, b, gy)
    for c in range(x.shape[1]):
        bad = x.copy()
        bad[:, c] = np.nan
        y, gx, gw = passes(call, bad, w, b, gy)
        others = np.arange(w.shape[0]) // call[1] != c
        assert np.array_equal(y[:, others], whole[0][:, others]) and np.array_equal(gx, whole[1]), c
        assert np.array_equal(gw[others], whole[2][others]) and np.isnan(gw[~others]).all(), c


def test_large_images_are_right():
    """Beyond 6 MB the kernels ask for the next rows in advance, beyond 20 MB they write past the caches."""
    for call in (((2, 64, 112, 112), 1, (3, 3), 1, 1, 1), ((4, 64, 112, 112), 1, (3, 3), 1, 1, 1), ((4, 64, 161, 160), 1, (3, 3), 2, 1, 1)):
        arrays, _ = data(call, "float32")
        for got, want in zip(passes(call, *arrays), definition(call, *arrays)):
            assert np.abs(got - want).max() / np.abs(want).max() < 5e-6


def test_it_is_chosen_for_depthwise_shapes():
    found = conv.explain((8, 32, 14, 14), (32, 1, 3, 3), padding=1, groups=32)
    assert {c.algorithm for c in found.values()} == {"depthwise"}
    assert not conv.explain((8, 32, 14, 14), (32, 2, 3, 3), groups=16)["forward"].verdicts["depthwise"][0]
