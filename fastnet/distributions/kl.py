"""kl_divergence: how far one distribution is from another, by a formula for each pair of kinds."""
from __future__ import annotations

import math
from collections.abc import Callable

import fastnet
from fastnet import linalg
from fastnet._core.tensor import Tensor
from fastnet.distributions.counts import Binomial, Geometric
from fastnet.distributions.discrete import Bernoulli, Categorical, OneHotCategorical, Poisson
from fastnet.distributions.distribution import Distribution, Independent
from fastnet.distributions.extremes import EULER, Gumbel, HalfNormal, Pareto
from fastnet.distributions.gamma import Beta, Dirichlet, Gamma
from fastnet.distributions.multivariate_normal import MultivariateNormal
from fastnet.distributions.scale import Exponential, Laplace, LogNormal, Normal, Uniform
from fastnet.special import digamma, gammaln

FORMULAS: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable:
    """A decorator: the function it is put on computes the divergence of two kinds of distributions.

    Args:
        type_p: kind of the first.
        type_q: kind of the second.
    """
    def keep(formula: Callable[..., Tensor]) -> Callable[..., Tensor]:
        FORMULAS[type_p, type_q] = formula
        return formula
    return keep


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """Kullback and Leibler's divergence: the mean of log p(x) - log q(x) over x from p.

    Args:
        p: a distribution.
        q: another.

    Returns:
        A number for each of the batch.

    Raises:
        TypeError: no formula is known for this pair.

    >>> from fastnet.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0))
    tensor(0.5000)
    """
    for kind_p in type(p).__mro__:
        for kind_q in type(q).__mro__:
            if (kind_p, kind_q) in FORMULAS:
                return FORMULAS[kind_p, kind_q](p, q)
    raise TypeError(f"kl_divergence: no formula for {type(p).__name__} and {type(q).__name__}; register_kl adds one")


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio, away = (p.scale / q.scale) ** 2, ((p.loc - q.loc) / q.scale) ** 2
    return 0.5 * (ratio + away - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _log_normal(p: LogNormal, q: LogNormal) -> Tensor:
    return _normal(Normal(p.loc, p.scale, False), Normal(q.loc, q.scale, False))


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.low <= p.low) & (p.high <= q.high)
    return fastnet.where(inside, ((q.high - q.low) / (p.high - p.low)).log(), math.inf)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    return p.probs * (p.logits - q.logits) + fastnet.nn.functional.softplus(q.logits) - fastnet.nn.functional.softplus(p.logits)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    return fastnet.where(p.probs == 0, 0.0, fastnet.where(q.probs == 0, math.inf, terms)).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._classes, q._classes)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate / q.rate).log() - (p.rate - q.rate)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    n = p.loc.shape[-1]
    spread = linalg.solve_triangular(q.scale_tril, p.scale_tril, upper=False)
    away = linalg.solve_triangular(q.scale_tril, (q.loc - p.loc).unsqueeze(-1), upper=False)
    return q._half_log_det() - p._half_log_det() + 0.5 * ((spread ** 2).sum((-2, -1)) + (away ** 2).sum((-2, -1)) - n)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise ValueError(f"kl_divergence: {p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} reinterpreted axes differ")
    return p._sum(kl_divergence(p.base_dist, q.base_dist))


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return _bernoulli(Bernoulli(logits=p.logits), Bernoulli(logits=q.logits)) / p.probs


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count != q.total_count).any()):
        raise ValueError("kl_divergence: two Binomials must have the same total_count")
    return p.total_count * _bernoulli(Bernoulli(logits=p.logits), Bernoulli(logits=q.logits))


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + gammaln(b) - gammaln(a) + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


def _as_gamma(p: Gamma | Exponential) -> Gamma:
    return Gamma(fastnet.ones_like(p.rate), p.rate, False) if isinstance(p, Exponential) else p


@register_kl(Gamma, Exponential)
@register_kl(Exponential, Gamma)
def _gamma_exponential(p: Gamma | Exponential, q: Gamma | Exponential) -> Tensor:
    return _gamma(_as_gamma(p), _as_gamma(q))


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    away = digamma(a) - digamma(a.sum(-1, keepdim=True))
    return gammaln(a.sum(-1)) - gammaln(b.sum(-1)) + (gammaln(b) - gammaln(a) + (a - b) * away).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._both, q._both)


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _normal(p._whole(), q._whole())


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return -ratio.log() - 1 - EULER + away + ratio * EULER + (-away + gammaln(1 + ratio)).exp()


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    inside = -ratio.log() + ratio - 1 + q.alpha * (p.scale / q.scale).log()
    return fastnet.where(p.scale >= q.scale, inside, math.inf)


def _to_normal(p: Distribution, q: Normal) -> Tensor:
    """A density's, by its entropy and moments."""
    return -p.entropy() + 0.5 * math.log(2 * math.pi) + q.scale.log() + (p.variance + (p.mean - q.loc) ** 2) / (2 * q.scale ** 2)


for _kind in (Beta, Exponential, Gamma, Gumbel, HalfNormal, Laplace, Uniform):
    register_kl(_kind, Normal)(_to_normal)
