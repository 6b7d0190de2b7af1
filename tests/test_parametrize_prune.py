"""Parameters computed from others, parameters under masks, AdaptiveLogSoftmaxWithLoss; by definition, and names as PyTorch's."""
import copy
import math

import numpy as np
import pytest

import fastnet
from fastnet import nn
from fastnet.nn.utils import parametrizations, parametrize, prune


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(fastnet.tensor(2.0))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.factor

    def right_inverse(self, x):
        return x / self.factor


def test_a_computed_weight_is_used_trained_and_saved():
    layer = nn.Linear(3, 3)
    weight, before = layer.weight, layer.weight.detach().clone()
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    half = np.triu(before.numpy())
    want = half + np.triu(half, 1).T
    assert np.allclose(layer.weight.detach().numpy(), want) and layer.parametrizations.weight.original is weight
    assert isinstance(layer, nn.Linear) and parametrize.is_parametrized(layer, "weight") and not parametrize.is_parametrized(layer, "bias")
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    x = fastnet.randn(4, 3)
    assert np.allclose(layer(x).detach().numpy(), x.numpy() @ want.T + layer.bias.detach().numpy(), atol=1e-6)
    (layer(x) * fastnet.arange(12).reshape(4, 3)).sum().backward()
    g = np.arange(12).reshape(4, 3).T @ x.numpy()         # dL/dW
    assert np.allclose(weight.grad.numpy(), np.triu(g) + np.triu(g.T, 1), atol=1e-4)

    parametrize.register_parametrization(layer, "weight", scale := Scale())
    assert np.allclose(layer.weight.detach().numpy(), 2 * want, atol=1e-6) and np.allclose(np.triu(weight.detach().numpy()), half)
    with parametrize.cached():
        calls = scale.calls
        assert layer.weight is layer.weight and scale.calls == calls + 1
    assert layer.weight is not layer.weight
    layer.weight = fastnet.eye(3) * 4
    assert np.allclose(layer.weight.detach().numpy(), 4 * np.eye(3)) and np.allclose(weight.detach().numpy(), 2 * np.eye(3))

    other = copy.deepcopy(layer)
    parametrize.register_parametrization(layer, "bias", Scale())
    assert isinstance(other._parameters["bias"], nn.Parameter) and not parametrize.is_parametrized(other, "bias")
    other.load_state_dict({k: v for k, v in layer.state_dict().items() if "bias" not in k} | {"bias": layer.bias.detach()})
    assert np.allclose(other(x).detach().numpy(), layer(x).detach().numpy(), atol=1e-6)
    parametrize.remove_parametrizations(layer, "bias")
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and layer.weight is weight and list(layer.state_dict()) == ["bias", "weight"]
    assert np.allclose(weight.detach().numpy(), 4 * np.eye(3)) and parametrize.is_parametrized(other)
    parametrize.remove_parametrizations(other, "weight", leave_parametrized=False)
    assert np.allclose(other.weight.detach().numpy(), 2 * np.eye(3))


def test_buffers_and_what_is_refused():
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_mean", Scale())
    assert list(norm.state_dict()) == ["weight", "bias", "running_var", "num_batches_tracked", "parametrizations.running_mean.original",
                                       "parametrizations.running_mean.0.factor"]
    parametrize.remove_parametrizations(norm, "running_mean")
    assert "running_mean" in dict(norm.named_buffers())

    class Cut(nn.Module):
        def forward(self, x):
            return x[:1]
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"register_parametrization: Cut turns \(2, 2\)"):
        parametrize.register_parametrization(layer, "weight", Cut())
    assert type(layer) is nn.Linear and "weight" in layer._parameters
    for name, word in (("nothing", "no parameter or buffer 'nothing'"),):
        with pytest.raises(ValueError, match=word):
            parametrize.register_parametrization(layer, name, Scale())
    with pytest.raises(ValueError, match="remove_parametrizations: 'weight' of Linear is not parametrized"):
        parametrize.remove_parametrizations(layer, "weight")
    parametrizations.weight_norm(layer)
    with pytest.raises(ValueError, match="several originals"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)


@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm(dim):
    layer = nn.Conv1d(4, 3, 2)
    w = layer.weight.detach().numpy().copy()
    parametrizations.weight_norm(layer, dim=dim)
    g, v = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    axes = None if dim in (None, -1) else tuple(i for i in range(3) if i != dim)
    length = np.sqrt((w ** 2).sum(axes, keepdims=axes is not None))
    assert np.allclose(g.detach().numpy(), length, atol=1e-6) and np.allclose(layer.weight.detach().numpy(), w, atol=1e-6)
    with fastnet.no_grad():
        v.mul_(7.0)
        g.mul_(3.0)
    assert np.allclose(layer.weight.detach().numpy(), 3 * w, atol=1e-5)
    parametrize.remove_parametrizations(layer, "weight")
    assert np.allclose(layer.weight.detach().numpy(), 3 * w, atol=1e-5) and isinstance(layer.weight, nn.Parameter)


def test_spectral_norm():
    layer = parametrizations.spectral_norm(nn.Conv2d(3, 4, 2), n_power_iterations=30)
    w = layer.weight.detach().numpy()
    assert np.linalg.norm(w.reshape(4, -1), 2) == pytest.approx(1, abs=1e-4)
    assert set(layer.state_dict()) == {"bias", "parametrizations.weight.original", "parametrizations.weight.0._u",
                                       "parametrizations.weight.0._v"}
    layer.eval()
    u = layer.parametrizations.weight[0]._u.clone()
    layer(fastnet.ones(1, 3, 4, 4)).sum().backward()
    assert fastnet.equal(u, layer.parametrizations.weight[0]._u) and layer.parametrizations.weight.original.grad is not None
    with pytest.raises(ValueError, match="spectral_norm: n_power_iterations"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


def test_what_is_registered_behind_and_what_fails_leaves_the_weight():
    class Plus(nn.Module):
        def forward(self, x):
            return x + 1

    class Short(Scale):
        def forward(self, x):
            return x[:1]

    layer = nn.Linear(3, 3)
    before = layer.weight.detach().numpy().copy()
    with pytest.raises(ValueError, match="turns"):
        parametrize.register_parametrization(layer, "weight", Short())
    assert np.array_equal(layer.weight.detach().numpy(), before) and not parametrize.is_parametrized(layer)
    parametrize.register_parametrization(layer, "weight", Plus())          # has no right_inverse
    parametrize.register_parametrization(layer, "weight", Scale())
    assert np.allclose(layer.weight.detach().numpy(), 2 * (before + 1))


def test_spectral_norm_of_a_transposed_convolution_with_another_parametrization():
    layer = parametrize.register_parametrization(nn.ConvTranspose2d(3, 5, 2), "bias", Scale())
    assert parametrizations.spectral_norm(layer).parametrizations.weight[0]._u.shape == (5,)


def test_remove_gives_the_same_parameter_back():
    layer = nn.Linear(3, 2)
    weight = layer.weight.requires_grad_(False)
    prune.remove(prune.l1_unstructured(layer, "weight", 2), "weight")
    assert layer.weight is weight and not weight.requires_grad and (weight == 0).sum() == 2


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
@pytest.mark.parametrize("how", [None, "cayley"])
@pytest.mark.parametrize("based", [True, False])
def test_orthogonal_stays_so(shape, how, based):
    layer = nn.Linear(*shape[::-1], bias=False)
    nn.init.orthogonal_(layer.weight)
    w = layer.weight.detach().numpy().copy()
    parametrizations.orthogonal(layer, orthogonal_map=how, use_trivialization=based)
    first = layer.weight.detach().numpy()
    if based:
        assert np.allclose(first, w, atol=1e-5)           # begins where it was
    elif shape == (4, 4):
        a = np.tril(w, -1) - np.tril(w, -1).T
        exp = sum((np.linalg.matrix_power(a, k) / math.factorial(k) for k in range(30)), np.zeros((4, 4)))
        assert np.allclose(first, exp if how is None else np.linalg.solve(np.eye(4) - a / 2, np.eye(4) + a / 2), atol=1e-5)
    sgd = fastnet.optim.SGD(layer.parameters(), lr=0.3)
    for _ in range(3):
        sgd.zero_grad()
        (layer.weight * fastnet.arange(shape[0] * shape[1]).reshape(shape).cos()).sum().backward()
        sgd.step()
    now = layer.weight.detach().numpy()
    k = min(shape)
    product = now @ now.T if shape[0] <= shape[1] else now.T @ now
    assert np.allclose(product, np.eye(k), atol=1e-5) and np.abs(now - w).max() > 0.05
    with pytest.raises(ValueError, match="orthogonal_map"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="householder")


def test_the_smallest_are_pruned_and_stay_so():
    layer = nn.Linear(5, 4)
    w = layer.weight.detach().numpy().copy()
    prune.l1_unstructured(layer, "weight", amount=0.3)
    kept = np.abs(w) > np.sort(np.abs(w).ravel())[5]      # 6 of 20
    assert np.array_equal(layer.weight_mask.numpy(), kept) and np.allclose(layer.weight.detach().numpy(), w * kept)
    assert prune.is_pruned(layer)
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    sgd, x = fastnet.optim.SGD(layer.parameters(), lr=1.0), fastnet.randn(3, 5)
    layer(x).sum().backward()
    assert np.allclose(layer.weight_orig.grad.numpy(), kept * x.numpy().sum(0), atol=1e-5)
    sgd.step()
    layer(x)
    assert np.array_equal(layer.weight.detach().numpy() != 0, kept)
    prune.l1_unstructured(layer, "weight", amount=4)      # of those that are left
    again = layer.weight_mask.numpy()
    assert again.sum() == 10 and not (again > kept).any()
    prune.remove(layer, "weight")
    assert list(layer.state_dict()) == ["bias", "weight"] and (layer.weight == 0).sum() == 10 and not prune.is_pruned(layer)
    with pytest.raises(ValueError, match="prune.remove"):
        prune.remove(layer, "weight")


def test_slices_chance_masks_and_several_at_once():
    layer = nn.Conv2d(3, 6, 2)
    norms = (layer.weight.detach().numpy() ** 2).sum((1, 2, 3))
    prune.ln_structured(layer, "weight", amount=0.5, n=2, dim=0)
    gone = layer.weight_mask.numpy().sum((1, 2, 3)) == 0
    assert set(np.flatnonzero(gone)) == set(norms.argsort()[:3])
    prune.ln_structured(layer, "weight", amount=1, n=2, dim=0)
    assert set(np.flatnonzero(layer.weight_mask.numpy().sum((1, 2, 3)))) == set(norms.argsort()[4:])
    rows, some = nn.Linear(8, 10), nn.Linear(8, 10)
    prune.random_structured(rows, "weight", amount=3, dim=1)
    prune.random_unstructured(some, "weight", amount=0.25)
    prune.random_unstructured(some, "bias", amount=4)
    assert (rows.weight_mask.sum(0) == 0).sum() == 3 and (some.weight_mask == 0).sum() == 20 and (some.bias_mask == 0).sum() == 4
    mask = (fastnet.arange(10) % 2).float()
    prune.custom_from_mask(rows, "bias", mask)
    prune.identity(rows, "bias")
    assert fastnet.equal(rows.bias_mask, mask)
    a, b = nn.Linear(3, 4), nn.Linear(4, 2)
    both = np.concatenate([a.weight.detach().numpy().ravel(), b.weight.detach().numpy().ravel()])
    prune.global_unstructured([(a, "weight"), (b, "weight")], pruning_method=prune.L1Unstructured, amount=0.4)
    kept = np.concatenate([a.weight_mask.numpy().ravel(), b.weight_mask.numpy().ravel()])
    assert np.array_equal(kept, np.abs(both) > np.sort(np.abs(both))[7])
    copied = copy.deepcopy(a)
    copied(fastnet.ones(1, 3))
    assert fastnet.equal(copied.weight, a.weight)

    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            new = default_mask.clone()
            new.view(-1)[::2] = 0
            return new
    mine = nn.Linear(2, 3)
    EveryOther.apply(mine, "bias")
    assert mine.bias_mask.tolist() == [0.0, 1.0, 0.0]
    for make, word in ((lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 1.5), "amount"),
                       (lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 5), "only 4 are left"),
                       (lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 1, fastnet.ones(3)), "importance_scores"),
                       (lambda: prune.global_unstructured([(nn.Linear(2, 2), "weight")], prune.LnStructured, amount=1, n=2), "structured")):
        with pytest.raises(ValueError, match=word):
            make()
    with pytest.raises(RuntimeError, match="no parameter 'nothing'"):
        prune.identity(nn.Linear(2, 2), "nothing")


@pytest.mark.parametrize("head_bias", [False, True])
def test_adaptive_softmax_is_one_distribution(head_bias):
    many = nn.AdaptiveLogSoftmaxWithLoss(8, 30, cutoffs=[5, 12], div_value=2.0, head_bias=head_bias).double()
    x, y = fastnet.randn(6, 8, dtype=fastnet.float64), fastnet.tensor([0, 4, 5, 11, 12, 29])
    w = [p.detach().numpy() for p in (many.head.weight, many.tail[0][0].weight, many.tail[0][1].weight, many.tail[1][0].weight,
                                      many.tail[1][1].weight)]
    assert [v.shape for v in w] == [(7, 8), (4, 8), (7, 4), (2, 8), (18, 2)]

    def softmax(z):
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    head = softmax(x.numpy() @ w[0].T + (many.head.bias.detach().numpy() if head_bias else 0))
    tails = [softmax(x.numpy() @ a.T @ b.T) for a, b in (w[1:3], w[3:5])]
    p = np.concatenate([head[:, :5], head[:, 5:6] * tails[0], head[:, 6:] * tails[1]], 1)
    assert np.allclose(p.sum(1), 1) and np.allclose(many.log_prob(x).exp().detach().numpy(), p)
    output, loss = many(x, y)
    chosen = p[np.arange(6), y.numpy()]
    assert np.allclose(output.exp().detach().numpy(), chosen) and loss.item() == pytest.approx(-np.log(chosen).mean())
    assert many.predict(x).tolist() == p.argmax(1).tolist() and many(x[0], y[0]).output.item() == pytest.approx(math.log(p[0, 0]))
    loss.backward()
    theirs = fastnet.autograd.grad(nn.functional.nll_loss(many.log_prob(x), y), list(many.parameters()))
    assert all(np.allclose(a.grad.numpy(), b.numpy()) for a, b in zip(many.parameters(), theirs))
    assert list(many.state_dict()) == ["head.weight", *["head.bias"] * head_bias, "tail.0.0.weight", "tail.0.1.weight", "tail.1.0.weight",
                                       "tail.1.1.weight"]
    for make, error, word in ((lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 30, [12, 5]), ValueError, "cutoffs"),
                              (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 30, [30]), ValueError, "cutoffs"),
                              (lambda: many(x, y + 1), RuntimeError, "targets must be"),
                              (lambda: many(x, y[:2]), RuntimeError, "expected, got")):
        with pytest.raises(error, match=word):
            make()
    many.reset_parameters()
