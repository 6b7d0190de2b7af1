"""random: the default generator, as `torch.random` has it."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from fastnet.ops.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


@contextmanager
def fork_rng(devices: Iterable[Any] | None = None, enabled: bool = True) -> Iterator[None]:
    """Context manager after which the default generator is as it was before.

    Args:
        devices: GPUs whose generators are kept too: there are none.
        enabled: False: it does nothing.

    >>> import fastnet
    >>> _ = fastnet.manual_seed(0)
    >>> with fastnet.random.fork_rng():
    ...     first = fastnet.rand(3)
    >>> fastnet.equal(first, fastnet.rand(3))
    True
    """
    if devices is not None and list(devices):
        raise ValueError("fork_rng: devices names GPUs, and there are none")
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)
