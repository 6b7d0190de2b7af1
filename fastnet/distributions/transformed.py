"""TransformedDistribution: samples of one distribution through invertible functions; what is made that way."""
from __future__ import annotations

from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.distributions.distribution import Distribution, Independent, parameters
from fastnet.distributions.extremes import _uniform
from fastnet.distributions.scale import Normal
from fastnet.distributions.transforms import ComposeTransform, StickBreakingTransform, Transform, sum_last


class TransformedDistribution(Distribution):
    """The distribution of a function of a variable.

    Args:
        base_distribution: of the variable.
        transforms: a `Transform` or a list of them, applied in order.
        validate_args: as `Distribution`'s.

    Raises:
        TypeError: something in transforms is none.

    >>> import fastnet
    >>> from fastnet.distributions import Normal, TransformedDistribution
    >>> from fastnet.distributions.transforms import ExpTransform
    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).log_prob(fastnet.tensor(1.0))
    tensor(-0.9189)
    """

    def __init__(self, base_distribution: Distribution, transforms: Transform | list[Transform], validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        for t in self.transforms:
            if not isinstance(t, Transform):
                raise TypeError(f"TransformedDistribution: transforms must be Transforms, got {type(t).__name__}")
        whole, batch = ComposeTransform(self.transforms), len(base_distribution.batch_shape)
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        wide = tuple(whole.inverse_shape(whole.forward_shape(shape))) if whole.event_dim <= len(shape) else shape
        if wide != shape:                                  # a draw for each of the transforms' own numbers
            batch, shape = len(wide) - len(base_distribution.event_shape), wide
            base_distribution = base_distribution.expand(wide[:batch])
        if whole.event_dim > len(shape):
            raise ValueError(f"TransformedDistribution: transforms take values of {whole.event_dim} axes, the base has shape {shape}")
        self._taken = max(0, whole.event_dim - len(base_distribution.event_shape))
        if self._taken:                                    # axes of the batch become axes of the event
            base_distribution, batch = Independent(base_distribution, self._taken), batch - self._taken
        self.base_dist, self.has_rsample = base_distribution, base_distribution.has_rsample
        super().__init__(shape[:batch], whole.forward_shape(shape)[batch:], validate_args)

    def _through(self, x: Tensor) -> Tensor:
        for t in self.transforms:
            x = t(x)
        return x

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._through(self.base_dist.rsample(sample_shape))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with fastnet.no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self.transforms:
            self._require("value", self.transforms[-1].codomain.check(value))
        total: Any = 0.0
        n = len(self.event_shape)
        for t in reversed(self.transforms):
            x = t._inv_call(value)
            total = total - sum_last(t.log_abs_det_jacobian(x, value), n - t.event_dim)
            value = x
        return total + sum_last(self.base_dist.log_prob(value), n - len(self.base_dist.event_shape))


class LogisticNormal(TransformedDistribution):
    """Probabilities of several classes, made of normal variables by `StickBreakingTransform`.

    Args:
        loc: (..., n), the means of the normal variables; there are n + 1 classes.
        scale: (..., n), their standard deviations, positive.
        validate_args: False: do not check.

    >>> import fastnet
    >>> fastnet.distributions.LogisticNormal(fastnet.zeros(2), fastnet.ones(2)).sample().shape
    fastnet.Size([3])
    """

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.scale = parameters(loc, scale)
        super().__init__(Normal(self.loc, self.scale, validate_args), StickBreakingTransform(), validate_args)


class _LogitRelaxed(Distribution):
    """The log-odds of `RelaxedBernoulli`."""

    has_rsample = True

    def __init__(self, temperature: Tensor, logits: Tensor) -> None:
        self.temperature, self.logits = temperature, logits
        super().__init__(logits.shape, (), False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = _uniform(self._extended(sample_shape), self.logits)
        return (self.logits + u.log() - (-u).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        away = self.logits - value * self.temperature
        return self.temperature.log() + away - 2 * fastnet.nn.functional.softplus(away)
