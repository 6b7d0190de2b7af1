"""Backward that is recorded: what it keeps, refuses and hands on, as PyTorch does."""
import gc
import math

import fastnet
import numpy as np
import pytest
from fastnet import nn, tensor
from fastnet.autograd import Function, detect_anomaly, grad
from fastnet.autograd.function import once_differentiable
from fastnet.autograd.recorded.kinds import RECIPES
from fastnet.nn import functional as F


def leaf(*values):
    return tensor(list(values), dtype=fastnet.float64, requires_grad=True)


def test_third_derivatives():
    x = leaf(0.3, -1.2)
    y = (x.sin() * x.exp()).sum()
    for expected in (lambda v: np.exp(v) * (np.sin(v) + np.cos(v)), lambda v: 2 * np.exp(v) * np.cos(v),
                     lambda v: 2 * np.exp(v) * (np.cos(v) - np.sin(v))):
        y, = grad(y.sum(), x, create_graph=True)
        assert np.allclose(y.detach().numpy(), expected(x.detach().numpy()), rtol=1e-13)


def test_only_partial_derivatives_of_an_op_whose_inputs_depend_on_each_other():
    """GLU's recipe replays it on both inputs: what one has from the other must not count twice."""
    x = leaf(0.5, -0.3, 0.2, 0.9)
    h = x * x
    y = F.glu(fastnet.cat([x, h])[:4].clone() * h).sum()
    plain, = grad(y, x, retain_graph=True)
    recorded, = grad(y, x, create_graph=True)
    assert np.allclose(plain.numpy(), recorded.detach().numpy(), rtol=1e-13)
    packed = leaf(*np.linspace(-1, 1, 8))
    q = packed.reshape(1, 1, 4, 2)
    y = F.scaled_dot_product_attention(q, q * 2, q.sin()).square().sum()
    assert np.allclose(grad(y, packed, retain_graph=True)[0].numpy(), grad(y, packed, create_graph=True)[0].detach().numpy(), rtol=1e-12)


def test_grad_attribute_with_a_history():
    w = leaf(1.0, 2.0)
    (w ** 3).sum().backward(create_graph=True)
    assert w.grad.requires_grad and w.grad.tolist() == [3.0, 12.0]
    penalty = (w.grad ** 2).sum()
    second, = grad(penalty, w)
    assert second.tolist() == [36.0, 288.0]              # d (3 w^2)^2 / dw = 36 w^3
    (w ** 3).sum().backward(create_graph=True)           # added to what is there, in a new tensor
    assert w.grad.tolist() == [6.0, 24.0] and w.grad.requires_grad
    (w * 1.0).sum().backward()
    assert w.grad.tolist() == [7.0, 25.0]
    w.grad = None
    assert w.grad is None
    (w * 1.0).sum().backward()
    assert not w.grad.requires_grad


def test_grad_attribute_modified_in_place():
    w = leaf(1.0, 2.0)
    (w ** 3).sum().backward(create_graph=True)
    assert w.grad is w.grad
    w.grad.mul_(10.0)
    assert grad(w.grad.sum(), w)[0].tolist() == [60.0, 120.0]
    w.grad = w.grad.detach()
    assert not w.grad.requires_grad


def test_zero_grad_takes_the_history_away():
    w = nn.Parameter(fastnet.ones(2))
    optimizer = fastnet.optim.SGD([w], lr=0.1)
    (w ** 3).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=False)
    assert not w.grad.requires_grad and w.grad.tolist() == [0.0, 0.0]
    layer = nn.Linear(2, 1)
    layer(fastnet.ones(1, 2)).square().sum().backward(create_graph=True)
    layer.zero_grad(set_to_none=False)
    assert not layer.weight.grad.requires_grad and layer.weight.grad.tolist() == [[0.0, 0.0]]


def test_a_gradient_that_refers_to_its_leaf_is_freed_when_it_is_dropped():
    gc.collect()
    before = fastnet.memory_stats()["live_bytes"]
    w = fastnet.ones(1 << 16, requires_grad=True)
    (w ** 3).sum().backward(create_graph=True)
    w.grad = None
    del w
    x = fastnet.ones(1 << 16, requires_grad=True)
    for _ in range(3):
        g, = grad((x ** 3).sum(), x, create_graph=True)
        grad(g.square().sum(), x)
    del x, g
    gc.collect()
    assert fastnet.memory_stats()["live_bytes"] <= before + 8192


def test_retain_graph_defaults_to_create_graph():
    x = leaf(2.0)
    y = x * x
    grad(y, x, create_graph=True)
    grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="MulBackward0 was freed by an earlier backward"):
        grad(y, x, create_graph=True)


def test_a_saved_tensor_that_was_modified_is_noticed():
    x, scale = leaf(1.0), tensor([3.0], dtype=fastnet.float64)
    y = x * scale
    scale.add_(1.0)
    with pytest.raises(RuntimeError, match="MulBackward0 saved a tensor.*modified in place"):
        grad(y, x, create_graph=True)


def test_unused_inputs():
    x, unused = leaf(2.0), leaf(1.0, 2.0)
    y = x * x
    with pytest.raises(RuntimeError, match=r"no output depends on an input of shape \(2,\)"):
        grad(y, [x, unused], create_graph=True)
    assert grad(y, [x, unused], create_graph=True, allow_unused=True)[1] is None
    assert grad(y, [x, unused], create_graph=True, materialize_grads=True)[1].tolist() == [0.0, 0.0]


def test_hooks_retained_gradients_and_inputs_that_are_no_leaves():
    x = leaf(3.0)
    seen = []
    h = x * x
    h.retain_grad()
    h.register_hook(lambda g: seen.append(g.requires_grad) or g * 2)
    y = h * h
    y.backward(create_graph=True, inputs=[x])
    assert seen == [True] and x.grad.tolist() == [2 * 4 * 27.0] and h.grad is None
    x.grad = None
    y.backward(create_graph=True)
    assert h.grad.tolist() == [36.0] and h.grad.requires_grad
    g, = grad(y, h, create_graph=True)
    assert grad(g, x, retain_graph=True)[0].tolist() == [4 * 2 * 6.0]       # the hook doubles d(h^2)/dh and, again, d(4h)/dh
    with pytest.raises(RuntimeError, match="register_hook: a hook turned"):
        h.register_hook(lambda g: g.sum())
        grad(y, x, create_graph=True)


def test_recording_inside_no_grad():
    x = leaf(2.0)
    y = x ** 3
    with fastnet.no_grad():
        g, = grad(y, x, create_graph=True)
    assert grad(g, x)[0].item() == 12.0


def test_gradients_to_begin_with_have_a_history():
    """The double-backward trick: the Jacobian times a vector, from two backwards."""
    x, v = leaf(1.0, 2.0), leaf(0.0, 0.0)
    y = fastnet.stack([x[0] * x[1], x[0].sin(), x[1] ** 2])
    u = fastnet.zeros(3, dtype=fastnet.float64, requires_grad=True)
    g, = grad(y, x, u, create_graph=True)
    jvp, = grad(g, u, tensor([1.0, -1.0], dtype=fastnet.float64))
    assert np.allclose(jvp.numpy(), [2.0 - 1.0, np.cos(1.0), -4.0]) and v.grad is None


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        y = x ** 3
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, gy):
        x, y = ctx.saved_tensors
        return gy * 3 * y / x                            # by the output, which must have its history


class Pair(Function):
    """(x) -> (x^2, x^3), the second of which backward reads even where only the first is used."""

    @staticmethod
    def forward(ctx, x):
        a, b = x ** 2, x ** 3
        ctx.save_for_backward(a, b)
        return a, b

    @staticmethod
    def backward(ctx, ga, gb):
        a, b = ctx.saved_tensors
        return ga * 2 * b / a + gb * 3 * a


def test_functions_written_in_python():
    x = leaf(2.0, -1.0)
    for order, expected in ((2, 6 * x), (3, 0 * x + 6)):
        y = Cube.apply(x)
        for _ in range(order - 1):
            y, = grad(y.sum(), x, create_graph=True)
        assert np.allclose(grad(y.sum(), x)[0].numpy(), expected.detach().numpy())
    a, b = Pair.apply(x)
    g, = grad(a.sum(), x, create_graph=True)
    assert np.allclose(g.detach().numpy(), 2 * x.detach().numpy()) and np.allclose(grad(g.sum(), x)[0].numpy(), [2.0, 2.0])
    a, b = Pair.apply(x)
    g, = grad((a * b).sum(), x, create_graph=True)
    assert np.allclose(grad(g.sum(), x)[0].numpy(), 20 * x.detach().numpy() ** 3)


class Rounded(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @once_differentiable
    def backward(ctx, gy):
        return gy * fastnet.from_numpy(2 * ctx.saved_tensors[0].detach().numpy())


def test_once_differentiable():
    x = leaf(3.0)
    assert grad(Rounded.apply(x), x)[0].item() == 6.0
    g, = grad(Rounded.apply(x), x, create_graph=True)
    assert g.item() == 6.0
    with pytest.raises(RuntimeError, match="Rounded: backward is marked with once_differentiable"):
        grad(g, x)


def test_an_op_without_a_recipe_says_so(monkeypatch):
    x = leaf(1.0)
    y = x.cosh()
    grad(y, x, create_graph=True)
    monkeypatch.delitem(RECIPES, "CoshBackward0")
    with pytest.raises(RuntimeError, match="CoshBackward0 has no second derivative"):
        grad(y, x, create_graph=True)
    assert grad(y, x)[0].item() == pytest.approx(np.sinh(1.0))


def test_ops_in_place_and_views_of_them():
    x = leaf(0.5, 1.5, -0.7)

    def by_hand(x):
        h = x * 1.0
        h[1:] *= 3.0
        h[:2].mul_(x[1:])
        v = h.view(3, 1)
        h.exp_()
        return (v.squeeze(1) * h).sum()

    plain, = grad(by_hand(x), x)
    recorded, = grad(by_hand(x), x, create_graph=True)
    assert np.allclose(plain.numpy(), recorded.detach().numpy(), rtol=1e-13)
    second, = grad((recorded * tensor([1.0, -2.0, 0.5], dtype=fastnet.float64)).sum(), x)
    step, total = 1e-5, np.zeros(3)
    for i in range(3):
        for sign in (1, -1):
            moved = x.detach().clone()
            moved[i] += sign * step
            g, = grad(by_hand(moved.requires_grad_()), moved)
            total[i] += sign * (g.numpy() * [1.0, -2.0, 0.5]).sum() / (2 * step)
    assert np.allclose(second.numpy(), total, rtol=1e-7)


def test_anomalies_are_found():
    x = leaf(0.0)
    with detect_anomaly(), pytest.raises(RuntimeError, match="SqrtBackward0 returned NaN"):
        grad((x.sqrt() * 0).sum(), x, create_graph=True)


def test_only_what_the_asked_for_inputs_need_is_computed():
    layer, x = nn.Conv2d(2, 3, 3).double(), fastnet.randn(1, 2, 5, 5).double().requires_grad_()
    seen = []
    layer.weight.register_hook(lambda g: seen.append(g))
    y = layer(x).sin().sum()
    g, = grad(y, x, create_graph=True)
    assert not seen
    second, = grad(g.square().sum(), layer.weight)       # its history is there all the same
    assert second.shape == layer.weight.shape and bool((second != 0).any()) and len(seen) == 1


@pytest.mark.parametrize("f", [
    lambda x, t: x.std(), lambda x, t: x.std(0, unbiased=False), lambda x, t: nn.functional.binary_cross_entropy(x, t, reduction="sum"),
    lambda x, t: nn.functional.binary_cross_entropy(x[:2].repeat(3), t)], ids=["std", "std0", "bce", "bce of equals"])
@pytest.mark.parametrize("values", [[0.0, 0, 1, 1, 0.5, 1], [1.0] * 6, [0.0] * 6])
def test_at_the_ends_a_recorded_gradient_is_the_plain_one(f, values):
    x = fastnet.tensor(values, dtype=fastnet.float64, requires_grad=True)
    t = fastnet.tensor([0.0, 1, 0, 1, 0.5, 0.25], dtype=fastnet.float64, requires_grad=True)
    plain, recorded = (grad(f(x, t), [x, t], create_graph=made, allow_unused=True) for made in (False, True))
    for a, b in zip(plain, recorded):
        assert a is None and b is None or np.allclose(a.numpy(), b.detach().numpy(), rtol=1e-9) and bool(b.isfinite().all())


ENDS = {
    "relu": lambda x: x.relu(), "abs": lambda x: x.abs(), "clamp": lambda x: x.clamp(-1, 1), "hardtanh": F.hardtanh, "relu6": F.relu6,
    "threshold": lambda x: F.threshold(x, 1.0, 5.0), "hardshrink": F.hardshrink, "softshrink": F.softshrink, "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "celu": lambda x: F.celu(x, 0.5),
    "elu of a negative alpha": lambda x: F.elu(x, -0.5), "softplus": F.softplus, "sqrt": lambda x: x.sqrt(), "exp": lambda x: x.exp(),
    "maximum": lambda x, y: x.maximum(y), "minimum": lambda x, y: x.minimum(y), "prelu": lambda x, y: F.prelu(x, y[:1]),
    "clamp by tensors": lambda x, y: x.clamp(y, y + 1), "clamp from above": lambda x, y: x.clamp(max=y),
}


OF_TWO = ("maximum", "minimum", "prelu", "clamp by tensors", "clamp from above")


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("dtype", [fastnet.float32, fastnet.float64], ids=["float32", "float64"])
def test_of_nan_and_infinity_a_recorded_gradient_is_the_plain_one(name, dtype):
    ends = [math.nan, math.inf, -math.inf, 0.0, -2.0, 1.0, 3.0]
    pairs = [[a for a in ends for _ in ends], ends * len(ends)][:2 if name in OF_TWO else 1]
    xs = [tensor(a, dtype=dtype, requires_grad=True) for a in pairs]
    gy = fastnet.linspace(-1, 2, len(ends) ** 2, dtype=dtype)
    plain, recorded = (grad(ENDS[name](*xs), xs, gy, create_graph=made) for made in (False, True))
    for a, b in zip(plain, recorded):
        assert np.allclose(a.numpy(), b.detach().numpy(), equal_nan=True), (a, b)
