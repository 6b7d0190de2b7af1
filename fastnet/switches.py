"""Switches of PyTorch that scripts set, and that stand one way here: determinism, denormals, the default device, mixed precision."""
from __future__ import annotations

from typing import Any

from fastnet._core.size import device
from fastnet.ops.create import set_default_dtype


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


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Nothing, as `use_deterministic_algorithms`.

    Args:
        debug_mode: 0, 1, 2, "default", "warn" or "error".

    Raises:
        RuntimeError: something else.
    """
    if debug_mode not in (0, 1, 2, "default", "warn", "error"):
        raise RuntimeError(f"set_deterministic_debug_mode: debug_mode must be 0, 1, 2, default, warn or error, got {debug_mode!r}")


def set_num_interop_threads(num: int) -> None:
    """Nothing: ops run one after the other, each on the threads of `set_num_threads`.

    Args:
        num: at least 1.

    Raises:
        RuntimeError: it is less.
    """
    if num < 1:
        raise RuntimeError(f"set_num_interop_threads: num must be at least 1, got {num}")


def get_num_interop_threads() -> int:
    """How many ops run at the same time: one."""
    return 1


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether ops compute in half precision: never.

    Args:
        device_type: any.

    >>> import fastnet
    >>> fastnet.is_autocast_enabled()
    False
    """
    return False


def set_default_tensor_type(t: Any) -> None:
    """Take another dtype for new floating-point tensors, by PyTorch's old name of it.

    Args:
        t: `fastnet.FloatTensor` or `fastnet.DoubleTensor`, or their names.

    Raises:
        TypeError: something else.

    >>> import fastnet
    >>> fastnet.set_default_tensor_type(fastnet.FloatTensor)
    """
    from fastnet import tensor_types
    kind = getattr(tensor_types, t.rpartition(".")[2], t) if isinstance(t, str) else t
    if kind not in (tensor_types.FloatTensor, tensor_types.DoubleTensor):
        raise TypeError(f"set_default_tensor_type: t must be FloatTensor or DoubleTensor, got {t!r}")
    set_default_dtype(kind.dtype)
