"""Progress of a training run: one line that is redrawn in a terminal, one line an epoch elsewhere."""
from __future__ import annotations

import os
import sys
from time import monotonic

from fastnet.training.progress import BAR, duration, is_terminal

REDRAW = 0.05                                             # seconds between two drawings, so that drawing costs nothing


class Progress:
    """Shows how far the training is.  In a pipe or a file, or where TERM is dumb, nothing is redrawn."""

    def __init__(self, epochs: int, steps: int, stream=None):
        self.stream = stream or sys.stdout
        self.live = is_terminal(self.stream)
        self.epochs, self.steps = epochs, steps
        self.last, self.start = 0.0, monotonic()
        self.tail = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error) -> None:
        if self.live and self.last:
            print(file=self.stream, flush=True)

    def step(self, epoch: int, step: int, loss: float) -> None:
        """After each step; draws at most every REDRAW seconds."""
        if self.live and monotonic() - self.last > REDRAW:
            part = (epoch - 1 + step / self.steps) / self.epochs
            self.draw(epoch, part, f"loss {loss:.4f}{self.tail}  {duration((monotonic() - self.start) * (1 / part - 1))} left")

    def epoch(self, e: dict[str, float]) -> None:
        """After each epoch."""
        text = f"loss {e['train_loss']:.4f}  test loss {e['test_loss']:.4f}  test accuracy {e['test_accuracy']:.2%}"
        self.tail = f"  test accuracy {e['test_accuracy']:.2%}"
        if self.live:
            self.draw(int(e["epoch"]), e["epoch"] / self.epochs, text)
        else:
            print(f"epoch {e['epoch']:{len(str(self.epochs))}}/{self.epochs}  {text}", file=self.stream, flush=True)

    def draw(self, epoch: int, part: float, text: str) -> None:
        self.show(f"epoch {epoch}/{self.epochs} [{'#' * round(BAR * part):{BAR}}] {text}")

    def show(self, line: str) -> None:
        """Redraw the line."""
        self.last = monotonic()
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            width = 80
        print(f"\r{line[:width - 1]}\033[K", end="", file=self.stream, flush=True)
