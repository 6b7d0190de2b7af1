"""Callback: what may happen beside the training loop, at its events."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer

EVENTS = ("on_fit_start", "on_epoch_start", "on_step_start", "on_batch_start", "on_backward_end", "on_step_end", "on_validation_end",
          "on_record", "on_epoch_end", "on_checkpoint", "on_fit_end", "on_exception")


class Callback:
    """Base of what hooks into `Trainer.fit`: override the events you need; the others cost nothing.

    A step is one update of the weights; with `accumulate=k` it takes k batches. In the order in which they come::

        on_fit_start
            on_epoch_start
                on_step_start
                    on_batch_start        before each batch goes through the model; may replace `trainer.batch`
                    on_backward_end       all gradients of the step are there, not yet clipped
                    on_step_end           the weights are changed, `trainer.step` counts this step
                on_validation_end         `trainer.record` holds the values; what is added to it is kept
                on_record                 the record is in `trainer.history`: at the end of each epoch, and where `validate_every` says
            on_epoch_end                  all batches are done, the scheduler has been stepped
            on_checkpoint                 `trainer.checkpoint` is the file that was written
        on_exception                      instead of on_fit_end, with `trainer.exception`
        on_fit_end

    An event that sets `trainer.stop = True` ends the fit after the present step.

    >>> import fastnet as fn
    >>> class Steps(fn.training.Callback):
    ...     def on_step_end(self, trainer):
    ...         print(trainer.epoch, trainer.step)
    >>> model = fn.nn.Linear(2, 1)
    >>> trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), callbacks=[Steps()], progress=False)
    >>> history = trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))] * 2, epochs=1)
    1 1
    1 2
    """

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first epoch of a fit; after a resume, when the state is restored."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """Before the first step of an epoch, and before the next one of an epoch that is resumed."""

    def on_step_start(self, trainer: Trainer) -> None:
        """Before a step; `trainer.batch` is its first batch."""

    def on_batch_start(self, trainer: Trainer) -> None:
        """Before each batch goes through the model; `trainer.batch` may be replaced."""

    def on_backward_end(self, trainer: Trainer) -> None:
        """When all gradients of a step are there, before clipping; `trainer.loss_value` is the loss."""

    def on_step_end(self, trainer: Trainer) -> None:
        """When the weights have been changed."""

    def on_validation_end(self, trainer: Trainer) -> None:
        """When the validation data has been measured; the values are in `trainer.record`."""

    def on_record(self, trainer: Trainer) -> None:
        """When `trainer.record` has been added to the history."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """At the end of an epoch, when its record is in `trainer.history` and the scheduler has been stepped."""

    def on_checkpoint(self, trainer: Trainer) -> None:
        """When a checkpoint is on the disk, as `trainer.checkpoint`."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """When a fit ends without an error: all epochs done, stopped early, or Ctrl-C."""

    def on_exception(self, trainer: Trainer) -> None:
        """When an error ends the fit; it is `trainer.exception`, and is raised afterwards."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback: a tree that `fastnet.save` takes."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""


Handlers = dict[str, tuple[Callable[[Any], None], ...]]


def handlers(callbacks: Iterable[Callback]) -> Handlers:
    """For each event the methods that override it, in the order of the callbacks.

    >>> from fastnet.training.callback import Callback, handlers
    >>> sum(map(len, handlers([Callback()]).values()))
    0
    """
    callbacks = tuple(callbacks)
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"Trainer: callbacks must be fastnet.training.Callback, got {type(callback).__name__}")
    return {event: tuple(getattr(callback, event) for callback in callbacks if _overrides(callback, event)) for event in EVENTS}


def _overrides(callback: Callback, event: str) -> bool:
    method = getattr(callback, event)
    return getattr(method, "__func__", method) is not getattr(Callback, event)
