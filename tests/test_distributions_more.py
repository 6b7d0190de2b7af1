"""Distributions made of others: densities, moments, gradients of samples and divergences by definition; transforms; mixtures."""
import math

import numpy as np
import pytest

import fastnet
from fastnet import distributions as D
from fastnet.distributions import constraints, transforms as T
from fastnet.distributions.gamma import gamma_slope

t = fastnet.tensor


def f64(*values):
    return [t(v, dtype=fastnet.float64) for v in values]


CONTINUOUS = [D.Gamma(*f64(2.5, 1.5)), D.Chi2(*f64(3.0)), D.InverseGamma(*f64(5.5, 2.0)), D.Beta(*f64(2.5, 1.5)), D.StudentT(*f64(7.0,
    0.3, 1.2)),
              D.HalfNormal(*f64(0.7)), D.HalfCauchy(*f64(0.7)), D.Gumbel(*f64(0.3, 0.8)), D.Weibull(*f64(1.3, 2.5)), D.Pareto(*f64(0.7,
                                                                                                                                   5.5)),
              D.Kumaraswamy(*f64(2.5, 1.5)), D.FisherSnedecor(*f64(5.0, 9.0)),
              D.TransformedDistribution(D.Normal(*f64(0.2, 0.6)), [T.SigmoidTransform(), T.AffineTransform(1.0, -2.0)]),
              D.RelaxedBernoulli(*f64(0.8, 0.3)),
              D.MixtureSameFamily(D.Categorical(*f64([0.3, 0.7])), D.Normal(*f64([-1.0, 2.0], [0.5, 0.8])))]
INSIDE = {"Beta": (0, 1), "Kumaraswamy": (0, 1), "RelaxedBernoulli": (0, 1), "TransformedDistribution": (-1, 1), "Pareto": (0.7, math.inf),
          "StudentT": (-math.inf, math.inf), "Gumbel": (-math.inf, math.inf), "MixtureSameFamily": (-math.inf, math.inf)}
COUNTS = [D.Geometric(*f64(0.3)), D.Binomial(6, *f64(0.3)), D.NegativeBinomial(*f64(2.5, 0.4)), D.Geometric(logits=f64(0.4)[0]),
          D.Binomial(3, logits=f64(-0.4)[0]), D.NegativeBinomial(3.0, logits=f64(-0.4)[0])]


def grid(d, n=400_001):
    """Places inside where a density is not negligible, close together at ends, and their weights."""
    low, high = INSIDE.get(type(d).__name__, (0, math.inf))
    u = np.linspace(-1, 1, n + 2)[1:-1]
    if math.isinf(low):
        x, dx = np.sinh(12 * u), 12 * np.cosh(12 * u)
    elif math.isinf(high):
        x, dx = low + np.exp(24 * u), 24 * np.exp(24 * u)
    else:
        x, dx = low + (high - low) * (1 + np.tanh(16 * u)) / 2, (high - low) * 8 / np.cosh(16 * u) ** 2
        keep = (x > low) & (x < high)
        x, dx = x[keep], dx[keep]
    return x, dx * (u[1] - u[0])


@pytest.mark.parametrize("d", CONTINUOUS, ids=repr)
def test_density_integrates_to_one_and_gives_moments_and_entropy(d):
    x, w = grid(d)
    log = d.log_prob(fastnet.from_numpy(x)).numpy()
    p = np.exp(log) * w
    assert p.sum() == pytest.approx(1, abs=1e-6)
    for name, want in (("mean", lambda: (x * p).sum()), ("variance", lambda: ((x - (x * p).sum()) ** 2 * p).sum()),
                       ("entropy", lambda: -(np.where(p > 0, log, 0) * p).sum())):
        try:
            got = getattr(d, name)
        except TypeError:
            continue
        try:
            got = got() if callable(got) else got
        except TypeError as error:
            assert "does not define" in str(error)
            continue
        assert got.item() == pytest.approx(want(), rel=1e-4, abs=1e-5), name
    try:
        mode = d.mode.item()
    except TypeError:
        return
    assert mode == pytest.approx(x[log.argmax()], abs=1e-3)


@pytest.mark.parametrize("d", [d for d in CONTINUOUS if not isinstance(d, (D.HalfCauchy, D.FisherSnedecor, D.Pareto))] + COUNTS, ids=repr)
def test_samples_follow_the_density(d):
    fastnet.manual_seed(0)
    n = 40_000
    x = np.sort(d.sample((n,)).numpy().astype(float))
    assert x.shape == (n,)
    if isinstance(d, tuple(type(c) for c in COUNTS)):
        k = np.arange(200.0) if not isinstance(d, D.Binomial) else np.arange(d.total_count.item() + 1)
        p = d.log_prob(fastnet.from_numpy(k)).exp().numpy()
        assert p.sum() == pytest.approx(1, abs=1e-6) and d.mean.item() == pytest.approx((k * p).sum())
        assert d.variance.item() == pytest.approx((k * k * p).sum() - (k * p).sum() ** 2) and d.mode.item() == k[p.argmax()]
        if not isinstance(d, D.NegativeBinomial):
            assert d.entropy().item() == pytest.approx(-(p * np.log(np.where(p > 0, p, 1))).sum())
        assert np.abs((x[:, None] <= k[:30]).mean(0) - p.cumsum()[:30]).max() < 1.7 / math.sqrt(n)
        return
    at, w = grid(d)
    below = np.interp(x, at, (np.exp(d.log_prob(fastnet.from_numpy(at)).numpy()) * w).cumsum())
    assert np.abs(below - (np.arange(n) + 0.5) / n).max() < 1.7 / math.sqrt(n)            # Kolmogorov and Smirnov


def test_the_slope_of_gamma_variables_is_that_of_their_quantiles():
    # P(a, x) by its series; a difference in a at the same x, over the density.
    def below(a, x):
        term = total = 1 / a
        for k in range(1, 400):
            term = term * x / (a + k)
            total += term
        return math.exp(a * math.log(x) - x - math.lgamma(a)) * total
    for a in (0.05, 0.4, 1.0, 2.5, 30.0):
        for x in (0.01 * a, 0.5 * a, a, 1.5 * a, a + 3 * math.sqrt(a), 1.9, 2.1):
            h = 1e-3 * min(a, 2.0)
            slope = (8 * (below(a + h, x) - below(a - h, x)) - below(a + 2 * h, x) + below(a - 2 * h, x)) / (12 * h)
            density = math.exp((a - 1) * math.log(x) - x - math.lgamma(a))
            if 1 - below(a, x) > 1e-4:
                got = gamma_slope(np.array([x]), np.array([a]))[0]
                assert got == pytest.approx(-slope / density, rel=1e-6), (a, x)


REPARAMETERISED = [(D.Gamma, (2.5, 1.5)), (D.Gamma, (0.4, 0.7)), (D.Beta, (2.5, 0.8)), (D.Chi2, (3.0,)), (D.StudentT, (9.0, 0.3, 1.2)),
                   (D.HalfNormal, (0.7,)),
                   (D.Gumbel, (0.3, 0.8)), (D.Weibull, (1.3, 2.5)), (D.Pareto, (0.7, 5.5)), (D.Kumaraswamy, (2.5, 1.5)),
                   (D.InverseGamma, (6.0, 2.0)),
                   (D.FisherSnedecor, (5.0, 14.0))]


@pytest.mark.parametrize("kind, values", REPARAMETERISED, ids=lambda v: getattr(v, "__name__", str(v)))
def test_the_mean_of_samples_has_the_gradient_of_the_mean(kind, values):
    xs = [x.requires_grad_() for x in f64(*values)]
    fastnet.manual_seed(3)
    n = 40_000
    sampled = fastnet.autograd.grad(kind(*xs).rsample((n,)).mean(), xs)
    exact = fastnet.autograd.grad(kind(*xs).mean, xs, allow_unused=True, materialize_grads=True)
    for a, b in zip(sampled, exact):
        assert a.item() == pytest.approx(b.item(), rel=0.06, abs=0.02)


def test_dirichlet():
    a = f64([0.7, 2.0, 3.5])[0].requires_grad_()
    d = D.Dirichlet(a)
    fastnet.manual_seed(0)
    x = d.rsample((40_000,))
    assert x.shape == (40_000, 3) and np.allclose(x.sum(-1).detach().numpy(), 1)
    assert np.allclose(x.detach().numpy().mean(0), d.mean.detach().numpy(), atol=5e-3)
    assert np.allclose(x.detach().numpy().var(0), d.variance.detach().numpy(), rtol=0.05)
    w = f64([1.0, -2.0, 0.5])[0]
    sampled, = fastnet.autograd.grad((x * w).sum(-1).mean(), a)
    exact, = fastnet.autograd.grad((d.mean * w).sum(), a)
    assert np.allclose(sampled.numpy(), exact.numpy(), atol=0.02)
    assert -d.log_prob(x.detach()).mean().item() == pytest.approx(d.entropy().item(), abs=0.03)
    m = 400                                               # the density, summed over a triangle
    u, v = (g.ravel() for g in np.meshgrid((np.arange(m) + 0.5) / m, (np.arange(m) + 0.5) / m))
    inside = u + v < 1
    p = D.Dirichlet(f64([2.0, 3.0, 2.5])[0]).log_prob(fastnet.from_numpy(np.stack([u, v, 1 - u - v],
                                                                                  1)[inside])).exp().sum().item() / m ** 2
    assert p == pytest.approx(1, abs=2e-3)
    with pytest.raises(ValueError, match="Dirichlet: value"):
        d.log_prob(f64([0.5, 0.5, 0.5])[0])


def test_multinomial():
    d = D.Multinomial(4, *f64([0.2, 0.3, 0.5]))
    ways = [t([float(i), float(j), float(4 - i - j)], dtype=fastnet.float64) for i in range(5) for j in range(5 - i)]
    p = np.array([d.log_prob(x).exp().item() for x in ways])
    assert p.sum() == pytest.approx(1)
    x = np.stack([w.numpy() for w in ways])
    assert np.allclose(p @ x, d.mean.numpy()) and np.allclose(p @ x ** 2 - (p @ x) ** 2, d.variance.numpy())
    fastnet.manual_seed(0)
    drawn = d.sample((20_000,)).numpy()
    assert (drawn.sum(1) == 4).all() and np.allclose(drawn.mean(0), d.mean.numpy(), atol=0.03)
    assert D.Multinomial(3, fastnet.ones(2, 5)).sample((7,)).shape == (7, 2, 5)
    with pytest.raises(ValueError, match="Multinomial: value"):
        d.log_prob(f64([1.0, 1.0, 1.0])[0])


def test_relaxed_choices():
    fastnet.manual_seed(0)
    logits = f64([0.5, -1.0, 0.2])[0].requires_grad_()
    d = D.RelaxedOneHotCategorical(0.7, logits=logits)
    x = d.rsample((30_000,))
    assert np.allclose(np.bincount(x.argmax(-1).numpy()) / 30_000, logits.detach().softmax(-1).numpy(), atol=0.01)
    m = 500
    u, v = (g.ravel() for g in np.meshgrid((np.arange(m) + 0.5) / m, (np.arange(m) + 0.5) / m))
    inside = u + v < 1
    points = fastnet.from_numpy(np.stack([u, v, 1 - u - v], 1)[inside])
    assert D.RelaxedOneHotCategorical(1.5, logits=logits.detach()).log_prob(points).exp().sum().item() / m ** 2 == pytest.approx(1,
                                                                                                                                 abs=0.01)
    x.square().sum().backward()
    assert logits.grad.abs().sum() > 0 and logits.grad.sum().abs() < 1e-6                  # only differences of logits matter
    assert (d.expand((4,)).sample((2,)).shape, D.RelaxedBernoulli(0.5, fastnet.ones(3) / 2).rsample((2,)).shape) == ((2, 4, 3), (2, 3))
    p = t([0.2, 0.8], requires_grad=True)
    one = D.OneHotCategoricalStraightThrough(p).rsample((5,))
    assert set(one.round().flatten().tolist()) <= {0.0, 1.0}
    (one * t([1.0, 3.0])).sum().backward()
    assert np.allclose(p.grad.numpy(), [5 * (1 - (0.2 + 2.4)), 5 * (3 - 2.6)], atol=1e-5)    # of p / p.sum()


MONOTONE = [T.ExpTransform(), T.AffineTransform(0.3, -1.7), T.SigmoidTransform(), T.TanhTransform(), T.SoftplusTransform(),
            T.PowerTransform(1.7),
            T.ComposeTransform([T.ExpTransform(), T.AffineTransform(1.0, 0.5), T.PowerTransform(0.5)]), T.ExpTransform().inv]


@pytest.mark.parametrize("f", MONOTONE, ids=lambda f: type(f).__name__)
def test_transforms_invert_and_tell_their_slope(f):
    x = fastnet.linspace(0.2, 2.5, 9, dtype=fastnet.float64).requires_grad_()
    y = f(x)
    assert np.allclose(f.inv(y).detach().numpy(), x.detach().numpy())
    slope, = fastnet.autograd.grad(y.sum(), x)
    assert np.allclose(f.log_abs_det_jacobian(x, y).detach().numpy(), np.log(np.abs(slope.numpy())))
    assert np.allclose(f.inv.log_abs_det_jacobian(y, x).detach().numpy(), -np.log(np.abs(slope.numpy())))


def test_stick_breaking_and_its_determinant():
    f, x = T.StickBreakingTransform(), f64([0.4, -0.3, 1.1])[0]
    y = f(x)
    assert y.sum().item() == pytest.approx(1) and y.shape == (4,) and np.allclose(f.inv(y).numpy(), x.numpy())
    j = fastnet.func.jacrev(lambda v: f(v)[:-1])(x)
    assert f.log_abs_det_jacobian(x, y).item() == pytest.approx(np.linalg.slogdet(j.numpy())[1])
    d = D.LogisticNormal(fastnet.zeros(5, 3), fastnet.ones(5, 3))
    assert d.batch_shape == (5,) and d.event_shape == (4,) and d.log_prob(d.sample((2,))).shape == (2, 5)


def test_a_squashed_policy_keeps_what_it_sampled():
    base = D.Independent(D.Normal(fastnet.full((4, 2), 9.0), fastnet.ones(4, 2)), 1)
    d = D.TransformedDistribution(base, [D.TanhTransform(cache_size=1)])
    a = d.rsample()
    assert d.batch_shape == (4,) and d.event_shape == (2,) and (a == 1).any()
    assert d.log_prob(a).isfinite().all() and d.log_prob(a).shape == (4,)

    class Mine(T.Transform):
        domain, codomain, bijective, sign = constraints.real, constraints.interval(-1.0, 1.0), True, +1

        def __init__(self, cache_size=1):
            super().__init__(cache_size=cache_size)

        def _call(self, x):
            return x.tanh()

        def _inverse(self, y):
            return y.atanh()

        def log_abs_det_jacobian(self, x, y):
            return 2 * (math.log(2) - x - fastnet.nn.functional.softplus(-2 * x))

    fastnet.manual_seed(0)
    mine = D.TransformedDistribution(D.Normal(t([0.3]), t([2.0])), [Mine()])
    y = mine.rsample()
    theirs = D.TransformedDistribution(D.Normal(t([0.3]), t([2.0])), D.TanhTransform())
    assert np.allclose(mine.log_prob(y).numpy(), theirs.log_prob(y).numpy(), atol=1e-3)


PAIRS = [(D.Gamma(*f64(2.5, 1.5)), D.Gamma(*f64(1.2, 0.6))), (D.Beta(*f64(2.5, 1.5)), D.Beta(*f64(1.2, 2.6))),
         (D.HalfNormal(*f64(0.7)), D.HalfNormal(*f64(1.9))), (D.Gumbel(*f64(0.3, 0.8)), D.Gumbel(*f64(-0.3, 1.1))),
         (D.Pareto(*f64(0.7, 5.5)), D.Pareto(*f64(0.5, 2.0))), (D.Gamma(*f64(2.5, 1.5)), D.Exponential(*f64(0.7))),
         (D.Exponential(*f64(0.7)), D.Gamma(*f64(2.5, 1.5))), (D.Beta(*f64(2.5, 1.5)), D.Normal(*f64(0.2, 0.7))),
         (D.Gumbel(*f64(0.3, 0.8)), D.Normal(*f64(0.2, 0.7))), (D.HalfNormal(*f64(0.7)), D.Normal(*f64(0.2, 0.7)))]


@pytest.mark.parametrize("p, q", PAIRS, ids=repr)
def test_divergence_is_the_integral(p, q):
    x, w = grid(p)
    x = fastnet.from_numpy(x)
    log = p.log_prob(x)
    want = fastnet.where(log.exp() > 0, log.exp() * (log - q.log_prob(x)), 0.0).numpy() @ w
    assert D.kl_divergence(p, q).item() == pytest.approx(want, rel=1e-5)
    assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-12) if type(p) is type(q) else True


def test_divergence_of_counts_is_the_sum():
    k = fastnet.arange(300, dtype=fastnet.float64)
    for p, q in ((D.Geometric(*f64(0.3)), D.Geometric(*f64(0.6))), (D.Binomial(6, *f64(0.3)), D.Binomial(6, *f64(0.8)))):
        k = k if isinstance(p, D.Geometric) else k[:7]
        a = p.log_prob(k)
        assert D.kl_divergence(p, q).item() == pytest.approx((a.exp() * (a - q.log_prob(k))).sum().item())
    with pytest.raises(ValueError, match="same total_count"):
        D.kl_divergence(D.Binomial(6, 0.5), D.Binomial(5, 0.5))
    p, q = (D.Dirichlet(*f64(a)) for a in ([2.0, 3.0, 2.5], [1.0, 0.6, 2.0]))
    fastnet.manual_seed(0)
    x = p.sample((50_000,))
    assert D.kl_divergence(p, q).item() == pytest.approx((p.log_prob(x) - q.log_prob(x)).mean().item(), abs=0.02)


def test_mixtures_of_vectors_and_batches():
    parts = D.Independent(D.Normal(fastnet.randn(5, 3, 2), fastnet.ones(5, 3, 2)), 1)
    d = D.MixtureSameFamily(D.Categorical(logits=fastnet.zeros(5, 3)), parts)
    x = d.sample((7,))
    assert d.batch_shape == (5,) and d.event_shape == (2,) and x.shape == (7, 5, 2)
    want = fastnet.stack([parts.base_dist.log_prob(x.unsqueeze(2))[:, :, k].sum(-1) for k in range(3)], -1).exp().mean(-1).log()
    assert np.allclose(d.log_prob(x).numpy(), want.numpy(), atol=1e-5)
    assert np.allclose(d.mean.numpy(), parts.mean.mean(1).numpy(), atol=1e-6)
    shared = D.MixtureSameFamily(D.Categorical(fastnet.ones(3)), parts)
    assert np.allclose(shared.log_prob(x).numpy(), d.log_prob(x).numpy(), atol=1e-5)
    with pytest.raises(ValueError, match="MixtureSameFamily: weights"):
        D.MixtureSameFamily(D.Categorical(fastnet.ones(4)), parts)
    with pytest.raises(TypeError, match="MixtureSameFamily: mixture_distribution"):
        D.MixtureSameFamily(parts, parts)


def test_expand_repeats_parameters_and_modes_are_the_likeliest():
    for d in (D.Normal(t([0.0, 1.0]), t([1.0, 2.0])), D.Beta(t([1.5, 2.0]), 3.0), D.Categorical(fastnet.ones(2, 4)),
              D.InverseGamma(t([3.0, 2.0]), 1.0),
              D.Independent(D.Normal(fastnet.zeros(2, 3), 1.0), 1), D.Geometric(t([0.2, 0.4])), D.Multinomial(3, fastnet.ones(2, 4)),
              D.TransformedDistribution(D.Normal(fastnet.zeros(2), 1.0), D.ExpTransform()), D.HalfNormal(t([1.0, 2.0]))):
        wide = d.expand((5, 2))
        assert wide.batch_shape == (5, 2) and d.batch_shape == (2,) and type(wide) is type(d)
        x = wide.sample((3,))
        assert x.shape == (3, 5, 2, *d.event_shape) and np.allclose(wide.log_prob(x).numpy(), d.log_prob(x).numpy(), atol=1e-5)
    assert D.Categorical(t([[1.0, 3.0, 2.0]])).mode.tolist() == [1] and D.Normal(2.0, 1.0).mode == 2 and D.Bernoulli(0.7).mode == 1
    assert D.LogNormal(1.0, 0.5).mode.item() == pytest.approx(math.exp(0.75)) and D.Independent(D.Poisson(t([2.5])),
                                                                                                1).mode.tolist() == [2.0]


def test_what_is_refused():
    for make, word in ((lambda: D.Gamma(-1.0, 1.0), "Gamma: concentration"), (lambda: D.Beta(1.0, 1.0).log_prob(t(2.0)), "Beta: value"),
                       (lambda: D.Geometric(0.0), "Geometric: probs"), (lambda: D.Binomial(1.5, 0.5), "Binomial: total_count"),
                       (lambda: D.Multinomial(2.5, fastnet.ones(2)), "Multinomial: total_count"),
                       (lambda: D.TanhTransform(cache_size=2), "cache_size"),
                       (lambda: D.Binomial(3, 0.5).log_prob(t(4.0)), "Binomial: value"), (lambda: D.Dirichlet(1.0),
                                                                                          "Dirichlet: concentration"),
                       (lambda: D.Pareto(2.0, 1.0).log_prob(t(1.0)), "Pareto: value"),
                       (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()), "TransformedDistribution")):
        with pytest.raises(ValueError, match=word):
            make()
    with pytest.raises(TypeError, match="TransformedDistribution"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [3])
    with pytest.raises(TypeError, match="Gamma.log_prob"):
        D.Gamma(1.0, 1.0).log_prob(1.0)
    D.Distribution.set_default_validate_args(False)
    try:
        D.Gamma(-1.0, 1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


def test_constraints():
    x = t([-1.0, 0.0, 0.5, 1.0, 2.0, math.nan])
    want = {"real": "111110", "positive": "001110", "nonnegative": "011110", "unit_interval": "011100", "boolean": "010100",
            "nonnegative_integer": "010110", "positive_integer": "000110"}
    for name, inside in want.items():
        assert "".join(str(int(v)) for v in getattr(constraints, name).check(x).tolist()) == inside, name
    assert constraints.simplex.check(t([[0.5, 0.5], [0.5, 0.6]])).tolist() == [True, False]
    assert constraints.integer_interval(0, 1).check(x).tolist() == constraints.boolean.check(x).tolist()
    assert constraints.less_than(0.5).check(x).sum() == 2 and constraints.greater_than_eq(1.0).check(x).sum() == 2


def test_values_are_pytorchs():
    torch = pytest.importorskip("torch")
    P = torch.distributions
    v = [0.2, 0.5, 0.9]
    for ours, theirs, x in ((D.Gamma(t(v), 2.0), P.Gamma(torch.tensor(v), 2.0), 0.7), (D.StudentT(t(v) + 3),
                                                                                       P.StudentT(torch.tensor(v) + 3), 0.7),
                            (D.NegativeBinomial(3.0, t(v)), P.NegativeBinomial(3.0, torch.tensor(v)), 2.0),
                            (D.Geometric(t(v)), P.Geometric(torch.tensor(v)), 2.0), (D.Binomial(5, t(v)), P.Binomial(5,
                                                                                                                     torch.tensor(v)), 2.0),
                            (D.Weibull(t(v), 2.0), P.Weibull(torch.tensor(v), 2.0), 0.7), (D.Kumaraswamy(t(v), 2.0),
                                                                                           P.Kumaraswamy(torch.tensor(v), 2.0), 0.7),
                            (D.RelaxedBernoulli(0.7, t(v)), P.RelaxedBernoulli(torch.tensor(0.7), torch.tensor(v)), 0.7),
                            (D.FisherSnedecor(t(v), 2.0), P.FisherSnedecor(torch.tensor(v), 2.0), 0.7)):
        assert np.allclose(ours.log_prob(t(x)).numpy(), theirs.log_prob(torch.tensor(x)).numpy(), atol=1e-5), ours
    rest = torch.tensor([0.2, 0.3, 0.5])
    ours, theirs = (k.RelaxedOneHotCategorical(f(0.7), f([1.0, 2.0, 1.0])).log_prob(f(rest.tolist())).item() for k, f in ((D, t), (P,
        torch.tensor)))
    assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("transform, base",
                         [(T.AffineTransform(fastnet.tensor([1.0, 2.0]), fastnet.tensor([3.0, 4.0])), D.Normal(0.0, 1.0)),
                          (T.PowerTransform(fastnet.tensor([0.5, 2.0])), D.Exponential(1.0))])
def test_numbers_of_a_transform_make_a_batch(transform, base):
    made = D.TransformedDistribution(base, transform)
    assert made.batch_shape == (2,) and made.event_shape == ()
    x = transform.inv(made.sample((4000,))).numpy()
    assert x.shape == (4000, 2) and abs(np.corrcoef(x.T)[0, 1]) < 0.1      # each has draws of its own
    value = fastnet.tensor([1.5, 2.0])
    each = base.log_prob(transform.inv(value)) - transform.log_abs_det_jacobian(transform.inv(value), value)
    assert np.allclose(made.log_prob(value).numpy(), each.numpy(), atol=1e-6)


def test_values_that_cannot_be():
    for made, value in ((D.RelaxedBernoulli(0.5, 0.2), -1.0), (D.FisherSnedecor(5.0, 6.0), -1.0),
                        (D.TransformedDistribution(D.Normal(0.0, 1.0), T.ExpTransform()), -1.0)):
        with pytest.raises(ValueError, match="value does not satisfy"):
            made.log_prob(fastnet.tensor(value))
    assert D.Beta(0.5, 1.5).mode.isnan() or D.Beta(0.5, 1.5).mode == 0
    assert D.Beta(0.5, 3.0).mode == 0 and D.Beta(3.0, 0.5).mode == 1
