"""float_power, ldexp, gcd, lcm: powers in float64 and of two, divisors and multiples."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.dtypes import float64
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.create import get_default_dtype
from fastnet.ops.operands import a_tensor


def float_power(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """input to the power exponent, in float64.

    Args:
        input: a tensor or a number.
        exponent: a tensor or a number; one of the two must be a tensor.

    >>> import fastnet
    >>> fastnet.float_power(fastnet.tensor([2, 3]), 2)
    tensor([4., 9.], dtype=fastnet.float64)
    """
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(f"float_power: input or exponent must be a Tensor, got {type(input).__name__} and {type(exponent).__name__}")
    x, p = (v.to(float64) if isinstance(v, Tensor) else float(v) for v in (input, exponent))
    return x ** p


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input times 2^other.

    Args:
        input: any tensor; integers become floating-point.
        other: any tensor that broadcasts with input.

    >>> import fastnet
    >>> fastnet.ldexp(fastnet.tensor([1.5]), fastnet.tensor([3]))
    tensor([12.])
    """
    other = a_tensor(other, "ldexp", "other")
    return a_tensor(input, "ldexp") * (other if other.is_floating_point() else other.to(get_default_dtype())).exp2()


def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor; gcd(0, 0) is 0.

    Args:
        input: an integer tensor.
        other: an integer tensor that broadcasts with input.

    Raises:
        TypeError: not integers.

    >>> import fastnet
    >>> fastnet.gcd(fastnet.tensor([12, 7]), fastnet.tensor([18, 0]))
    tensor([6, 7])
    """
    return _of_integers(np.gcd, input, other, "gcd")


def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple; lcm(n, 0) is 0.

    Args:
        input: an integer tensor.
        other: an integer tensor that broadcasts with input.

    Raises:
        TypeError: not integers.

    >>> import fastnet
    >>> fastnet.lcm(fastnet.tensor([4, 6]), fastnet.tensor([6, 0]))
    tensor([12,  0])
    """
    return _of_integers(np.lcm, input, other, "lcm")


def _of_integers(f: Any, input: Tensor, other: Tensor, op: str) -> Tensor:
    arrays = [a_tensor(x, op, name).numpy() for x, name in ((input, "input"), (other, "other"))]
    if any(a.dtype.kind not in "iu" for a in arrays):
        raise TypeError(f"{op}: input and other must hold integers, got {input.dtype} and {other.dtype}")
    return from_numpy(np.asarray(f(*arrays)))
