"""Distribution: what all have in common; Independent: axes of a batch taken as axes of the event."""
from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

import fastnet
from fastnet._core.engine import no_grad
from fastnet._core.size import Size
from fastnet._core.tensor import Tensor


def parameters(*values: Tensor | float) -> tuple[Tensor, ...]:
    """Numbers and tensors as floating-point tensors of one shape."""
    dtype = next((v.dtype for v in values if isinstance(v, Tensor) and v.is_floating_point()), fastnet.get_default_dtype())
    tensors = (v if isinstance(v, Tensor) else fastnet.tensor(v, dtype=dtype) for v in values)
    found = tuple(t if t.is_floating_point() else t.to(dtype) for t in tensors)
    return found if len({t.shape for t in found}) == 1 else tuple(fastnet.broadcast_tensors(*found))


def numpy_generator() -> np.random.Generator:
    """NumPy's generator, from a seed that fastnet's gives: for what NumPy draws."""
    return np.random.default_rng(int(fastnet.randint(0, 2**62, ()).item()))


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
        self._checks = Distribution.validates if validate_args is None else validate_args

    validates = True

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Choose whether distributions without a `validate_args` of their own check values.

        Args:
            value: yes or no.
        """
        Distribution.validates = bool(value)

    def expand(self, batch_shape: Any) -> Any:
        """The same distribution with a larger batch, in which parameters repeat.

        Args:
            batch_shape: a shape that the batch's broadcasts to.

        >>> import fastnet
        >>> fastnet.distributions.Normal(0.0, 1.0).expand((2, 3)).sample().shape
        fastnet.Size([2, 3])
        """
        n, new = len(self.batch_shape), copy(self)
        for name, x in vars(self).items():
            if isinstance(x, Distribution):                # its batch may be longer: what this one takes as axes of the event
                setattr(new, name, x.expand((*batch_shape, *x.batch_shape[n:])))
            elif isinstance(x, Tensor):
                setattr(new, name, x.expand(*batch_shape, *x.shape[n:]))
        new.batch_shape = Size(batch_shape)
        return new

    def _require(self, name: str, ok: Tensor) -> None:
        if self._checks and not bool(ok.all()):
            raise ValueError(f"{type(self).__name__}: {name} does not satisfy its constraint")

    def _value(self, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise TypeError(f"{type(self).__name__}.log_prob: value must be a Tensor, got {type(value).__name__}")
        return value if value.is_floating_point() else value.to(fastnet.get_default_dtype())

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
    def mode(self) -> Tensor:
        """The likeliest value."""
        raise TypeError(f"{type(self).__name__} does not define mode")

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
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance
