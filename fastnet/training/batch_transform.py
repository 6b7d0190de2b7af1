"""BatchTransform: a callback that changes training batches, such as MixUp and CutMix."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastnet.training.callback import Callback

if TYPE_CHECKING:
    from fastnet.training.trainer import Trainer


class BatchTransform(Callback):
    """Puts each training batch through a function before it goes through the model; validation batches stay as they are.

    It runs where the loop runs, not in a loader's workers, so that a resumed training draws the same random numbers.

    Args:
        transform: batch to batch: `fastnet.transforms.MixUp`, `CutMix`, or a function.

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(2, 1)
    >>> double = fn.training.BatchTransform(lambda batch: (2 * batch[0], batch[1]))
    >>> trainer = fn.Trainer(model, fn.nn.MSELoss(), fn.optim.SGD(model.parameters(), lr=0.1), callbacks=[double], progress=False)
    >>> _ = trainer.fit([(fn.ones(4, 2), fn.zeros(4, 1))], epochs=1)
    """

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        if not callable(transform):
            raise TypeError(f"BatchTransform: transform must be callable, got {type(transform).__name__}")
        self.transform = transform

    def on_batch_start(self, trainer: Trainer) -> None:
        """Replace the batch."""
        trainer.batch = self.transform(trainer.batch)
