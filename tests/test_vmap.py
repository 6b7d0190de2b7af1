"""vmap against single calls: axes, structures, nesting, randomness, gradients of samples; ensembles; jacfwd."""
import numpy as np
import pytest

import fastnet
from fastnet import nn
from fastnet.func import functional_call, grad, jacfwd, jacrev, stack_module_state, vmap

x, y = fastnet.randn(3, 4, 5), fastnet.randn(4, 3)


@pytest.mark.parametrize("i", [0, 1, 2, -1, -2])
@pytest.mark.parametrize("o", [0, 1, -1])
def test_axes_in_and_out(i, o):
    got = vmap(lambda a: a * 2, in_dims=i, out_dims=o)(x)
    assert fastnet.equal(got, (x * 2).movedim(i, o))


def test_structures_none_and_keywords():
    def f(a, pair, k):
        return {"sum": a.T + pair[0], "two": (pair[1]["c"] * 2, [(a * k).sum()])}    # a keyword is the same for all
    got = vmap(f, in_dims=(0, (1, {"c": None})), out_dims={"sum": 1, "two": (None, 0)})(x, (y, {"c": x[0]}), k=x[1])
    assert np.array_equal(got["sum"].numpy(), np.stack([x[i].numpy().T + y[:, i].numpy() for i in range(3)], 1))
    assert fastnet.equal(got["two"][0], x[0] * 2) and np.allclose(got["two"][1][0].numpy(), (x * x[1]).numpy().sum((1, 2)), atol=1e-5)
    assert isinstance(got["two"], tuple) and isinstance(got["two"][1], list)


def test_nested():
    a, b = fastnet.randn(3, 4), fastnet.randn(5, 4)
    pairs = vmap(vmap(fastnet.dot, in_dims=(None, 0)), in_dims=(0, None))(a, b)
    assert np.allclose(pairs.numpy(), a.numpy() @ b.numpy().T, atol=1e-5)
    hessians = vmap(jacrev(grad(lambda v: (v ** 3).sum())))(a)
    assert np.allclose(hessians.numpy(), 6 * a.numpy()[:, :, None] * np.eye(4), atol=1e-5)


def test_gradients_of_samples_and_through_vmap():
    net, inputs, target = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)), fastnet.randn(7, 4), fastnet.arange(7) % 3
    parameters = {k: v.detach() for k, v in net.named_parameters()}

    def loss(p, one, t):
        return nn.functional.cross_entropy(functional_call(net, p, (one.unsqueeze(0),)), t.unsqueeze(0))
    each = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, inputs, target)
    for k in range(7):
        net.zero_grad()
        nn.functional.cross_entropy(net(inputs[k:k + 1]), target[k:k + 1]).backward()
        for name, p in net.named_parameters():
            assert np.allclose(each[name][k].numpy(), p.grad.numpy(), atol=1e-6)
    leaf = fastnet.randn(3, 4, requires_grad=True)
    vmap(lambda v: (v ** 2).sum())(leaf).sum().backward()
    assert np.allclose(leaf.grad.numpy(), 2 * leaf.detach().numpy(), atol=1e-6)


def test_randomness():
    data = fastnet.ones(6, 50)
    with pytest.raises(RuntimeError, match="draws random numbers"):
        vmap(nn.functional.dropout)(data)
    assert vmap(lambda v: nn.functional.dropout(v, training=False))(data).equal(data)
    fastnet.manual_seed(0)
    same = vmap(nn.functional.dropout, randomness="same")(data)
    different = vmap(nn.functional.dropout, randomness="different")(data)
    assert (same == same[0]).all() and not (different == different[0]).all()
    with pytest.raises(ValueError, match="randomness"):
        vmap(fastnet.sin, randomness="none")


def test_an_ensemble():
    models = [nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).eval() for _ in range(5)]
    parameters, buffers = stack_module_state(models)
    assert parameters["0.weight"].shape == (5, 3, 4) and parameters["0.weight"].is_leaf and buffers["1.running_mean"].shape == (5, 3)
    batch = fastnet.randn(6, 4)

    def call(p, b, v):
        return functional_call(models[0], {**p, **b}, (v,))
    out = vmap(call, in_dims=(0, 0, None))(parameters, buffers, batch)
    assert np.allclose(out.detach().numpy(), np.stack([m(batch).detach().numpy() for m in models]), atol=1e-6)
    out.square().sum().backward()
    models[2](batch).square().sum().backward()
    assert np.allclose(parameters["0.weight"].grad[2].numpy(), models[2][0].weight.grad.numpy(), atol=1e-4)
    for wrong, word in (([], "no models"), ([models[0], nn.Linear(4, 3)], "one class"),
                        ([nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)], "requires gradients in some")):
        with pytest.raises(RuntimeError, match=f"stack_module_state: .*{word}"):
            stack_module_state(wrong)


def test_jacfwd_is_jacrev():
    a, b = fastnet.randn(3, 2, dtype=fastnet.float64), fastnet.randn(2, dtype=fastnet.float64)

    def f(a, b):
        return (a @ b.sin()).exp()
    for argnums in (0, 1, (0, 1), -1):
        got, want = jacfwd(f, argnums)(a, b), jacrev(f, argnums)(a, b)
        for g, w in zip(got if isinstance(got, tuple) else (got,), want if isinstance(want, tuple) else (want,)):
            assert g.shape == w.shape and np.allclose(g.numpy(), w.numpy())
    h = jacfwd(jacrev(lambda b: b.prod() ** 2))(b).numpy()
    p, q = b.tolist()
    assert np.allclose(h, [[2 * q * q, 4 * p * q], [4 * p * q, 2 * p * p]])


def test_what_is_refused():
    for call, word in ((lambda: vmap(fastnet.sin, in_dims=3)(x), "in_dims is 3 for a tensor of 3 axes"),
                       (lambda: vmap(fastnet.add, in_dims=(0,))(x, x), "one entry for each of 2"),
                       (lambda: vmap(fastnet.add, in_dims=(0, 1))(x, x), r"one size, not 0, got \[3, 4\]"),
                       (lambda: vmap(fastnet.add, in_dims=(None, None))(x, x), "no argument has an axis"),
                       (lambda: vmap(fastnet.sin)(x[:0]), "one size, not 0"), (lambda: vmap(lambda a: 3.0)(x), "must return Tensors"),
                       (lambda: vmap(fastnet.add)(x, 2.0), "which has no axes"),
                       (lambda: vmap(fastnet.sin, in_dims=("a",))(x), "must be integers"),
                       (lambda: vmap(fastnet.sin, out_dims=None)(x), "out_dims is None for a result that is not the same"),
                       (lambda: vmap(lambda a: (a, a), out_dims=(0, 0, 0))(x), "out_dims has 3 entries for 2")):
        with pytest.raises(ValueError, match=f"vmap: .*{word}"):
            call()
