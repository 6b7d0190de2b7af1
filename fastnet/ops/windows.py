"""Windows of signal processing: bartlett, blackman, hamming, hann, kaiser."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor, tensor
from fastnet.ops.create import get_default_dtype


def _window(op: str, n: Any, periodic: bool, value: Callable[[np.ndarray], np.ndarray], options: dict[str, Any]) -> Tensor:
    """value of places from 0 to 1, in float64 and then rounded; a periodic window is one that is longer by one, without its end."""
    unknown = set(options) - {"dtype", "device", "requires_grad"}
    if unknown:
        raise TypeError(f"{op}: unexpected argument {min(unknown)!r}")
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{op}: window_length must be an int, got {type(n).__name__}")
    n = n.__index__()
    if n < 0:
        raise RuntimeError(f"{op}: window_length must not be negative, got {n}")
    options["dtype"] = options.get("dtype") or get_default_dtype()
    if not options["dtype"].is_floating_point:
        raise RuntimeError(f"{op}: dtype must be floating-point, got {options['dtype']}")
    return tensor(np.ones(n) if n < 2 else value(np.arange(n) / (n if periodic else n - 1)), **options)


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle: 1 - |2 t - 1| for t from 0 to 1.

    Args:
        window_length: how many values.
        periodic: for spectra: what a window longer by one has without its last value.
        **options: dtype (floating-point; the default one if None), device, requires_grad.

    Raises:
        RuntimeError: a negative length, or a dtype that is not floating-point.

    >>> import fastnet
    >>> fastnet.bartlett_window(3, periodic=False)
    tensor([0., 1., 0.])
    """
    return _window("bartlett_window", window_length, periodic, lambda t: 1 - np.abs(2 * t - 1), options)


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t) for t from 0 to 1; arguments as for `bartlett_window`.

    >>> import fastnet
    >>> fastnet.blackman_window(3, periodic=False).round(decimals=2)
    tensor([0., 1., 0.])
    """
    return _window("blackman_window", window_length, periodic,
                   lambda t: np.maximum(0.42 - 0.5 * np.cos(2 * math.pi * t) + 0.08 * np.cos(4 * math.pi * t), 0), options)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any) -> Tensor:
    """alpha - beta cos(2 pi t) for t from 0 to 1; other arguments as for `bartlett_window`.

    >>> import fastnet
    >>> fastnet.hamming_window(3, periodic=False)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return _window("hamming_window", window_length, periodic, lambda t: alpha - beta * np.cos(2 * math.pi * t), options)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """sin(pi t)^2 for t from 0 to 1; arguments as for `bartlett_window`.

    >>> import fastnet
    >>> fastnet.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, lambda t: 0.5 - 0.5 * np.cos(2 * math.pi * t), options)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """I0(beta sqrt(1 - (2 t - 1)^2)) / I0(beta) for t from 0 to 1; other arguments as for `bartlett_window`.

    >>> import fastnet
    >>> fastnet.kaiser_window(3, periodic=False, beta=0.0)
    tensor([1., 1., 1.])
    """
    return _window("kaiser_window", window_length, periodic,
                   lambda t: np.i0(beta * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))) / np.i0(beta), options)
