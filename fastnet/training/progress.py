"""Progress of a fit: a bar that is redrawn in a terminal, one plain line an epoch elsewhere."""
from __future__ import annotations

import os
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from fastnet.training.callback import Callback
from fastnet.training.history import Record

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer

REDRAW = 0.1                                              # seconds between two drawings, so that drawing costs nothing
BAR = 20
_HIDDEN = ("epoch", "step", "lr", "seconds")


def duration(seconds: float) -> str:
    """Seconds as a person would say them.

    >>> from fastnet.training.progress import duration
    >>> duration(7.3), duration(200), duration(9000)
    ('7 s', '3 min 20 s', '2 h 30 min')
    """
    s = round(seconds)
    return f"{s} s" if s < 60 else f"{s // 60} min {s % 60} s" if s < 3600 else f"{s // 3600} h {s % 3600 // 60} min"


def is_terminal(stream: TextIO) -> bool:
    """Whether lines can be redrawn: a terminal, and TERM is not dumb."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def summary(record: Record) -> str:
    """The measured values of a record on one line.

    >>> from fastnet.training.progress import summary
    >>> summary({"epoch": 1, "train_loss": 0.51234, "val_accuracy": 0.9})
    'train_loss 0.5123  val_accuracy 0.9'
    """
    return "  ".join(f"{name} {value:.4g}" for name, value in record.items() if name not in _HIDDEN and isinstance(value, (int, float)))


class Progress(Callback):
    """Shows how far a fit is. `Trainer(progress=...)` adds one.

    Args:
        bar: True: a bar that is redrawn, tqdm's where that is installed; False: one plain line a record, without control characters;
            None: a bar where the stream is a terminal.
        stream: where to; None: standard output.
    """

    def __init__(self, bar: bool | None = None, stream: TextIO | None = None) -> None:
        self.wanted, self.given = bar, stream
        self.bar: Any = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """Choose between bar and lines."""
        self.stream = self.given or sys.stdout
        self.live = is_terminal(self.stream) if self.wanted is None else self.wanted
        self.tail = ""
        self.bar, self.drawn = None, 0.0
        if trainer.resumed:
            print(f"going on after epoch {trainer.epoch - trainer.in_epoch}, step {trainer.step}", file=self.stream, flush=True)

    def on_epoch_start(self, trainer: Trainer) -> None:
        """A new bar."""
        if self.live:
            total = trainer.steps_an_epoch()
            done = trainer.batches // trainer.accumulate
            if trainer.goal[1] is not None:
                left = trainer.goal[1] - trainer.step
                total = left + done if total is None else min(total, left + done)
            self.bar = _bar(self.stream, total, done)

    def on_step_end(self, trainer: Trainer) -> None:
        """Draw, at most every REDRAW seconds."""
        if self.live:
            now = monotonic()
            if now - self.drawn > REDRAW:
                self.drawn = now
                self._draw(trainer)

    def _draw(self, trainer: Trainer) -> None:
        of = f"/{trainer.goal[0]}" if trainer.goal[0] is not None else ""
        self.bar.show(-(-trainer.batches // trainer.accumulate), f"epoch {trainer.epoch}{of}", f"loss {trainer.loss_value:.4g}{self.tail}")

    def validating(self, batches: int) -> None:
        """Draw, at most every REDRAW seconds, how many batches of the validation are done."""
        if self.live and self.bar is not None:
            now = monotonic()
            if now - self.drawn > REDRAW:
                self.drawn = now
                self.bar.show(None, "validation", f"batch {batches}")

    def on_record(self, trainer: Trainer) -> None:
        """A line that stays."""
        record = trainer.record
        self.tail = "".join(f"  {name} {value:.4g}" for name, value in record.items()
                            if name.startswith("val_") and isinstance(value, (int, float)))
        epochs = trainer.goal[0]
        width = len(str(epochs or 0))
        of = f"/{epochs}" if epochs is not None else ""
        seconds = record["seconds"]
        took = f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
        line = f"epoch {record['epoch']:{width}}{of}  step {record['step']}  {summary(record)}  {took}"
        if self.live and self.bar is not None:
            self.bar.write(line)
        else:
            print(line, file=self.stream, flush=True)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """The epoch's bar is done."""
        self._close()

    def on_exception(self, trainer: Trainer) -> None:
        """Leave the line."""
        self._close()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Leave the line; tell how to go on after Ctrl-C."""
        self._close()
        if trainer.interrupted:
            where = f"; resume goes on from {trainer.checkpoint}" if trainer.checkpoint else ""
            print(f"stopped in epoch {trainer.epoch} after step {trainer.step}{where}", file=self.stream, flush=True)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _bar(stream: TextIO, total: int | None, done: int) -> Any:
    try:
        import tqdm  # type: ignore[import-untyped]
    except ImportError:
        return Line(stream, total, done)
    return Tqdm(tqdm.tqdm(total=total, initial=done, file=stream, leave=False, dynamic_ncols=True, unit="step", mininterval=0))


class Line:
    """A bar of our own, redrawn on one line.

    Args:
        stream: a terminal.
        total: steps; None: unknown.
        done: steps that are done.
    """

    def __init__(self, stream: TextIO, total: int | None, done: int) -> None:
        self.stream, self.total, self.first, self.start = stream, total, done, monotonic()

    def show(self, done: int | None, head: str, text: str) -> None:
        """Redraw; without `done` only the words."""
        rate = 0.0 if done is None else (done - self.first) / max(monotonic() - self.start, 1e-9)
        if done is None:
            line = f"{head}  {text}"
        elif self.total:
            left = f"  {duration((self.total - done) / rate)} left" if rate else ""
            line = f"{head} [{'#' * round(BAR * done / self.total):{BAR}}] {done}/{self.total}  {text}{left}"
        else:
            line = f"{head} step {done}  {text}  {rate:.3g} steps/s"
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            width = 80
        print(f"\r{line[:width - 1]}\033[K", end="", file=self.stream, flush=True)

    def write(self, line: str) -> None:
        """A line that stays, above the bar."""
        print(f"\r{line}\033[K", file=self.stream, flush=True)

    def close(self) -> None:
        """Clear the line."""
        print("\r\033[K", end="", file=self.stream, flush=True)


class Tqdm:
    """tqdm's bar.

    Args:
        bar: made by tqdm.
    """

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def show(self, done: int | None, head: str, text: str) -> None:
        """Redraw; without `done` the bar stays where it is."""
        self.bar.set_description_str(head, refresh=False)
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(0 if done is None else done - self.bar.n)
        self.bar.refresh()

    def write(self, line: str) -> None:
        """A line that stays, above the bar."""
        self.bar.write(line, file=self.bar.fp)

    def close(self) -> None:
        """Clear the bar."""
        self.bar.close()
