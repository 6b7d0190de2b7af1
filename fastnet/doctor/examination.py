"""diagnose: a few batches through a network, everything put back, and a report."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.doctor.anomaly import first_nonfinite, note_nonfinite
from fastnet.doctor.data import out_of_range
from fastnet.doctor.preserve import preserved
from fastnet.doctor.report import Report
from fastnet.doctor.watch import Watch
from fastnet.training.batch import batches_of, tensors


def diagnose(model: Any, loss: Callable[[Any, Any], Tensor] | None, data: Iterable[Any], *, optimizer: Any = None, steps: int = 10,
             batch_size: int | None = None, batch_loss: Callable[[Any, Any], tuple[Any, Any, Any]] | None = None) -> Report:
    """Examine a network on a few batches and leave it as it was.

    The model runs in training mode. With an optimizer its steps are made, so that updates and the course of the loss are judged; without
    one, forward and backward only. Weights, buffers, gradients, the optimizer's state, training modes and random numbers are put back; only
    the batches taken from `data` are gone, where it is an iterator.

    Args:
        model: a Module.
        loss: ``loss(output, target)``; a batch is (inputs..., target). None with `batch_loss`.
        data: batches; or, with `batch_size`, a Dataset or a tuple of arrays.
        optimizer: of the model's parameters; None: nothing is updated.
        steps: batches that are looked at, at most; data that ends earlier is not begun again.
        batch_size: for a Dataset.
        batch_loss: ``batch_loss(model, batch)`` returning (loss, output, target), in place of `loss`, as for `Trainer`.

    Returns:
        A `Report`.

    Raises:
        ValueError: no batch, steps below 1, both or neither of loss and batch_loss, or an optimizer whose step takes a closure.

    >>> import fastnet as fn
    >>> from fastnet.datasets import load_digits
    >>> layers = [fn.nn.Flatten()]
    >>> for _ in range(8):
    ...     layers += [fn.nn.Linear(64, 64), fn.nn.Sigmoid()]
    >>> model = fn.nn.Sequential(*layers, fn.nn.Linear(64, 10))
    >>> report = fn.diagnose(model, fn.nn.CrossEntropyLoss(), load_digits(), batch_size=32)
    >>> report.verdicts[0].name, report.depth_ratio < 1e-4
    ('vanishing', True)
    """
    if (loss is None) == (batch_loss is None):
        raise ValueError("diagnose: give either loss or batch_loss")
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"diagnose: steps must be a positive integer, got {steps!r}")
    if type(optimizer).__name__ == "LBFGS":
        raise ValueError("diagnose: the step of LBFGS takes a closure; leave the optimizer out")
    batches = batches_of(data, batch_size, True, "diagnose")
    watch = Watch(model, optimizer)
    e = watch.evidence
    with preserved(model, optimizer):
        model.train()
        try:
            for batch in batches:
                _examine(watch, tensors(batch), loss, batch_loss)
                e.steps += 1
                if e.nonfinite is not None or e.bad_label is not None or e.steps >= steps:
                    break
        finally:
            watch.disarm()
    if not e.steps:
        raise ValueError("diagnose: the data has no batch")
    return Report(e)


def _examine(watch: Watch, batch: Any, loss: Any, batch_loss: Any) -> None:
    """One step."""
    e, model = watch.evidence, watch.model
    model.zero_grad()
    watch.arm()
    if batch_loss is None:
        inputs, target = batch[:-1], batch[-1]
        output = model(*inputs)
        if not e.labels and _bad_labels(watch, output, target, loss):
            return
        value = loss(output, target)
    else:
        value, output, target = batch_loss(model, batch)
    number = value.item()
    if not math.isfinite(number):
        watch.disarm()
        note_nonfinite(e, first_nonfinite(model, lambda m, b: loss(m(*b[:-1]), b[-1]) if batch_loss is None else batch_loss(m, b), batch))
        return
    value.backward()
    watch.after_backward(number, target)
    if not all(math.isfinite(w.gradients[-1]) for w in e.weights.values() if w.gradients):
        watch.disarm()
        model.zero_grad()
        note_nonfinite(e, first_nonfinite(model, lambda m, b: loss(m(*b[:-1]), b[-1]) if batch_loss is None else batch_loss(m, b), batch))
        return
    if watch.optimizer is not None:
        watch.optimizer.step()
        watch.after_step()
    watch.disarm()


def _bad_labels(watch: Watch, output: Any, target: Any, loss: Any) -> bool:
    """Whether class indices lie outside the model's outputs: the loss would refuse them."""
    name = getattr(loss, "__name__", type(loss).__name__)
    if not isinstance(output, Tensor) or not isinstance(target, Tensor) or target.is_floating_point() or output.ndim < 2:
        return False
    shape = (*output.shape[:1], *output.shape[2:])
    if name not in ("CrossEntropyLoss", "NLLLoss", "cross_entropy", "nll_loss") or shape != tuple(target.shape):
        return False
    watch.evidence.classes = output.shape[1]
    ignored = getattr(loss, "ignore_index", -100)
    watch.evidence.bad_label = out_of_range([v for v in set(target.numpy().ravel().tolist()) if v != ignored], output.shape[1])
    return watch.evidence.bad_label is not None
