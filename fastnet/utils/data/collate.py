"""default_collate: a list of samples becomes one batch; default_convert: a sample becomes tensors."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor

_NUMERIC = "biuf"


def _array_to_tensor(array: np.ndarray) -> Tensor:
    if array.dtype.kind not in _NUMERIC:
        raise TypeError(f"default_collate: arrays of dtype {array.dtype} cannot become tensors")
    return fn.tensor(array)


def _rebuild(like: Any, values: list) -> Any:
    """A tuple becomes a named tuple of its type, or a list; other sequences keep their type where it takes a list."""
    if hasattr(like, "_fields"):
        return type(like)(*values)
    if isinstance(like, (tuple, range)):
        return values
    try:
        return type(like)(values)
    except TypeError:
        return values


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays in a sample into tensors, inside dicts and sequences too; anything else stays.

    >>> import fastnet as fn
    >>> fn.utils.data.default_convert([0, "a"])
    [0, 'a']
    """
    if isinstance(data, np.generic) and data.dtype.kind in _NUMERIC:
        return fn.tensor(np.asarray(data))
    if isinstance(data, np.ndarray):
        return data if data.dtype.kind not in _NUMERIC else fn.tensor(data)
    if isinstance(data, Mapping):
        converted = {key: default_convert(value) for key, value in data.items()}
        return converted if type(data) is dict else type(data)(converted)  # type: ignore[call-arg]
    if isinstance(data, tuple) and not hasattr(data, "_fields"):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: list) -> Any:
    """Join samples into a batch: tensors, arrays and numbers are stacked, dicts and sequences are joined item by item, text stays a list.

    Args:
        batch: samples of one structure.

    Raises: RuntimeError for sequences of different lengths; TypeError for samples of another kind.

    >>> import fastnet as fn
    >>> fn.utils.data.default_collate([(1, "a"), (2, "b")])[1]
    ['a', 'b']
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return fn.stack(list(batch))
    if isinstance(first, np.ndarray):
        return fn.stack([_array_to_tensor(sample) for sample in batch])
    if isinstance(first, np.generic) and first.dtype.kind in _NUMERIC:
        return fn.tensor(np.array(batch))
    if isinstance(first, float):
        return fn.tensor(batch, dtype=fn.float64)
    if isinstance(first, int):
        return fn.tensor(batch)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        joined = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return joined if type(first) is dict else type(first)(joined)  # type: ignore[call-arg]
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _rebuild(first, [default_collate(list(values)) for values in zip(*batch)])
    raise TypeError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}")
