"""torch.distributed's names for a group of one process, so that programs which can run alone do; there is no communication."""
from __future__ import annotations

import os
from enum import Enum
from typing import Any

from fastnet._core.tensor import Tensor

__all__ = ["ReduceOp", "Work", "all_gather", "all_reduce", "barrier", "broadcast", "destroy_process_group", "get_backend", "get_rank",
           "get_world_size", "init_process_group", "is_available", "is_initialized", "is_torchelastic_launched", "reduce"]

_backend: str | None = None


class ReduceOp(Enum):
    """How the tensors of several processes would be combined."""

    SUM, AVG, PRODUCT, MIN, MAX = range(5)


class Work:
    """What an operation with async_op=True returns: it is done."""

    def wait(self, timeout: Any = None) -> bool:
        """Wait: not at all."""
        return True

    def is_completed(self) -> bool:
        """Whether it is done: yes."""
        return True


def is_available() -> bool:
    """Whether there are these names: yes, for one process."""
    return True


def is_initialized() -> bool:
    """Whether `init_process_group` was called.

    >>> import fastnet
    >>> fastnet.distributed.is_initialized()
    False
    """
    return _backend is not None


def is_torchelastic_launched() -> bool:
    """Whether torchrun started this process: never with several."""
    return False


def init_process_group(backend: str | None = None, init_method: str | None = None, timeout: Any = None, world_size: int = -1,
                       rank: int = -1, **kwargs: Any) -> None:
    """Begin a group of this process alone.

    Args:
        backend: any name; `get_backend` gives it back. None: "gloo".
        init_method, timeout, kwargs: either way; there is nobody to find or to wait for.
        world_size: 1; -1: WORLD_SIZE of the environment, or 1.
        rank: 0; -1: RANK of the environment, or 0.

    Raises:
        RuntimeError: several processes are asked for.
        ValueError: there is a group.

    >>> import fastnet
    >>> fastnet.distributed.init_process_group("gloo")
    >>> fastnet.distributed.get_world_size(), fastnet.distributed.get_rank()
    (1, 0)
    >>> fastnet.distributed.destroy_process_group()
    """
    global _backend
    if _backend is not None:
        raise ValueError("init_process_group: it was called before")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size < 0 else world_size
    place = int(os.environ.get("RANK", 0)) if rank < 0 else rank
    if size != 1 or place != 0:
        raise RuntimeError(f"init_process_group: fastnet trains in one process; world_size must be 1 and rank 0, got {size} and {place}")
    _backend = backend or "gloo"


def destroy_process_group(group: Any = None) -> None:
    """End the group.

    Args:
        group: None.
    """
    global _backend
    _group("destroy_process_group")
    _backend = None


def _group(op: str) -> None:
    if _backend is None:
        raise ValueError(f"{op}: there is no group; call init_process_group")


def get_rank(group: Any = None) -> int:
    """The number of this process: 0."""
    _group("get_rank")
    return 0


def get_world_size(group: Any = None) -> int:
    """How many processes there are: 1."""
    _group("get_world_size")
    return 1


def get_backend(group: Any = None) -> str:
    """The name that `init_process_group` was given."""
    _group("get_backend")
    assert _backend is not None
    return _backend


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait for all processes: not at all."""
    _group("barrier")
    return Work() if async_op else None


def all_reduce(tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Combine a tensor over all processes, in place: over one it stays as it is.

    Args:
        tensor: any.
        op: how.
        group: None.
        async_op: return a `Work`.

    Raises:
        ValueError: there is no group.
        TypeError: op is no `ReduceOp`.
    """
    _own("all_reduce", 0, op)
    return Work() if async_op else None


def reduce(tensor: Tensor, dst: int = 0, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Combine a tensor over all processes for one of them, 0; as `all_reduce`."""
    _own("reduce", dst, op)
    return Work() if async_op else None


def broadcast(tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False) -> Work | None:
    """Give one process's tensor, that of 0, to all; as `all_reduce`."""
    _own("broadcast", src)
    return Work() if async_op else None


def _own(op: str, place: int, how: Any = ReduceOp.SUM) -> None:
    _group(op)
    if not isinstance(how, ReduceOp):
        raise TypeError(f"{op}: op must be a ReduceOp, got {how!r}")
    if place != 0:
        raise ValueError(f"{op}: there is only process 0, got {place}")


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Copy the tensors of all processes into a list of tensors: of one.

    Args:
        tensor_list: one tensor of the same shape, which is written.
        tensor: any.
        group, async_op: as `all_reduce`'s.

    Raises:
        ValueError: there is no group, the list has another length, or its tensor another shape.
    """
    _group("all_gather")
    if len(tensor_list) != 1:
        raise ValueError(f"all_gather: tensor_list must have one tensor for each process, 1, got {len(tensor_list)}")
    if tensor_list[0].shape != tensor.shape:
        raise ValueError(f"all_gather: tensor_list has a tensor of shape {tuple(tensor_list[0].shape)} for one of {tuple(tensor.shape)}")
    tensor_list[0].copy_(tensor.detach())
    return Work() if async_op else None
