"""Winograd's algorithm: three passes against the definition, the stated errors, bits on any number of threads, when it is chosen."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.backends import conv

TILES = ("winograd2", "winograd4")
WAYS = [("winograd2", 1), ("winograd4", 1), ("winograd4", 2)]    # and the stride
# images, c, k, height, width, padding of height and width: thin and odd images, ragged channels, one and many blocks and groups.
SHAPES = [(2, 1, 1, 1, 1, (1, 1)), (1, 3, 17, 2, 5, (1, 1)), (2, 17, 3, 3, 7, (1, 1)), (1, 16, 16, 13, 5, (2, 2)),
          (3, 33, 40, 5, 6, (0, 0)), (1, 5, 70, 1, 13, (2, 1)), (2, 20, 130, 9, 3, (1, 0)), (9, 16, 20, 13, 15, (1, 2)),
          (1, 140, 150, 7, 7, (1, 1)), (17, 130, 127, 10, 12, (1, 1)), (40, 8, 8, 17, 19, (1, 1)), (2, 3, 2, 5, 4, (1, 1)),
          (1, 2, 17, 3, 3, (2, 0)), (1, 1, 1, 7, 1, (1, 2)), (2, 18, 17, 16, 24, (1, 1)), (1, 3, 2, 10, 21, (2, 1)),
          (2, 19, 66, 12, 14, (0, 2))]


def name(shape):
    return "N{}-{}-{}-{}x{}".format(*shape)


def tensors(shape, stride=1, seed=0):
    n, c, k, h, w, pad = shape
    rng = np.random.default_rng(seed)
    out = [(h + 2 * pad[0] - 3) // stride + 1, (w + 2 * pad[1] - 3) // stride + 1]
    return [rng.standard_normal(s).astype("float32") for s in ((n, c, h, w), (k, c, 3, 3), (k,), (n, k, *out))]


def direct(shape, stride, x, w, b, gy):
    """y, gx, gw in float64, by the definition: each tap is a shifted image times a matrix."""
    n, c, k, h, width, pad = shape
    x, w, b, gy = (a.astype(np.float64) for a in (x, w, b, gy))
    padded = np.pad(x, [(0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2])
    y, gx, gw = np.zeros(gy.shape) + b[:, None, None], np.zeros_like(padded), np.zeros_like(w)
    for i in range(3):
        for j in range(3):
            part = np.s_[:, :, i:i + stride * gy.shape[2]:stride, j:j + stride * gy.shape[3]:stride]
            y += np.einsum("nchw,kc->nkhw", padded[part], w[:, :, i, j], optimize=True)
            gx[part] += np.einsum("nkhw,kc->nchw", gy, w[:, :, i, j], optimize=True)
            gw[:, :, i, j] = np.einsum("nkhw,nchw->kc", gy, padded[part], optimize=True)
    return y, gx[:, :, pad[0]:pad[0] + h, pad[1]:pad[1] + width], gw


def passes(algorithm, shape, stride, x, w, b, gy):
    with conv.flags(algorithm=algorithm):
        x, w, b = (fn.tensor(a, requires_grad=True) for a in (x, w, b))
        y = fn.nn.functional.conv2d(x, w, b, stride, shape[5])
        y.backward(fn.tensor(gy))
    return y.detach().numpy(), x.grad.numpy(), w.grad.numpy()


def rms(error):
    return float(np.sqrt(np.mean(np.square(error, dtype=np.float64))))


@pytest.mark.parametrize("shape", SHAPES, ids=name)
@pytest.mark.parametrize(("tile", "stride"), WAYS)
def test_the_passes_agree_with_the_definition(isa, tile, stride, shape):
    data = tensors(shape, stride)
    for got, want, bound in zip(passes(tile, shape, stride, *data), direct(shape, stride, *data), (1, 1, 2)):
        error = np.abs(got - want).max() / max(rms(want), 1e-30)
        assert got.shape == want.shape and error < bound * 4e-5, error


@pytest.mark.parametrize("tile", TILES)
def test_channels_last_and_other_strides_give_the_same(tile):
    shape = (2, 17, 19, 8, 9, (1, 1))
    x, w, b, gy = tensors(shape)
    with conv.flags(algorithm=tile):
        plain = fn.nn.functional.conv2d(fn.tensor(x), fn.tensor(w), fn.tensor(b), padding=1).numpy()
        last = fn.tensor(np.ascontiguousarray(x.transpose(0, 2, 3, 1))).permute(0, 3, 1, 2)
        turned = fn.tensor(np.ascontiguousarray(w.T)).permute(3, 2, 1, 0)
        assert np.array_equal(plain, fn.nn.functional.conv2d(last, turned, fn.tensor(b), padding=1).numpy())


@pytest.mark.parametrize("shape", [(2, 20, 70, 9, 9, (1, 1)), (9, 16, 20, 13, 15, (1, 1)), (3, 140, 150, 7, 7, (1, 1)),
                                   (9, 132, 100, 9, 9, (1, 1)), (17, 130, 127, 10, 12, (1, 1))], ids=name)
@pytest.mark.parametrize(("tile", "stride"), WAYS)
def test_threads_do_not_change_a_bit(split, two_isas, tile, stride, shape):
    data, runs = tensors(shape, stride), []
    for threads in (1, 2, 3, 8):
        fn.set_num_threads(threads)
        runs.append(passes(tile, shape, stride, *data))
    for run in runs[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(run, runs[0]))


@pytest.mark.parametrize(("tile", "stride"), WAYS)
def test_transposed_and_volumes(tile, stride):
    rng = np.random.default_rng(3)
    arrays = [rng.standard_normal(s).astype("float32") for s in ((2, 6, 7, 5), (6, 9, 3, 3), (2, 5, 3, 6, 7), (4, 5, 1, 3, 3))]
    results = []
    for algorithm, dtype in ((tile, fn.float32), ("direct", fn.float64)):
        with conv.flags(algorithm=algorithm):
            tensors = [fn.tensor(a, dtype=dtype, requires_grad=True) for a in arrays]
            y = fn.nn.functional.conv_transpose2d(*tensors[:2], None, stride, 1, stride - 1)
            z = fn.nn.functional.conv3d(*tensors[2:], None, (1, stride, stride), (0, 1, 1))
            ((y * y).sum() + (z * z).sum()).backward()
            results.append([y.detach().numpy(), z.detach().numpy(), *(t.grad.numpy() for t in tensors)])
    for got, want in zip(*results):
        assert np.abs(got - want).max() < 4e-5 * rms(want)


# Layers as users have them, small enough for a test; the most rms error of y, gx and gw, as multiples of direct's.
LAYERS = [(8, 64, 64, 16, 16, (1, 1)), (8, 32, 32, 32, 32, (1, 1)), (8, 16, 16, 32, 32, (1, 1)), (2, 256, 256, 8, 8, (1, 1)),
          (2, 512, 512, 4, 4, (1, 1)), (4, 16, 8, 64, 64, (1, 1))]


@pytest.mark.parametrize("shape", LAYERS, ids=name)
@pytest.mark.parametrize(("tile", "stride"), WAYS)
def test_the_error_keeps_its_bound(tile, stride, shape):
    most = (1.2, 1.2, 4) if tile == "winograd2" else (4, 4 if shape[2] >= 16 else 4.2, 8)      # gx sums over the second
    x, w, b, gy = tensors(shape, stride)
    data = np.maximum(x, 0), w * np.float32(np.sqrt(2 / (9 * shape[1]))), np.zeros_like(b), gy
    want, plain, got = direct(shape, stride, *data), passes("direct", shape, stride, *data), passes(tile, shape, stride, *data)
    for bound, exact, one, other in zip(most, want, plain, got):
        assert rms(other - exact) <= bound * rms(one - exact)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_image_and_channel(tile, value):
    shape = (3, 20, 21, 6, 6, (1, 1))
    x, w, b, gy = tensors(shape)
    x[1, 19, 2, 3], b[20], gy[1, 20, 3, 3] = value, value, value
    y, gx, gw = passes(tile, shape, 1, x, w, b, gy)
    clean = np.isfinite(y)
    assert clean[[0, 2], :20].all() and not clean[:, 20].any() and not clean[1, :, 1:4, 2:5].any()
    assert np.isfinite(gx[[0, 2]]).all() and not np.isfinite(gx[1, :, 2:5, 2:5]).any()
    bad = ~np.isfinite(gw)
    assert bad[20].all() and bad[:, 19].all() and not bad[:20, :19].any()


def chosen(n, c, k, h, kind="forward", dtype=None, stride=1):
    return conv.explain((n, c, h, h), (k, c, 3, 3), stride, 1, dtype=dtype)[kind].algorithm


@pytest.mark.parametrize("kind", ["forward", "input", "weight"])
def test_it_is_chosen_where_it_pays(kind):
    for n, c, h in [(8, 64, 56), (32, 64, 32), (32, 128, 16), (32, 256, 8), (32, 512, 4), (8, 256, 14), (8, 512, 7), (32, 32, 32),
                    (32, 16, 32)]:
        assert chosen(n, c, c, h, kind) == "winograd4"
    assert chosen(32, 128, 128, 6, kind) == "winograd4" and chosen(32, 128, 128, 2, kind) == "winograd2"
    for n, c, k, h in [(8, 128, 128, 56), (8, 256, 256, 28), (8, 512, 512, 14), (32, 64, 128, 32), (32, 256, 512, 8), (1, 64, 64, 160)]:
        assert chosen(n, c, k, h, kind, stride=2) == "winograd4"
    for n, c, h, stride in [(1, 64, 10, 2), (1, 16, 160, 2), (8, 64, 56, 3)]:
        assert chosen(n, c, c, h, kind, stride=stride) == "direct"
    assert chosen(32, 3, 64, 32, kind) not in TILES
    assert chosen(1, 16, 8, 160, kind) == "winograd4"
    assert (chosen(1, 8, 16, 160, kind) == "winograd4") == (kind != "forward")       # sums of 8 channels: too inexact
    assert chosen(8, 64, 64, 56, kind, fn.float64) not in TILES


@pytest.mark.parametrize("tile", TILES)
def test_float64_is_left_to_others(tile):
    with conv.flags(algorithm=tile):
        assert chosen(8, 64, 64, 56) == tile and chosen(8, 64, 64, 56, dtype=fn.float64) not in TILES


def test_the_highest_precision_forbids_it():
    assert fn.get_float32_matmul_precision() == "high"
    try:
        fn.set_float32_matmul_precision("highest")
        assert chosen(8, 64, 64, 56) == "direct" and fn.get_float32_matmul_precision() == "highest"
        fn.set_float32_matmul_precision("medium")
        assert chosen(8, 64, 64, 56) == "winograd4"
    finally:
        fn.set_float32_matmul_precision("high")


@pytest.mark.parametrize("precision", ["low", "", None, 1, ["high"]])
def test_other_precisions_are_refused(precision):
    with pytest.raises(ValueError, match="set_float32_matmul_precision: precision must be"):
        fn.set_float32_matmul_precision(precision)
