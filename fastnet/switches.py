"""Switches of PyTorch that scripts set, and that stand one way here: determinism, denormals, the default device."""
from __future__ import annotations

from typing import Any

from fastnet._core.size import device


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing: results are always the same bits, on any number of threads.

    Args:
        mode, warn_only: either way.

    >>> import fastnet
    >>> fastnet.use_deterministic_algorithms(True)
    >>> fastnet.are_deterministic_algorithms_enabled()
    True
    """


def are_deterministic_algorithms_enabled() -> bool:
    """Whether all algorithms are deterministic: always."""
    return True


def set_flush_denormal(mode: bool) -> bool:
    """Whether denormal numbers can be 0 inside kernels: they always are, and nowhere else.

    Raises:
        ValueError: mode is False.
    """
    if not mode:
        raise ValueError("set_flush_denormal: denormal numbers are always 0 inside kernels, mode must be True")
    return True


def set_default_device(device_: Any) -> None:
    """Nothing for the CPU, which is the only device; None means it, too.

    Raises:
        RuntimeError: another device.
    """
    if device_ is not None:
        device(device_)


def get_default_device() -> device:
    """The device of new tensors: the CPU."""
    return device("cpu")
