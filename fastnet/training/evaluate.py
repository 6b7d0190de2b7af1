"""Measuring a model on data, and its predictions."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.training.batch import samples, tensors

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """The model in evaluation mode and no gradients; afterwards each of its modules in the mode it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with fn.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


class Interrupted(Exception):
    """Ctrl-C came during a validation."""


def measure(t: Trainer, data: Iterable[Any], in_fit: bool) -> dict[str, Any]:
    """loss, and the values of the metrics, over all batches; in a fit `t.interrupted` ends it with `Interrupted`."""
    total, count = 0.0, 0
    broken: set[str] = set()                              # metrics that outputs without meaning have spoilt
    for metric in t.metrics.values():
        metric.reset()
    show = t.progress.validating if in_fit and t.progress is not None else None
    with evaluating(t.model):
        for i, batch in enumerate(data):
            if show is not None:
                show(i)
            batch = tensors(batch)
            loss, output, target = t.batch_loss(t.model, batch)
            n, value = samples(batch), loss.item()
            total, count = total + value * n, count + n
            for name, metric in t.metrics.items():
                if not updated(metric, output, target, value if in_fit else 0.0):
                    broken.add(name)
            if in_fit and t.interrupted:
                raise Interrupted
    if not count:
        raise ValueError("validate: the data has no batch; an iterator can be gone through only once, give a list or a DataLoader")
    values = computed({name: metric for name, metric in t.metrics.items() if name not in broken})
    return {"loss": total / count, **{name: math.nan for name in t.metrics if name in broken}, **values}


def updated(metric: Any, output: Any, target: Any, loss: float) -> bool:
    """Update a metric; False where it refuses outputs whose loss is NaN: then the network has diverged, which the training deals with."""
    try:
        metric.update(output, target)
    except ValueError:
        if loss == loss:
            raise
        return False
    return True


def computed(metrics: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of metrics as a record has them: numbers, arrays; the numbers of a metric that gives a dict as name_key each.

    A key that begins with the name is enough by itself: "map_50" of "map".

    >>> import fastnet as fn
    >>> from fastnet.training.evaluate import computed
    >>> metric = fn.metrics.MeanSquaredError()
    >>> metric.update(fn.ones(2), fn.zeros(2))
    >>> computed({"mse": metric}, "val_")
    {'val_mse': 1.0}
    """
    values: dict[str, Any] = {}
    for name, metric in metrics.items():
        value = metric.compute()
        if isinstance(value, dict):
            if hasattr(value, "__float__"):
                values[prefix + name] = float(value)      # its main number
            for key, item in value.items():
                if isinstance(_plain(item), (int, float)):
                    values[prefix + (key if key.startswith(name) else f"{name}_{key}")] = _plain(item)
        else:
            values[prefix + name] = _plain(value)
    return values


def _plain(value: Any) -> Any:
    """A tensor or an array as a number where it is one, as an array of a dtype that files carry otherwise."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        if value.size == 1:
            return value.item()
        return value.astype({"f": np.float64, "b": np.bool_}.get(value.dtype.kind, np.int64)) if value.dtype.kind in "fbiu" else value
    return value


def predict(t: Trainer, data: Iterable[Any], has_target: bool | None) -> Any:
    """The outputs of the model over all batches, joined along the first axis."""
    outputs = []
    with evaluating(t.model):
        for batch in data:
            batch = tensors(batch)
            if isinstance(batch, dict):
                raise TypeError("predict: a batch must be a tensor or (inputs..., target), got a dict")
            inputs = list(batch) if isinstance(batch, (list, tuple)) else [batch]
            if has_target or has_target is None and len(inputs) > 1:
                inputs = inputs[:-1]
            outputs.append(t.model(*inputs))
    if not outputs:
        raise ValueError("predict: the data has no batch")
    return _join(outputs)


def _join(outputs: list[Any]) -> Any:
    first = outputs[0]
    if isinstance(first, Tensor):
        return fn.cat(outputs)
    if isinstance(first, dict):
        return {key: _join([output[key] for output in outputs]) for key in first}
    if isinstance(first, (list, tuple)):
        return tuple(_join([output[i] for output in outputs]) for i in range(len(first)))
    return outputs
