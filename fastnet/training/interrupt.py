"""Ctrl-C and SIGTERM during a fit: the first lets the present step end, the second stops at once."""
from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class OnInterrupt:
    """Inside the block SIGINT sets `trainer.stop` and `trainer.interrupted`; a second one raises KeyboardInterrupt.

    Where the trainer writes checkpoints, SIGTERM, with which schedulers of clusters and `kill` end a process, does so too; the process
    ends by it when the block, and with it the last checkpoint, is done, and at once by a second one.

    Only in the main thread, and only for signals that nobody else handles; otherwise nothing is changed.
    """

    def __init__(self, trainer: Trainer, tell: bool) -> None:
        self.trainer, self.tell, self.ended = trainer, tell, False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> OnInterrupt:
        if threading.current_thread() is threading.main_thread():
            usual = {signal.SIGINT: signal.default_int_handler}
            if self.trainer.checkpoints is not None:
                usual[signal.SIGTERM] = signal.SIG_DFL  # type: ignore[assignment]
            for number, handler in usual.items():
                if signal.getsignal(number) is handler:
                    self.before[number] = signal.signal(number, self.handle)
        return self

    def __exit__(self, *error: Any) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if self.ended:
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGTERM)

    def handle(self, number: int, frame: Any) -> None:
        """The handler."""
        second = self.trainer.interrupted
        self.trainer.stop = self.trainer.interrupted = True
        if number == signal.SIGTERM:
            self.ended = True
            if second:
                signal.signal(number, self.before[number])
                os.kill(os.getpid(), number)
        elif second:
            signal.default_int_handler(number, frame)
        if self.tell:
            how = "Ctrl-C again" if number == signal.SIGINT else "another SIGTERM"
            print(f"\nstopping after this step; {how} stops at once", file=sys.stderr, flush=True)
