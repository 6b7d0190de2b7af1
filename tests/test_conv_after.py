"""What follows a convolution runs in its pass where no gradient is recorded, and gives the bits of the ops one after the other."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet._core import launch
from fastnet.nn.conv import conv_norm_act
from fastnet.ops.conv import conv_act

RNG = np.random.default_rng(0)
# in, out, kernel, stride, groups, image, batch
SHAPES = [(16, 32, 3, 1, 1, (13, 17), 2), (3, 16, 3, 2, 1, (30, 21), 1), (64, 80, 1, 1, 1, (20, 20), 1), (64, 200, 1, 1, 1, (60, 20), 1),
          (32, 32, 3, 1, 32, (19, 23), 2), (8, 8, 3, 1, 1, (19, 23), 1), (16, 16, 5, 2, 16, (19, 23), 2), (24, 24, 3, 1, 4, (9, 40), 2),
          (128, 256, 3, 1, 1, (7, 7), 2), (64, 64, 3, 2, 1, (28, 27), 1),
          (32, 64, 1, 1, 1, (1, 1), 1), (16, 150, 1, 1, 1, (40, 49), 1), (1280, 40, 1, 1, 1, (3, 3), 1), (12, 5, 3, 1, 1, (33, 31), 3)]
ACTIVATIONS = [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.SiLU(), nn.Hardswish(), nn.GELU(), nn.GELU("tanh"), nn.Sigmoid(), nn.Tanh(),
               nn.Mish(), None]


@pytest.fixture
def split():
    """Launches on several threads whatever their size."""
    was = launch._set_region_cost(0)
    yield
    launch._set_region_cost(was)


def image(*shape, dtype="float32"):
    return fn.tensor(RNG.standard_normal(shape).astype(dtype))


def served(shape, algorithm, which):
    """Whether the algorithm takes the shape when it is asked to."""
    c, k, kernel, stride, groups, size, batch = shape
    with fn.backends.conv.flags(algorithm=algorithm):
        found = fn.backends.conv.explain((batch, c, *size), (k, c // groups, kernel, kernel), stride, kernel // 2, 1, groups)
    return algorithm is None or found[which].algorithm == algorithm


def pairs(which):
    """All shapes with the algorithm of their own (None) and with all others that can serve."""
    names = [None, "direct", "planar", "scatter", "winograd2", "winograd4"]
    return [(shape, name) for shape in SHAPES for name in names if served(shape, name, which)]


def one_by_one(y, activation, residual, last):
    if residual is not None and not last:
        y = y + residual
    if activation is not None:
        y = activation(y)
    return y if residual is None or not last else y + residual


@pytest.mark.parametrize("shape, algorithm", pairs("forward"), ids=str)
def test_bits_are_those_of_the_ops_one_after_the_other(split, shape, algorithm):
    c, k, kernel, stride, groups, size, batch = shape
    for dtype in ("float32", "float64"):
        conv, x = nn.Conv2d(c, k, kernel, stride, kernel // 2, groups=groups, dtype=getattr(fn, dtype)), image(batch, c, *size, dtype=dtype)
        with fn.backends.conv.flags(algorithm=algorithm), fn.no_grad():
            y = conv(x)
            wide = image(batch, k + 5, *y.shape[2:], dtype=dtype).contiguous(memory_format=fn.channels_last)
            for i, residual in enumerate((None, image(*y.shape, dtype=dtype), wide[:, 3:-2])):
                for activation in ACTIVATIONS if algorithm is None and i == 0 else ACTIVATIONS[3 * i::7]:
                    got = conv._activated(x, activation, residual, i == 1)
                    assert np.array_equal(np.asarray(got), np.asarray(one_by_one(y, activation, residual, i == 1))), (dtype, activation, i)


def test_layers_of_one_and_three_axes_and_images_without_a_batch():
    for conv, x in ((nn.Conv1d(4, 8, 3), image(2, 4, 20)), (nn.Conv3d(4, 8, 3), image(2, 4, 5, 6, 7)), (nn.Conv2d(4, 8, 3), image(4, 9, 9)),
                    (nn.Conv2d(4, 8, 3), image(0, 4, 9, 9))):
        with fn.no_grad():
            residual = fn.ones_like(conv(x))
            got = conv._activated(x, ACTIVATIONS[0], residual)
            assert np.array_equal(np.asarray(got), np.asarray((conv(x) + residual).relu()))


def test_nothing_is_done_where_it_would_be_wrong():
    conv, x = nn.Conv2d(4, 8, 3, padding=1), image(2, 4, 5, 5)
    assert conv._activated(x, nn.ReLU()) is None                    # a gradient is recorded
    with fn.no_grad():
        assert conv._activated(x, nn.ReLU(), image(1, 8, 5, 5)) is None                     # broadcast
        assert conv._activated(x, nn.ReLU(), image(2, 8, 5, 5, dtype="float64")) is None
        assert nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect")._activated(x, nn.ReLU()) is None
        got = conv_norm_act(conv, nn.Identity(), nn.ReLU(), x, image(1, 8, 5, 5))
        assert tuple(got.shape) == (2, 8, 5, 5)
    with pytest.raises(ValueError, match="conv_act: activation"):
        conv_act(x, conv.weight.detach(), None, 1, 1, 1, 1, "softmax")
    with pytest.raises(RuntimeError, match="expects 4 input channels"):
        conv_act(image(2, 3, 5, 5), conv.weight.detach(), None, 1, 1, 1, 1, "relu")


def launched(model, x):
    record = []
    launch._record_launches(record)
    try:
        y = model(x)
    finally:
        launch._record_launches(None)
    names = {number: name for name, number in launch.kernel_numbers().items()}
    return y, [names[entry[3]] for entry in record]


def test_sequential_fuses_past_a_folded_norm_and_stops_for_hooks_and_gradients():
    net = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.SiLU()).eval()
    fused, x = fn.fuse_conv_bn(net), image(2, 3, 9, 9)
    with fn.no_grad():
        y, names = launched(fused, x)
        assert "silu" not in names
        assert np.allclose(np.asarray(y), np.asarray(net(x)), atol=1e-5)
        seen = []
        fused[1].register_forward_hook(lambda *_: seen.append(1))
        again, names = launched(fused, x)
        assert seen and "silu" in names and np.array_equal(np.asarray(again), np.asarray(y))
    y = nn.Sequential(fused[0], fused[2])(x)
    assert y.requires_grad


@pytest.mark.parametrize("model, size", [("resnet18(4, width=8, stem='cifar')", 16), ("resnet50(4, width=8)", 64), ("mobilenet_v2(4)", 64),
                                         ("efficientnet_b0(4)", 64)])
def test_models_give_in_inference_what_they_give_with_gradients(model, size):
    net, x = eval(f"fn.models.{model}", {"fn": fn}).eval(), image(2, 3, size, size)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            fn.nn.init.uniform_(module.running_var, 0.5, 2.0)
    net = fn.fuse_conv_bn(net, x)
    want = net(x).detach()
    with fn.no_grad():
        got, names = launched(net, x)
    assert np.array_equal(np.asarray(got), np.asarray(want))
    assert "resnet18" not in model or "relu" not in names           # the others have products too small for it


@pytest.mark.parametrize("shape, algorithm", pairs("input"), ids=str)
def test_an_input_gradient_is_added_to_what_waits_at_a_join(split, shape, algorithm):
    c, k, kernel, stride, groups, size, batch = shape
    conv = nn.Conv2d(c, k, kernel, stride, kernel // 2, groups=groups)
    with fn.backends.conv.flags(algorithm=algorithm):
        for layout in ("channels last", "planes", "sliced"):
            leaf = image(batch, c + 2 * (layout == "sliced"), *size).requires_grad_()
            x = leaf[:, 1:-1] if layout == "sliced" else leaf * 1
            y, other = conv(x), x * 2                    # other is newer: its gradient is there first
            gy, gother = image(*y.shape), image(*x.shape)
            if layout != "planes":
                gother = gother.contiguous(memory_format=fn.channels_last)
            parts = [fn.autograd.grad(out, x, g, retain_graph=True)[0] for out, g in ((other, gother), (y, gy))]
            got, = fn.autograd.grad([y, other], x, [gy, gother])
            assert np.array_equal(np.asarray(got), np.asarray(parts[0] + parts[1])), layout

