"""Geometric, Binomial, NegativeBinomial, Multinomial: how often something happens; NumPy draws."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.distributions.discrete import Bernoulli, Categorical
from fastnet.distributions.distribution import Distribution, numpy_generator, parameters
from fastnet.nn.functional import softplus
from fastnet.special import gammaln


class _Count(Distribution):
    """What follows from the probability of one trial, given as it is or by its log-odds, and a number of trials."""

    def __init__(self, total_count: Any, probs: Any, logits: Any, validate_args: bool | None) -> None:
        one = Bernoulli(probs, logits, validate_args)
        self.total_count, self.probs = parameters(total_count, one.probs)
        self.logits = one.logits.expand(self.probs.shape)
        super().__init__(self.probs.shape, (), validate_args)

    def _counted(self, value: Tensor) -> Tensor:
        value = self._value(value)
        self._require("value", (value >= 0) & (value == value.floor()))
        return value

    def _draw(self, sample_shape: Any, draw: Any) -> Tensor:
        n, p = (x.detach().expand(self._extended(sample_shape)).numpy() for x in (self.total_count, self.probs))
        return fastnet.from_numpy(np.asarray(draw(numpy_generator(), n, p.astype(np.float64)), p.dtype))

    def _log_ways(self, value: Tensor) -> Tensor:
        return gammaln(self.total_count + 1) - gammaln(value + 1) - gammaln(self.total_count - value + 1)


class Geometric(_Count):
    """How many trials fail before one succeeds.

    Args:
        probs: the probability of success, above 0.
        logits: its log-odds, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Geometric(0.25).mean
    tensor(3.)
    """

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(1.0, probs, logits, validate_args)
        self._require("probs", self.probs > 0)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._draw(sample_shape, lambda rng, n, p: rng.geometric(p) - 1)

    def log_prob(self, value: Tensor) -> Tensor:
        return -self._counted(value) * softplus(self.logits) - softplus(-self.logits)

    def entropy(self) -> Tensor:
        return Bernoulli(logits=self.logits).entropy() / self.probs

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return fastnet.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs


class Binomial(_Count):
    """How many of some trials succeed.

    Args:
        total_count: how many trials.
        probs: the probability of success.
        logits: its log-odds, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Binomial(4, 0.5).log_prob(fastnet.tensor(2.0)).exp()
    tensor(0.3750)
    """

    def __init__(self, total_count: Tensor | int = 1, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(total_count, probs, logits, validate_args)
        self._require("total_count", (self.total_count >= 0) & (self.total_count == self.total_count.floor()))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._draw(sample_shape, lambda rng, n, p: rng.binomial(n.astype(np.int64), p))

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._counted(value)
        self._require("value", value <= self.total_count)
        return self._log_ways(value) - value * softplus(-self.logits) - (self.total_count - value) * softplus(self.logits)

    def entropy(self) -> Tensor:
        """The entropy, in nats: a sum over all counts.

        Raises:
            ValueError: the numbers of trials differ.
        """
        n = self.total_count.max()
        if bool((self.total_count != n).any()):
            raise ValueError("Binomial.entropy: total_count must be the same in the whole batch")
        counts = fastnet.arange(int(n) + 1, dtype=self.probs.dtype).reshape(-1, *(1,) * self.probs.ndim)
        log = self.log_prob(counts)
        return -(log.exp() * log).sum(0)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().minimum(self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.mean * (1 - self.probs)


class NegativeBinomial(_Count):
    """How many trials succeed before a number of them has failed.

    Args:
        total_count: how many failures, positive; any real number.
        probs: the probability of success, below 1.
        logits: its log-odds, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.NegativeBinomial(3.0, 0.5).mean
    tensor(3.)
    """

    def __init__(self, total_count: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(total_count, probs, logits, validate_args)
        self._require("total_count", self.total_count > 0)
        self._require("probs", self.probs < 1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._draw(sample_shape, lambda rng, n, p: rng.negative_binomial(n, 1 - p))

    def log_prob(self, value: Tensor) -> Tensor:
        value, n = self._counted(value), self.total_count
        ways = gammaln(n + value) - gammaln(value + 1) - gammaln(n)
        return ways - n * softplus(self.logits) - value * softplus(-self.logits)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (1 - self.probs)


class Multinomial(Distribution):
    """How often each class is drawn in a number of draws.

    Args:
        total_count: how many draws.
        probs: (..., classes), not negative; divided by their sum.
        logits: (..., classes), in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Multinomial(4, fastnet.tensor([0.0, 1.0])).sample()
    tensor([0., 4.])
    """

    def __init__(self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None) -> None:
        if not isinstance(total_count, int) or total_count < 0:
            raise ValueError(f"Multinomial: total_count must be a number of draws, got {total_count!r}")
        one = Categorical(probs, logits, validate_args)
        self.total_count, self.probs, self.logits = total_count, one.probs, one.logits
        super().__init__(one.batch_shape, self.probs.shape[-1:], validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        p = self.probs.detach().numpy().astype(np.float64)
        drawn = numpy_generator().multinomial(self.total_count, p / p.sum(-1, keepdims=True), (*sample_shape, *self.batch_shape))
        return fastnet.from_numpy(np.asarray(drawn, self.probs.dtype.numpy))

    def log_prob(self, value: Tensor) -> Tensor:
        value = self._value(value)
        self._require("value", (value >= 0).all(-1) & (value.sum(-1) == self.total_count))
        logits = fastnet.where((value == 0) & (self.probs == 0), 0.0, self.logits)
        return gammaln(value.sum(-1) + 1) - gammaln(value + 1).sum(-1) + (logits * value).sum(-1)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)
