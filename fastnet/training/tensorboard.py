"""TensorBoard: a callback that writes event files, with tensorboardX."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fastnet.training.callback import Callback

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class TensorBoard(Callback):
    """Writes records, and the loss and the learning rate of steps, as scalars that TensorBoard shows.

    Args:
        folder: for the event files.
        every: steps between two values of the loss.

    Raises: ImportError without tensorboardX, which `pip install 'fastnet[tensorboard]'` brings.
    """

    def __init__(self, folder: str | os.PathLike, every: int = 10) -> None:
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"TensorBoard: every must be a positive integer, got {every!r}")
        try:
            import tensorboardX  # type: ignore[import-not-found]  # noqa: F401
        except ImportError:
            raise ImportError("TensorBoard needs tensorboardX: pip install 'fastnet[tensorboard]'") from None
        self.folder, self.every = os.fspath(folder), every
        self.writer: Any = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """Open a file; a resumed training hides the values after its checkpoint."""
        from tensorboardX import SummaryWriter
        self.writer = SummaryWriter(self.folder, purge_step=trainer.step + 1 if trainer.resumed else None)

    def on_step_end(self, trainer: Trainer) -> None:
        """Loss and rate."""
        if trainer.step % self.every == 0:
            self.writer.add_scalar("loss", trainer.loss_value, trainer.step)
            self.writer.add_scalar("lr", float(trainer.optimizer.param_groups[0]["lr"]), trainer.step)

    def on_record(self, trainer: Trainer) -> None:
        """All numbers of the record."""
        for name, value in trainer.record.items():
            if isinstance(value, (int, float)) and name not in ("epoch", "step", "lr", "seconds"):
                self.writer.add_scalar(name, value, trainer.step)
        self.writer.flush()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the file."""
        self.writer.close()

    def on_exception(self, trainer: Trainer) -> None:
        """Close the file."""
        if self.writer is not None:
            self.writer.close()
