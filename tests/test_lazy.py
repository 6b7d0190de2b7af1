"""Lazy layers: the size of the first input, optimizers and checkpoints before it, and what they become."""
import copy

import pytest

import fastnet as fn
from fastnet import nn, optim

CASES = [("LazyLinear", (3,), (2, 5), nn.Linear, (5, 3)), ("LazyConv1d", (4, 3), (2, 6, 9), nn.Conv1d, (6, 4, 3)),
         ("LazyConv2d", (4, 3, 1, 1, 1, 2), (2, 6, 9, 9), nn.Conv2d, (6, 4, 3, 1, 1, 1, 2)), ("LazyConv3d", (4, 2),
         (1, 2, 5, 5, 5), nn.Conv3d, (2, 4, 2)),
         ("LazyConvTranspose1d", (4, 3), (2, 6, 9), nn.ConvTranspose1d, (6, 4, 3)),
         ("LazyConvTranspose2d", (4, 3, 2, 1, 0, 2), (1, 6, 5, 5), nn.ConvTranspose2d, (6, 4, 3, 2, 1, 0, 2)),
         ("LazyConvTranspose3d", (4, 2), (1, 2, 3, 3, 3), nn.ConvTranspose3d, (2, 4, 2)),
         ("LazyBatchNorm1d", (), (4, 3), nn.BatchNorm1d, (3,)), ("LazyBatchNorm2d", (), (2, 3, 4, 4), nn.BatchNorm2d, (3,)),
         ("LazyBatchNorm3d", (), (2, 3, 2, 2, 2), nn.BatchNorm3d, (3,)), ("LazyInstanceNorm1d", (), (3, 5), nn.InstanceNorm1d, (3,)),
         ("LazyInstanceNorm2d", (), (2, 3, 4, 4), nn.InstanceNorm2d, (3,)), ("LazyInstanceNorm3d", (),
         (2, 3, 2, 2, 2), nn.InstanceNorm3d, (3,))]


@pytest.mark.parametrize("name, args, shape, kind, full", CASES, ids=[c[0] for c in CASES])
def test_the_first_input_makes_the_usual_layer(name, args, shape, kind, full):
    lazy, usual = getattr(nn, name)(*args), kind(*full)
    assert lazy.has_uninitialized_params() and isinstance(lazy, kind)
    x = fn.randn(*shape)
    lazy(x)
    assert type(lazy) is kind and repr(lazy) == repr(usual)
    assert {k: v.shape for k, v in lazy.state_dict().items()} == {k: v.shape for k, v in usual.state_dict().items()}
    usual.load_state_dict(lazy.state_dict())
    assert fn.equal(usual.eval()(x), lazy.eval()(x)) and all(type(p) is nn.Parameter for p in lazy.parameters())
    other = getattr(nn, name)(*args)                      # a checkpoint tells the size, too
    if lazy.state_dict():
        other.load_state_dict(lazy.state_dict())
        assert type(other) is kind and fn.equal(other.eval()(x), lazy(x))


def test_an_optimizer_that_came_first_trains_it():
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
    step = optim.Adam(net.parameters(), lr=0.05)
    x = fn.randn(32, 3)
    y = x.sum(1, keepdim=True)
    losses = []
    for _ in range(60):
        step.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0] and type(copy.deepcopy(net)[0]) is nn.Linear


def test_sequential_fuses_what_it_became():
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU())
    x = fn.randn(2, 3, 8, 8)
    first, second = net(x), net(x)
    assert first.shape == second.shape and (second >= 0).all()


def test_a_first_input_of_wrong_rank_is_refused():
    with pytest.raises(RuntimeError, match=r"LazyConv2d: input must have 3 or 4 axes, got \(2, 3\)"):
        nn.LazyConv2d(4, 3)(fn.ones(2, 3))
    layer = nn.LazyConv2d(4, 3)
    with pytest.raises(RuntimeError):
        layer(fn.ones(2, 3))
    assert layer(fn.ones(1, 2, 4, 4)).shape == (1, 4, 2, 2)             # it still waits
    assert nn.LazyLinear(3)(input=fn.ones(2, 5)).shape == (2, 3)
    with pytest.raises(TypeError, match="LazyLinear: the first input must be a Tensor, got list"):
        nn.LazyLinear(3)([1.0])
    with pytest.raises(AttributeError, match="LazyGRU"):
        nn.LazyGRU
