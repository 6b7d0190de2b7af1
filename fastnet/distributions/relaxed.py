"""RelaxedBernoulli, RelaxedOneHotCategorical, OneHotCategoricalStraightThrough: choices whose samples have gradients.

C. Maddison, A. Mnih and Y. W. Teh, "The concrete distribution" (2017); E. Jang, S. Gu and B. Poole, "Categorical reparameterization with
Gumbel-softmax" (2017).
"""
from __future__ import annotations

import math
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.distributions.discrete import Bernoulli, Categorical, OneHotCategorical
from fastnet.distributions.distribution import Distribution, parameters
from fastnet.distributions.extremes import _uniform
from fastnet.distributions.transformed import TransformedDistribution, _LogitRelaxed
from fastnet.distributions.transforms import SigmoidTransform


class RelaxedBernoulli(TransformedDistribution):
    """Numbers between 0 and 1 that come near one of both as the temperature falls.

    Args:
        temperature: positive.
        probs: the probability of 1.
        logits: its log-odds, in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.RelaxedBernoulli(0.5, probs=fastnet.tensor([0.1, 0.9])).sample().shape
    fastnet.Size([2])
    """

    def __init__(self, temperature: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None) -> None:
        one = Bernoulli(probs, logits, validate_args)
        self.temperature, self.logits = parameters(temperature, one.logits)
        self.probs = one.probs.expand(self.logits.shape)
        super().__init__(_LogitRelaxed(self.temperature, self.logits), SigmoidTransform(), validate_args)
        self._require("temperature", self.temperature > 0)


class RelaxedOneHotCategorical(Distribution):
    """Probabilities of several classes that come near one of them as the temperature falls.

    Args:
        temperature: positive, a number or a tensor of one.
        probs: (..., classes), not negative; divided by their sum.
        logits: (..., classes), in place of probs.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.RelaxedOneHotCategorical(0.5, logits=fastnet.zeros(3)).sample().shape
    fastnet.Size([3])
    """

    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None) -> None:
        one = Categorical(probs, logits, validate_args)
        self.temperature = parameters(temperature)[0].reshape(()).to(one.logits.dtype)
        self.probs, self.logits = one.probs, one.logits
        super().__init__(one.batch_shape, self.logits.shape[-1:], validate_args)
        self._require("temperature", self.temperature > 0)

    def expand(self, batch_shape: Any) -> RelaxedOneHotCategorical:
        """The same distribution with a larger batch."""
        return RelaxedOneHotCategorical(self.temperature, logits=self.logits.expand(*batch_shape, *self.event_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = -(-_uniform(self._extended(sample_shape), self.logits).log()).log()
        return ((self.logits + noise) / self.temperature).softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        value, k = self._value(value), self.logits.shape[-1]
        self._require("value", (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-5))
        log = value.log()
        score = (self.logits - self.temperature * log).log_softmax(-1)
        return (score - log).sum(-1) + (k - 1) * self.temperature.log() + math.lgamma(k)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` whose samples pass their gradient on to the probabilities.

    Args:
        probs, logits, validate_args: as there.

    >>> import fastnet
    >>> p = fastnet.tensor([0.5, 0.5], requires_grad=True)
    >>> fastnet.distributions.OneHotCategoricalStraightThrough(p).rsample()[0].backward()
    >>> p.grad
    tensor([ 0.5000, -0.5000])
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
