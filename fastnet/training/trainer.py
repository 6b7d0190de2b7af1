"""Trainer: fit, validate and predict over any Module and any iterable of batches."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.training import evaluate
from fastnet.training.batch import batches_of, with_loss
from fastnet.training.callback import Callback, handlers
from fastnet.training.fit import Fit
from fastnet.training.history import History, Record
from fastnet.training.schedule import Schedule


class Trainer:
    """Trains a model: the loop, with callbacks at its events.

    Args:
        model: a Module.
        loss: ``loss(output, target)``, a mean over the samples of a batch; a batch is (inputs..., target). None with `batch_loss`.
        optimizer: of the model's parameters.
        scheduler: of `fastnet.optim.lr_scheduler`.
        metrics: name -> `fastnet.metrics.Metric`, measured on the validation data ("val_" + name in the records).
        train_metrics: the same, updated with each training batch ("train_" + name); objects of their own.
        callbacks: `fastnet.training.Callback` objects, called in this order.
        accumulate: batches a step: their gradients are those of one batch of all their samples.
        clip_norm: largest norm of all gradients together.
        clip_value: largest absolute value of a gradient's element.
        scheduler_interval: "step" or "epoch"; None: by step for OneCycleLR, CyclicLR and what is composed of them, by epoch for the
            others. ReduceLROnPlateau is stepped whenever a record is made, with the monitored value.
        monitor: name of the value that ReduceLROnPlateau goes by; None: val_loss, or train_loss without validation.
        batch_loss: ``batch_loss(model, batch)``, returning (loss, output, target), in place of `loss`, for batches of any form.
        nonfinite: what to do with a loss that is NaN or infinite: "raise" `NonFiniteLoss`, "skip" the step, or "ignore" it.

    Public state: `epoch` (the present one, from 1), `step` (updates made), `batch`, `loss_value`, `record`, `history`, `stop`.

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(2, 1)
    >>> trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), progress=False)
    >>> history = trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))], epochs=20)
    >>> history[-1]["train_loss"] < history[0]["train_loss"]
    True
    """

    def __init__(self, model: Any, loss: Callable[[Any, Any], Tensor] | None, optimizer: Any, scheduler: Any = None, *,
                 metrics: Mapping[str, Any] | None = None, train_metrics: Mapping[str, Any] | None = None,
                 callbacks: Iterable[Callback] = (), accumulate: int = 1, clip_norm: float | None = None, clip_value: float | None = None,
                 scheduler_interval: str | None = None, monitor: str | None = None,
                 batch_loss: Callable[[Any, Any], tuple[Any, Any, Any]] | None = None, nonfinite: str = "raise",
                 progress: bool | None = None) -> None:
        if (loss is None) == (batch_loss is None):
            raise ValueError("Trainer: give either loss or batch_loss")
        if not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(f"Trainer: accumulate must be a positive integer, got {accumulate!r}")
        if nonfinite not in ("raise", "skip", "ignore"):
            raise ValueError(f"Trainer: nonfinite must be 'raise', 'skip' or 'ignore', got {nonfinite!r}")
        for name, value in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if value is not None and not value > 0:
                raise ValueError(f"Trainer: {name} must be above zero, got {value!r}")
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.batch_loss = batch_loss or with_loss(loss)  # type: ignore[arg-type]
        self.metrics, self.train_metrics = dict(metrics or {}), dict(train_metrics or {})
        self.callbacks = list(callbacks)
        self.handlers = handlers(self.callbacks)
        self.accumulate, self.clip_norm, self.clip_value, self.nonfinite = accumulate, clip_norm, clip_value, nonfinite
        self.schedule, self.monitor = Schedule(scheduler, scheduler_interval, monitor), monitor
        self.parameters = [param for group in optimizer.param_groups for param in group["params"]]
        self.ema: Any = None
        self.epoch = self.step = self.batches = self.skipped = 0
        self.in_epoch = self.stop = self.pause = self.interrupted = False
        self.batch: Any = None
        self.loss_value = self.grad_norm = float("nan")
        self.seconds = 0.0
        self.sums = [0.0, 0]
        self.record: Record = {}
        self.history = History()
        self.exception: BaseException | None = None
        self.checkpoint: str | None = None

    def fit(self, train: Any, validation: Any = None, epochs: int | None = None, steps: int | None = None, *,
            batch_size: int | None = None, validate_every: int | None = None) -> History:
        """Train for `epochs` passes over the data, or for `steps` updates, whichever comes first.

        Args:
            train: an iterable of batches, gone through once an epoch; or, with `batch_size`, a Dataset or arrays of one length.
            validation: the same, measured when a record is made; None: there is no validation.
            epochs, steps: how many more; at least one of the two.
            batch_size: for a Dataset; training data is shuffled.
            validate_every: steps between two records, besides the one at the end of each epoch.

        Returns: the history of this trainer.

        Raises: ValueError for data without batches; `NonFiniteLoss`.
        """
        if epochs is None and steps is None:
            raise ValueError("fit: give epochs or steps")
        for name, value in (("epochs", epochs), ("steps", steps), ("validate_every", validate_every)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"fit: {name} must be a positive integer, got {value!r}")
        train = batches_of(train, batch_size, True, "fit")
        if validation is not None:
            validation = batches_of(validation, batch_size, False, "fit")
        self.stop = self.pause = self.interrupted = False
        self.exception = None
        self.model.train()
        work = Fit(self, train, validation, None if epochs is None else self.epoch + epochs, None if steps is None else self.step + steps,
                   validate_every)
        try:
            work.event("on_fit_start")
            work.run()
        except BaseException as error:
            self.exception = error
            work.event("on_exception")
            raise
        work.event("on_fit_end")
        return self.history

    def validate(self, data: Any, *, batch_size: int | None = None) -> dict[str, Any]:
        """The loss and the metrics on data, by name ("loss" and the names of `metrics`), with the model in evaluation mode.

        Args:
            data: an iterable of batches; or, with `batch_size`, a Dataset or arrays of one length.
            batch_size: for a Dataset.
        """
        return evaluate.measure(self, batches_of(data, batch_size, False, "validate"))

    def predict(self, data: Any, *, batch_size: int | None = None, has_target: bool | None = None) -> Any:
        """The outputs of the model in evaluation mode, joined along the first axis.

        Args:
            data: an iterable of batches; a tensor or array of inputs; or, with `batch_size`, a Dataset or arrays of one length.
            batch_size: for a Dataset, a tensor or arrays.
            has_target: whether batches end with a target, which is left out; None: where they are sequences of two or more.
        """
        if isinstance(data, (Tensor, np.ndarray)):
            data = [data] if batch_size is None else (data,)
        elif batch_size is None and type(data) is tuple:
            data = list(data)
        return evaluate.predict(self, batches_of(data, batch_size, False, "predict"), has_target)

    def forget(self) -> None:
        """Begin the sums of the next record."""
        self.sums[0], self.sums[1] = 0.0, 0
        for metric in self.train_metrics.values():
            metric.reset()
