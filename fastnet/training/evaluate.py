"""Measuring a model on data, and its predictions."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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


def measure(t: Trainer, data: Iterable[Any]) -> dict[str, Any]:
    """loss, and the values of the metrics, over all batches; `t.interrupted` ends it with `Interrupted`."""
    total, count = 0.0, 0
    for metric in t.metrics.values():
        metric.reset()
    with evaluating(t.model):
        for batch in data:
            batch = tensors(batch)
            loss, output, target = t.batch_loss(t.model, batch)
            n = samples(batch)
            total, count = total + loss.item() * n, count + n
            for metric in t.metrics.values():
                metric.update(output, target)
            if t.interrupted:
                raise Interrupted
    if not count:
        raise ValueError("validate: the data has no batch; an iterator can be gone through only once, give a list or a DataLoader")
    return {"loss": total / count, **{name: plain(metric.compute()) for name, metric in t.metrics.items()}}


def plain(value: Any) -> Any:
    """A metric's value as a number where it is one."""
    if hasattr(value, "item") and getattr(value, "size", 1) in (1, ()):
        return value.item()
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
