"""EarlyStopping: end a fit when a measured value stops getting better."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastnet as fn
from fastnet.training.callback import Callback
from fastnet.training.schedule import better, direction, monitored

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class EarlyStopping(Callback):
    """Ends a fit after `patience` records in a row without a better value.

    Args:
        monitor: name of the value; None: val_loss, or train_loss without validation.
        mode: "min": smaller is better; "max": larger is; None: "max" for names such as val_accuracy or val_f1, "min" for others.
        patience: records without improvement after which it ends; 0 is as 1.
        min_delta: least improvement that counts.
        restore_best: put the weights of the best record back when the fit ends for that reason (those of the EMA, which were measured,
            if there is one).

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(2, 1)
    >>> trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.0),
    ...                      callbacks=[fn.training.EarlyStopping(patience=2)], progress=False)
    >>> len(trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))], epochs=100))
    3
    """

    def __init__(self, monitor: str | None = None, mode: str | None = None, patience: int = 3, min_delta: float = 0.0,
                 restore_best: bool = False) -> None:
        mode = direction(mode, monitor, "EarlyStopping")
        if not isinstance(patience, int) or patience < 0:
            raise ValueError(f"EarlyStopping: patience must be an integer not below 0, got {patience!r}")
        if not min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta must not be negative, got {min_delta!r}")
        self.monitor, self.mode, self.patience, self.min_delta, self.restore_best = monitor, mode, patience, min_delta, restore_best
        self._begin()

    def _begin(self) -> None:
        self.best: float | None = None
        self.best_step = self.waited = 0
        self.stopped = False
        self.weights: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """A new fit counts anew; one that is resumed goes on, or is over already."""
        if not trainer.resumed:
            self._begin()
        elif self.stopped:
            trainer.stop = True

    def on_record(self, trainer: Trainer) -> None:
        """Compare the value of this record with the best."""
        value = monitored(trainer.record, self.monitor, "EarlyStopping")
        if self.best is None or self.best != self.best or better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_step, self.waited = value, trainer.step, 0
            if self.restore_best:
                state = trainer.model.state_dict() if trainer.ema is None else trainer.ema.model_state_dict()
                self.weights = {name: tensor.clone() if isinstance(tensor, fn.Tensor) else tensor for name, tensor in state.items()}
            return
        self.waited += 1
        if self.waited >= max(self.patience, 1):
            self.stopped = trainer.stop = True

    def on_fit_end(self, trainer: Trainer) -> None:
        """Put the best weights back."""
        if self.stopped and self.weights is not None:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Best value, count, and the best weights where they are kept."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited, "stopped": self.stopped, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`."""
        self.best, self.best_step = state_dict["best"], state_dict["best_step"]
        self.waited, self.stopped, self.weights = state_dict["waited"], state_dict["stopped"], state_dict["weights"]
