"""Checkpoints: files in a folder, each replaced in one step and verified when read; which one to go on from."""
from __future__ import annotations

import errno
import os
import re
import shutil
import warnings
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import fastnet as fn
from fastnet.serialization import DamagedFile, sync_folder
from fastnet.training.schedule import better, direction, monitored

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer

_NAME = re.compile(r"step-(\d{9,})\.fnet")


class Checkpoints:
    """When checkpoints are written, where, and how many are kept.

    Args:
        folder: for the files ``step-000000123.fnet``; made when it is needed.
        every_epochs: one after so many epochs; None: not by epochs.
        every_steps: one after so many steps, in the middle of an epoch too.
        every_seconds: one as soon as so many seconds have passed since the last, after the step that is being made.
        keep: so many newest files are kept; two at least let a damaged one do no harm.
        best: path of the file for the best weights, a plain `state_dict` (those of the EMA if there is one); None: no such file.
        monitor: name of the value that tells which are best; None: val_loss, or train_loss without validation.
        mode: "min" or "max": which values of it are better; None: "max" for names such as val_accuracy or val_f1, "min" for others.

    One more is written when a fit ends, also after Ctrl-C.

    >>> from fastnet.training import Checkpoints
    >>> Checkpoints("run", every_steps=1000).files()
    []
    """

    def __init__(self, folder: str | os.PathLike, *, every_epochs: int | None = 1, every_steps: int | None = None,
                 every_seconds: float | None = None, keep: int = 2, best: str | os.PathLike | None = None, monitor: str | None = None,
                 mode: str | None = None) -> None:
        for name, value in (("every_epochs", every_epochs), ("every_steps", every_steps), ("keep", keep)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"Checkpoints: {name} must be a positive integer, got {value!r}")
        if every_seconds is not None and not every_seconds > 0:
            raise ValueError(f"Checkpoints: every_seconds must be above zero, got {every_seconds!r}")
        self.folder, self.every_epochs, self.every_steps, self.every_seconds = Path(folder), every_epochs, every_steps, every_seconds
        self.keep, self.best = keep, None if best is None else Path(best)
        self.monitor, self.mode = monitor, direction(mode, monitor, "Checkpoints")
        self.best_value: float | None = None
        self.last: tuple[int, bool] | None = None         # step, in_epoch of the newest file
        self.written = monotonic()

    def begin(self) -> None:
        """A fit begins: count `every_seconds` from now, and remove what an earlier process left half written."""
        self.written = monotonic()
        for part in self.folder.glob("step-*.fnet.*.tmp"):
            part.unlink(missing_ok=True)

    # ---- when

    def due(self, t: Trainer) -> bool:
        """Whether to write one after this step; not twice after the same."""
        if self.last is not None and self.last[0] == t.step:
            return False
        return bool(self.every_steps and t.step % self.every_steps == 0) or self.overdue()

    def overdue(self) -> bool:
        """Whether `every_seconds` have passed."""
        return self.every_seconds is not None and monotonic() - self.written >= self.every_seconds

    def due_after_epoch(self, t: Trainer) -> bool:
        """Whether to write one at the end of an epoch."""
        return bool(self.every_epochs and t.epoch % self.every_epochs == 0 or self.every_steps and t.step % self.every_steps == 0)

    # ---- writing

    def save(self, t: Trainer) -> str:
        """Write the state of the trainer, then remove what is older than the newest `keep`; returns the path.

        Raises: OSError, naming the file and the room that is left, where it cannot be written; earlier files are intact then.
        """
        from fastnet.training.state import capture
        path = self.folder / f"step-{t.step:09d}.fnet"
        write(path, {**capture(t), "best_value": self.best_value}, "the checkpoints written before are intact")
        self.last, self.written = (t.step, t.in_epoch), monotonic()
        steps = sorted(self.steps(), reverse=True)
        left = [step for step in steps if step <= t.step][self.keep:]
        for step in (*left, *(step for step in steps if step > t.step)):   # later ones are of a future that this training has left
            (self.folder / f"step-{step:09d}.fnet").unlink(missing_ok=True)
        return str(path)

    def measured(self, t: Trainer) -> None:
        """After a record: write the weights if they are the best so far."""
        if self.best is None:
            return
        value = monitored(t.record, self.monitor, "Checkpoints")
        if self.best_value is None or self.best_value != self.best_value or better(value, self.best_value, self.mode):
            self.best_value = value
            weights = t.model.state_dict() if t.ema is None else t.ema.model_state_dict()
            write(self.best, weights, "the checkpoints are intact")

    # ---- reading

    def files(self) -> list[Path]:
        """The checkpoints in the folder, newest first."""
        return [self.folder / f"step-{step:09d}.fnet" for step in sorted(self.steps(), reverse=True)]

    def steps(self) -> list[int]:
        """The steps after which the checkpoints in the folder were written."""
        try:
            return [int(match[1]) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name))]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def load(self) -> tuple[Path, dict[str, Any]] | None:
        """The newest checkpoint that can be read, with a warning for each that cannot; None where there is no file.

        Raises: DamagedFile where there are files and none can be read.
        """
        bad: list[str] = []
        for path in self.files():
            try:
                state = read(path)
            except (DamagedFile, OSError, ValueError) as error:
                bad.append(str(error))
                continue
            for reason in bad:
                warnings.warn(f"{reason}; going on from {path.name}, the one before", RuntimeWarning, stacklevel=3)
            return path, state
        if bad:
            raise DamagedFile(f"resume: no checkpoint in {os.fspath(self.folder)!r} can be read: " + "; ".join(bad))
        return None


def read(path: str | os.PathLike) -> dict[str, Any]:
    """What a checkpoint file holds.

    Raises: DamagedFile for a file that is cut short or changed; ValueError for one of something else, or of a newer fastnet.
    """
    state = fn.load(path)
    if not isinstance(state, dict) or "fastnet_checkpoint" not in state:
        raise ValueError(f"{os.fspath(path)!r} is no checkpoint of a Trainer")
    if state["fastnet_checkpoint"] != 1:
        raise ValueError(f"{os.fspath(path)!r} was written by fastnet {state.get('version')} in format {state['fastnet_checkpoint']}, "
                         "this one reads format 1")
    return state


def write(path: Path, tree: Any, consolation: str) -> None:
    """`fastnet.save` with an error that says what is left."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(os.fspath(path.parent.parent))
        fn.save(tree, path)
    except OSError as error:
        room = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            try:
                room = f" ({shutil.disk_usage(path.parent).free / 1e6:.1f} MB are free)"
            except OSError:
                pass
        raise type(error)(error.errno, f"{error.strerror or error}{room} while writing a checkpoint; {consolation}", str(path)) from error
