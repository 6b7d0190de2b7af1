"""Batch norm folded into convolutions and linear layers: the same results, nothing kept, pairs found by what runs."""
import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval

RNG = np.random.default_rng(3)


def settled(model):
    """Statistics and weights as after training, evaluation mode."""
    with fn.no_grad():
        for m in model.modules():
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                for t, low in ((m.running_mean, -1), (m.running_var, 0.5), (m.weight, 0.5), (m.bias, -1)):
                    if t is not None:
                        t.copy_(fn.tensor(RNG.uniform(low, 2, t.shape).astype("float32")))
    return model.eval()


def same(a, b, x):
    with fn.no_grad():
        np.testing.assert_allclose(a(x).numpy(), b(x).numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("conv, bn, shape, transpose", [
    (nn.Conv1d(2, 4, 3, bias=False), nn.BatchNorm1d(4), (2, 2, 9), False),
    (nn.Conv2d(4, 6, 3, groups=2, stride=2), nn.BatchNorm2d(6, affine=False), (2, 4, 9, 8), False),
    (nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3, bias=False), (1, 2, 4, 5, 3), False),
    (nn.ConvTranspose2d(4, 5, 3, stride=2), nn.BatchNorm2d(5), (2, 4, 5, 4), True)])
def test_one_convolution_does_what_both_did(conv, bn, shape, transpose):
    settled(conv), settled(bn)
    before = conv.weight.detach().numpy().copy()
    fused = fuse_conv_bn_eval(conv, bn, transpose)
    same(fused, lambda x: bn(conv(x)), fn.tensor(RNG.standard_normal(shape).astype("float32")))
    assert type(fused) is type(conv) and np.array_equal(conv.weight.detach().numpy(), before)


def test_one_linear_layer_does_what_both_did():
    linear, bn = settled(nn.Linear(5, 3)), settled(nn.BatchNorm1d(3))
    same(fuse_linear_bn_eval(linear, bn), lambda x: bn(linear(x)), fn.tensor(RNG.standard_normal((4, 5)).astype("float32")))
    with pytest.raises(RuntimeError, match="num_features"):
        fuse_linear_bn_eval(linear, settled(nn.BatchNorm1d(4)))


def test_fusion_is_for_evaluation():
    with pytest.raises(RuntimeError, match="evaluation"):
        fuse_conv_bn_eval(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    with pytest.raises(RuntimeError, match="statistics"):
        fuse_conv_bn_eval(nn.Conv2d(1, 1, 1).eval(), nn.BatchNorm2d(1, track_running_stats=False).eval())
    with pytest.raises(RuntimeError, match="evaluation"):
        fn.fuse_conv_bn(nn.Sequential(nn.Conv2d(1, 1, 1)))
    with pytest.raises(TypeError, match="Module"):
        fn.fuse_conv_bn(3)


class Block(nn.Module):
    """A residual block whose attributes are made in another order than they run, with names that mislead."""

    def __init__(self):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.conv1, self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.last, self.last_bn = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x):
        y = self.relu(self.bn2(self.conv1(x)))             # bn2 follows conv1
        z = self.relu(self.bn1(self.conv2(y)) + x)
        w = self.last(z)
        return self.last_bn(self.relu(w))                  # in place: what the norm gets is the convolution's tensor, changed


def test_pairs_are_those_that_run():
    model = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Block(), nn.BatchNorm2d(4)))
    fused, x = fn.fuse_conv_bn(model), fn.tensor(RNG.standard_normal((2, 3, 9, 9)).astype("float32"))
    same(fused, model, x)
    kinds = {name: type(m).__name__ for name, m in fused.named_modules()}
    assert kinds["1"] == kinds["3.bn1"] == kinds["3.bn2"] == "Identity"
    assert kinds["3.last_bn"] == kinds["4"] == "BatchNorm2d"
    assert type(model[1]) is nn.BatchNorm2d and model[3].conv1.bias is None


class Twice(nn.Module):
    """A convolution whose result goes past its norm, too, and one that is called twice."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.again = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)
        self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        z = self.bn(y) + y
        return {"sum": self.first(self.again(z)), "pair": (self.second(self.again(z)), z)}


def test_a_convolution_that_serves_another_is_left_alone():
    model, x = settled(Twice()), fn.tensor(RNG.standard_normal((2, 3, 5, 5)).astype("float32"))
    fused = fn.fuse_conv_bn(model, x)
    assert not any(isinstance(m, nn.Identity) for m in fused.modules())
    np.testing.assert_array_equal(fused(x)["sum"].detach().numpy(), model(x)["sum"].detach().numpy())


def test_hooks_stay():
    model, seen = settled(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))), []
    model[0].register_forward_hook(lambda *a: seen.append(1))
    assert type(fn.fuse_conv_bn(model)[1]) is nn.BatchNorm2d


def test_a_model_that_takes_no_image_asks_for_an_input():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x, y):
            return self.bn(self.conv(x)) + y
    model, x = settled(Two()), fn.ones(1, 3, 5, 5)
    with pytest.raises(RuntimeError, match="pass the inputs"):
        fn.fuse_conv_bn(model)
    assert type(fn.fuse_conv_bn(model, x, fn.ones(1)).bn) is nn.Identity
    assert fn.fuse_conv_bn(nn.Linear(2, 2).eval()).in_features == 2


def test_evaluation_without_gradients_keeps_nothing():
    model = settled(nn.Sequential(*[m for _ in range(4) for m in (nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())]))
    x = fn.ones(2, 8, 16, 16)
    for net in (model, fn.fuse_conv_bn(model)):
        with fn.no_grad():
            before = fn.memory_stats()["live_bytes"]
            y = net(x)
            assert fn.memory_stats()["live_bytes"] - before < 1.4 * 4 * y.numel()
