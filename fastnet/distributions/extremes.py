"""HalfNormal, HalfCauchy, Gumbel, Weibull, Pareto, Kumaraswamy: samples are a function of a uniform or normal variable."""
from __future__ import annotations

import math
from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.distributions.distribution import Distribution, parameters
from fastnet.distributions.scale import Cauchy, Normal, _LocationScale
from fastnet.special import digamma, gammaln

EULER = 0.57721566490153286


class _Half(Distribution):
    """The distribution of |x| for an x around 0."""

    has_rsample = True
    kind: Any

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, = parameters(scale)
        super().__init__(self.scale.shape, (), validate_args)
        self._require("scale", self.scale > 0)

    def _whole(self) -> Any:
        return self.kind(0.0 * self.scale, self.scale, False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._whole().rsample(sample_shape).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._value(value)
        self._require("value", value >= 0)
        return self._whole().log_prob(value) + math.log(2)

    def entropy(self) -> Tensor:
        return self._whole().entropy() - math.log(2)

    @property
    def mode(self) -> Tensor:
        return fastnet.zeros_like(self.scale)


class HalfNormal(_Half):
    """The distribution of |x| for a normal x around 0.

    Args:
        scale: the standard deviation of x, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    kind = Normal

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale ** 2 * (1 - 2 / math.pi)


class HalfCauchy(_Half):
    """The distribution of |x| for an x of Cauchy's distribution around 0.

    Args:
        scale: of x, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.HalfCauchy(1.0).log_prob(fastnet.tensor(0.0))
    tensor(-0.4516)
    """

    kind = Cauchy


def _uniform(shape: Any, like: Tensor) -> Tensor:
    """Uniform numbers, neither 0 nor 1."""
    info = fastnet.finfo(like.dtype)
    return fastnet.rand(shape, dtype=like.dtype).clamp(info.tiny, 1 - info.eps)


class Gumbel(_LocationScale):
    """The distribution of the largest of many variables: exp(-z - exp(-z)) / scale for z = (x - loc) / scale.

    Args:
        loc: the likeliest value.
        scale: positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc - self.scale * (-_uniform(self._extended(sample_shape), self.loc).log()).log()

    def log_prob(self, value: Tensor) -> Tensor:
        z = self._z(value)
        return -z - (-z).exp() - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER) + 0 * self.loc

    @property
    def mean(self) -> Tensor:
        return self.loc + EULER * self.scale

    @property
    def variance(self) -> Tensor:
        return self.scale ** 2 * (math.pi ** 2 / 6)


class Weibull(Distribution):
    """Weibull's distribution of times until something fails: 1 - exp(-(x / scale)^concentration) of them are below x.

    Args:
        scale: positive.
        concentration: positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Weibull(1.0, 1.0).mean
    tensor(1.)
    """

    has_rsample = True

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = parameters(scale, concentration)
        super().__init__(self.scale.shape, (), validate_args)
        self._require("scale", self.scale > 0)
        self._require("concentration", self.concentration > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.scale * (-_uniform(self._extended(sample_shape), self.scale).log()) ** (1 / self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        value, k = self._value(value), self.concentration
        self._require("value", value > 0)
        log = (value / self.scale).log()
        return k.log() - self.scale.log() + (k - 1) * log - (k * log).exp()

    def entropy(self) -> Tensor:
        return EULER * (1 - 1 / self.concentration) + (self.scale / self.concentration).log() + 1

    @property
    def mean(self) -> Tensor:
        return self.scale * gammaln(1 + 1 / self.concentration).exp()

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1).clamp(min=0) / k) ** (1 / k)

    @property
    def variance(self) -> Tensor:
        return self.scale ** 2 * gammaln(1 + 2 / self.concentration).exp() - self.mean ** 2


class Pareto(Distribution):
    """Pareto's distribution: alpha scale^alpha / x^(alpha + 1) from scale on.

    Args:
        scale: the smallest value, positive.
        alpha: positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Pareto(1.0, 2.0).mean
    tensor(2.)
    """

    has_rsample = True

    def __init__(self, scale: Tensor | float, alpha: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = parameters(scale, alpha)
        super().__init__(self.scale.shape, (), validate_args)
        self._require("scale", self.scale > 0)
        self._require("alpha", self.alpha > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.scale * _uniform(self._extended(sample_shape), self.scale) ** (-1 / self.alpha)

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._value(value)
        self._require("value", value >= self.scale)
        return self.alpha.log() + self.alpha * self.scale.log() - (self.alpha + 1) * value.log()

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha

    @property
    def mean(self) -> Tensor:
        return fastnet.where(self.alpha > 1, self.alpha * self.scale / (self.alpha - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha
        return fastnet.where(a > 2, self.scale ** 2 * a / ((a - 1) ** 2 * (a - 2)), math.inf)


class Kumaraswamy(Distribution):
    """Kumaraswamy's distribution on 0 to 1, like `Beta`: 1 - (1 - x^a)^b of it is below x.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Kumaraswamy(1.0, 1.0).mean
    tensor(0.5000)
    """

    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = parameters(concentration1, concentration0)
        super().__init__(self.concentration1.shape, (), validate_args)
        self._require("concentration1", self.concentration1 > 0)
        self._require("concentration0", self.concentration0 > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        log = _uniform(self._extended(sample_shape), self.concentration1).log() / self.concentration0
        return (-log.expm1()) ** (1 / self.concentration1)

    def log_prob(self, value: Tensor) -> Tensor:
        a, b, value = self.concentration1, self.concentration0, self._value(value)
        self._require("value", (value >= 0) & (value <= 1))
        return a.log() + b.log() + fastnet.xlogy(a - 1, value) + fastnet.special.xlog1py(b - 1, -value ** a)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - 1 / b) + (1 - 1 / a) * (digamma(b + 1) + EULER) - a.log() - b.log()

    def _moment(self, n: int) -> Tensor:
        k, b = 1 + n / self.concentration1, self.concentration0
        return (b.log() + gammaln(k) + gammaln(b) - gammaln(k + b)).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean ** 2
