"""Normalisation layers: running statistics, what is kept, precision, and fusion with an activation that follows."""
import numpy as np
import pytest
from fastnet.nn.normalization import norm_act

import fastnet as fn
from fastnet import nn
from fastnet.nn import functional as F

RNG = np.random.default_rng(8)


def image(*shape, dtype="float32"):
    return fn.tensor(RNG.standard_normal(shape).astype(dtype))


@pytest.mark.parametrize("momentum", [0.1, 1.0, None])
def test_running_statistics_follow_the_batches(momentum):
    layer, mean, var = nn.BatchNorm2d(3, momentum=momentum), np.zeros(3), np.ones(3)
    for step in range(1, 4):
        x = RNG.standard_normal((4, 3, 5, 5)).astype("float32") * step + step
        layer(fn.tensor(x))
        part = 1 / step if momentum is None else momentum
        mean += part * (x.astype("f8").mean((0, 2, 3)) - mean)
        var += part * (x.astype("f8").var((0, 2, 3), ddof=1) - var)
    assert layer.num_batches_tracked.item() == 3
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-5)
    layer.eval()
    y = layer(fn.tensor(x)).detach().numpy()
    np.testing.assert_allclose(y, (x - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-5), rtol=1e-4, atol=1e-5)
    assert layer.num_batches_tracked.item() == 3


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 4), (2, 3, 0, 4)])
def test_of_nothing_gradients_are_zero_and_statistics_stay(shape):
    layer, x = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3), fn.zeros(*shape, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == layer.bias.grad.tolist() == layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1] and x.grad.shape == x.shape


def test_running_statistics_of_instance_norm_are_those_of_the_mean_image():
    layer = nn.InstanceNorm1d(2, track_running_stats=True, momentum=0.5)
    x = RNG.standard_normal((3, 2, 9)).astype("float32")
    layer(fn.tensor(x))
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.5 * x.mean(2).mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.5 + 0.5 * x.var(2, ddof=1).mean(0), rtol=1e-5)


def test_running_statistics_may_be_views():
    both, x = fn.zeros(2, 3), RNG.standard_normal((5, 2)).astype("float32")
    F.batch_norm(fn.tensor(x), both[:, 1], fn.ones(2), training=True, momentum=1.0)
    np.testing.assert_allclose(both.numpy()[:, 1], x.mean(0), rtol=1e-5)
    assert not both.numpy()[:, 0].any()


def test_without_running_statistics_evaluation_uses_the_batch():
    layer = nn.BatchNorm1d(3, track_running_stats=False).eval()
    y = layer(image(50, 3) * 4 + 2).detach().numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1, rtol=1e-3)
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_state_has_pytorchs_names():
    assert list(nn.BatchNorm2d(2).state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.InstanceNorm2d(2).state_dict()) == [] and list(nn.GroupNorm(1, 2).state_dict()) == ["weight", "bias"]
    assert list(nn.LayerNorm((2, 3), bias=False).state_dict()) == ["weight"] and nn.RMSNorm((2, 3)).weight.shape == (2, 3)
    assert nn.BatchNorm1d(2, bias=False).bias is None and nn.BatchNorm1d(2, affine=False).weight is None
    old = {k: v for k, v in nn.BatchNorm1d(2).state_dict().items() if k != "num_batches_tracked"}
    assert nn.BatchNorm1d(2).load_state_dict(old).missing_keys == []


@pytest.mark.parametrize("layer, shape", [(nn.BatchNorm1d(3), (2, 3, 4, 5)), (nn.BatchNorm2d(3), (2, 3, 4)),
                                          (nn.BatchNorm3d(3), (3, 4, 5, 6)),
                                          (nn.InstanceNorm1d(3), (2, 3, 4, 5)), (nn.InstanceNorm2d(3), (2, 3, 4, 5, 6))])
def test_a_layer_refuses_another_rank(layer, shape):
    with pytest.raises(ValueError, match=type(layer).__name__):
        layer(fn.zeros(*shape))


def test_constructors_refuse():
    for make in (lambda: nn.BatchNorm1d(-1), lambda: nn.GroupNorm(4, 6), lambda: nn.GroupNorm(0, 6)):
        with pytest.raises(ValueError):
            make()
    with pytest.raises(TypeError, match="num_features"):
        nn.BatchNorm2d(2.5)
    with pytest.raises(ValueError, match="num_features 3"):
        nn.InstanceNorm1d(3, affine=True)(fn.zeros(1, 2, 4))
    with pytest.warns(UserWarning, match="num_features 3"):
        nn.InstanceNorm1d(3)(image(1, 2, 4))


def test_an_image_without_a_batch_axis():
    layer, x = nn.InstanceNorm2d(3), image(3, 4, 5)
    np.testing.assert_array_equal(layer(x).numpy(), layer(x.unsqueeze(0)).squeeze(0).numpy())


@pytest.mark.parametrize("shape", [(64, 1, 20, 20), (3, 70, 41), (500, 3)])
def test_variance_far_from_zero_is_precise(shape):
    """A mean of 1000 and a deviation of 0.1: sums of squares in float32 would lose everything."""
    x = (RNG.standard_normal(shape) * 0.1 + 1000).astype("float32")
    wide = x.astype("f8").swapaxes(0, 1).reshape(shape[1], -1)
    want = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    got = F.batch_norm(fn.tensor(x), None, None, training=True).numpy().swapaxes(0, 1).reshape(shape[1], -1)
    assert np.abs(got - want).max() < 2e-3                # the mean itself is only known to half a unit of 1000: 3e-5, of 0.1


@pytest.mark.parametrize("value", [0.0, 1e-3, 123.456])
def test_equal_values_have_no_variance(value):
    x = fn.full((7, 5, 9), value)
    assert not F.batch_norm(x, None, None, training=True).numpy().any() and not F.layer_norm(x, (9,)).numpy().any()


def test_an_outlier_in_front_costs_no_digits():
    x = np.ones((4096, 64), "float32") + RNG.standard_normal((4096, 64)).astype("float32") * 0.5
    x[0] = 1e4
    wide = x.astype("f8")
    want = (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 1e-5)
    np.testing.assert_allclose(F.batch_norm(fn.tensor(x), None, None, training=True).numpy(), want, rtol=1e-4, atol=1e-5)


def test_channels_stay_last():
    x = image(2, 5, 4, 3)
    for y in (F.batch_norm(x, None, None, training=True), F.group_norm(x, 5), F.instance_norm(x), F.local_response_norm(x, 2)):
        assert y.is_contiguous(memory_format=fn.channels_last)
    x.requires_grad_()
    F.batch_norm(x, None, None, training=True, activation="relu").backward(fn.ones(2, 5, 4, 3))
    assert x.grad.is_contiguous(memory_format=fn.channels_last)


def test_evaluation_without_gradients_keeps_nothing():
    net, x = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(), nn.BatchNorm2d(8)).eval(), image(4, 8, 16, 16)
    with fn.no_grad():
        before = fn.memory_stats()["live_bytes"]
        y = net(x)
        after = fn.memory_stats()["live_bytes"]
    assert after - before < 1.4 * y.numel() * 4           # one result; block sizes are rounded up


def test_training_keeps_the_input_alone():
    """batch norm and relu in one: no mask, no normalised copy."""
    net, x = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(inplace=True)), image(4, 8, 16, 16)
    x = x.contiguous(memory_format=fn.channels_last)
    before = fn.memory_stats()["live_bytes"]
    y = net(x)
    assert fn.memory_stats()["live_bytes"] - before < 1.4 * y.numel() * 4


ACTIVATIONS = [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.LeakyReLU(0.2), nn.SiLU(), nn.Hardswish()]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: repr(a))
@pytest.mark.parametrize("training", [True, False])
def test_sequential_fuses_and_gives_the_same(activation, training, monkeypatch):
    norm = nn.BatchNorm2d(6)
    with fn.no_grad():
        norm.weight.copy_(image(6)), norm.bias.copy_(image(6)), norm.running_mean.copy_(image(6))
    norm.train(training)
    x, gy = image(3, 6, 5, 4), image(3, 6, 5, 4)
    results = []
    for call in (nn.Sequential(norm, activation), lambda x: activation(norm(x))):
        leaf = x.detach().clone().requires_grad_()
        norm.zero_grad()
        y = call(leaf)
        value = y.detach().clone()
        y.backward(gy)
        results.append([t.numpy() for t in (value, leaf.grad, norm.weight.grad, norm.bias.grad)])
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=2e-5)
    monkeypatch.setattr(type(activation), "forward", lambda self, x: pytest.fail("the activation ran by itself"))
    nn.Sequential(norm, activation)(x)
    norm_act(norm, activation, x)


def test_hooks_and_subclasses_are_not_fused():
    seen, x = [], image(4, 3, 2, 2)
    net = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    plain = net(x).detach().numpy()
    handle = net[1].register_forward_hook(lambda m, args, y: seen.append(bool((args[0] < 0).any())))
    np.testing.assert_allclose(net(x).detach().numpy(), plain, rtol=1e-6, atol=1e-6)
    norm_act(net[0], net[1], x)
    assert seen == [True, True]                            # what the ReLU is given is not yet cut off
    handle.remove()
    net[0].register_forward_hook(lambda m, args, y: y * 0 - 1)
    assert not net(x).detach().numpy().any() and not norm_act(net[0], net[1], x, residual=x * 0).detach().numpy().any()

    class Doubled(nn.BatchNorm2d):
        def forward(self, input):
            return super().forward(input) * 2
    np.testing.assert_allclose(nn.Sequential(Doubled(3), nn.ReLU())(x).detach().numpy(), plain * 2, rtol=1e-6, atol=1e-6)


def test_residual_is_added_before_the_activation():
    norm, relu, x, r = nn.BatchNorm2d(6), nn.ReLU(inplace=True), image(3, 6, 5, 4), image(3, 6, 5, 4)
    results = []
    for call in (lambda x, r: norm_act(norm, relu, x, r), lambda x, r: relu(norm(x) + r), lambda x, r: F.relu(norm_act(norm, None, x, r))):
        a, b = x.detach().clone().requires_grad_(), r.detach().clone().requires_grad_()
        norm.zero_grad()
        y = call(a, b)
        y.sum().backward()
        results.append([t.detach().numpy() for t in (y, a.grad, b.grad, norm.weight.grad, norm.bias.grad)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=2e-5, atol=2e-5)


def test_relu_in_place_on_a_result():
    x = image(5, 4)
    x.requires_grad_()
    y = x * 2
    z = nn.ReLU(inplace=True)(y)
    z.sum().backward()
    assert z is y and np.array_equal(x.grad.numpy(), 2.0 * (x.detach().numpy() > 0))


def test_a_failed_call_leaves_the_running_statistics():
    mean = fn.zeros(3)
    with pytest.raises(RuntimeError):
        F.batch_norm(image(4, 3), mean, fn.ones(3), fn.ones(2), training=True)
    assert not mean.numpy().any()


def every_op(x, r, grid, norm):
    """Each of these ops once, both ways; all that it made is dropped."""
    y = norm_act(norm, nn.SiLU(), x, r)
    y = F.group_norm(norm_act(norm, nn.ReLU(), y), 3)
    y = F.local_response_norm(F.instance_norm(y, weight=norm.weight), 2) + F.layer_norm(y, (4,)) + F.rms_norm(y, (4,))
    y = F.grid_sample(F.interpolate(y, size=(6, 5), mode="bicubic"), grid, align_corners=False)
    y.sum().backward()
    for t in (x, r, grid, norm.weight, norm.bias):
        t.grad = None


def test_memory_may_run_out_anywhere():
    """Each allocation of each op fails once: an error, nothing leaked, and the next call is right."""
    from fastnet._core import memory
    x, r, norm = image(2, 6, 5, 4), image(2, 6, 5, 4), nn.BatchNorm2d(6)
    grid = fn.rand(2, 3, 2, 2)
    for t in (x, r, grid):
        t.requires_grad_()
    every_op(x, r, grid, norm)
    live, failures = fn.memory_stats()["live_bytes"], 0
    for n in range(400):
        memory._fail_after(n)
        try:
            every_op(x, r, grid, norm)
            break
        except MemoryError:
            failures += 1
        finally:
            memory._fail_after(-1)
        for t in (x, r, grid, norm.weight, norm.bias):
            t.grad = None
    assert failures > 60 and fn.memory_stats()["live_bytes"] == live
    every_op(x, r, grid, norm)
