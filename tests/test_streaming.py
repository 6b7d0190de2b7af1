"""Results so large that kernels write them past the caches: normalisation and pooling against NumPy in float64."""
import fastnet
import numpy as np
import pytest

F = fastnet.nn.functional
SHAPE = (9, 64, 58, 60)                                  # 7.6 MiB of float32


def both(call, x, gy, last):
    """The result of a call and the gradient of x; last: with channels last in memory."""
    x, gy = fastnet.tensor(x), fastnet.tensor(gy)
    if last:
        x, gy = (t.contiguous(memory_format=fastnet.channels_last) for t in (x, gy))
    x.requires_grad_(True)
    y = call(x)
    y.backward(gy)
    return y.detach().numpy(), x.grad.numpy()


def normalised(x, gy, axes, relu):
    """y and the gradient of x of (x - mean) / sqrt(var + eps), with a ReLU after it if asked."""
    x, gy = x.astype("float64"), gy.astype("float64")
    rstd = 1 / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    h = (x - x.mean(axes, keepdims=True)) * rstd
    g = gy * (h > 0) if relu else gy
    gx = rstd * (g - g.mean(axes, keepdims=True) - h * (g * h).mean(axes, keepdims=True))
    return np.maximum(h, 0) if relu else h, gx


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm"])
def test_norms(isa, name):
    rng = np.random.default_rng(0)
    shape, axes = (SHAPE, (0, 2, 3)) if name == "batch_norm" else ((2050, 768), (1,))
    x, gy = rng.standard_normal(shape, np.float32), rng.standard_normal(shape, np.float32)
    if name == "batch_norm":
        gy[np.abs(normalised(x, gy, axes, False)[0]) < 1e-4] = 0           # where rounding decides on which side of 0 it is
        got = both(lambda t: F.batch_norm(t, None, None, training=True, activation="relu"), x, gy, True)
    else:
        got = both(lambda t: F.layer_norm(t, (768,)), x, gy, False)
    for a, b in zip(got, normalised(x, gy, axes, name == "batch_norm")):
        assert np.abs(a - b).max() < 1e-5


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_pooling(isa, name):
    rng = np.random.default_rng(0)
    x = rng.permutation(np.prod(SHAPE)).astype(np.float32).reshape(SHAPE) / 1e6       # no two are equal
    gy = rng.standard_normal((9, 64, 29, 30), np.float32)
    cells = x.reshape(9, 64, 29, 2, 30, 2)
    spread = gy[:, :, :, None, :, None]
    if name == "max_pool2d":
        y = cells.max((3, 5))
        gx = np.where(cells == y[:, :, :, None, :, None], spread, 0)
    else:
        y, gx = cells.astype("float64").mean((3, 5)), np.broadcast_to(spread / 4, cells.shape)
    got = both(lambda t: getattr(F, name)(t, 2), x, gy, True)
    assert np.abs(got[0] - y).max() < 1e-5
    np.testing.assert_array_equal(got[1], gx.reshape(SHAPE))
