"""Padding: layers, memory layout, and a grid of calls against PyTorch; windows and pixels too."""
import random

import numpy as np
import pytest

import fastnet as fn
import fastnet.nn.functional as F

MODES = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_layers_call_pad(rank):
    x, sizes = fn.randn(2, 3, *(5, 6, 4)[:rank]), (1, 2, 2, 0, 1, -1)[:2 * rank]
    for name, mode in MODES.items():
        layer = getattr(fn.nn, f"{name}Pad{rank}d")
        assert np.array_equal(layer(sizes)(x).numpy(), F.pad(x, sizes, mode).numpy())
        assert np.array_equal(layer(1)(x[0]).numpy(), F.pad(x[0], (1,) * 2 * rank, mode).numpy())
        assert repr(layer(sizes)) == f"{name}Pad{rank}d({sizes})"
        with pytest.raises(ValueError, match=f"{name}Pad{rank}d: padding must be a number or {2 * rank} of them"):
            layer((1,) * (2 * rank + 1))
        with pytest.raises(RuntimeError, match=rf"{name}Pad{rank}d: input must have {rank + 1} or {rank + 2} axes, got shape \(2,\)"):
            layer(1)(fn.ones(2))
    constant, zero = getattr(fn.nn, f"ConstantPad{rank}d")(sizes, 2.5), getattr(fn.nn, f"ZeroPad{rank}d")(1)
    assert np.array_equal(constant(x).numpy(), F.pad(x, sizes, "constant", 2.5).numpy())
    assert repr(constant) == f"ConstantPad{rank}d(padding={sizes}, value=2.5)"
    assert np.array_equal(zero(x).numpy(), F.pad(x, (1,) * 2 * rank).numpy()) and repr(zero) == f"ZeroPad{rank}d({(1,) * 2 * rank})"


@pytest.mark.parametrize("mode", ["constant", *MODES.values()])
def test_images_stay_channels_last(mode):
    x = fn.randn(2, 17, 5, 6).contiguous(memory_format=fn.channels_last).requires_grad_()
    y = F.pad(x, (1, 2, 0, 3), mode)
    y.backward(fn.ones_like(y))
    assert y.is_contiguous(memory_format=fn.channels_last)
    row = fn.tensor(x.detach().numpy().copy()).contiguous().requires_grad_()
    z = F.pad(row, (1, 2, 0, 3), mode)
    z.backward(fn.ones_like(z))
    assert z.is_contiguous() and np.array_equal(y.detach().numpy(), z.detach().numpy())
    assert np.array_equal(x.grad.numpy(), row.grad.numpy())
    whole = F.pad(x, (0, 0, 0, 0, 1, 1), mode)             # the channels themselves
    assert np.array_equal(whole.detach().numpy(), F.pad(row, (0, 0, 0, 0, 1, 1), mode).detach().numpy())


def test_integers_are_padded_too():
    x = fn.arange(12).reshape(1, 3, 4)
    assert F.pad(x, (1, 1), "reflect").tolist()[0][0] == [1, 0, 1, 2, 3, 2]
    assert F.pad(x, (2, 0), "circular").tolist()[0][1] == [6, 7, 4, 5, 6, 7]


def test_circular_goes_round_what_is_left():
    x = fn.arange(6.0).reshape(1, 6)
    assert F.pad(x, (-1, 2), "circular").tolist() == [[1, 2, 3, 4, 5, 1, 2]]
    assert F.pad(x, (2, -1), "circular").tolist() == [[3, 4, 0, 1, 2, 3, 4]]
    with pytest.raises(RuntimeError, match=r"pad: circular padding \(-4, 3\) is larger than axis 1 of size 6"):
        F.pad(x, (-4, 3), "circular")


def test_shuffles_keep_channels_last():
    x = fn.randn(2, 8, 4, 6).contiguous(memory_format=fn.channels_last)
    for y in (F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2), F.channel_shuffle(x, 4)):
        assert y.is_contiguous(memory_format=fn.channels_last)
    assert np.array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).numpy(), x.numpy())


def calls(count):
    rng = random.Random(2)
    for _ in range(count):
        kind = rng.choice(["pad", "pad", "unfold", "fold", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"])
        n, c, h, w = rng.randint(1, 3), rng.choice([1, 3, 16, 18]), rng.randint(3, 9), rng.randint(3, 9)
        if kind == "pad":
            rank = rng.choice([1, 2, 3])
            sizes = tuple(rng.randint(-1, 2) for _ in range(2 * rank))
            yield kind, (n, c, h, w, 4)[:rank + 2], (sizes, rng.choice(["constant", *MODES.values()]))
        elif kind.endswith("fold"):
            window = {"kernel_size": (rng.randint(1, 3), rng.randint(1, 3)), "dilation": rng.randint(1, 2), "padding": rng.randint(0, 2),
                      "stride": rng.randint(1, 3)}
            out = [(m + 2 * window["padding"] - window["dilation"] * (k - 1) - 1) // window["stride"] + 1
                   for m, k in zip((h, w), window["kernel_size"])]
            taps = window["kernel_size"][0] * window["kernel_size"][1]
            if min(out) > 0:
                yield kind, (n, c, h, w) if kind == "unfold" else (n, c * taps, out[0] * out[1]), \
                    (*([] if kind == "unfold" else [(h, w)]), *window.values())
        else:
            yield kind, (n, 12, 2 * h, 2 * w), (2,)


def test_pytorch_gives_the_same():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: padding and windows were not compared with it")
    for name, shape, args in calls(400):
        x = np.random.default_rng(5).standard_normal(shape)
        found = []
        for lib in (torch, fn):
            t = lib.tensor(x).requires_grad_()
            try:
                y = getattr(lib.nn.functional, name)(t, *args)
            except RuntimeError as error:
                found.append(error)
                continue
            y.backward(lib.tensor(np.random.default_rng(6).standard_normal(tuple(y.shape))))
            found.append((y.detach().numpy(), t.grad.numpy()))
        where = f"{name} {shape} {args}: {found}"
        assert isinstance(found[0], RuntimeError) == isinstance(found[1], RuntimeError), where
        if not isinstance(found[0], RuntimeError):
            assert all(a.shape == b.shape and np.allclose(a, b, rtol=1e-12, atol=1e-12) for a, b in zip(*found)), where
