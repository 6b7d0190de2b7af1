"""autograd.functional, gradgradcheck and fastnet.func, against derivatives by hand, and against PyTorch where it is there."""
import importlib.util
from collections import namedtuple

import fastnet
import numpy as np
import pytest
from fastnet import func, nn, tensor
from fastnet.autograd import Function, GradcheckError, functional, gradgradcheck

f64 = fastnet.float64


def t(*values):
    return tensor(list(values), dtype=f64)


def cubes(x, y):
    return (x ** 3 * y).sum()


X, Y = t(1.0, 2.0), t(3.0, -1.0)
HESSIAN = np.array([[18.0, 0, 3, 0], [0, -12, 0, 12], [3, 0, 0, 0], [0, 12, 0, 0]])      # of cubes in (x0, x1, y0, y1)


def test_products_with_the_jacobian():
    y, g = functional.vjp(lambda a, b: (a * b, a.sum()), (X, Y), (t(1.0, 10.0), tensor(2.0, dtype=f64)))
    assert [v.tolist() for v in y] == [[3.0, -2.0], 3.0] and [v.tolist() for v in g] == [[5.0, -8.0], [1.0, 20.0]]
    y, d = functional.jvp(lambda a, b: (a * b, a.sum()), (X, Y), (t(1.0, 0.0), t(0.0, 1.0)))
    assert [v.tolist() for v in d] == [[3.0, 2.0], 1.0] and not any(v.requires_grad for v in (*y, *d, *g))
    assert functional.vjp(lambda a: a * 3, tensor(2.0))[1].item() == 3.0 and functional.jvp(lambda a: a * 3, tensor(2.0))[1].item() == 3.0


def test_products_with_the_hessian():
    v = (t(1.0, -1.0), t(2.0, 0.5))
    want = HESSIAN @ np.array([1.0, -1.0, 2.0, 0.5])
    for f in (functional.hvp, functional.vhp):
        value, product = f(cubes, (X, Y), v)
        assert value.item() == -5.0 and np.allclose(np.concatenate([p.numpy() for p in product]), want)


def test_func_differentiates_what_it_does_not_take():
    """Gradients by what func's functions only close over, or by the vector of a product."""
    x, v, w = t(1.0, 2.0), t(1.0, 10.0), t(3.0, 4.0)
    assert func.grad(lambda w: func.jvp(lambda x: x * w * w, (x,), (v,))[1].sum())(w).tolist() == [6.0, 80.0]     # 2 v w
    assert func.grad(lambda v: (func.vjp(lambda x: x ** 2, x)[1](v)[0] ** 2).sum())(v).tolist() == [8.0, 320.0]   # 8 v x^2
    assert func.grad(lambda v: (func.jvp(lambda x: x ** 2, (x,), (v,))[1] ** 2).sum())(v).tolist() == [8.0, 320.0]
    leaf = w.detach().requires_grad_()
    value, along = func.jvp(lambda x: x * leaf, (x,), (v,))
    assert fastnet.autograd.grad((value * along).sum(), leaf)[0].tolist() == [6.0, 160.0]                         # 2 x v w
    assert not any(y.requires_grad for y in func.jvp(lambda x: x * w, (x,), (v,)))


def test_func_arguments_and_what_comes_besides():
    Pair = namedtuple("Pair", "a b")
    made = func.grad(lambda p: (p.a * p.b).sum())(Pair(X, Y))
    assert type(made) is Pair and made.a.tolist() == Y.tolist() and made.b.tolist() == X.tolist()
    with pytest.raises(RuntimeError, match=r"grad: argnums \(0, -2\) names an argument twice"):
        func.grad(cubes, argnums=(0, -2))(X, Y)
    _, aux = func.grad(lambda x: ((x ** 2).sum(), {"twice": x * 2}), has_aux=True)(X)
    assert aux["twice"].tolist() == [2.0, 4.0] and not aux["twice"].requires_grad
    with pytest.raises(TypeError, match="jvp: primals must be a tuple of Tensors, got Tensor"):
        func.jvp(fastnet.sin, X, Y)
    leaf = t(3.0, 4.0).requires_grad_()
    _, aux = func.grad(lambda x: ((z := x ** 2).sum(), z * leaf), has_aux=True)(X)
    assert fastnet.autograd.grad(aux.sum(), leaf)[0].tolist() == [1.0, 4.0]
    aux = func.vjp(lambda x: (x * 2, [x * leaf]), X, has_aux=True)[2]
    assert fastnet.autograd.grad(aux[0].sum(), leaf)[0].tolist() == X.tolist()


def test_the_matrices():
    h = functional.hessian(cubes, (X, Y))
    assert np.allclose(np.block([[b.numpy() for b in row] for row in h]), HESSIAN)
    j = functional.jacobian(lambda a, b: (a * b, (a * a).sum()), (X, Y))
    assert np.allclose(j[0][0].numpy(), np.diag([3.0, -1.0])) and np.allclose(j[0][1].numpy(), np.diag([1.0, 2.0]))
    assert j[1][0].tolist() == [2.0, 4.0] and j[1][1].tolist() == [0.0, 0.0]
    assert functional.jacobian(lambda a: a.reshape(1, 2).expand(3, 2), X).shape == (3, 2, 2)


def test_results_with_a_history():
    x = t(1.0, 2.0).requires_grad_()
    j = functional.jacobian(lambda a: a ** 3, x, create_graph=True)
    assert fastnet.autograd.grad(j.sum(), x)[0].tolist() == [6.0, 12.0]
    _, p = functional.hvp(lambda a: (a ** 4).sum(), x, t(1.0, 1.0), create_graph=True)
    assert fastnet.autograd.grad(p.sum(), x)[0].tolist() == [24.0, 48.0]
    h = functional.hessian(lambda a: (a ** 3).sum(), x, create_graph=True)
    assert fastnet.autograd.grad(h.sum(), x)[0].tolist() == [6.0, 6.0]
    with fastnet.no_grad():
        assert functional.vjp(lambda a: a ** 2, x, t(1.0, 1.0))[1].tolist() == [2.0, 4.0]


def test_what_is_refused():
    with pytest.raises(RuntimeError, match="vjp: v may only be left out"):
        functional.vjp(lambda a: a, X)
    with pytest.raises(RuntimeError, match=r"jvp: v must have the shapes of the inputs"):
        functional.jvp(lambda a: a, X, t(1.0))
    with pytest.raises(RuntimeError, match="hvp: func must return a single number"):
        functional.hvp(lambda a: a, X, X)
    with pytest.raises(RuntimeError, match="vjp: an output does not depend on the inputs"):
        functional.vjp(lambda a: Y, X, X, strict=True)
    with pytest.raises(RuntimeError, match="jacobian: the outputs do not depend on input 1"):
        functional.jacobian(lambda a, b: a * 2, (X, Y), strict=True)
    with pytest.raises(RuntimeError, match="vhp: an output does not depend .*their gradients do not"):
        functional.vhp(lambda a, b: (a * 2).sum() + (b * b).sum(), (X, Y), (X, Y), strict=True)
    with pytest.raises(ValueError, match="vectorize"):
        functional.jacobian(lambda a: a, X, vectorize=True)
    with pytest.raises(ValueError, match="outer_jacobian_strategy"):
        functional.hessian(lambda a: a.sum(), X, outer_jacobian_strategy="forward-mode")
    with pytest.raises(TypeError, match="jacobian: inputs"):
        functional.jacobian(lambda a: a, 3.0)
    assert functional.vjp(lambda a: Y, X, X)[1].tolist() == [0.0, 0.0]


class WrongTwice(Function):
    """Right backward, but one that hides from its own backward that it depends on x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 2

    @staticmethod
    def backward(ctx, gy):
        return gy * 2 * ctx.saved_tensors[0].detach()


def test_gradgradcheck():
    x, w = t(0.3, -0.7).requires_grad_(), tensor([[1.0, 2.0], [0.5, -1.0]], dtype=f64, requires_grad=True)
    assert gradgradcheck(lambda x, w: (w @ x).tanh(), (x, w)) and gradgradcheck(lambda x: x.exp(), x, fast_mode=True)
    assert gradgradcheck(lambda x: (x.sin(), x * x), x, gen_non_contig_grad_outputs=True)
    assert gradgradcheck(lambda x: x ** 3, x, t(1.0, -2.0))
    with pytest.raises(GradcheckError, match="derivatives differ"):
        gradgradcheck(WrongTwice.apply, x)
    assert gradgradcheck(WrongTwice.apply, x, raise_exception=False) is False


def test_functions_of_functions():
    f = func.grad(func.grad(lambda x: x ** 4))
    assert f(tensor(2.0, dtype=f64)).item() == 48.0 and not f(tensor(2.0)).requires_grad
    assert func.grad(lambda x: func.grad(lambda y: x * y * y)(tensor(3.0)))(tensor(1.0)).item() == 6.0      # a closure
    both = func.grad_and_value(lambda p, x: ((p["a"] * x).sum() * p["b"], "aux"), has_aux=True)
    g, (value, aux) = both({"a": X, "b": tensor(2.0, dtype=f64)}, Y)
    assert g["a"].tolist() == [6.0, -2.0] and g["b"].item() == 1.0 and value.item() == 2.0 and aux == "aux"
    a, b = func.grad(cubes, argnums=(0, -1))(X, Y)
    assert a.tolist() == [9.0, -12.0] and b.tolist() == [1.0, 8.0]
    assert np.allclose(func.hessian(lambda x: cubes(x, Y))(X).numpy(), np.diag([18.0, -12.0]))
    assert func.jacrev(lambda x: x ** 2)(X).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert func.jvp(cubes, (X, Y), (t(1.0, 0.0), t(0.0, 0.0)))[1].item() == 9.0
    y, back, aux = func.vjp(lambda a, b: (a * b, 7), X, Y, has_aux=True)
    assert aux == 7 and back(t(1.0, 0.0))[0].tolist() == [3.0, 0.0] and back(t(0.0, 1.0))[1].tolist() == [0.0, 2.0]
    x = t(1.0, 2.0).requires_grad_()
    func.grad(lambda a: (a ** 3).sum())(x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    with pytest.raises(RuntimeError, match="grad: func must return a 0-dim tensor"):
        func.grad(lambda a: a)(X)
    with pytest.raises(RuntimeError, match="argnums 2"):
        func.grad(lambda a: a.sum(), argnums=2)(X)


def test_functional_call():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 1))
    x = fastnet.randn(5, 2)
    before = {name: (id(p), p.tolist()) for name, p in net.named_parameters()}
    new = {name: (p.detach() * 2).requires_grad_() for name, p in net.named_parameters()}
    other = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 1))
    other.load_state_dict({**net.state_dict(), **{name: p.detach() for name, p in new.items()}})
    y = func.functional_call(net, new, x)
    assert np.array_equal(y.detach().numpy(), other(x).detach().numpy())
    y.sum().backward()
    assert all(p.grad is not None for p in new.values()) and all(p.grad is None for p in net.parameters())
    assert {name: (id(p), p.tolist()) for name, p in net.named_parameters()} == before
    with pytest.raises(KeyError, match="'nothing'"):
        func.functional_call(net, {"nothing": x}, x)
    with pytest.raises(KeyError, match="strict"):
        func.functional_call(net, {"0.weight": new["0.weight"]}, x, strict=True)
    lstm = nn.LSTM(2, 3)
    doubled = {name: p.detach() * 2 for name, p in lstm.named_parameters()}
    x = x.reshape(5, 1, 2)
    assert not np.allclose(func.functional_call(lstm, doubled, (x,))[0].numpy(), lstm(x)[0].detach().numpy())


def test_tied_weights_are_replaced_together():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    w, x = tensor([[0.0, 1.0], [1.0, 0.0]]), tensor([[1.0, 2.0]])
    assert func.functional_call(Tied(), {"a.weight": w}, x).tolist() == [[1.0, 2.0]]
    assert func.functional_call(Tied(), {"a.weight": w}, x, tie_weights=False).tolist() != [[1.0, 2.0]]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_the_same_as_pytorch():
    import torch
    from torch.autograd import functional as theirs
    rng = np.random.default_rng(0)
    w, x, v = rng.standard_normal((4, 2, 3, 3)), rng.standard_normal((2, 2, 6, 6)), rng.standard_normal((4, 2, 3, 3))

    def network(lib, conv, norm, gelu):
        def f(w, x):
            h = gelu(norm(conv(x, w, padding=1), None, None, training=True))
            return (h.log_softmax(1) * h).mean()
        return f

    mine = network(fastnet, nn.functional.conv2d, nn.functional.batch_norm, nn.functional.gelu)
    other = network(torch, torch.nn.functional.conv2d, torch.nn.functional.batch_norm, torch.nn.functional.gelu)
    args, targs = (tensor(w), tensor(x)), (torch.tensor(w), torch.tensor(x))
    vs, tvs = (tensor(v), tensor(x) * 0.5), (torch.tensor(v), torch.tensor(x) * 0.5)
    for name in ("hvp", "vhp", "jvp"):
        a, b = getattr(functional, name)(mine, args, vs)[1], getattr(theirs, name)(other, targs, tvs)[1]
        for p, q in zip(a if isinstance(a, tuple) else (a,), b if isinstance(b, tuple) else (b,)):
            assert np.allclose(p.numpy(), q.numpy(), rtol=1e-9, atol=1e-12), name
    a, b = functional.hessian(lambda w: mine(w, args[1]), args[0]), theirs.hessian(lambda w: other(w, targs[1]), targs[0])
    assert np.allclose(a.numpy(), b.numpy(), rtol=1e-8, atol=1e-12)

    def meta(lib, functional_call, grad, net, x, y):
        """A MAML step: the gradients of the loss after an inner step."""
        names = dict(net.named_parameters())
        loss = lib.nn.functional.mse_loss(functional_call(net, names, (x,)), y)
        inner = grad(loss, list(names.values()), create_graph=True)
        moved = {name: p - 0.1 * g for (name, p), g in zip(names.items(), inner)}
        return grad(lib.nn.functional.mse_loss(functional_call(net, moved, (x * 2,)), y), list(names.values()))

    ours = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    reference = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    reference.load_state_dict({k: torch.tensor(p.numpy()) for k, p in ours.state_dict().items()})
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 1))
    got = meta(fastnet, func.functional_call, fastnet.autograd.grad, ours, tensor(x), tensor(y))
    want = meta(torch, torch.func.functional_call, torch.autograd.grad, reference, torch.tensor(x), torch.tensor(y))
    for p, q in zip(got, want):
        assert np.allclose(p.numpy(), q.numpy(), rtol=1e-10, atol=1e-13)
