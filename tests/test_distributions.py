"""Distributions: densities integrate to one, samples have the moments, gradients of samples, divergences by summation; PyTorch's values."""
import math

import numpy as np
import pytest

import fastnet
from fastnet import distributions as D

t = fastnet.tensor
CONTINUOUS = [D.Normal(0.5, 1.5), D.LogNormal(0.1, 0.4), D.Laplace(-0.5, 0.7), D.Uniform(-1.0, 2.0), D.Exponential(1.7), D.Cauchy(0.0, 0.5)]
DISCRETE = [D.Bernoulli(probs=0.3), D.Bernoulli(logits=t([0.5, -2.0])), D.Categorical(probs=t([[1.0, 2.0, 1.0], [3.0, 1.0, 0.5]])),
            D.Poisson(2.5), D.Categorical(logits=t([0.1, 2.0, -1.0])), D.OneHotCategorical(probs=t([0.2, 0.3, 0.5]))]
OTHERS = [D.Normal(-0.2, 0.8), D.LogNormal(0.3, 0.6), D.Laplace(0.1, 1.1), D.Uniform(-2.0, 3.0), D.Exponential(0.6)]


def double(d):
    """The same distribution in float64."""
    names = ("loc", "scale", "low", "high", "rate")
    return type(d)(**{n: getattr(d, n).double() for n in names if n in vars(d)})


@pytest.mark.parametrize("d", CONTINUOUS, ids=repr)
def test_density_integrates_to_one_and_gives_entropy(d):
    d = double(d)
    low, high = (0, 60) if isinstance(d, (D.LogNormal, D.Exponential)) else (-2e5, 2e5) if isinstance(d, D.Cauchy) else (-40, 40)
    x = np.concatenate([np.linspace(low, -40, 200_001), np.linspace(-40, 40, 200_001), np.linspace(40, high, 200_001)]) if low < -40 else \
        np.linspace(low + 1e-9, high, 400_001)
    log = d.log_prob(fastnet.from_numpy(x)).numpy()
    p = np.exp(log)
    step = np.diff(x)
    assert ((p[1:] + p[:-1]) / 2 * step).sum() == pytest.approx(1, abs=1e-4)
    terms = -np.where(p > 0, p * np.where(p > 0, log, 0), 0)
    assert ((terms[1:] + terms[:-1]) / 2 * step).sum() == pytest.approx(d.entropy().item(), abs=2e-3)


@pytest.mark.parametrize("d", [d for d in CONTINUOUS + DISCRETE if not isinstance(d, (D.Cauchy, D.Categorical))], ids=repr)
def test_samples_have_the_moments(d):
    fastnet.manual_seed(0)
    x = d.sample((40_000,)).numpy().astype(float)
    assert x.shape == (40_000, *d.batch_shape, *d.event_shape)
    mean, var = d.mean.numpy(), d.variance.numpy()
    assert np.allclose(x.mean(0), mean, atol=5 * np.sqrt(var.max() / 40_000)) and np.allclose(x.var(0), var, rtol=0.1)
    assert np.allclose(d.stddev.numpy() ** 2, var, rtol=1e-5)


def test_categorical_draws_by_its_probabilities():
    fastnet.manual_seed(0)
    d = DISCRETE[2]
    x = d.sample((20_000,)).numpy()
    assert x.shape == (20_000, 2)
    for k in range(2):
        assert np.allclose(np.bincount(x[:, k], minlength=3) / 20_000, d.probs[k].numpy(), atol=0.02)
    assert d.sample().shape == (2,) and d.sample((3, 4)).shape == (3, 4, 2)
    assert np.allclose(np.exp([d.log_prob(t([k, k])).numpy() for k in range(3)]).sum(0), 1, atol=1e-6)
    with pytest.raises(ValueError, match="Categorical: value"):
        d.log_prob(t([3, 0]))


def test_gradients_reach_parameters_through_samples_and_densities():
    loc, scale = t(0.3, requires_grad=True), t(0.7, requires_grad=True)
    fastnet.manual_seed(1)
    x = D.Normal(loc, scale).rsample((1000,))
    x.sum().backward()
    assert loc.grad.item() == 1000 and scale.grad.item() == pytest.approx(((x.detach() - 0.3) / 0.7).sum().item(), rel=1e-3)
    logits = fastnet.randn(5, 3, requires_grad=True)
    action = D.Categorical(logits=logits).sample()
    D.Categorical(logits=logits).log_prob(action).sum().backward()
    want = np.eye(3)[action.numpy()] - logits.detach().softmax(-1).numpy()
    assert np.allclose(logits.grad.numpy(), want, atol=1e-6)
    with pytest.raises(TypeError, match="Categorical.rsample"):
        D.Categorical(logits=logits).rsample()


@pytest.mark.parametrize("p, q", list(zip(CONTINUOUS, OTHERS)), ids=repr)
def test_divergence_of_densities_is_the_integral(p, q):
    p, q = double(p), double(q)
    low, high = (1e-9, 60) if isinstance(p, (D.LogNormal, D.Exponential)) else (-40, 40) if not isinstance(p, D.Uniform) else (-1, 2 - 1e-9)
    x = fastnet.from_numpy(np.linspace(low, high, 200_001))
    a, b = p.log_prob(x).numpy(), q.log_prob(x).numpy()
    y = np.exp(a) * (a - b)
    assert ((y[1:] + y[:-1]) / 2).sum() * (high - low) / 2e5 == pytest.approx(D.kl_divergence(p, q).item(), abs=1e-5)


def test_divergence_of_choices_is_the_sum():
    p, q = D.Categorical(probs=t([0.2, 0.3, 0.5])), D.Categorical(logits=t([0.5, 0.0, 1.0]))
    want = sum(a * math.log(a / b) for a, b in zip(p.probs.tolist(), q.probs.tolist()))
    assert D.kl_divergence(p, q).item() == pytest.approx(want, abs=1e-6)
    assert D.kl_divergence(D.OneHotCategorical(probs=p.probs), D.OneHotCategorical(probs=q.probs)).item() == pytest.approx(want, abs=1e-6)
    a, b = D.Bernoulli(probs=0.3), D.Bernoulli(probs=0.6)
    assert D.kl_divergence(a, b).item() == pytest.approx(0.3 * math.log(0.5) + 0.7 * math.log(0.7 / 0.4), abs=1e-6)
    a, b = D.Poisson(2.0), D.Poisson(3.0)
    assert D.kl_divergence(a, b).item() == pytest.approx(2 * math.log(2 / 3) + 1, abs=1e-6)
    with pytest.raises(TypeError, match="no formula for Poisson and Bernoulli"):
        D.kl_divergence(a, D.Bernoulli(probs=0.5))


def test_vectors():
    cov = t([[2.0, 0.6], [0.6, 1.0]], dtype=fastnet.float64)
    loc = t([1.0, -1.0], dtype=fastnet.float64, requires_grad=True)
    d = D.MultivariateNormal(loc, cov)
    x = t([0.3, 0.2], dtype=fastnet.float64)
    away = x.numpy() - loc.detach().numpy()
    want = -0.5 * away @ np.linalg.inv(cov.numpy()) @ away - 0.5 * np.log((2 * np.pi) ** 2 * np.linalg.det(cov.numpy()))
    assert d.log_prob(x).item() == pytest.approx(want)
    assert D.MultivariateNormal(loc, precision_matrix=fastnet.linalg.inv(cov)).log_prob(x).item() == pytest.approx(want)
    fastnet.manual_seed(0)
    assert np.allclose(np.cov(d.sample((50_000,)).numpy().T), cov.numpy(), atol=0.05)
    d.rsample((3,)).sum().backward()
    assert loc.grad.tolist() == [3.0, 3.0]
    diagonal = D.MultivariateNormal(fastnet.zeros(2), fastnet.diag(t([4.0, 9.0])))
    single = D.Independent(D.Normal(fastnet.zeros(2), t([2.0, 3.0])), 1)
    assert diagonal.log_prob(t([1.0, 1.0])).item() == pytest.approx(single.log_prob(t([1.0, 1.0])).item(), abs=1e-5)
    assert diagonal.entropy().item() == pytest.approx(single.entropy().item(), abs=1e-5)
    unit = D.Independent(D.Normal(fastnet.zeros(2), fastnet.ones(2)), 1)
    assert D.kl_divergence(single, unit).item() == pytest.approx(
        D.kl_divergence(diagonal, D.MultivariateNormal(fastnet.zeros(2), fastnet.eye(2))).item(), abs=1e-5)
    with pytest.raises(ValueError, match="exactly one"):
        D.MultivariateNormal(fastnet.zeros(2))


def test_normal_cdf_and_its_inverse():
    d = D.Normal(1.0, 2.0)
    assert d.cdf(t(1.0)).item() == 0.5 and d.icdf(d.cdf(t(2.5))).item() == pytest.approx(2.5, abs=1e-4)


def test_wrong_parameters_are_refused():
    wrong = [(lambda: D.Normal(0.0, -1.0), "Normal: scale"), (lambda: D.Uniform(1.0, 0.0), "Uniform: high"),
             (lambda: D.Bernoulli(probs=1.5), "Bernoulli: probs"), (lambda: D.Bernoulli(), "probs or logits"),
             (lambda: D.Categorical(probs=t([-1.0, 2.0])), "Categorical: probs"), (lambda: D.Exponential(0.0), "Exponential: rate")]
    for make, match in wrong:
        with pytest.raises(ValueError, match=match):
            make()
    D.Normal(0.0, -1.0, validate_args=False)


def test_integers_are_numbers_too():
    d = D.Normal(t(0), 1.5)
    assert d.loc.dtype == fastnet.float32 and d.scale.item() == 1.5
    assert D.Normal(t(2), t(0.5, dtype=fastnet.float64)).loc.dtype == fastnet.float64
    assert D.Bernoulli(probs=t([0, 1])).log_prob(t([0, 1])).exp().tolist() == pytest.approx([1, 1])
    assert D.Poisson(2.0).log_prob(t(1)).exp().item() == pytest.approx(2 * math.exp(-2))


@pytest.mark.parametrize("d, wrong, right", [(D.Bernoulli(0.3), 0.5, 1.0), (D.Poisson(2.0), 1.5, 1.0), (D.Poisson(2.0), -1.0, 0.0),
                                             (D.LogNormal(0.0, 1.0), -1.0, 1.0), (D.Categorical(fastnet.ones(3)), 3, 2)])
def test_wrong_values_are_refused(d, wrong, right):
    with pytest.raises(ValueError, match=f"{type(d).__name__}: value does not satisfy"):
        d.log_prob(t([right, wrong]))
    assert d.log_prob(t([right])).isfinite().all()


def test_values_of_pytorch():
    torch = pytest.importorskip("torch")
    x = t([0.3, 0.9, 1.7])
    for mine in [d for d in CONTINUOUS if not isinstance(d, D.Uniform)]:
        names = [n for n in ("loc", "scale", "rate") if n in vars(mine)]
        theirs = getattr(torch.distributions, type(mine).__name__)(**{n: torch.tensor(getattr(mine, n).numpy()) for n in names})
        assert np.allclose(mine.log_prob(x).numpy(), theirs.log_prob(torch.tensor(x.numpy())).numpy(), atol=1e-5)
        assert mine.entropy().item() == pytest.approx(theirs.entropy().item(), abs=1e-5)
