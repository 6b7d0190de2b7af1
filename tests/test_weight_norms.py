"""weight_norm and spectral_norm: the weight, gradients, training and evaluation, and the way back."""
import copy

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.nn.utils import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm


@pytest.mark.parametrize("make, dim", [(lambda: nn.Linear(5, 3), 0), (lambda: nn.Linear(5, 3), None), (lambda: nn.Conv2d(2, 4, 3), 0),
                                       (lambda: nn.Conv2d(2, 4, 3), 1)])
def test_weight_norm_changes_nothing_at_first_and_knows_length_and_direction(make, dim):
    layer = make()
    x = fn.randn(2, 5) if isinstance(layer, nn.Linear) else fn.randn(2, 2, 6, 6)
    weight, before = layer.weight.detach().clone(), layer(x)
    weight_norm(layer, dim=dim)
    assert fn.allclose(layer(x), before, atol=1e-6) and "weight" not in dict(layer.named_parameters())
    axes = None if dim is None else tuple(i for i in range(weight.ndim) if i != dim)
    assert np.allclose(layer.weight_g.detach().numpy().ravel(), np.sqrt((weight.numpy() ** 2).sum(axes)).ravel(), atol=1e-6)
    with fn.no_grad():
        layer.weight_v.mul_(7)                            # the length of v does not matter
        layer.weight_g.mul_(2)
    layer(x).sum().backward()
    assert fn.allclose(layer.weight, 2 * weight, atol=1e-5)
    # v's gradient stands at right angles to v
    along = (layer.weight_v.grad * layer.weight_v).detach().numpy()
    assert np.abs(along.sum() if axes is None else along.sum(axes)).max() < 1e-4 and layer.weight_g.grad is not None
    plain = remove_weight_norm(layer)
    assert sorted(n for n, _ in plain.named_parameters()) == ["bias", "weight"] and fn.allclose(plain.weight, 2 * weight, atol=1e-5)
    with pytest.raises(ValueError, match="remove_weight_norm: 'weight' of"):
        remove_weight_norm(plain)


def test_dim_minus_one_is_the_whole_weight_as_in_pytorch():
    layer = weight_norm(nn.Linear(5, 3), dim=-1)
    assert layer.weight_g.numel() == 1
    assert layer.weight_g.item() == pytest.approx(np.linalg.norm(layer.weight_v.detach().numpy()), rel=1e-6)


@pytest.mark.parametrize("make", [lambda: nn.Linear(6, 9), lambda: nn.Conv2d(3, 5, 3), lambda: nn.ConvTranspose2d(3, 5, 3)])
def test_spectral_norm_finds_the_largest_singular_value(make):
    layer = spectral_norm(make())
    x = fn.randn(2, 6) if isinstance(layer, nn.Linear) else fn.randn(2, 3, 6, 6)
    for _ in range(200):
        layer(x)
    rows = layer.weight.detach().numpy()
    rows = np.moveaxis(rows, 1, 0) if isinstance(layer, nn.ConvTranspose2d) else rows
    assert np.linalg.svd(rows.reshape(len(rows), -1), compute_uv=False)[0] == pytest.approx(1, abs=1e-3)
    layer(x).square().sum().backward()
    grad = layer.weight_orig.grad
    length = layer.weight_orig.detach().norm().item()     # longer in its own direction changes nothing
    assert abs((grad * layer.weight_orig.detach()).sum().item()) < 1e-2 * grad.norm().item() * length
    layer.eval()
    u = layer.weight_u.clone()
    layer(x)
    assert fn.equal(layer.weight_u, u)
    state = {k: v.clone() for k, v in layer.state_dict().items()}
    other = spectral_norm(make())
    other.load_state_dict(state)
    assert fn.equal(other.eval()(x), layer(x))
    with fn.no_grad():                                    # a weight with a history could not be copied
        assert fn.equal(copy.deepcopy((layer(x), layer)[1])(x), layer(x))
    y = layer(x)
    assert fn.allclose(remove_spectral_norm(layer)(x), y, atol=1e-6)


def test_two_forwards_before_one_backward():
    layer, x = spectral_norm(nn.Linear(4, 4)), fn.randn(3, 4)
    (layer(x).sum() + layer(-x).square().sum()).backward()
    assert layer.weight_orig.grad.isfinite().all()


def test_what_is_not_there_is_refused():
    for norm in (weight_norm, spectral_norm):
        with pytest.raises(RuntimeError, match="ReLU has no parameter 'weight'"):
            norm(nn.ReLU())
        with pytest.raises(RuntimeError, match="Linear has no parameter 'weight'"):
            norm(norm(nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="n_power_iterations"):
        spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_values_of_pytorch(name):
    torch = pytest.importorskip("torch")
    mine, theirs = nn.Linear(5, 3), torch.nn.Linear(5, 3)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in mine.state_dict().items()})
    getattr(nn.utils, name)(mine)
    getattr(torch.nn.utils, name)(theirs)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in mine.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    a, b = mine(fn.from_numpy(x)), theirs(torch.from_numpy(x))
    assert np.allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-6)
    a.square().sum().backward()
    b.square().sum().backward()
    for key, p in theirs.named_parameters():
        assert np.allclose(dict(mine.named_parameters())[key].grad.numpy(), p.grad.numpy(), atol=1e-5), key


@pytest.mark.parametrize("norm, remove, raw", [(weight_norm, remove_weight_norm, "weight_v"),
                                               (spectral_norm, remove_spectral_norm, "weight_orig")])
def test_a_copy_after_a_forward_stands_alone(norm, remove, raw):
    x = fn.randn(2, 3)
    model = nn.Sequential(norm(nn.Linear(3, 3))).eval()
    before = model(x).detach().clone()
    made = copy.deepcopy(model)
    assert np.allclose(made[0].weight.numpy(), model[0].weight.detach().numpy())
    with fn.no_grad():
        getattr(made[0], raw)[0].mul_(-1)
    assert fn.allclose(model(x), before) and not fn.allclose(made(x), before)
    made(x).sum().backward()
    assert getattr(made[0], raw).grad is not None and getattr(model[0], raw).grad is None
    remove(made[0])
    assert not made[0]._forward_pre_hooks and len(model[0]._forward_pre_hooks) == 1
    mean = fn.optim.swa_utils.AveragedModel(model)
    mean.update_parameters(model)
    assert fn.allclose(mean(x), before, atol=1e-6)
