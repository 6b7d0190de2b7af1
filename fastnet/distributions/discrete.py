"""Bernoulli, Categorical, OneHotCategorical, Poisson: choices and counts."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet
from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor
from fastnet.distributions.distribution import Distribution, numpy_generator, parameters
from fastnet.nn.functional import binary_cross_entropy_with_logits, one_hot


def _one(probs: Any, logits: Any, op: str) -> Any:
    """That of the two which is given."""
    if (probs is None) == (logits is None):
        raise ValueError(f"{op}: give probs or logits, and not both")
    return logits if probs is None else probs


class Bernoulli(Distribution):
    """1 with a probability, else 0.

    Args:
        probs: the probability.
        logits: its log-odds, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Bernoulli(probs=0.5).entropy()
    tensor(0.6931)
    """

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        given, = parameters(_one(probs, logits, "Bernoulli"))
        super().__init__(given.shape, (), validate_args)
        if probs is not None:
            self._require("probs", (given >= 0) & (given <= 1))
            eps = fastnet.finfo(given.dtype).eps
            self.probs, inside = given, given.clamp(eps, 1 - eps)
            self.logits = inside.log() - (-inside).log1p()
        else:
            self.probs, self.logits = given.sigmoid(), given

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return fastnet.bernoulli(self.probs.detach().expand(self._extended(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._require("value", (value == 0) | (value == 1))
        logits, y = fastnet.broadcast_tensors(self.logits, value.to(self.logits.dtype))
        return -binary_cross_entropy_with_logits(logits, y, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return (self.probs >= 0.5).to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)


class Categorical(Distribution):
    """One of several classes, by number.

    Args:
        probs: (..., classes), not negative; divided by their sum.
        logits: (..., classes), logarithms of probabilities up to a constant, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Categorical(probs=fastnet.tensor([1.0, 1.0])).log_prob(fastnet.tensor(1))
    tensor(-0.6931)
    """

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        given = _one(probs, logits, "Categorical")
        if not isinstance(given, Tensor) or given.ndim < 1:
            raise ValueError(f"{type(self).__name__}: probs or logits must be a Tensor (..., classes)")
        super().__init__(given.shape[:-1], (), validate_args)
        if probs is not None:
            self._require("probs", (given >= 0) & (given.sum(-1, keepdim=True) > 0))
            self.probs = given / given.sum(-1, keepdim=True)
            eps = fastnet.finfo(given.dtype).eps
            self.logits = self.probs.clamp(eps, 1 - eps).log()
        else:
            self.logits = given - given.logsumexp(-1, keepdim=True)
            self.probs = self.logits.softmax(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            rows = self.probs.detach().reshape(-1, self.probs.shape[-1])
            count = int(np.prod(sample_shape, dtype=int))
            drawn = fastnet.multinomial(rows, max(count, 1), replacement=True)[:, :count]
            return drawn.T.reshape(*sample_shape, *self.batch_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        index = value.long()
        n = self.logits.shape[-1]
        self._require("value", (index >= 0) & (index < n))
        shape = fastnet.broadcast_shapes(tuple(index.shape), tuple(self.batch_shape))
        return self.logits.expand(*shape, n).gather(-1, index.expand(*shape).unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.probs * self.logits.clamp(min=fastnet.finfo(self.logits.dtype).min)).sum(-1)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)


class OneHotCategorical(Distribution):
    """One of several classes, as a vector of zeros and a one.

    Args:
        probs: (..., classes), not negative; divided by their sum.
        logits: (..., classes), in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.OneHotCategorical(probs=fastnet.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        self._classes = Categorical(probs, logits, validate_args)
        self.probs, self.logits = self._classes.probs, self._classes.logits
        super().__init__(self._classes.batch_shape, self.probs.shape[-1:], validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return one_hot(self._classes.sample(sample_shape), self.probs.shape[-1]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        return self._classes.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._classes.entropy()

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return one_hot(self._classes.mode, self.probs.shape[-1]).to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)


class Poisson(Distribution):
    """How many events happen in a unit of time.

    Args:
        rate: the mean, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.Poisson(2.0).log_prob(fastnet.tensor(2.0))
    tensor(-1.3069)
    """

    def __init__(self, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.rate, = parameters(rate)
        super().__init__(self.rate.shape, (), validate_args)
        self._require("rate", self.rate >= 0)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        rate = self.rate.detach().expand(self._extended(sample_shape)).numpy()
        return fastnet.from_numpy(np.asarray(numpy_generator().poisson(rate), rate.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._require("value", (value >= 0) & (value == value.floor()))
        return fastnet.xlogy(value, self.rate) - self.rate - (value + 1).lgamma()

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate
