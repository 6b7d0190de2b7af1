"""Logs of a training, written line by line: JSONLines and CSVLog."""
from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastnet.training.callback import Callback
from fastnet.training.history import write_csv

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class JSONLines(Callback):
    """Appends each record to a file as a line of JSON; a resumed training drops the lines after its checkpoint.

    Args:
        path: of the file.
        every: also {"epoch", "step", "loss", "lr"} after every so many steps; None: only records.

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(2, 1)
    >>> log = fn.training.JSONLines("log.jsonl")
    >>> trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), callbacks=[log], progress=False)
    >>> _ = trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))], epochs=2)
    >>> len(open("log.jsonl").readlines())
    2
    """

    def __init__(self, path: str | os.PathLike, every: int | None = None) -> None:
        if every is not None and (not isinstance(every, int) or every < 1):
            raise ValueError(f"JSONLines: every must be a positive integer, got {every!r}")
        self.path, self.every = Path(path), every

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin the file anew, or drop what a resumed training does again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        if trainer.resumed or len(trainer.history):
            lines = [line for line in _lines(self.path) if line.get("step", 0) <= trainer.step]
        temporary = self.path.with_name(f"{self.path.name}.tmp")
        temporary.write_text("".join(f"{_dump(line)}\n" for line in lines))
        os.replace(temporary, self.path)

    def on_step_end(self, trainer: Trainer) -> None:
        """A line every `every` steps."""
        if self.every and trainer.step % self.every == 0:
            self._write({"epoch": trainer.epoch, "step": trainer.step, "loss": trainer.loss_value,
                         "lr": float(trainer.optimizer.param_groups[0]["lr"])})

    def on_record(self, trainer: Trainer) -> None:
        """A line."""
        self._write(trainer.record)

    def _write(self, line: dict[str, Any]) -> None:
        with open(self.path, "a") as file:
            file.write(f"{_dump(line)}\n")


class CSVLog(Callback):
    """Keeps the history as a table in a file, a line a record.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.names: list[str] = []

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin the file anew, with the records that there are."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.names = trainer.history.names()
        trainer.history.to_csv(self.path)

    def on_record(self, trainer: Trainer) -> None:
        """A line; the whole table where there are new names."""
        names = trainer.history.names()
        if names != self.names:
            self.names = names
            trainer.history.to_csv(self.path)
            return
        with open(self.path, "a", newline="") as file:
            write_csv(file, None, [{name: trainer.record.get(name) for name in names}])


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; one that is cut short, by a crash, is left out."""
    lines = []
    for text in path.read_text().splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def _dump(line: dict[str, Any]) -> str:
    """JSON, which has no NaN and no infinity: null."""
    line = {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in line.items()}
    return json.dumps(line, default=lambda value: value.tolist() if hasattr(value, "tolist") else repr(value))
