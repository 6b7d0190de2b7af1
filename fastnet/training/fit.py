"""The outer loop: epochs, validations, records and checkpoints around the steps."""
from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastnet.training.evaluate import plain
from fastnet.training.steps import run_steps

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class Fit:
    """One call of `Trainer.fit`.

    Args:
        trainer: whose state is moved on.
        train, validation: batches.
        epochs, steps: how far: the numbers of the last epoch and of the last step; None: no limit.
        validate_every: steps between two records; None: one at the end of each epoch.
    """

    def __init__(self, trainer: Trainer, train: Iterable[Any], validation: Iterable[Any] | None, epochs: int | None, steps: int | None,
                 validate_every: int | None) -> None:
        self.t, self.train, self.validation = trainer, train, validation
        self.epochs, self.steps, self.validate_every = epochs, steps, validate_every
        self.began = perf_counter() - trainer.seconds

    def run(self) -> None:
        """Epochs until the goal is reached or `trainer.stop` is set."""
        t = self.t
        while not t.stop and not self.at_goal():
            self.epoch()
        t.seconds = perf_counter() - self.began

    def at_goal(self) -> bool:
        t = self.t
        return (self.steps is not None and t.step >= self.steps) or (self.epochs is not None and t.epoch >= self.epochs and not t.in_epoch)

    def epoch(self) -> None:
        t = self.t
        t.epoch, t.batches, t.in_epoch = t.epoch + 1, 0, True
        t.forget()
        source = iter(self.train)
        self.event("on_epoch_start")
        ended = False
        while not ended and not t.stop and (self.steps is None or t.step < self.steps):
            ended = run_steps(t, source, self.limit())
            if not ended and self.validate_every and t.step % self.validate_every == 0:
                self.record()
        if ended and not t.batches:
            raise ValueError(f"fit: the training data has no batch in epoch {t.epoch}; an iterator can be gone through only once, give a "
                             "list or a DataLoader")
        if t.sums[1] and not t.interrupted:
            self.record()
        if ended:
            t.in_epoch = False
            t.schedule.end_of_epoch()
            self.event("on_epoch_end")

    def limit(self) -> int | None:
        """Steps to the next one after which something else is to be done."""
        step = self.t.step
        stops = [] if self.steps is None else [self.steps - step]
        stops += [every - step % every for every in (self.validate_every,) if every]
        return min(stops, default=None)

    def record(self) -> None:
        """Measure, and add a record to the history."""
        t = self.t
        t.record = {"epoch": t.epoch, "step": t.step, "train_loss": t.sums[0] / max(t.sums[1], 1)}
        t.record |= {f"train_{name}": plain(metric.compute()) for name, metric in t.train_metrics.items()}
        if self.validation is not None:
            t.record |= {f"val_{name}": value for name, value in t.validate(self.validation).items()}
            self.event("on_validation_end")
        t.seconds = perf_counter() - self.began
        t.record |= {"lr": float(t.optimizer.param_groups[0]["lr"]), "seconds": t.seconds}
        t.history.append(t.record)
        t.forget()
        t.schedule.measured(t.record)
        self.event("on_record")

    def event(self, name: str) -> None:
        for handle in self.t.handlers[name]:
            handle(self.t)
