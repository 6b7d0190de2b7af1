"""Normal, LogNormal, Laplace, Cauchy, Uniform, Exponential: numbers that are moved and scaled, so that samples have gradients."""
from __future__ import annotations

import math
from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.distributions.distribution import Distribution, parameters
from fastnet.special import ndtr, ndtri


class _LocationScale(Distribution):
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = parameters(loc, scale)
        super().__init__(self.loc.shape, (), validate_args)
        self._require("scale", self.scale > 0)

    def _z(self, value: Tensor) -> Tensor:
        return (value - self.loc) / self.scale

    @property
    def mode(self) -> Tensor:
        return self.loc


class Normal(_LocationScale):
    """Gauss's distribution.

    Args:
        loc: the mean.
        scale: the standard deviation, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Normal(0.0, 1.0).log_prob(fastnet.tensor(0.0))
    tensor(-0.9189)
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc + self.scale * fastnet.randn(self._extended(sample_shape), dtype=self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        z = self._z(value)
        return -0.5 * z * z - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        return self.scale.log() + 0.5 * (1 + math.log(2 * math.pi)) + 0 * self.loc

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a smaller value."""
        return ndtr(self._z(value))

    def icdf(self, value: Tensor) -> Tensor:
        """The value below which a part of the probability lies."""
        return self.loc + self.scale * ndtri(value)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.scale * self.scale


class LogNormal(_LocationScale):
    """The distribution of exp(x) for a normal x.

    Args:
        loc: the mean of x.
        scale: the standard deviation of x, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return Normal(self.loc, self.scale, False).rsample(sample_shape).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        self._require("value", value > 0)
        return Normal(self.loc, self.scale, False).log_prob(value.log()) - value.log()

    def entropy(self) -> Tensor:
        return Normal(self.loc, self.scale, False).entropy() + self.loc

    @property
    def mean(self) -> Tensor:
        return (self.loc + 0.5 * self.scale * self.scale).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale * self.scale).exp()

    @property
    def variance(self) -> Tensor:
        s = self.scale * self.scale
        return s.expm1() * (2 * self.loc + s).exp()


class Laplace(_LocationScale):
    """Laplace's distribution: exp(-|x - loc| / scale) / (2 scale).

    Args:
        loc: the mean.
        scale: the mean distance from it, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Laplace(0.0, 1.0).log_prob(fastnet.tensor(0.0))
    tensor(-0.6931)
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = fastnet.rand(self._extended(sample_shape), dtype=self.loc.dtype) - 0.5
        return self.loc - self.scale * u.sign() * (-2 * u.abs()).clamp(min=-1 + fastnet.finfo(u.dtype).eps).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        return -self._z(value).abs() - (2 * self.scale).log()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log() + 0 * self.loc

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale * self.scale


class Cauchy(_LocationScale):
    """Cauchy's distribution, which has no mean.

    Args:
        loc: the median.
        scale: half the width at half the height, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Cauchy(0.0, 1.0).log_prob(fastnet.tensor(0.0))
    tensor(-1.1447)
    """

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.loc + self.scale * ((fastnet.rand(self._extended(sample_shape), dtype=self.loc.dtype) - 0.5) * math.pi).tan()

    def log_prob(self, value: Tensor) -> Tensor:
        z = self._z(value)
        return -(z * z).log1p() - self.scale.log() - math.log(math.pi)

    def entropy(self) -> Tensor:
        return (4 * math.pi * self.scale).log() + 0 * self.loc


class Uniform(Distribution):
    """The same density everywhere between two numbers.

    Args:
        low: the lower end.
        high: the upper end, above it.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Uniform(0.0, 2.0).entropy()
    tensor(0.6931)
    """

    has_rsample = True

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None) -> None:
        self.low, self.high = parameters(low, high)
        super().__init__(self.low.shape, (), validate_args)
        self._require("high", self.high > self.low)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.low + (self.high - self.low) * fastnet.rand(self._extended(sample_shape), dtype=self.low.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        inside = (value >= self.low) & (value < self.high)
        return fastnet.where(inside, -(self.high - self.low).log(), -math.inf)

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()

    @property
    def mean(self) -> Tensor:
        return (self.low + self.high) / 2

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12


class Exponential(Distribution):
    """Waiting times: rate exp(-rate x).

    Args:
        rate: events in a unit of time, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Exponential(2.0).mean
    tensor(0.5000)
    """

    has_rsample = True

    def __init__(self, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.rate, = parameters(rate)
        super().__init__(self.rate.shape, (), validate_args)
        self._require("rate", self.rate > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return -(-fastnet.rand(self._extended(sample_shape), dtype=self.rate.dtype)).log1p() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        return fastnet.where(value >= 0, self.rate.log() - self.rate * value, -math.inf)

    def entropy(self) -> Tensor:
        return 1 - self.rate.log()

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return fastnet.zeros_like(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate ** -2
