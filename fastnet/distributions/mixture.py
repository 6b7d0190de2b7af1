"""MixtureSameFamily: one of several distributions of a kind, chosen by weights."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet._core.engine import no_grad
from fastnet.distributions.discrete import Categorical
from fastnet.distributions.distribution import Distribution


class MixtureSameFamily(Distribution):
    """A mixture.

    Args:
        mixture_distribution: a `Categorical` with the weights of n components.
        component_distribution: a batch of the mixture's batch and n of them.
        validate_args: as `Distribution`'s.

    Raises:
        ValueError: the shapes do not fit.
        TypeError: the first is no Categorical.

    >>> import fastnet
    >>> from fastnet.distributions import Categorical, MixtureSameFamily, Normal
    >>> two = MixtureSameFamily(Categorical(fastnet.ones(2)), Normal(fastnet.tensor([-1.0, 1.0]), fastnet.ones(2)))
    >>> two.mean, two.variance
    (tensor(0.), tensor(2.))
    """

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise TypeError(f"MixtureSameFamily: mixture_distribution must be a Categorical, got {type(mixture_distribution).__name__}")
        weights, parts = tuple(mixture_distribution.probs.shape), tuple(component_distribution.batch_shape)
        if not parts or parts[-1] != weights[-1] or weights[:-1] not in ((), parts[:-1]):
            raise ValueError(f"MixtureSameFamily: weights of shape {weights} do not fit components of batch shape {parts}")
        super().__init__(parts[:-1], component_distribution.event_shape, validate_args)
        self.mixture_distribution: Categorical = mixture_distribution.expand(self.batch_shape)
        self.component_distribution = component_distribution

    def _weights(self) -> Tensor:
        return self.mixture_distribution.probs.reshape(*self.batch_shape, -1, *(1,) * len(self.event_shape))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            at = len(sample_shape) + len(self.batch_shape)
            x = self.component_distribution.sample(sample_shape)
            chosen = self.mixture_distribution.sample(sample_shape)
            chosen = chosen.reshape(*chosen.shape, 1, *(1,) * len(self.event_shape))
            return x.gather(at, chosen.expand(*chosen.shape[:at + 1], *self.event_shape)).squeeze(at)

    def log_prob(self, value: Tensor) -> Tensor:
        log = self.component_distribution.log_prob(value.unsqueeze(value.ndim - len(self.event_shape)))
        return (log + self.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self.component_distribution.mean).sum(len(self.batch_shape))

    @property
    def variance(self) -> Tensor:
        at, w, part = len(self.batch_shape), self._weights(), self.component_distribution
        return (w * (part.variance + (part.mean - self.mean.unsqueeze(at)) ** 2)).sum(at)
