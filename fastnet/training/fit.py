"""The outer loop: epochs, validations, records and checkpoints around the steps."""
from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from fastnet.training import rng
from fastnet.training.evaluate import Interrupted, computed
from fastnet.training.state import generators
from fastnet.training.steps import run_steps

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class Fit:
    """One call of `Trainer.fit`.

    Args:
        trainer: whose state is moved on; its `source` and `validation_source` are the data.
        epochs, steps: how far: the numbers of the last epoch and of the last step; None: no limit.
        validate_every: steps between two records; None: one at the end of each epoch.
        resumed: the state of a checkpoint, whose generators and place in the data are taken up; None: a new training.
    """

    def __init__(self, trainer: Trainer, epochs: int | None, steps: int | None, validate_every: int | None,
                 resumed: dict[str, Any] | None) -> None:
        self.t, self.epochs, self.steps, self.validate_every, self.resumed = trainer, epochs, steps, validate_every, resumed
        self.began = perf_counter() - trainer.seconds

    def run(self) -> None:
        """Epochs until the goal is reached or `trainer.stop` is set; then a last checkpoint."""
        t = self.t
        self.event("on_fit_start")
        if self.resumed is not None:
            rng.restore(generators(t), self.resumed["generators"])
            if t.validation_source is not None and self.resumed["validation"] is not None:
                t.validation_source.restore(self.resumed["validation"])
            if not t.in_epoch:
                t.source.restore(self.resumed["data"])
        while not t.stop and not self.at_goal():
            self.epoch()
        t.seconds = perf_counter() - self.began
        if t.checkpoints is not None and t.checkpoints.last != (t.step, t.in_epoch):
            self.save()
        self.event("on_fit_end")

    def at_goal(self) -> bool:
        """Whether all epochs or all steps are done."""
        t = self.t
        return self.all_steps() or (self.epochs is not None and t.epoch >= self.epochs and not t.in_epoch)

    def all_steps(self) -> bool:
        """Whether all steps are done."""
        return self.steps is not None and self.t.step >= self.steps

    def epoch(self) -> None:
        """One pass over the data, or the rest of it."""
        t = self.t
        if t.in_epoch:
            self.event("on_epoch_start")
            batches = t.source.resume(self.resumed["data"], t.epoch, t.batches)  # type: ignore[index]
        else:
            t.epoch, t.batches, t.in_epoch = t.epoch + 1, 0, True
            t.forget()
            self.event("on_epoch_start")
            batches = t.source.begin(t.epoch)
        ended = self.steps_of(batches)
        if ended and not t.batches:
            raise ValueError(f"fit: the training data has no batch in epoch {t.epoch}; an iterator can be gone through only once, give a "
                             "list or a DataLoader")
        if t.sums[1] and not t.interrupted and (ended or self.all_steps() or t.stop):
            self.record()
        if ended and not t.interrupted:
            t.in_epoch = False
            t.schedule.end_of_epoch()
            self.event("on_epoch_end")
            if t.checkpoints is not None and t.checkpoints.due_after_epoch(t):
                self.save()

    def steps_of(self, batches: Any) -> bool:
        """Steps, with the records and checkpoints between them; returns whether the batches are gone."""
        t = self.t
        while True:
            if self.validate_every and t.step % self.validate_every == 0 and t.sums[1] and not t.interrupted:
                self.record()
            if t.checkpoints is not None and t.batches and t.checkpoints.due(t):
                self.save()
            if t.stop or self.all_steps():
                return False
            t.pause = False
            if run_steps(t, batches, self.limit()):
                return True

    def limit(self) -> int | None:
        """Steps to the next one after which something else is to be done."""
        step, every = self.t.step, [self.validate_every, self.t.checkpoints and self.t.checkpoints.every_steps]
        return min([n - step % n for n in every if n] + ([] if self.steps is None else [self.steps - step]), default=None)

    def record(self) -> None:
        """Measure, and add a record to the history."""
        t = self.t
        record: dict[str, Any] = {"epoch": t.epoch, "step": t.step, "train_loss": t.sums[0] / t.sums[1]}
        t.record = record = {**record, **computed(t.train_metrics, "train_")}
        if t.validation_source is not None:
            before = t.validation_source.state()
            try:
                measured = t.measure(t.validation_source.data, True)
            except Interrupted:                           # as if the validation had not begun
                t.validation_source.restore(before)
                return
            record |= {f"val_{name}": value for name, value in measured.items()}
            self.event("on_validation_end")
        t.seconds = perf_counter() - self.began
        record |= {"lr": float(t.optimizer.param_groups[0]["lr"]), "seconds": t.seconds}
        t.history.append(record)
        t.forget()
        t.schedule.measured(record)
        if t.checkpoints is not None:
            t.checkpoints.measured(t)
        self.event("on_record")

    def save(self) -> None:
        """Write a checkpoint."""
        t = self.t
        t.seconds = perf_counter() - self.began
        t.checkpoint = t.checkpoints.save(t)  # type: ignore[union-attr]
        self.event("on_checkpoint")

    def event(self, name: str) -> None:
        """Call what callbacks have for an event."""
        for handle in self.t.handlers[name]:
            handle(self.t)
