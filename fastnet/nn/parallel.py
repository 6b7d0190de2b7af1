"""nn.parallel: DataParallel and DistributedDataParallel as they are without GPUs and alone: the module itself, under the name `module`."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastnet.nn.module import Module


def _no_devices(op: str, device_ids: Sequence[Any] | None, output_device: Any) -> None:
    devices = [*(device_ids or ()), *([] if output_device is None else [output_device])]
    if any(str(getattr(device, "type", device)) != "cpu" for device in devices):
        raise ValueError(f"{op}: device_ids and output_device name GPUs, and there are none, got {device_ids!r} and {output_device!r}")


class DataParallel(Module):
    """Calls `module`: PyTorch's wrapper where there is no GPU. Names in its `state_dict` begin with ``module.``.

    Kernels use all processors by themselves; the wrapper is here for programs and checkpoints that have it.

    Args:
        module: what is called.
        device_ids, output_device: must name no GPU.
        dim: the batch axis, which is not split.

    >>> import fastnet as fn
    >>> list(fn.nn.DataParallel(fn.nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        _no_devices("DataParallel", device_ids, output_device)
        self.module, self.dim = module, dim
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """``module(*inputs, **kwargs)``."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(DataParallel):
    """Calls `module`: PyTorch's wrapper in a group of one process, whose gradients need no average. Names as `DataParallel`'s.

    Args:
        module: what is called.
        device_ids, output_device: must name no GPU.
        dim: the batch axis, which is not split.
        kwargs: PyTorch's other options, which say how gradients are sent: either way.

    Raises:
        ValueError: `fastnet.distributed.init_process_group` was not called.
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
                 **kwargs: Any) -> None:
        from fastnet.distributed import get_world_size
        get_world_size()
        super().__init__(module, device_ids, output_device, dim)
        self.require_backward_grad_sync = True

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """A `with` block in which gradients would not be averaged."""
        yield


def data_parallel(module: Module, inputs: Any, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
                  module_kwargs: dict[str, Any] | None = None) -> Any:
    """``module(*inputs, **module_kwargs)``: PyTorch's function where there is no GPU.

    Args:
        module: what is called.
        inputs: a tensor or a tuple of them.
        device_ids, output_device: must name no GPU.
        dim: the batch axis, which is not split.
        module_kwargs: more arguments.
    """
    _no_devices("data_parallel", device_ids, output_device)
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))
