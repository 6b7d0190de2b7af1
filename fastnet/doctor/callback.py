"""GradientDoctor: watches a training run at small cost, in a Trainer or in a plain loop."""
from __future__ import annotations

import math
from time import thread_time
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.doctor.anomaly import first_nonfinite, note_nonfinite
from fastnet.doctor.preserve import preserved
from fastnet.doctor.report import Report
from fastnet.doctor.verdict import Verdict
from fastnet.doctor.watch import Watch
from fastnet.training.callback import Callback

SHARE = 0.01                                              # of the time that watching may take
EARLY = 8                                                 # watched steps that come one soon after the other, whatever they cost
CALIBRATE = 8                                             # unwatched steps that are timed; the least distance of watched ones


class GradientDoctor(Callback):
    """Collects statistics of layers, gradients and updates while a network trains, and gives verdicts.

    A watched step costs a fraction of a millisecond for each ten layers. Steps between are not touched: no hook is there, one
    comparison is made. With `every=None` the distance between watched steps follows from their measured cost, so that watching takes about
    1 % of the time, but for the first eight, which come soon; that choice changes which steps are seen, never the numbers of the training.

    In a Trainer it is a callback, `Trainer(..., callbacks=[GradientDoctor()])`. In a plain loop::

        doctor = GradientDoctor(model, optimizer)
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            doctor.after_backward(loss, y)
            optimizer.step()
            doctor.after_step()
        print(doctor.report())

    Args:
        model, optimizer: for a plain loop; a Trainer brings its own.
        every: steps between two watched ones; None: by cost.
        on_verdict: called with each `Verdict` when it is first made; None: `report()` tells, and a Trainer that shows its progress
            ends a fit with a line that names them, and an error about a loss that is not finite tells where it came from; False:
            only `report()` tells.

    Attributes:
        distance: steps from one watched step to the next, as it is now.

    Raises:
        ValueError: every is below 1.

    >>> import fastnet as fn
    >>> model = fn.nn.Sequential(fn.nn.Linear(4, 8), fn.nn.ReLU(), fn.nn.Linear(8, 3))
    >>> doctor = fn.doctor.GradientDoctor(every=2)
    >>> trainer = fn.Trainer(model, fn.nn.CrossEntropyLoss(), fn.optim.SGD(model.parameters(), lr=0.1), callbacks=[doctor], progress=False)
    >>> history = trainer.fit([(fn.randn(64, 4), fn.randint(0, 3, (64,)))] * 6, epochs=1)
    >>> doctor.report().samples, doctor.report().verdicts
    (3, [])
    """

    def __init__(self, model: Any = None, optimizer: Any = None, *, every: int | None = None, on_verdict: Any = None) -> None:
        if every is not None and (not isinstance(every, int) or every < 1):
            raise ValueError(f"GradientDoctor: every must be a positive integer or None, got {every!r}")
        self.every, self.on_verdict = every, on_verdict
        self.watch: Any = None                            # a Watch, as soon as there is a model
        self.idle, self.step, self.due, self.timed, self.since = False, 0, 0, False, 0.0
        self.costs: list[float] = []
        self.distance = every or CALIBRATE
        self.said: set[tuple[str, str]] = set()
        if model is not None:
            self.attach(model, optimizer)

    def attach(self, model: Any, optimizer: Any = None) -> None:
        """Watch this model from the next step on; what was seen before is forgotten."""
        self.detach()
        self.watch = Watch(model, optimizer)
        self.step, self.due, self.timed, self.costs = 0, 0, False, []
        self.watch.arm()
        self.idle = False

    def detach(self) -> None:
        """Take all hooks away; the report stays."""
        if self.watch is not None:
            self.watch.disarm()
            self.idle = True

    def __enter__(self) -> GradientDoctor:
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    # ---- plain loop

    def after_backward(self, loss: Any = None, target: Any = None, batch_loss: Any = None, batch: Any = None) -> None:
        """To be called between `loss.backward()` and `optimizer.step()`.

        Args:
            loss: a tensor of one element, or a number; None: there will be no verdicts on losses.
            target: labels (N,), for verdicts on them.
            batch_loss, batch: what `first_nonfinite` takes; where given, a loss that is not finite is traced to its op.
        """
        if self.idle and batch_loss is None:
            return
        watch = self._need("after_backward")
        value = None if loss is None else loss.item() if isinstance(loss, Tensor) else float(loss)
        if value is not None and not math.isfinite(value) and batch_loss is not None:
            self._trace(batch_loss, batch)
        if watch.armed:
            watch.evidence.steps = self.step
            watch.after_backward(value, target)

    def after_step(self) -> None:
        """To be called after `optimizer.step()`."""
        self.step += 1
        if self.idle and self.step < self.due:
            return
        watch = self._need("after_step")
        if watch.armed:
            self._seen()
        if self.step >= self.due:
            self._plan()

    # ---- Trainer

    def on_fit_start(self, trainer: Any) -> None:
        """Begin with the trainer's model, or go on with it."""
        if self.watch is None or self.watch.model is not trainer.model or self.watch.optimizer is not trainer.optimizer:
            self.attach(trainer.model, trainer.optimizer)

    def on_step_start(self, trainer: Any) -> None:
        """Arm for a step that is due."""
        if self.step >= self.due and self.idle:
            self._plan()

    def on_backward_end(self, trainer: Any) -> None:
        """Look at the gradients."""
        value = trainer.loss_value
        if value - value != 0.0:
            self._trace(trainer.batch_loss, trainer.batch)
        if not self.idle:
            self.watch.evidence.steps = self.step
            self.watch.after_backward(value, _target(trainer.batch))

    def on_step_end(self, trainer: Any) -> None:
        """Look at the updates."""
        self.step += 1
        if not self.idle:
            self._seen()

    def on_exception(self, trainer: Any) -> None:
        """A loss that was not finite ends the fit: say where it came from."""
        self.detach()
        if isinstance(trainer.exception, FloatingPointError):
            self._trace(trainer.batch_loss, trainer.batch)
            self._announce()
            found = [] if self.on_verdict is False else [v for v in self.report().verdicts if v.name == "not finite"]
            trainer.exception.args = ("\n".join([str(trainer.exception), *(f"GradientDoctor: {v}" for v in found)]),)

    def on_fit_end(self, trainer: Any) -> None:
        """Leave nothing on the model; name what was found, where nobody else does."""
        self.detach()
        if self.on_verdict is None and trainer.progress is not None and trainer.step > trainer.start[1]:
            found = dict.fromkeys(f"{v.name} in {v.layer}" if v.layer else v.name for v in self.report().verdicts)
            if found:
                print(f"GradientDoctor: {', '.join(found)}; its report() has numbers and cures", file=trainer.progress.stream, flush=True)

    # ---- what was found

    def report(self) -> Report:
        """What was seen so far.

        Raises: RuntimeError where no model was watched.
        """
        watch = self._need("report")
        watch.evidence.steps = self.step
        return Report(watch.evidence)

    @property
    def verdicts(self) -> list[Verdict]:
        """Those of the report as it is now."""
        return self.report().verdicts

    # ---- when

    def _need(self, what: str) -> Watch:
        if self.watch is None:
            raise RuntimeError(f"GradientDoctor.{what}: there is no model yet: GradientDoctor(model, optimizer), or give it to a Trainer")
        return self.watch

    def _seen(self) -> None:
        """The weights have moved: the end of a watched step."""
        self.watch.after_step()
        self.detach()
        self.costs = [*self.costs[-2:], self.watch.cost]
        self._announce()
        if self.every is not None:
            self.due = (self.step - 1) // self.every * self.every + self.every
        else:
            self.timed, self.due, self.since = False, self.step + CALIBRATE, thread_time()

    def _plan(self) -> None:
        """A step is due: to be watched, or, after the first few unwatched ones, to compute from their time when to watch."""
        if self.every is None and self.costs and not self.timed:
            step = (thread_time() - self.since) / CALIBRATE
            gap = math.ceil(min(self.costs) / (SHARE * max(step, 1e-7)))    # the least of some: others were disturbed by other programs
            gap = 0 if self.watch.evidence.samples < EARLY else gap
            self.timed, self.distance = True, max(CALIBRATE, gap)
            self.due = self.step - CALIBRATE + self.distance
            if self.step < self.due:
                return
        self.watch.arm()
        self.idle = False

    def _trace(self, batch_loss: Any, batch: Any) -> None:
        if self.watch.evidence.nonfinite is None:
            self.detach()
            with preserved(self.watch.model, weights=False):
                note_nonfinite(self.watch.evidence, first_nonfinite(self.watch.model, batch_loss, batch))

    def _announce(self) -> None:
        if callable(self.on_verdict):
            for v in self.report().verdicts:
                if (v.name, v.layer) not in self.said:
                    self.said.add((v.name, v.layer))
                    self.on_verdict(v)


def _target(batch: Any) -> Any:
    return batch[-1] if isinstance(batch, (list, tuple)) and len(batch) > 1 else None
