"""What scripts ask before they choose a device, in PyTorch's newer words: there is nothing but the CPU."""
from __future__ import annotations


def is_available() -> bool:
    """Whether there is something else than the CPU to compute on: never.

    >>> import fastnet
    >>> fastnet.device(fastnet.accelerator.current_accelerator() if fastnet.accelerator.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def current_accelerator(check_available: bool = False) -> None:
    """The device: None."""


def device_count() -> int:
    """How many there are: none."""
    return 0
