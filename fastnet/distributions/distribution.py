"""Distribution: what all have in common; Independent: axes of a batch taken as axes of the event."""
from __future__ import annotations

from typing import Any

import fastnet
from fastnet._core.engine import no_grad
from fastnet._core.size import Size
from fastnet._core.tensor import Tensor


def parameters(*values: Tensor | float) -> tuple[Tensor, ...]:
    """Numbers and tensors as floating-point tensors of one shape."""
    dtype = next((v.dtype for v in values if isinstance(v, Tensor) and v.is_floating_point()), fastnet.get_default_dtype())
    tensors = (v if isinstance(v, Tensor) else fastnet.tensor(v, dtype=dtype) for v in values)
    return tuple(fastnet.broadcast_tensors(*(t if t.is_floating_point() else t.to(dtype) for t in tensors)))


class Distribution:
    """A batch of probability distributions.

    Args:
        batch_shape: the shape of the batch: independent distributions, each with parameters of its own.
        event_shape: the shape of one sample of one of them.
        validate_args: check parameters and the values whose density is asked for; True by default.

    `sample(shape)` has the shape `shape + batch_shape + event_shape`; `rsample` is the same with gradients for the parameters where the
    distribution allows it (`has_rsample`).
    """

    has_rsample = False

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self.batch_shape, self.event_shape = Size(batch_shape), Size(event_shape)
        self._checks = validate_args is None or validate_args

    def _require(self, name: str, ok: Tensor) -> None:
        if self._checks and not bool(ok.all()):
            raise ValueError(f"{type(self).__name__}: {name} does not satisfy its constraint")

    def _extended(self, sample_shape: Any) -> tuple[int, ...]:
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw values that carry gradients to the parameters.

        Args:
            sample_shape: how many of each.

        Raises:
            TypeError: the distribution has none.
        """
        raise TypeError(f"{type(self).__name__}.rsample: this distribution has no samples with gradients; use sample and log_prob")

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw values without gradients.

        Args:
            sample_shape: how many of each.
        """
        with no_grad():
            return self.rsample(sample_shape).detach()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at a value."""
        raise TypeError(f"{type(self).__name__} does not define log_prob")

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise TypeError(f"{type(self).__name__} does not define entropy")

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise TypeError(f"{type(self).__name__} does not define mean")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise TypeError(f"{type(self).__name__} does not define variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(batch_shape={tuple(self.batch_shape)}, event_shape={tuple(self.event_shape)})"


class Independent(Distribution):
    """A distribution whose last batch axes are taken as axes of the event: densities are summed over them.

    Args:
        base_distribution: any.
        reinterpreted_batch_ndims: how many axes.
        validate_args: as `Distribution`'s.

    >>> import fastnet
    >>> from fastnet.distributions import Independent, Normal
    >>> Independent(Normal(fastnet.zeros(3), fastnet.ones(3)), 1).log_prob(fastnet.zeros(3))
    tensor(-2.7568)
    """

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None) -> None:
        shape, n = tuple(base_distribution.batch_shape), reinterpreted_batch_ndims
        if not 0 <= n <= len(shape):
            raise ValueError(f"Independent: reinterpreted_batch_ndims is {n}, the batch has {len(shape)} axes")
        super().__init__(shape[:len(shape) - n], shape[len(shape) - n:] + tuple(base_distribution.event_shape), validate_args)
        self.base_dist, self.reinterpreted_batch_ndims, self.has_rsample = base_distribution, n, base_distribution.has_rsample

    def _sum(self, x: Tensor) -> Tensor:
        n = self.reinterpreted_batch_ndims
        return x.sum(tuple(range(-n, 0))) if n else x

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return self._sum(self.base_dist.log_prob(value))

    def entropy(self) -> Tensor:
        return self._sum(self.base_dist.entropy())

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance
