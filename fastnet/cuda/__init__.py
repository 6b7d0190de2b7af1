"""What scripts ask before they choose a device: there is no GPU here."""
from __future__ import annotations

from fastnet.cuda import amp  # noqa: F401

OutOfMemoryError = MemoryError                           # what a GPU would raise; here it is the CPU's


def is_available() -> bool:
    """Whether there is a GPU to compute on: never.

    >>> import fastnet
    >>> fastnet.device("cuda" if fastnet.cuda.is_available() else "cpu")
    device(type='cpu')
    """
    return False


def device_count() -> int:
    """How many GPUs there are: none."""
    return 0


def is_bf16_supported() -> bool:
    """Whether a GPU computes in bfloat16: there is none."""
    return False


def is_initialized() -> bool:
    """Whether a GPU is in use: never."""
    return False


def empty_cache() -> None:
    """Give unused GPU memory back: there is none. `fastnet.empty_cache` does it for the CPU's."""


def memory_allocated(device: object = None) -> int:
    """Bytes in use on a GPU: none. `fastnet.memory_stats` tells the CPU's.

    Args:
        device: any.
    """
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator: without a GPU, nothing, as in PyTorch. `fastnet.manual_seed` is the one that counts.

    Args:
        seed: any number.
    """
    int(seed)


manual_seed_all = manual_seed
