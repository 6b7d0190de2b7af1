"""What Trainer refuses: arguments that do not belong together would train nothing, or fail in the middle."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastnet.nn import Module
from fastnet.optim import LBFGS, Optimizer
from fastnet.training.callback import Callback


def check(model: Any, loss: Any, optimizer: Any, scheduler: Any, batch_loss: Any, metrics: Any, train_metrics: Any, callbacks: Any) -> None:
    """Look at Trainer's arguments.

    Raises: TypeError for what is of another kind; ValueError for an optimizer of another model, a scheduler of another optimizer, both or
        neither of `loss` and `batch_loss`, and LBFGS.
    """
    if not isinstance(model, Module):
        raise TypeError(f"Trainer: model must be a fastnet.nn.Module, got {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"Trainer: optimizer must be one of fastnet.optim, got {type(optimizer).__name__}")
    if (loss is None) == (batch_loss is None):
        raise ValueError("Trainer: give either loss or batch_loss")
    for name, value in (("loss", loss), ("scheduler", scheduler)):
        if isinstance(value, type):
            raise TypeError(f"Trainer: {name} is the class {value.__name__}; give an object of it")
    for name, value in (("loss", loss), ("batch_loss", batch_loss)):
        if value is not None and not callable(value):
            raise TypeError(f"Trainer: {name} must be callable, got {type(value).__name__}")
    if isinstance(optimizer, LBFGS):
        raise ValueError("Trainer: LBFGS computes the loss several times a step: write its loop by hand")
    own = {id(param) for param in model.parameters()}
    if own and not any(id(param) in own for group in optimizer.param_groups for param in group["params"]):
        raise ValueError("Trainer: the optimizer holds no parameter of the model, which would never change; make it of model.parameters()")
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ValueError("Trainer: the scheduler is of another optimizer, whose learning rate it would change")
    for name, table in (("metrics", metrics), ("train_metrics", train_metrics)):
        if table is not None and not isinstance(table, Mapping):
            raise TypeError(f"Trainer: {name} must be a dict of name -> fastnet.metrics.Metric, got {type(table).__name__}")
        for key, metric in (table or {}).items():
            if isinstance(metric, type) or not all(callable(getattr(metric, method, None)) for method in ("update", "compute", "reset")):
                shown = f"the class {metric.__name__}" if isinstance(metric, type) else f"{type(metric).__name__} {metric!r}"
                raise TypeError(f"Trainer: {name}[{key!r}] must be an object with update, compute and reset, such as "
                                f"fastnet.metrics.Accuracy(), got {shown}")
    if isinstance(callbacks, Callback):
        raise TypeError(f"Trainer: callbacks must be a list, got one {type(callbacks).__name__}")
