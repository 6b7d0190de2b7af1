"""The top level's factorisations and solvers by what they multiply to, logcumsumexp and polygamma at their edges."""
import math

import numpy as np
import pytest

import fastnet
from fastnet.autograd import gradcheck, gradgradcheck

rng = np.random.default_rng(0)
TALL = fastnet.from_numpy(rng.standard_normal((2, 5, 3)))
LOW = fastnet.from_numpy(np.tril(rng.standard_normal((2, 4, 4))) + 3 * np.eye(4))
B = fastnet.from_numpy(rng.standard_normal((2, 4, 3)))


def test_factorisations_multiply_to_the_matrix():
    for some, shape in ((True, (2, 5, 3)), (False, (2, 5, 5))):
        u, s, v = fastnet.svd(TALL, some=some)
        assert u.shape == shape and np.allclose((u[..., :3] * s.unsqueeze(-2) @ v.mT).numpy(), TALL.numpy())
        q, r = fastnet.qr(TALL, some=some)
        assert q.shape == shape and np.allclose((q @ r).numpy(), TALL.numpy())
    u, s, v = TALL.svd(compute_uv=False)
    assert not u.any() and u.shape == (2, 5, 5) and v.shape == (2, 3, 3)
    assert np.allclose(s.numpy(), np.linalg.svd(TALL.numpy(), compute_uv=False))
    a = LOW @ LOW.mT
    assert np.allclose(fastnet.cholesky(a).numpy(), LOW.numpy()) and np.allclose(a.cholesky(upper=True).numpy(), LOW.mT.numpy())


@pytest.mark.parametrize("upper", [False, True])
def test_solvers(upper):
    a = (LOW @ LOW.mT).numpy()
    given = LOW.mT if upper else LOW
    assert np.allclose(fastnet.cholesky_solve(B, given, upper).numpy(), np.linalg.solve(a, B.numpy()))
    assert np.allclose(given.cholesky_inverse(upper).numpy(), np.linalg.inv(a))
    for transpose in (False, True):
        x, same = fastnet.triangular_solve(B, given, upper=upper, transpose=transpose)
        assert same is given and np.allclose(((given.mT if transpose else given) @ x).numpy(), B.numpy())
    full = fastnet.from_numpy(LOW.numpy() + LOW.numpy().swapaxes(-1, -2))                 # the other half is not looked at
    half = np.triu(full.numpy()) if upper else np.tril(full.numpy())
    np.einsum("bii->bi", half)[:] = 1
    x = fastnet.triangular_solve(B, full, upper=upper, transpose=True, unitriangular=True).solution
    assert np.allclose(half.swapaxes(-1, -2) @ x.numpy(), B.numpy())


def test_gradients_of_solvers():
    low, b = LOW[0].clone().requires_grad_(), B[0].clone().requires_grad_()
    assert gradcheck(lambda low, b: fastnet.cholesky_solve(b, low.tril()), (low, b))
    assert gradcheck(lambda low: low.tril().cholesky_inverse(), (low,))
    a = fastnet.from_numpy(rng.standard_normal((3, 3))).requires_grad_()
    assert gradcheck(fastnet.matrix_exp, (a,)) and gradgradcheck(fastnet.linalg.matrix_exp, (a,))


def test_matrix_exp_of_large_and_special_matrices():
    turn = fastnet.tensor([[0.0, -30.0], [30.0, 0.0]], dtype=fastnet.float64)
    want = [[math.cos(30), -math.sin(30)], [math.sin(30), math.cos(30)]]
    assert np.allclose(turn.matrix_exp().numpy(), want, atol=1e-12)
    assert fastnet.matrix_exp(turn * math.inf).isnan().all() and fastnet.matrix_exp(fastnet.zeros(0, 2, 2)).shape == (0, 2, 2)


def test_logcumsumexp_far_from_zero():
    x = fastnet.tensor([-math.inf, -math.inf, -900.0, 3.0, 900.0, -math.inf], dtype=fastnet.float64, requires_grad=True)
    y = fastnet.logcumsumexp(x, 0)
    assert y.tolist() == [-math.inf, -math.inf, -900.0, 3.0, 900.0, 900.0]
    g = fastnet.tensor([0.0, 0.0, 2.0, -3.0, 5.0, 7.0], dtype=fastnet.float64)
    for create_graph in (False, True):
        gx, = fastnet.autograd.grad(y, x, g, retain_graph=True, create_graph=create_graph)
        assert np.allclose(gx.tolist(), [0.0, 0.0, 2.0, -3.0, 12.0, 0.0])
    z = fastnet.from_numpy(rng.standard_normal((3, 4))).requires_grad_()
    for dim in (0, 1):
        assert gradcheck(lambda z: z.logcumsumexp(dim), (z,)) and gradgradcheck(lambda z: z.logcumsumexp(dim), (z,))


def test_polygamma_is_the_sum():
    x = fastnet.tensor([0.7, 2.5], dtype=fastnet.float64, requires_grad=True)
    k = np.arange(200_000)[:, None] + x.detach().numpy()
    assert np.allclose(fastnet.polygamma(2, x).detach().numpy(), -2 * (k ** -3.0).sum(0))
    assert gradcheck(lambda x: fastnet.polygamma(1, x), (x,))
    assert fastnet.equal(fastnet.polygamma(0, x), x.digamma())
    with pytest.raises(RuntimeError, match="polygamma: n must not be negative"):
        fastnet.special.polygamma(-1, x)
