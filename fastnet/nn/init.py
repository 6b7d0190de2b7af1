"""Initialisation of parameters in place; every function returns the tensor it filled."""
from __future__ import annotations

import math
import warnings
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor

_LINEAR = {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid"}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity.

    Args:
        nonlinearity: a name from `nn.functional`: linear, conv*, sigmoid (1), tanh (5/3), relu (sqrt 2), leaky_relu, selu (3/4).
        param: the slope of leaky_relu, 0.01 by default.

    Raises: ValueError for an unknown name.

    >>> import fastnet as fn
    >>> round(fn.nn.init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 0.75
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        if isinstance(param, bool) or not isinstance(param, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _check(op: str, tensor: Any) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{op}: tensor must be a Tensor, got {type(tensor).__name__}")
    if not tensor.is_floating_point():
        raise TypeError(f"{op}: tensor must have a floating point dtype, got {tensor.dtype}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with uniform numbers from [a, b).

    >>> import fastnet as fn
    >>> fn.nn.init.uniform_(fn.empty(3), 2.0, 3.0).min().item() >= 2.0
    True
    """
    _check("uniform_", tensor)
    with fn.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with normal numbers of the given mean and standard deviation."""
    _check("normal_", tensor)
    with fn.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None) -> Tensor:
    """Fill with normal numbers, those outside [a, b] left out: by the inverse distribution function of uniform numbers.

    Args:
        mean, std: of the normal distribution before it is cut.
        a, b: the limits, as values (not multiples of std).
        generator: a random generator; the default one if None.
    """
    _check("trunc_normal_", tensor)
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_: the distribution may be poor in its tails",
                      stacklevel=2)
    low, high = (math.erf((limit - mean) / (std * math.sqrt(2.0))) for limit in (a, b))
    with fn.no_grad():
        u = fn.empty(tuple(tensor.shape), dtype=fn.float64).uniform_(low, high, generator=generator)
        return tensor.copy_(_erfinv(u) * (std * math.sqrt(2.0)) + mean).clamp_(a, b)


def _erfinv(y: Tensor) -> Tensor:
    """The inverse of erf: Winitzki's approximation, then three of Halley's steps, which leave rounding errors alone."""
    tail = (1 - y * y).clamp(min=1e-300).log()
    half = tail * 0.5 + 2 / (math.pi * 0.147)
    x = ((half * half - tail / 0.147).sqrt() - half).clamp(min=0).sqrt() * y.sign()
    for _ in range(3):
        d = (x.erf() - y) * (x * x).exp() * (math.sqrt(math.pi) / 2)
        x = x - d / (1 + x * d)
    return x


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    with fn.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity: ones on the diagonal."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with fn.no_grad():
        tensor.zero_()
        for i in range(min(tensor.shape)):
            tensor[i, i] = 1.0
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution weight (O, I, k...), of 3 to 5 axes, pass its input through: 1 in the middle for channel o = i of each group."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = tensor.shape[0] // groups
    middle = tuple(size // 2 for size in tensor.shape[2:])
    with fn.no_grad():
        tensor.zero_()
        for g in range(groups):
            for d in range(min(per_group, tensor.shape[1])):
                tensor[(g * per_group + d, d, *middle)] = 1.0
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)).

    >>> import fastnet as fn
    >>> fn.nn.init.xavier_uniform_(fn.empty(3, 3)).abs().max().item() <= 1.0
    True
    """
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with std gain sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def _kaiming_std(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[mode == "fan_out"])


def _empty(op: str, tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn(f"{op}: initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None) -> Tensor:
    """Uniform in +-sqrt(3) gain / sqrt(fan).

    Args:
        tensor: at least two axes.
        a: slope of leaky_relu, if that is the nonlinearity.
        mode: "fan_in" keeps the variance going forward, "fan_out" going backward.
        nonlinearity: see `calculate_gain`.
        generator: a random generator; the default one if None.
    """
    if _empty("kaiming_uniform_", tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None) -> Tensor:
    """Normal with std gain / sqrt(fan); arguments as in `kaiming_uniform_`."""
    if _empty("kaiming_normal_", tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Make rows or columns (of the tensor seen as a matrix of its first axis by the rest) orthonormal, times `gain`.

    A normal matrix is factorised as Q R in float64; the signs of R's diagonal go into Q, so that Q is uniform.
    """
    import numpy as np

    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows, cols = tensor.shape[0], tensor.numel() // tensor.shape[0]
    with fn.no_grad():
        flat = fn.empty(max(rows, cols), min(rows, cols), dtype=fn.float64).normal_(0.0, 1.0, generator=generator)
        q, r = np.linalg.qr(flat.numpy())
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        q = np.ascontiguousarray(q.T if rows < cols else q) * gain
        return tensor.copy_(fn.from_numpy(q.reshape(tuple(tensor.shape))))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal with the given std, but a fraction `sparsity` of each column is 0.

    Args:
        tensor: a matrix.
        sparsity: fraction of zeros in each column, rounded up to whole elements.
        std: standard deviation of the rest.
        generator: a random generator; the default one if None.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with fn.no_grad():
        normal_(tensor, 0.0, std, generator)
        for col in range(cols):
            tensor[fn.randperm(rows, generator=generator)[:zeros], col] = 0.0
    return tensor
