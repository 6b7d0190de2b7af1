"""Elementwise functions that are composed of others: logaddexp, hypot, xlogy, sinc, nan_to_num and their kind."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet._core.dtypes import finfo
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.arithmetic import maximum
from fastnet.ops.convert import as_tensor
from fastnet.ops.operands import a_tensor, as_floating
from fastnet.ops.where import where


def _both_floating(x: Any, y: Any, op: str) -> tuple[Tensor, Tensor]:
    return as_floating(x, op), as_floating(y, op, "other")


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp(input) + exp(other)), without overflow.

    Args:
        input: any tensor; integers become floating-point.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.logaddexp(fastnet.tensor([1000.0]), fastnet.tensor([0.0]))
    tensor([1000.])
    """
    x, y = _both_floating(input, other, "logaddexp")
    gap = where(x == y, 0.0, x - y)                      # inf - inf is not 0
    return maximum(x, y) + (-gap.abs()).exp().log1p()


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2^input + 2^other), without overflow.

    Args:
        input: any tensor; integers become floating-point.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.logaddexp2(fastnet.tensor([3.0]), fastnet.tensor([3.0]))
    tensor([4.])
    """
    x, y = _both_floating(input, other, "logaddexp2")
    gap = where(x == y, 0.0, x - y)
    return maximum(x, y) + (-gap.abs()).exp2().log1p() * (1 / math.log(2))


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """sqrt(input^2 + other^2), without overflow.

    Args:
        input: any tensor; integers become floating-point.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.hypot(fastnet.tensor([3e30]), fastnet.tensor([4e30]))
    tensor([5.0000e+30])
    """
    x, y = _both_floating(input, other, "hypot")
    size = maximum(x.detach().abs(), y.detach().abs())
    size = where((size > 0) & size.isfinite(), size, 1.0)
    u, v = x / size, y / size
    return where(x.isinf() | y.isinf(), math.inf, size * (u * u + v * v).sqrt())


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two elements; where one is NaN, the other.

    Args:
        input: any tensor.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.fmax(fastnet.tensor([1.0, float("nan")]), fastnet.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    x, y = a_tensor(input, "fmax"), a_tensor(other, "fmax", "other")
    return where((x >= y) | y.isnan(), x, y)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two elements; where one is NaN, the other.

    Args:
        input: any tensor.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.fmin(fastnet.tensor([1.0, float("nan")]), fastnet.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    x, y = a_tensor(input, "fmin"), a_tensor(other, "fmin", "other")
    return where((x <= y) | y.isnan(), x, y)


def signbit(input: Tensor) -> Tensor:
    """Whether the sign bit is set: true for negative numbers and -0.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.signbit(fastnet.tensor([-0.0, 0.0, -2.0]))
    tensor([ True, False,  True])
    """
    x = a_tensor(input, "signbit").detach()
    return from_numpy(np.asarray(np.signbit(x.numpy()) if x.is_floating_point() else x.numpy() < 0))


def copysign(input: Tensor, other: Tensor | float) -> Tensor:
    """The size of input with the sign of other; -0 counts as negative.

    Args:
        input: any tensor; integers become floating-point.
        other: a tensor that broadcasts with input, or a number.

    >>> import fastnet
    >>> fastnet.copysign(fastnet.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    x = as_floating(input, "copysign")
    y = other if isinstance(other, Tensor) else as_tensor(float(other), dtype=x.dtype)
    sign = where(signbit(y), -1.0, 1.0).to(y.dtype if y.is_floating_point() else x.dtype)
    size = where(x == 0, x.detach(), x).abs()            # at 0 the gradient is 0
    return size * sign


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 for negative numbers, 1 for positive ones, and values where input is 0.

    Args:
        input: any tensor.
        values: of input's dtype; broadcasts with it.

    Raises:
        RuntimeError: different dtypes.

    >>> import fastnet
    >>> fastnet.heaviside(fastnet.tensor([-1.5, 0.0, 2.0]), fastnet.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    x, v = a_tensor(input, "heaviside").detach(), a_tensor(values, "heaviside", "values").detach()
    if x.dtype != v.dtype:
        raise RuntimeError(f"heaviside: input is {x.dtype}, values is {v.dtype}; they must agree")
    return where(x == 0, v, where(x.isnan(), x, (x > 0).to(x.dtype)))


def frac(input: Tensor) -> Tensor:
    """What is left of the decimal point taken away: x - trunc(x), with the sign of x.

    Args:
        input: a floating-point tensor.

    >>> import fastnet
    >>> fastnet.frac(fastnet.tensor([1.5, -2.25]))
    tensor([ 0.5000, -0.2500])
    """
    return a_tensor(input, "frac") - input.trunc()


def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.deg2rad(fastnet.tensor([180.0]))
    tensor([3.1416])
    """
    return as_floating(input, "deg2rad") * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.rad2deg(fastnet.tensor([0.5]))
    tensor([28.6479])
    """
    return as_floating(input, "rad2deg") * (180 / math.pi)


def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0.

    Args:
        input: any tensor; integers become floating-point.

    >>> import fastnet
    >>> fastnet.sinc(fastnet.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    x = as_floating(input, "sinc") * math.pi
    zero = x == 0
    return where(zero, 1.0, x.sin() / where(zero, 1.0, x))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid.

    Args:
        input: numbers from 0 to 1; integers become floating-point.
        eps: clamp input to [eps, 1 - eps] first; None does not.

    >>> import fastnet
    >>> fastnet.logit(fastnet.tensor([0.5, 0.75]))
    tensor([0.0000, 1.0986])
    """
    x = as_floating(input, "logit")
    if eps is not None:
        x = x.clamp(eps, 1 - eps)
    return (x / (1 - x)).log()


def xlogy(input: Tensor | float, other: Tensor | float) -> Tensor:
    """input log(other), 0 where input is 0 unless other is NaN.

    Args:
        input: a tensor or a number.
        other: a tensor or a number; one of the two must be a tensor.

    >>> import fastnet
    >>> fastnet.xlogy(fastnet.tensor([0.0, 2.0]), fastnet.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    if isinstance(input, Tensor):
        x = as_floating(input, "xlogy")
        y = as_floating(other, "xlogy", "other") if isinstance(other, Tensor) else as_tensor(float(other), dtype=x.dtype)
    elif isinstance(other, Tensor):
        y = as_floating(other, "xlogy", "other")
        x = as_tensor(float(input), dtype=y.dtype)
    else:
        raise TypeError(f"xlogy: input or other must be a Tensor, got {type(input).__name__} and {type(other).__name__}")
    zero = (x == 0) & ((y <= 0) | y.isinf())
    return x * where(zero, 1.0, y).log()


def nan_to_num(input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Put numbers in place of NaN and the infinities.

    Args:
        input: any tensor.
        nan: in place of NaN.
        posinf: in place of inf; None: the largest number of the dtype.
        neginf: in place of -inf; None: the smallest.

    >>> import fastnet
    >>> fastnet.nan_to_num(fastnet.tensor([float("nan"), float("inf"), 1.0]), posinf=9)
    tensor([0., 9., 1.])
    """
    x = a_tensor(input, "nan_to_num")
    if not x.is_floating_point():
        return x.clone()
    limits = finfo(x.dtype)
    x = where(x.isnan(), float(nan or 0.0), x)
    x = where(x == math.inf, limits.max if posinf is None else float(posinf), x)
    return where(x == -math.inf, limits.min if neginf is None else float(neginf), x)


def isposinf(input: Tensor) -> Tensor:
    """Whether each element is inf.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.isposinf(fastnet.tensor([float("inf"), 1.0]))
    tensor([ True, False])
    """
    return a_tensor(input, "isposinf") == math.inf


def isneginf(input: Tensor) -> Tensor:
    """Whether each element is -inf.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.isneginf(fastnet.tensor([float("-inf"), 1.0]))
    tensor([ True, False])
    """
    return a_tensor(input, "isneginf") == -math.inf


def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1: `sign`, under the name that PyTorch also gives it.

    Args:
        input: any tensor.

    >>> import fastnet
    >>> fastnet.sgn(fastnet.tensor([-3.0, 0.0]))
    tensor([-1.,  0.])
    """
    return a_tensor(input, "sgn").sign()


def positive(input: Tensor) -> Tensor:
    """The tensor itself: +x.

    Args:
        input: any tensor but a bool one.

    Raises:
        RuntimeError: a bool tensor.

    >>> import fastnet
    >>> fastnet.positive(fastnet.tensor([-3.0]))
    tensor([-3.])
    """
    if str(a_tensor(input, "positive").dtype).endswith("bool"):
        raise RuntimeError("positive: bool tensors have no sign")
    return input
