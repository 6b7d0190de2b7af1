"""Networks whose backward is recorded: attention, recurrent and convolutional layers, checkpoints, penalties, learning to learn."""
import fastnet
import numpy as np
import pytest
from fastnet import nn, tensor
from fastnet.autograd import grad, gradgradcheck
from fastnet.nn import functional as F
from fastnet.utils.checkpoint import checkpoint


def leaf(*values):
    return tensor(list(values), dtype=fastnet.float64, requires_grad=True)


def test_rows_of_an_embedding():
    table = nn.Embedding(5, 2, sparse=True).double()
    loss = (table(tensor([1, 1, 3])) ** 3).sum()
    loss.backward(create_graph=True)
    g = table.weight.grad                                # dense, so that it can be differentiated
    second, = grad(g.sum(), table.weight)
    w = table.weight.detach().numpy()
    expected = np.zeros((5, 2))
    expected[1], expected[3] = 12 * w[1], 6 * w[3]
    assert np.allclose(second.numpy(), expected)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_attention_over_packed_heads_and_with_dropout(dropout):
    fastnet.manual_seed(0)
    q, k, v = (fastnet.randn(2, 4, 7, 3).double().requires_grad_(), fastnet.randn(2, 2, 5, 3).double().requires_grad_(),
               fastnet.randn(2, 2, 5, 2).double().requires_grad_())

    def gradients(create_graph):
        fastnet.manual_seed(5)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, enable_gqa=True).sin().sum()
        return grad(y, (q, k, v), create_graph=create_graph)

    recorded = gradients(True)
    for a, b in zip(gradients(False), recorded):
        assert np.allclose(a.numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)
    second = grad(sum((g ** 2).sum() for g in recorded), (q, k, v))
    step, rng = 1e-5, np.random.default_rng(0)
    ways = [rng.standard_normal(x.shape) for x in (q, k, v)]
    got, want = sum(float((g.numpy() * w).sum()) for g, w in zip(second, ways)), 0.0
    for sign in (1, -1):
        for x, w in zip((q, k, v), ways):
            x.detach().add_(fastnet.from_numpy(sign * step * w))
        want += sign * sum(float((g ** 2).sum()) for g in gradients(False)) / (2 * step)
        for x, w in zip((q, k, v), ways):
            x.detach().sub_(fastnet.from_numpy(sign * step * w))
    assert got == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("make", [
    lambda: nn.RNN(3, 4, nonlinearity="relu"), lambda: nn.RNN(3, 4, bias=False), lambda: nn.GRU(3, 4, bidirectional=True),
    lambda: nn.LSTM(3, 4, 2), lambda: nn.LSTM(3, 4, proj_size=2), lambda: nn.GRU(3, 4, batch_first=True)])
def test_recurrent_layers(make):
    fastnet.manual_seed(1)
    layer = make().double()
    x = fastnet.randn(4, 2, 3).double().requires_grad_()
    wanted = [x, *layer.parameters()]

    def gradients(create_graph):
        y, _ = layer(x)
        return grad(y.sin().sum(), wanted, create_graph=create_graph)

    check_second(gradients, wanted)


@pytest.mark.parametrize("make", [
    lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Softplus(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
    lambda: nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, groups=2, bias=False), nn.GroupNorm(2, 4), nn.Tanh(), nn.AdaptiveAvgPool2d(1)),
    lambda: nn.Sequential(nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), nn.InstanceNorm2d(3), nn.SiLU(), nn.Upsample(size=5)),
    lambda: nn.Sequential(nn.Conv2d(2, 4, 2, padding="same", dilation=1), nn.GELU(), nn.AvgPool2d(3, 2, ceil_mode=True, padding=1))])
def test_convolutional_networks(make):
    fastnet.manual_seed(2)
    net = make().double()
    x = fastnet.randn(3, 2, 4, 4).double().requires_grad_()
    wanted = [x, *net.parameters()]
    check_second(lambda create_graph: grad(net(x).sin().sum(), wanted, create_graph=create_graph), wanted)


def check_second(gradients, wanted):
    """The gradient of the sum of the gradients' squares, against differences along one direction."""
    recorded = gradients(True)
    for a, b in zip(gradients(False), recorded):
        assert np.allclose(a.numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11)
    second = grad(sum((g ** 2).sum() for g in recorded), wanted, allow_unused=True, materialize_grads=True)
    step, rng = 1e-5, np.random.default_rng(0)
    ways = [np.asarray(rng.standard_normal(x.shape)) for x in wanted]
    got, want = sum(float((g.numpy() * w).sum()) for g, w in zip(second, ways)), 0.0
    for sign in (1, -1):
        for x, w in zip(wanted, ways):
            x.detach().add_(fastnet.from_numpy(sign * step * w))
        want += sign * sum(float((g ** 2).sum()) for g in gradients(False)) / (2 * step)
        for x, w in zip(wanted, ways):
            x.detach().sub_(fastnet.from_numpy(sign * step * w))
    assert got == pytest.approx(want, rel=2e-5, abs=1e-7)


def test_a_gradient_penalty_trains_a_critic():
    """One step of a Wasserstein GAN's critic (Gulrajani et al. 2017): the penalty alone brings the slope's length to 1."""
    fastnet.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = fastnet.optim.Adam(critic.parameters(), lr=0.01)
    x = fastnet.randn(64, 2)
    lengths = []
    for _ in range(150):
        at = x.clone().requires_grad_()
        slope, = grad(critic(at).sum(), at, create_graph=True)
        penalty = (slope.norm(2, dim=1) - 1).square().mean()
        optimizer.zero_grad()
        penalty.backward()
        optimizer.step()
        lengths.append(penalty.item())
    assert lengths[-1] < 0.01 < lengths[0]


def test_learning_to_learn():
    """A step of MAML (Finn et al. 2017) through an inner step of gradient descent, against the derivative worked out by hand."""
    w = leaf(1.5)
    inner = (w * 2 - 1).square()
    g, = grad(inner, w, create_graph=True)
    outer = ((w - 0.1 * g) * 3 - 2).square()
    meta, = grad(outer, w)
    v = 1.5 - 0.1 * 2 * 2 * (2 * 1.5 - 1)
    assert meta.item() == pytest.approx(2 * 3 * (3 * v - 2) * (1 - 0.1 * 8))


@pytest.mark.parametrize("layer", [
    nn.AvgPool1d(2), nn.MaxPool1d(2), nn.Upsample(size=9), nn.Conv1d(2, 2, 3), nn.ReflectionPad1d(1), nn.Dropout(0.5),
    nn.BatchNorm1d(2), nn.Unflatten(1, (1, 2)), nn.Flatten()])
def test_the_first_graph_may_be_freed_before_the_second_backward(layer):
    x = fastnet.randn(3, 2, 6, dtype=fastnet.float64).requires_grad_()
    y = layer.double()(x)
    start = fastnet.ones(y.shape, dtype=fastnet.float64).requires_grad_()
    g, = grad(y, x, start, create_graph=True)
    y.sum().backward()
    second, = grad(g.square().sum(), start)              # does not lead through the first graph
    assert second.shape == y.shape


def test_hooks_of_modules():
    seen = []
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh()).double()
    net[0].register_full_backward_hook(lambda module, gi, go: seen.append(go[0].requires_grad))
    x = leaf(0.5, -1.0)
    g, = grad(net(x).sum(), x, create_graph=True)
    grad(g.sum(), net[0].weight)
    assert seen[0] is True


def test_checkpoints():
    block, x = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5), nn.Tanh()).double(), leaf(0.5, -1.0)
    found = []
    for run in (block, lambda h: checkpoint(block, h, use_reentrant=False)):
        fastnet.manual_seed(4)
        block.zero_grad()
        x.grad = None
        (run(x * x) ** 2).sum().backward(create_graph=True)
        penalty = x.grad.square().sum() + block[0].weight.grad.square().sum()
        found.append([x.grad.tolist(), block[0].weight.grad.tolist(), grad(penalty, x)[0].tolist()])
        x.grad = block[0].weight.grad = block[0].bias.grad = None
    for a, b in zip(*found):
        assert np.allclose(a, b, rtol=1e-12) and np.abs(a).max() > 0


@pytest.mark.parametrize("f, shapes", [
    (lambda x, w: F.conv2d(x, w, stride=2, padding=1), [(1, 1, 3, 3), (1, 1, 2, 2)]),
    (lambda x, w: F.conv_transpose1d(x, w, stride=2), [(1, 2, 2), (2, 1, 2)]),
    (lambda x: F.batch_norm(x, None, None, training=True), [(3, 1, 2)]), (lambda x, w: F.layer_norm(x, (3,), w), [(2, 3), (3,)]),
    (lambda q, k: F.scaled_dot_product_attention(q, k, q), [(1, 2, 2), (1, 2, 2)]),
    (lambda x: F.cross_entropy(x, tensor([1, 0])), [(2, 3)]),
    (lambda x: (x * tensor([1.0, 0.0, 2.0], dtype=fastnet.float64)).prod().sin() + x.prod(), [(3,)]), (fastnet.linalg.det, [(2, 2)]),
    (lambda x: F.interpolate(x, size=3, mode="linear").square(), [(1, 1, 2)]), (lambda x, w: F.linear(x, w).logsumexp(1), [(2, 2), (2, 2)]),
    (lambda x: F.max_pool1d(x, 2).exp(), [(1, 1, 4)]), (lambda x: fastnet.cumprod(x, 0), [(3,)]), (lambda x: x.std(), [(4,)])])
def test_third_derivatives_of_ops(f, shapes):
    fastnet.manual_seed(0)
    xs = [fastnet.randn(*s).double().requires_grad_() for s in shapes]

    def slopes(*xs):
        return grad(f(*xs).sin().sum(), xs, create_graph=True)

    assert gradgradcheck(slopes, xs, fast_mode=True)
