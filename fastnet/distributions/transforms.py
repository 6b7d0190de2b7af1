"""Transforms: invertible functions of samples, with the logarithm of the derivative by which they change a density."""
from __future__ import annotations

import math
from typing import Any

import fastnet
from fastnet._core.tensor import Tensor
from fastnet.distributions import constraints
from fastnet.distributions.constraints import Constraint
from fastnet.nn.functional import softplus

__all__ = ["AffineTransform", "ComposeTransform", "ExpTransform", "PowerTransform", "SigmoidTransform", "SoftplusTransform",
           "StickBreakingTransform", "TanhTransform", "Transform"]


class Transform:
    """An invertible function; a class of its own gives `_call`, `_inverse` and `log_abs_det_jacobian`.

    Args:
        cache_size: 1: the inverse of the value that was computed last gives the argument as it was, for inverses that lose digits.

    Attributes:
        event_dim: how many last axes make one value: 0 where each number is transformed by itself.
        codomain: the constraint that values satisfy.
        inv: the inverse transform.

    Raises:
        ValueError: cache_size is neither 0 nor 1.
    """

    event_dim = 0
    bijective = True
    codomain = constraints.real

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"{type(self).__name__}: cache_size must be 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._last: tuple[Tensor, Tensor] | None = None

    @property
    def inv(self) -> Transform:
        return _Inverse(self)

    def _seen(self, given: int, value: Tensor) -> Tensor | None:
        last = self._last                                 # read once: another thread may write it
        return last[1 - given] if last is not None and last[given] is value else None

    def _keep(self, x: Tensor, y: Tensor) -> None:
        if self._cache_size:
            self._last = x, y

    def __call__(self, x: Tensor) -> Tensor:
        y = self._seen(0, x)
        if y is None:
            y = self._call(x)
            self._keep(x, y)
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        x = self._seen(1, y)
        if x is None:
            x = self._inverse(y)
            self._keep(x, y)
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define _call")

    def _inverse(self, y: Tensor) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define _inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm of |dy/dx|, for transforms of vectors of the determinant.

        Args:
            x: arguments.
            y: their values.
        """
        raise TypeError(f"{type(self).__name__} does not define log_abs_det_jacobian")

    def forward_shape(self, shape: Any) -> Any:
        """The shape of the values of arguments of a shape."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of the arguments of values of a shape."""
        return shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Inverse(Transform):
    """The inverse of a transform."""

    def __init__(self, of: Transform) -> None:
        super().__init__()
        self.of, self.event_dim = of, of.event_dim

    @property
    def inv(self) -> Transform:
        return self.of

    def __call__(self, x: Tensor) -> Tensor:
        return self.of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self.of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self.of.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self.of.forward_shape(shape)


def sum_last(x: Tensor, n: int) -> Tensor:
    """The sum over the last n axes."""
    return x.sum(tuple(range(-n, 0))) if n else x


class ComposeTransform(Transform):
    """One transform after the other.

    Args:
        parts: transforms, the first first.
        cache_size: as `Transform`'s.

    >>> import fastnet
    >>> from fastnet.distributions.transforms import AffineTransform, ComposeTransform, ExpTransform
    >>> ComposeTransform([ExpTransform(), AffineTransform(1.0, 2.0)])(fastnet.zeros(1))
    tensor([3.])
    """

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts, self.event_dim = list(parts), max([0, *(p.event_dim for p in parts)])

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        total: Any = 0.0
        for part in self.parts:
            after = part(x)
            total = total + sum_last(part.log_abs_det_jacobian(x, after), self.event_dim - part.event_dim)
            x = after
        return total

    def forward_shape(self, shape: Any) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape


def _grown(shape: Any, *parts: Any) -> tuple[int, ...]:
    """A shape broadcast with a transform's own numbers."""
    return tuple(fastnet.broadcast_shapes(tuple(shape), *(tuple(x.shape) for x in parts if isinstance(x, Tensor))))


class AffineTransform(Transform):
    """y = loc + scale x.

    Args:
        loc: a number or tensor.
        scale: a number or tensor, not 0.
        event_dim: how many last axes make one value.
        cache_size: as `Transform`'s.
    """

    def __init__(self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self.event_dim = loc, scale, event_dim

    def forward_shape(self, shape: Any) -> Any:
        return _grown(shape, self.loc, self.scale)

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        size = self.scale.abs().log() if isinstance(self.scale, Tensor) else fastnet.tensor(math.log(abs(self.scale)), dtype=x.dtype)
        return sum_last(size.expand(x.shape), self.event_dim)


class ExpTransform(Transform):
    """y = exp(x)."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent, of positive numbers.

    Args:
        exponent: a number or tensor, not 0.
        cache_size: as `Transform`'s.
    """

    codomain = constraints.positive

    def __init__(self, exponent: Tensor | float, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent

    def forward_shape(self, shape: Any) -> Any:
        return _grown(shape, self.exponent)

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return x ** self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()


def _inside(y: Tensor) -> Tensor:
    """Numbers from 0 to 1 kept from both ends, so that an inverse is finite."""
    info = fastnet.finfo(y.dtype)
    return y.clamp(info.tiny, 1 - info.eps)


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)), kept from 0 and 1."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return _inside(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = _inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + exp(x))."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh(x); with cache_size=1 the density of a sample near the ends stays finite.

    >>> import fastnet
    >>> from fastnet.distributions.transforms import TanhTransform
    >>> squash = TanhTransform(cache_size=1)
    >>> x = fastnet.tensor([20.0])
    >>> squash.inv(squash(x)), squash.log_abs_det_jacobian(x, squash(x))
    (tensor([20.]), tensor([-38.6137]))
    """

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) - x - softplus(-2 * x))           # log(1 - tanh(x)^2) without cancellation


class StickBreakingTransform(Transform):
    """Vectors of n numbers to n + 1 probabilities: each takes its part of what the ones before have left of a stick."""

    event_dim = 1
    codomain = Constraint("simplex", lambda y: (y >= 0).all(-1) & ((y.sum(-1) - 1).abs() < 1e-5), 1)

    def _call(self, x: Tensor) -> Tensor:
        rest = fastnet.arange(x.shape[-1], 0, -1, dtype=x.dtype).log()
        z = _inside((x - rest).sigmoid())
        left = (1 - z).cumprod(-1)
        return fastnet.cat([z, fastnet.ones_like(z[..., :1])], -1) * fastnet.cat([fastnet.ones_like(z[..., :1]), left], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        y = y[..., :-1]
        left = (1 - y.cumsum(-1)).clamp(min=fastnet.finfo(y.dtype).tiny)
        return y.log() - left.log() + fastnet.arange(y.shape[-1], 0, -1, dtype=y.dtype).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - fastnet.arange(x.shape[-1], 0, -1, dtype=x.dtype).log()
        return (-x - softplus(-x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: Any) -> Any:
        return (*shape[:-1], shape[-1] - 1)
