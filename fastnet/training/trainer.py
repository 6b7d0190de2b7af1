"""Trainer: fit, validate and predict over any Module and any iterable of batches."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.training import evaluate, state
from fastnet.training.batch import batches_of, with_loss
from fastnet.training.callback import Callback, handlers
from fastnet.training.checkpoint import Checkpoints, read
from fastnet.training.checks import check
from fastnet.training.ema import EMA
from fastnet.training.fit import Fit
from fastnet.training.history import History, Record
from fastnet.training.interrupt import OnInterrupt
from fastnet.training.lock import FolderLock
from fastnet.training.log import JSONLines
from fastnet.training.progress import Progress
from fastnet.training.rng import seed_everything
from fastnet.training.schedule import Schedule, direction
from fastnet.training.source import Source


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
        ema: decay of an exponential moving average of the weights, or an `EMA` of the model: `validate` and `predict` use the averages.
        scheduler_interval: "step" or "epoch"; None: by step for OneCycleLR, CyclicLR and what is composed of them, by epoch for the
            others. ReduceLROnPlateau is stepped whenever a record is made, with the monitored value.
        monitor: name of the value that ReduceLROnPlateau and the best weights go by; None: val_loss, or train_loss without validation.
        mode: "min" or "max": which values of it are better; None: "max" for names such as val_accuracy or val_f1, "min" for others.
        out: folder of the run: checkpoints, ``best.fnet`` (the best weights) and ``log.jsonl`` (a record a line); None: nothing is written.
            While it trains, nobody else may train into it.
        checkpoints: `Checkpoints`: when and where; with `out` they keep the best weights too, unless they say otherwise. None: after
            each epoch and every ten minutes, the last two, in ``out/checkpoints``; False: none, and no best weights.
        seed: `seed_everything` with it when the first step is to come; None: generators stay as they are. The model is made before:
            call `seed_everything` before that for the same weights.
        batch_loss: ``batch_loss(model, batch)``, returning (loss, output, target), in place of `loss`, for batches of any form.
        nonfinite: what to do with a loss that is NaN or infinite: "raise" `NonFiniteLoss`, "skip" the step, or "ignore" it.
        progress: None or True: a bar in a terminal, one line an epoch elsewhere; False: nothing; a `Progress`: that one.

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
                 ema: float | EMA | None = None, scheduler_interval: str | None = None, monitor: str | None = None, mode: str | None = None,
                 out: str | os.PathLike | None = None, checkpoints: Checkpoints | bool | None = None, seed: int | None = None,
                 batch_loss: Callable[[Any, Any], tuple[Any, Any, Any]] | None = None, nonfinite: str = "raise",
                 progress: bool | Progress | None = None) -> None:
        check(model, loss, optimizer, scheduler, batch_loss, metrics, train_metrics, callbacks)
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
        self.accumulate, self.clip_norm, self.clip_value, self.nonfinite = accumulate, clip_norm, clip_value, nonfinite
        self.schedule, self.monitor, self.seed = Schedule(scheduler, scheduler_interval, monitor), monitor, seed
        self.parameters = [param for group in optimizer.param_groups for param in group["params"]]
        self.ema = EMA(model, ema) if isinstance(ema, (int, float)) else ema
        self.checkpoints = _checkpoints(out, checkpoints, monitor, mode)
        self.folders = [Path(folder) for folder in (out, getattr(self.checkpoints, "folder", None)) if folder is not None]
        self.callbacks = list(callbacks)
        self.progress = progress if isinstance(progress, Progress) else None if progress is False else Progress()
        own = [*([] if out is None else [JSONLines(Path(out) / "log.jsonl")]), *([] if self.progress is None else [self.progress])]
        self.handlers = handlers([*self.callbacks, *own])
        if self.checkpoints is not None and self.checkpoints.every_seconds is not None:
            self.handlers["on_step_end"] += (_pause_when_overdue,)
        self.epoch = self.step = self.batches = self.skipped = 0
        self.start = [0, 0]                               # epoch and step at which the fit began
        self.goal: list[int | None] = [None, None]        # and those at which it ends
        self.in_epoch = self.stop = self.pause = self.interrupted = self.resumed = False
        self.batch: Any = None
        self.loss_value = self.grad_norm = float("nan")
        self.seconds = 0.0
        self.sums = [0.0, 0]
        self.record: Record = {}
        self.history = History()
        self.source: Any = None                           # a Source while there is data, and so the next
        self.validation_source: Any = None
        self.exception: BaseException | None = None
        self.checkpoint: str | None = None
        self._restored: dict[str, Any] | None = None

    def fit(self, train: Any, validation: Any = None, epochs: int | None = None, steps: int | None = None, *,
            batch_size: int | None = None, validate_every: int | None = None, resume: bool = False, overwrite: bool = False) -> History:
        """Train for `epochs` passes over the data, or for `steps` updates, whichever comes first.

        Args:
            train: an iterable of batches, gone through once an epoch; or, with `batch_size`, a Dataset or a tuple of arrays.
            validation: the same, measured when a record is made; None: there is no validation.
            epochs, steps: how many; at least one of the two. A fit that is resumed counts those it had done.
            batch_size: for a Dataset; training data is shuffled.
            validate_every: steps between two records, besides the one at the end of each epoch.
            resume: go on from the newest checkpoint if there is one, as `resume()` does, unless that was called; begin anew if not.
            overwrite: remove the checkpoints of an earlier training that are in the way of a new one.

        Ctrl-C ends a fit after the present step, with a checkpoint, and sets `interrupted`; a second one raises KeyboardInterrupt. Where
        there are checkpoints, SIGTERM ends the process likewise.

        Returns: the history of this trainer.

        Raises: ValueError for data without batches, or where checkpoints are in the way; RuntimeError where another process trains into
            the folder; `NonFiniteLoss`; OSError where a checkpoint cannot be written.
        """
        if epochs is None and steps is None:
            raise ValueError("fit: give epochs or steps")
        for name, value in (("epochs", epochs), ("steps", steps), ("validate_every", validate_every)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"fit: {name} must be a positive integer, got {value!r}")
        if (resume or overwrite) and self.checkpoints is None and self._restored is None:
            raise ValueError("fit: resume and overwrite are about checkpoints: give Trainer out= or checkpoints=")
        source = Source(batches_of(train, batch_size, True, "fit"))
        with FolderLock(self.folders, "fit"):
            return self._fit(source, validation, epochs, steps, batch_size, validate_every, resume, overwrite)

    def _fit(self, source: Source, validation: Any, epochs: int | None, steps: int | None, batch_size: int | None,
             validate_every: int | None, resume: bool, overwrite: bool) -> History:
        """What `fit` does once the folder is its own."""
        self.validation_source = None if validation is None else Source(batches_of(validation, batch_size, False, "fit"))
        if resume and self._restored is None and self.checkpoints is not None and self.checkpoints.files():
            self.resume()
        self._prepare_folder(overwrite)
        self.source, restored, self._restored = source, self._restored, None
        self.resumed = restored is not None
        self.stop = self.pause = self.interrupted = False
        self.exception = None
        if restored is None:
            self.start, self.in_epoch = [self.epoch, self.step], False
            if self.seed is not None and not self.step:
                seed_everything(self.seed)
        self.goal = [None if n is None else start + n for n, start in zip((epochs, steps), self.start)]
        self.schedule.check(self._steps_ahead())
        self.model.train()
        work = Fit(self, self.goal[0], self.goal[1], validate_every, restored)
        try:
            with OnInterrupt(self, self.progress is not None):
                work.run()
        except BaseException as error:
            self.exception = error
            work.event("on_exception")
            raise
        finally:
            self.batch = None
        return self.history

    def resume(self, path: str | os.PathLike | None = None) -> str:
        """Take up the state of a checkpoint; the next `fit`, given the same data, goes on from there to the same weights, bit by bit.

        Args:
            path: a checkpoint's file, or a folder of them; None: the folder that this trainer writes to. Of a folder, the newest that
                can be read is taken, with a warning for each that cannot. Checkpoints of later steps in the trainer's own folder are
                removed when the next is written.

        Returns: the path of the checkpoint.

        Raises: FileNotFoundError where there is none; `fastnet.serialization.DamagedFile` where none can be read; RuntimeError or
            ValueError for one of another model, optimizer or trainer.
        """
        folder = self.checkpoints if path is None else Checkpoints(path) if os.path.isdir(path) else None
        if path is None and folder is None:
            raise ValueError("resume: give the path of a checkpoint, or a Trainer with out= or checkpoints=")
        found = (Path(path), read(path)) if folder is None else folder.load()  # type: ignore[arg-type]
        if found is None:
            raise FileNotFoundError(f"resume: there is no checkpoint in {os.fspath(folder.folder)!r}")  # type: ignore[union-attr]
        where, tree = found
        state.restore(self, tree)
        if self.checkpoints is not None:
            self.checkpoints.best_value = tree["best_value"]
            own = os.path.realpath(where.parent) == os.path.realpath(self.checkpoints.folder)
            self.checkpoints.last = (self.step, self.in_epoch) if own else None
        self._restored, self.checkpoint = tree, str(where)
        return self.checkpoint

    def validate(self, data: Any, *, batch_size: int | None = None) -> dict[str, Any]:
        """The loss and the metrics on data, by name ("loss" and the names of `metrics`), with the model in evaluation mode.

        Args:
            data: an iterable of batches; or, with `batch_size`, a Dataset or a tuple of arrays.
            batch_size: for a Dataset.
        """
        return self.measure(batches_of(data, batch_size, False, "validate"), False)

    def measure(self, batches: Iterable[Any], in_fit: bool) -> dict[str, Any]:
        """What `validate` returns; in a fit Ctrl-C ends it."""
        with nullcontext() if self.ema is None else self.ema.applied():
            return evaluate.measure(self, batches, in_fit)

    def predict(self, data: Any, *, batch_size: int | None = None, has_target: bool | None = None) -> Any:
        """The outputs of the model in evaluation mode, joined along the first axis.

        Args:
            data: an iterable of batches; a tensor or array of inputs; or, with `batch_size`, a Dataset or a tuple of arrays.
            batch_size: for a Dataset, a tensor or arrays.
            has_target: whether batches end with a target, which is left out; None: where they are sequences of two or more.
        """
        if isinstance(data, (Tensor, np.ndarray)):
            data = [data] if batch_size is None else (data,)
        elif batch_size is None and type(data) is tuple:
            data = list(data)
        with nullcontext() if self.ema is None else self.ema.applied():
            return evaluate.predict(self, batches_of(data, batch_size, False, "predict"), has_target)

    def forget(self) -> None:
        """Begin the sums of the next record."""
        self.sums[0], self.sums[1] = 0.0, 0
        for metric in self.train_metrics.values():
            metric.reset()

    def _prepare_folder(self, overwrite: bool) -> None:
        """Make sure that no checkpoints of another training are, or come, between those of this one."""
        if self.checkpoints is None:
            return
        old = self.checkpoints.files() if self.checkpoints.last is None else []
        if old and not overwrite:
            raise ValueError(f"fit: there are checkpoints of an earlier training in {os.fspath(self.checkpoints.folder)!r}: "
                             "resume=True goes on from them, overwrite=True removes them")
        for path in old:
            path.unlink()
        self.checkpoints.begin()

    def steps_an_epoch(self) -> int | None:
        """Steps in an epoch of the present training data, where that tells its length."""
        length = None if self.source is None else self.source.length()
        return None if length is None else -(-length // self.accumulate)

    def _steps_ahead(self) -> int | None:
        """How many steps a fit has before it, where that is known."""
        epochs, steps = self.goal
        ahead = [] if steps is None else [steps - self.step]
        an_epoch = self.steps_an_epoch()
        if epochs is not None and an_epoch is not None and not self.in_epoch:
            ahead.append((epochs - self.epoch) * an_epoch)
        return min(ahead, default=None)


def _checkpoints(out: Any, given: Any, monitor: str | None, mode: str | None) -> Checkpoints | None:
    """The checkpoints that the arguments of Trainer ask for."""
    mode = direction(mode, monitor, "Trainer")
    if isinstance(given, Checkpoints):
        if out is not None and given.best is None:
            given.best = Path(out) / "best.fnet"
            if given.monitor is None:
                given.monitor, given.mode = monitor, mode
        return given
    if given not in (None, True, False):
        raise TypeError(f"Trainer: checkpoints must be fastnet.training.Checkpoints, True, False or None, got {type(given).__name__}")
    if out is None:
        if given:
            raise ValueError("Trainer: checkpoints=True needs out=, the folder of the run")
        return None
    if given is False:
        return None
    return Checkpoints(Path(out) / "checkpoints", every_seconds=600, best=Path(out) / "best.fnet", monitor=monitor, mode=mode)


def _pause_when_overdue(trainer: Trainer) -> None:
    if trainer.checkpoints.overdue():  # type: ignore[union-attr]
        trainer.pause = True
