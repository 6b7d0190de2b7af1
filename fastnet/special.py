"""torch.special's names: the gamma function's logarithm and its derivative, the inverse of erf, and ops of elsewhere."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet._core.engine import is_grad_enabled
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.function import Function
from fastnet.ops.flip import flip
from fastnet.ops.pointwise import logit, sinc, xlogy
from fastnet.ops.reduce import logsumexp
from fastnet.ops.activation import sigmoid as expit
from fastnet.ops.operands import as_floating
from fastnet.ops.softmax import log_softmax, softmax
from fastnet.ops.unary import erf, erfc, exp2, expm1, log1p, round
from fastnet.ops.where import where

__all__ = ["digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_softmax", "logit", "logsumexp",
           "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy"]


def _lgamma(x: np.ndarray) -> np.ndarray:
    """In float64: Stirling's series above 10, recurrence up to there, reflection below 0 (Abramowitz and Stegun, 6.1)."""
    y = np.where(x < 0.5, 1 - x, x)
    shift = np.ones_like(y)
    for _ in range(10):
        small = y < 10
        shift = np.where(small, shift * y, shift)
        y = np.where(small, y + 1, y)
    r = 1 / (y * y)
    series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y
    value = (y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + series - np.log(shift)
    value = np.where(np.isinf(x), np.inf, value)
    pole = (x <= 0) & (x == np.floor(x))
    sine = np.abs(np.sin(math.pi * np.where(x < 0.5, x, 0.25)))
    return np.where(pole, np.inf, np.where((x < 0.5) & np.isfinite(x), math.log(math.pi) - np.log(sine) - value, value))


def _digamma(x: np.ndarray) -> np.ndarray:
    """In float64: the asymptotic series above 10, recurrence, reflection (Abramowitz and Stegun, 6.3)."""
    y = np.where(x < 0, 1 - x, x)
    less = np.zeros_like(y)
    for _ in range(10):
        small = y < 10
        less = np.where(small, less + 1 / y, less)
        y = np.where(small, y + 1, y)
    r = 1 / (y * y)
    value = np.log(y) - 0.5 / y - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132)))) - less
    value = np.where(x < 0, value - math.pi / np.tan(math.pi * np.where(x < 0, x, 0.25)), value)
    return np.where((x < 0) & (x == np.floor(x)), np.nan, value)


def _trigamma(x: np.ndarray) -> np.ndarray:
    y = np.where(x < 0.5, 1 - x, x)
    more = np.zeros_like(y)
    for _ in range(10):
        small = y < 10
        more = np.where(small, more + 1 / (y * y), more)
        y = np.where(small, y + 1, y)
    r = 1 / (y * y)
    value = 1 / y + r / 2 + r / y * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - r * 5 / 66)))) + more
    return np.where(x < 0.5, (math.pi / np.sin(math.pi * np.where(x < 0.5, x, 0.25))) ** 2 - value, value)


def _polygamma(x: np.ndarray, n: int) -> np.ndarray:
    """Derivative n of digamma, (-1)^(n + 1) n! times the sum of (x + k)^-(n + 1): recurrence, then Euler and Maclaurin's formula."""
    s = n + 1
    x = np.where(x < -1e4, np.nan, x)                    # so far from 0 the recurrence would be long
    y, total = np.where(np.isfinite(x), x, 1.0), np.zeros_like(x)
    while (y < 20 + n).any():
        total = np.where(y < 20 + n, total + y ** -s, total)
        y = np.where(y < 20 + n, y + 1, y)
    total += y ** (1 - s) / n + 0.5 * y ** -s
    rising: float = s
    for j, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66), 1):
        total += bernoulli / math.factorial(2 * j) * rising * y ** -(s + 2 * j - 1)
        rising *= (s + 2 * j - 1) * (s + 2 * j)
    return np.where(x == np.inf, 0.0, np.where(np.isfinite(x), (-1) ** (n + 1) * math.factorial(n) * total, np.nan))


def _of(f: Any, x: Tensor) -> Tensor:
    a = x.detach().numpy()
    with np.errstate(all="ignore"):
        return from_numpy(np.asarray(f(a.astype(np.float64)).astype(a.dtype)))


class _Gammaln(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return _of(_lgamma, x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * _Digamma.apply(ctx.saved_tensors[0])


class _Digamma(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return _of(_digamma, x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * _Polygamma.apply(ctx.saved_tensors[0], 1)


class _Polygamma(Function):
    """The n-th derivative of digamma."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, n: int) -> Tensor:
        ctx.save_for_backward(x)
        ctx.n = n
        return _of(_trigamma if n == 1 else lambda a: _polygamma(a, n), x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        return g * _Polygamma.apply(ctx.saved_tensors[0], ctx.n + 1), None


class _Erfinv(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # A first guess by Winitzki's formula, then Halley's steps; near 1 with erfc, which keeps the digits.
        y = x.double()
        size = y.abs()
        log = (1 - size * size).clamp(min=1e-300).log()
        a = 2 / (math.pi * 0.147) + log / 2
        z = ((a * a - log / 0.147).sqrt() - a).clamp(min=0).sqrt()
        for _ in range(3):
            error = where(size < 0.5, z.erf() - size, (1 - size) - z.erfc())
            step = error / (2 / math.sqrt(math.pi) * (-z * z).exp()).clamp(min=1e-300)
            z = z - step / (1 + z * step)
        z = where(size == 1, math.inf, where(size > 1, math.nan, z))
        out = where(y < 0, -z, z).to(x.dtype)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        y = ctx.saved_tensors[0]
        return g * (y * y).exp() * (math.sqrt(math.pi) / 2)


class _Ndtri(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # A first guess for the tail (Abramowitz and Stegun, 26.2.23), then Halley's steps with erfc, which keeps a tail's digits.
        p = x.double()
        q = where(p < 0.5, p, 1 - p)
        t = (q.clamp(min=5e-324).log() * -2).sqrt()
        z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
        for _ in range(3):
            step = ((z * math.sqrt(0.5)).erfc() / 2 - q) / ((z * z / -2).exp() / math.sqrt(2 * math.pi)).clamp(min=1e-323)
            z = z + step / (1 - z * step / 2)
        z = where(q == 0, math.inf, where(q < 0, math.nan, where(q == 0.5, 0.0, z)))
        out = where(p < 0.5, -z, z).to(x.dtype)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        y = ctx.saved_tensors[0]
        return g * (y * y / 2).exp() * math.sqrt(2 * math.pi)


def gammaln(input: Tensor) -> Tensor:
    """The logarithm of the absolute value of the gamma function.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.special.gammaln(fastnet.tensor([5.0]))
    tensor([3.1781])
    """
    return _Gammaln.apply(as_floating(input, "gammaln"))


def digamma(input: Tensor) -> Tensor:
    """The derivative of `gammaln`.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.special.digamma(fastnet.tensor([1.0]))
    tensor([-0.5772])
    """
    return _Digamma.apply(as_floating(input, "digamma"))


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of `digamma`, which is polygamma(0).

    Args:
        n: not negative.
        input: any tensor; integers become floating-point.

    Raises:
        RuntimeError: n is negative.

    >>> import fastnet
    >>> fastnet.special.polygamma(1, fastnet.tensor([1.0]))
    tensor([1.6449])
    """
    if n < 0:
        raise RuntimeError(f"polygamma: n must not be negative, got {n}")
    return _Polygamma.apply(as_floating(input, "polygamma"), n) if n else digamma(input)


def erfinv(input: Tensor) -> Tensor:
    """The inverse of erf.

    Args:
        input: from -1 to 1; NaN outside, infinite at the ends.

    >>> import fastnet
    >>> fastnet.special.erfinv(fastnet.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return _Erfinv.apply(as_floating(input, "erfinv"))


def ndtr(input: Tensor) -> Tensor:
    """The standard normal distribution's cumulative function.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.special.ndtr(fastnet.tensor([0.0]))
    tensor([0.5000])
    """
    return erfc(as_floating(input, "ndtr") * -math.sqrt(0.5)) * 0.5


def ndtri(input: Tensor) -> Tensor:
    """The inverse of `ndtr`.

    Args:
        input: from 0 to 1.

    >>> import fastnet
    >>> fastnet.special.ndtri(fastnet.tensor([0.5]))
    tensor([0.])
    """
    return _Ndtri.apply(as_floating(input, "ndtri"))


def entr(input: Tensor) -> Tensor:
    """-x log(x), 0 at 0 and -inf below: the terms of an entropy.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.special.entr(fastnet.tensor([0.5]))
    tensor([0.3466])
    """
    x = as_floating(input, "entr")
    y = -(x * where(x > 0, x, 1.0).log())
    return where(x < 0, -math.inf, where(x.isnan(), x, y))


def xlog1py(input: Tensor, other: Tensor) -> Tensor:
    """input log(1 + other), 0 where input is 0 unless other is NaN.

    Args:
        input: any tensor; integers become floating-point.
        other: one that broadcasts with it.

    >>> import fastnet
    >>> fastnet.special.xlog1py(fastnet.tensor([0.0]), fastnet.tensor([-1.0]))
    tensor([0.])
    """
    x, y = as_floating(input, "xlog1py"), as_floating(other, "xlog1py")
    return x * where((x == 0) & ((y <= -1) | y.isinf()), 0.0, y).log1p()


class _Logcumsumexp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Tensor:
        a = x.detach().numpy()
        y = from_numpy(np.asarray(np.logaddexp.accumulate(a.reshape(a.shape or (1,)), dim).reshape(a.shape), a.dtype))
        ctx.save_for_backward(x, y)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        # The sum of g exp(x - y) over what comes after.
        (x, y), dim, none = ctx.saved_tensors, ctx.dim, -math.inf
        if is_grad_enabled():                             # as a matrix: it is to be differentiated
            lines = [t.reshape(t.shape or (1,)).movedim(dim, -1) for t in (x, y, g)]
            n = lines[0].shape[-1]
            later = from_numpy(np.tri(n, dtype=bool).T) & (lines[1] != none).unsqueeze(-2)
            part = where(later, lines[0].unsqueeze(-1) - lines[1].unsqueeze(-2), none).exp() * lines[2].unsqueeze(-2)
            return part.sum(-1).movedim(-1, dim).reshape(x.shape), None
        up, down = (flip(_Logcumsumexp.apply(flip(where(y == none, none, part.clamp(min=0).log() - y), dim), dim), dim) for part in (g, -g))
        return (x + up).exp() - (x + down).exp(), None    # positive and negative ones apart, so that exponents stay within bounds


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """The logarithm of the sum of the exponentials so far along an axis.

    Args:
        input: any tensor; integers become floating-point.
        dim: the axis.

    >>> import fastnet
    >>> fastnet.logcumsumexp(fastnet.zeros(3), 0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    x = as_floating(input, "logcumsumexp")
    if not -max(x.ndim, 1) <= dim < max(x.ndim, 1):
        raise IndexError(f"logcumsumexp: dim {dim} is out of range for a tensor of {x.ndim} axes")
    return _Logcumsumexp.apply(x, dim)


lgamma, psi = gammaln, digamma
