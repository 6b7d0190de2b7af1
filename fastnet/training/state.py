"""The state of a training as one tree: what a checkpoint holds, and how a trainer takes it up again."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastnet as fn
from fastnet.training import rng
from fastnet.version import __version__

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer

FORMAT = 1
_COUNTS = ("epoch", "step", "batches", "skipped", "in_epoch", "seconds", "start")


def capture(t: Trainer) -> dict[str, Any]:
    """Everything that decides how the training goes on, between two steps."""
    return {
        "fastnet_checkpoint": FORMAT, "version": __version__,
        "model": t.model.state_dict(), "buffers": _other_buffers(t.model),
        "optimizer": t.optimizer.state_dict(), "scheduler": None if t.scheduler is None else t.scheduler.state_dict(),
        "ema": None if t.ema is None else t.ema.state_dict(),
        "counts": {name: getattr(t, name) for name in _COUNTS}, "sums": list(t.sums),
        "train_metrics": {name: _sums(metric) for name, metric in t.train_metrics.items()},
        "history": t.history.records, "callbacks": dict(zip(_names(t), (callback.state_dict() for callback in t.callbacks))),
        "data": None if t.source is None else t.source.state(),
        "validation": None if t.validation_source is None else t.validation_source.state(),
        "generators": rng.capture(generators(t)),
    }


def restore(t: Trainer, state: dict[str, Any]) -> None:
    """Put the trainer into a captured state; generators and the place in the data follow when `fit` knows the data.

    Raises: RuntimeError for another model, ValueError for another optimizer, or parts that are on one side only; then the model is
        unchanged.
    """
    for name, here in (("scheduler", t.scheduler), ("ema", t.ema)):
        if (state[name] is None) != (here is None):
            raise ValueError(f"resume: the checkpoint has {'no ' if state[name] is None else 'a '}{name}, this trainer has "
                             f"{'none' if here is None else 'one'}")
    if state["train_metrics"].keys() != t.train_metrics.keys():
        raise ValueError(f"resume: the checkpoint has train_metrics {sorted(state['train_metrics'])}, this trainer has "
                         f"{sorted(t.train_metrics)}")
    sizes = [[len(group["params"]) for group in groups] for groups in (state["optimizer"]["param_groups"], t.optimizer.param_groups)]
    if sizes[0] != sizes[1] and state["model"].keys() == t.model.state_dict().keys():
        raise ValueError(f"resume: the checkpoint's optimizer has parameter groups of {sizes[0]} tensors, this one of {sizes[1]}")
    t.model.load_state_dict(state["model"])
    with fn.no_grad():
        for name, buffer in _other_buffers(t.model).items():
            if name in state["buffers"]:
                buffer.copy_(state["buffers"][name])
    t.optimizer.load_state_dict(state["optimizer"])
    t.optimizer._step_count = state["counts"]["step"]     # schedulers warn when they are stepped before any step was made
    if t.scheduler is not None:
        t.scheduler.load_state_dict(state["scheduler"])
    if t.ema is not None:
        t.ema.load_state_dict(state["ema"])
    for name in _COUNTS:
        setattr(t, name, state["counts"][name])
    t.sums[:] = state["sums"]
    for name, metric in t.train_metrics.items():
        metric.reset()
        for field, value in state["train_metrics"][name].items():
            setattr(metric, field, value)
    t.history.records[:] = state["history"]
    for name, callback in zip(_names(t), t.callbacks):
        if name in state["callbacks"]:
            callback.load_state_dict(state["callbacks"][name])


def generators(t: Trainer) -> dict[str, Any]:
    """The generators that the model's layers and the callbacks hold."""
    found = {f"model.{path}": source for path, source in rng.find_in_module(t.model).items()}
    for name, callback in zip(_names(t), t.callbacks):
        found |= rng.find(callback, path=name)
    return found


def _names(t: Trainer) -> list[str]:
    """A name for each callback: its class, and its number among those of this class."""
    names: list[str] = []
    for callback in t.callbacks:
        kind = type(callback).__name__
        names.append(f"{kind}.{sum(name.startswith(f'{kind}.') for name in names)}")
    return names


def _other_buffers(model: Any) -> dict[str, Any]:
    """The buffers that `state_dict` leaves out."""
    return {f"{path}.{name}" if path else name: module._buffers[name].detach() for path, module in model.named_modules()
            for name in sorted(module._non_persistent_buffers_set) if module._buffers.get(name) is not None}


def _sums(metric: Any) -> dict[str, Any]:
    return {name: getattr(metric, name) for name in metric.sums}
