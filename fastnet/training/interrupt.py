"""Ctrl-C during a fit: the first lets the present step end, the second stops at once."""
from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class OnInterrupt:
    """Inside the block SIGINT sets `trainer.stop` and `trainer.interrupted`; a second one raises KeyboardInterrupt.

    Only in the main thread, and only where the signal has Python's own handler; otherwise nothing is changed.
    """

    def __init__(self, trainer: Trainer, tell: bool) -> None:
        self.trainer, self.tell = trainer, tell
        self.active = False

    def __enter__(self) -> OnInterrupt:
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self.handle)
            self.active = True
        return self

    def __exit__(self, *error: Any) -> None:
        if self.active:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def handle(self, number: int, frame: Any) -> None:
        """The handler."""
        if self.trainer.interrupted:
            signal.default_int_handler(number, frame)
        self.trainer.stop = self.trainer.interrupted = True
        if self.tell:
            print("\nstopping after this step; Ctrl-C again stops at once", file=sys.stderr, flush=True)
