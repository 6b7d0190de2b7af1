"""When a scheduler is stepped: after every step, every epoch, or with a measured value."""
from __future__ import annotations

import re
from typing import Any

from fastnet.optim.lr_scheduler import ChainedScheduler, CyclicLR, OneCycleLR, ReduceLROnPlateau, SequentialLR

INTERVALS = ("step", "epoch")
LARGER = re.compile(r"acc|accuracy|precision|recall|auc|auroc|iou|miou|jaccard|dice|bleu|r2|(f|top|map|ap)\d*")


def by_step(scheduler: Any) -> bool:
    """Whether a scheduler counts steps, not epochs: OneCycleLR and CyclicLR do, and what is composed of them.

    >>> import fastnet as fn
    >>> from fastnet.training.schedule import by_step
    >>> optimizer = fn.optim.SGD([fn.nn.Parameter(fn.ones(1))], lr=0.1, momentum=0.9)
    >>> by_step(fn.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)), by_step(fn.optim.lr_scheduler.StepLR(optimizer, 3))
    (True, False)
    """
    if isinstance(scheduler, (SequentialLR, ChainedScheduler)):
        return any(by_step(part) for part in scheduler._schedulers)
    return isinstance(scheduler, (CyclicLR, OneCycleLR))


class Schedule:
    """A scheduler with its interval.

    Args:
        scheduler: of `fastnet.optim.lr_scheduler`, or anything with `step()`; None: no scheduler.
        interval: "step", "epoch", or None: what `by_step` says.
        monitor: name of the value that a ReduceLROnPlateau gets.

    Raises: ValueError for another interval, or one that the scheduler cannot have; TypeError for what is no scheduler.
    """

    def __init__(self, scheduler: Any, interval: str | None, monitor: str | None) -> None:
        self.scheduler, self.monitor = scheduler, monitor
        self.plateau = isinstance(scheduler, ReduceLROnPlateau)
        if interval not in (None, *INTERVALS):
            raise ValueError(f"Trainer: scheduler_interval must be 'step', 'epoch' or None, got {interval!r}")
        if scheduler is None and interval is not None:
            raise ValueError(f"Trainer: scheduler_interval={interval!r} without a scheduler")
        if scheduler is not None and not callable(getattr(scheduler, "step", None)):
            raise TypeError(f"Trainer: scheduler must have a method step, got {type(scheduler).__name__}")
        if self.plateau and interval == "step":
            raise ValueError("Trainer: ReduceLROnPlateau takes a measured value, so it cannot be stepped with scheduler_interval='step'")
        self.each_step = scheduler is not None and (by_step(scheduler) if interval is None else interval == "step")

    def end_of_epoch(self) -> None:
        """After an epoch."""
        if self.scheduler is not None and not self.each_step and not self.plateau:
            self.scheduler.step()

    def measured(self, record: dict[str, Any]) -> None:
        """After a record was made.

        Raises: ValueError where the monitored value is not in it.
        """
        if self.plateau:
            self.scheduler.step(monitored(record, self.monitor, "ReduceLROnPlateau"))

    def check(self, steps: int | None) -> None:
        """Raise ValueError where a OneCycleLR ends before the training: it would fail in the middle."""
        if isinstance(self.scheduler, OneCycleLR) and self.each_step and steps is not None:
            left = self.scheduler.total_steps - self.scheduler.last_epoch
            if steps > left:
                raise ValueError(f"fit: {steps} steps are to be made, but OneCycleLR(total_steps={self.scheduler.total_steps}) has "
                                 f"{left} left; total_steps counts updates: epochs * ceil(batches / accumulate)")


def default_monitor(record: dict[str, Any]) -> str:
    """val_loss where there is one, train_loss otherwise."""
    return "val_loss" if "val_loss" in record else "train_loss"


def monitored(record: dict[str, Any], name: str | None, who: str) -> float:
    """The value called `name` in a record; `default_monitor`'s for None.

    Raises: ValueError where there is none, with the names that there are.
    """
    name = name or default_monitor(record)
    if name not in record:
        there = ", ".join(key for key, value in record.items() if isinstance(value, float))
        raise ValueError(f"{who}: there is no {name!r} to monitor; there are {there}")
    return float(record[name])


def direction(mode: str | None, monitor: str | None, who: str) -> str:
    """"min" or "max": as given, or by the name of the value: accuracies, F1 and areas are better the larger they are.

    Raises: ValueError for another mode.

    >>> from fastnet.training.schedule import direction
    >>> direction(None, "val_accuracy", "doc"), direction(None, "val_loss", "doc"), direction("min", "val_f1", "doc")
    ('max', 'min', 'min')
    """
    if mode not in (None, "min", "max"):
        raise ValueError(f"{who}: mode must be 'min', 'max' or None, got {mode!r}")
    return mode or ("max" if any(LARGER.fullmatch(word) for word in (monitor or "").lower().split("_")) else "min")


def better(value: float, best: float, mode: str, min_delta: float = 0.0) -> bool:
    """Whether `value` is better than `best` by more than `min_delta`; NaN never is.

    >>> from fastnet.training.schedule import better
    >>> better(0.9, 0.8, "max"), better(0.9, 0.8, "max", min_delta=0.2)
    (True, False)
    """
    return value > best + min_delta if mode == "max" else value < best - min_delta
