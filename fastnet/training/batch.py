"""A batch: how data becomes batches, a batch becomes a loss, and how many samples it has."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor

Parts = tuple[Any, Any, Any]                              # loss, output, target


def tensors(value: Any) -> Any:
    """The batch with its NumPy arrays as tensors that share their memory; anything else as it is."""
    kind = type(value)
    if kind is Tensor:
        return value
    if isinstance(value, np.ndarray):
        return fn.from_numpy(np.ascontiguousarray(value))
    if kind is list or kind is tuple:
        for item in value:
            if type(item) is not Tensor:
                return [tensors(item) for item in value]
        return value
    if kind is dict:
        return {key: tensors(item) for key, item in value.items()}
    return value


def samples(batch: Any) -> int:
    """How many samples a batch has: the first axis of its last tensor (of a dict, of one outside of lists, if there is one); 1 without any.

    >>> import fastnet as fn
    >>> from fastnet.training.batch import samples
    >>> samples((fn.ones(8, 3), fn.zeros(8)))
    8
    """
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.ndim else 1
    if isinstance(batch, dict):
        batch = list(batch.values())
        batch = [item for item in batch if isinstance(item, Tensor) and item.ndim] or batch     # lists may have an entry for each sample
    if isinstance(batch, (list, tuple)):
        for item in reversed(batch):
            if isinstance(item, (Tensor, list, tuple, dict)):
                return samples(item)
    return 1


def with_loss(loss: Callable[[Any, Any], Tensor]) -> Callable[[Any, Any], Parts]:
    """batch_loss for batches (inputs..., target): ``loss(model(*inputs), target)``."""
    def batch_loss(model: Any, batch: Any) -> Parts:
        kind = type(batch)
        if (kind is tuple or kind is list) and len(batch) == 2:
            x, target = batch
            output = model(x)
        else:
            _check(batch)
            *inputs, target = batch
            output = model(*inputs)
        return loss(output, target), output, target
    return batch_loss


def _check(batch: Any) -> None:
    if not isinstance(batch, (list, tuple)) or len(batch) < 2:
        shown = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, (list, tuple, dict)) else type(batch).__name__
        raise TypeError(f"Trainer: a batch must be (inputs..., target), got a {shown}; Trainer(batch_loss=...) takes batches of any form")


def batches_of(data: Any, batch_size: int | None, shuffle: bool, what: str) -> Iterable[Any]:
    """Something to iterate over for batches: `data` itself, or a `DataLoader` over it where it holds samples.

    Args:
        data: an iterable of batches: a DataLoader, a list, ...; or, with `batch_size`, a Dataset or a tuple of arrays or tensors of one
            length.
        batch_size: samples a batch; without effect on what gives batches already.
        shuffle: in a new order in each pass, where there is a batch size.
        what: for messages.

    Raises: TypeError for samples without a batch size, and for what cannot be iterated over.
    """
    from fastnet.utils.data import DataLoader, Dataset, TensorDataset
    arrays = type(data) is tuple and bool(data) and all(isinstance(part, (Tensor, np.ndarray)) for part in data)
    if isinstance(data, Dataset) or arrays:
        if batch_size is None:
            raise TypeError(f"{what}: a {'tuple of arrays' if arrays else type(data).__name__} gives samples, not batches: give batch_size")
        return DataLoader(TensorDataset(*map(tensors, data)) if arrays else data, batch_size=batch_size, shuffle=shuffle)
    if isinstance(data, (Tensor, np.ndarray)) or not (hasattr(data, "__iter__") or hasattr(data, "__getitem__")):
        raise TypeError(f"{what}: the data must be a DataLoader or another iterable of batches, got {type(data).__name__}")
    return data
