"""Gamma, Chi2, InverseGamma, Beta, Dirichlet, StudentT, FisherSnedecor: what is made of gamma variables, whose samples have gradients."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastnet
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.function import Function
from fastnet.distributions.distribution import Distribution, numpy_generator, parameters
from fastnet.special import _digamma, digamma, gammaln


def gamma_slope(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    """dx/da of gamma variables x that follow a at the same place of their distribution: -(dP(a, x)/da) / p(x), in float64.

    M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization gradients" (2018). Up to x = 2 by the series of P; above, with
    t = x exp(+-w), as an integral of positive numbers over w, by the trapezoidal rule after w = c exp(u - exp(-u)).
    """
    psi, log = _digamma(a), np.log(x)
    small = x <= 2
    total, ratio, n = np.zeros_like(x), np.where(small, x / a, 0.0), 0
    rising = psi + 1 / a
    while n < 60 and (ratio > 1e-17 * np.abs(total)).any():
        total += ratio * (rising - log)
        n += 1
        rising, ratio = rising + 1 / (a + n), ratio * x / (a + n)
    x, a, away, near = x[~small], a[~small], (log - psi)[~small], np.abs(x - a)[~small]
    side, area = np.where(away < 0, -1.0, 1.0), np.zeros_like(x)
    for u in np.arange(-3.2, 4.0, 0.125):
        w = 1 / (near + np.sqrt(x)) * math.exp(u - math.exp(-u))
        area += (side * away + w) * np.exp(side * a * w - x * np.expm1(side * w)) * w * (1 + math.exp(-u))
    total[~small] = 0.125 * x * area
    return total


class _StandardGamma(Function):
    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        a = concentration.detach().numpy()
        x = np.maximum(numpy_generator().standard_gamma(a.astype(np.float64)), np.finfo(a.dtype).tiny)
        y = from_numpy(np.asarray(x, a.dtype))
        ctx.save_for_backward(concentration, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        a, x = (t.detach().numpy().astype(np.float64) for t in ctx.saved_tensors)
        with np.errstate(all="ignore"):
            return g * from_numpy(gamma_slope(x.ravel(), a.ravel()).reshape(x.shape)).to(g.dtype)


def standard_gamma(concentration: Tensor) -> Tensor:
    """Gamma variables of rate 1, each drawn by NumPy, with the gradient for its concentration."""
    return _StandardGamma.apply(concentration)


class Gamma(Distribution):
    """The gamma distribution: rate^a x^(a - 1) exp(-rate x) / Gamma(a).

    Args:
        concentration: a, positive.
        rate: positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Gamma(2.0, 1.0).log_prob(fastnet.tensor(1.0))
    tensor(-1.)
    """

    has_rsample = True

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = parameters(concentration, rate)
        super().__init__(self.rate.shape, (), validate_args)
        self._require("concentration", self.concentration > 0)
        self._require("rate", self.rate > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        return standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        a, value = self.concentration, self._value(value)
        self._require("value", value >= 0)
        return a * self.rate.log() + fastnet.xlogy(a - 1, value) - self.rate * value - gammaln(a)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + gammaln(a) + (1 - a) * digamma(a)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate ** 2


class Chi2(Gamma):
    """The sum of squares of standard normal variables.

    Args:
        df: how many, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Chi2(3.0).mean
    tensor(3.)
    """

    def __init__(self, df: Tensor | float, validate_args: bool | None = None) -> None:
        self.df, = parameters(df)
        super().__init__(0.5 * self.df, fastnet.full_like(self.df, 0.5), validate_args)


class InverseGamma(Distribution):
    """The distribution of 1 / x for x of a gamma distribution.

    Args:
        concentration: of x, positive.
        rate: of x, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.InverseGamma(3.0, 2.0).mean
    tensor(1.)
    """

    has_rsample = True

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.base = Gamma(concentration, rate, validate_args)
        self.concentration, self.rate = self.base.concentration, self.base.rate
        super().__init__(self.rate.shape, (), validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return 1 / self.base.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._value(value)
        return self.base.log_prob(1 / value) - 2 * value.log()

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + gammaln(a) - (1 + a) * digamma(a)

    @property
    def mean(self) -> Tensor:
        a = self.concentration
        return fastnet.where(a > 1, self.rate / (a - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return fastnet.where(a > 2, self.rate ** 2 / ((a - 1) ** 2 * (a - 2)), math.inf)


class Dirichlet(Distribution):
    """Probabilities of several classes that sum to 1: gamma variables divided by their sum, which is where samples' gradients come from.

    Args:
        concentration: (..., classes), positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Dirichlet(fastnet.ones(3)).log_prob(fastnet.tensor([0.2, 0.3, 0.5]))
    tensor(0.6931)
    """

    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if not isinstance(concentration, Tensor) or concentration.ndim < 1:
            raise ValueError("Dirichlet: concentration must be a Tensor (..., classes)")
        self.concentration, = parameters(concentration)
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)
        self._require("concentration", self.concentration > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        x = standard_gamma(self.concentration.expand(self._extended(sample_shape)).double())
        return (x / x.sum(-1, keepdim=True)).to(self.concentration.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        a, value = self.concentration, self._value(value)
        self._require("value", (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6 + 4 * fastnet.finfo(value.dtype).eps))
        return fastnet.xlogy(a - 1, value).sum(-1) + gammaln(a.sum(-1)) - gammaln(a).sum(-1)

    def entropy(self) -> Tensor:
        a, k = self.concentration, self.concentration.shape[-1]
        total = a.sum(-1)
        return gammaln(a).sum(-1) - gammaln(total) - (k - total) * digamma(total) - ((a - 1) * digamma(a)).sum(-1)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def variance(self) -> Tensor:
        return self.mean * (1 - self.mean) / (self.concentration.sum(-1, keepdim=True) + 1)


class Beta(Distribution):
    """The beta distribution: x^(a - 1) (1 - x)^(b - 1) up to a constant; the first of two probabilities of `Dirichlet`.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Beta(2.0, 2.0).log_prob(fastnet.tensor(0.5)).exp()
    tensor(1.5000)
    """

    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = parameters(concentration1, concentration0)
        self._both = Dirichlet(fastnet.stack([self.concentration1, self.concentration0], -1), validate_args)
        super().__init__(self.concentration1.shape, (), validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._both.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._value(value)
        self._require("value", (value >= 0) & (value <= 1))
        return self._both.log_prob(fastnet.stack([value, 1 - value], -1))

    def entropy(self) -> Tensor:
        return self._both.entropy()

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        a, b = (self.concentration1 - 1).clamp(min=0), (self.concentration0 - 1).clamp(min=0)
        return a / (a + b)

    @property
    def variance(self) -> Tensor:
        return self._both.variance[..., 0]


class StudentT(Distribution):
    """Student's distribution: a standard normal variable over the root of a mean square, moved and scaled.

    Args:
        df: degrees of freedom, positive.
        loc: the middle.
        scale: positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.StudentT(4.0).variance
    tensor(2.)
    """

    has_rsample = True

    def __init__(self, df: Tensor | float, loc: Tensor | float = 0.0, scale: Tensor | float = 1.0,
                 validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = parameters(df, loc, scale)
        super().__init__(self.df.shape, (), validate_args)
        self._require("df", self.df > 0)
        self._require("scale", self.scale > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        square = standard_gamma((0.5 * self.df).expand(self._extended(sample_shape))) * 2 / self.df
        return self.loc + self.scale * fastnet.randn(square.shape, dtype=square.dtype) * square.rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        z, half = (value - self.loc) / self.scale, 0.5 * (self.df + 1)
        norm = self.scale.log() + 0.5 * (self.df * math.pi).log() + gammaln(0.5 * self.df) - gammaln(half)
        return -half * (z * z / self.df).log1p() - norm

    def entropy(self) -> Tensor:
        low, high = 0.5 * self.df, 0.5 * (self.df + 1)
        beta = gammaln(low) + 0.5 * math.log(math.pi) - gammaln(high)
        return self.scale.log() + high * (digamma(high) - digamma(low)) + 0.5 * self.df.log() + beta

    @property
    def mean(self) -> Tensor:
        return fastnet.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        far = fastnet.where(self.df > 2, self.scale ** 2 * self.df / (self.df - 2), math.inf)
        return fastnet.where(self.df > 1, far, math.nan)


class FisherSnedecor(Distribution):
    """Fisher's and Snedecor's distribution: the quotient of two mean squares.

    Args:
        df1: degrees of freedom of the first, positive.
        df2: of the second, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.FisherSnedecor(3.0, 4.0).mean
    tensor(2.)
    """

    has_rsample = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = parameters(df1, df2)
        super().__init__(self.df1.shape, (), validate_args)
        self._require("df1", self.df1 > 0)
        self._require("df2", self.df2 > 0)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        first, second = (standard_gamma((0.5 * df).expand(self._extended(sample_shape))) / df for df in (self.df1, self.df2))
        return first / second

    def log_prob(self, value: Tensor) -> Tensor:
        a, b, value = 0.5 * self.df1, 0.5 * self.df2, self._value(value)
        ratio = self.df1 / self.df2
        self._require("value", value > 0)
        return (gammaln(a + b) - gammaln(a) - gammaln(b) + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p())

    @property
    def mean(self) -> Tensor:
        return fastnet.where(self.df2 > 2, self.df2 / (self.df2 - 2), math.nan)

    @property
    def variance(self) -> Tensor:
        m, n = self.df1, self.df2
        return fastnet.where(n > 4, 2 * n ** 2 * (m + n - 2) / (m * (n - 2) ** 2 * (n - 4)), math.nan)
