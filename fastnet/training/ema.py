"""EMA: an exponential moving average of a model's weights."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fastnet as fn


class EMA:
    """An exponential moving average of a model's parameters and buffers: average = d average + (1 - d) weights after each step.

    Args:
        model: a Module; the average begins as a copy of its weights.
        decay: d, in [0, 1).
        warmup: start with a smaller d: ``min(decay, (1 + n) / (10 + n))`` in update n, counted from 1, so that the first weights,
            which are random, are soon forgotten.
        buffers: "average" floating point buffers (the statistics of batch norm) as well, or "copy" their latest values. Integers
            are copied.

    `Trainer(ema=...)` updates it after each step, validates with it and saves it.

    >>> import fastnet as fn
    >>> model = fn.nn.Linear(1, 1, bias=False)
    >>> _ = model.weight.data.fill_(0.0)
    >>> ema = fn.training.EMA(model, decay=0.75, warmup=False)
    >>> _ = model.weight.data.fill_(4.0)
    >>> ema.update()
    >>> ema.model_state_dict()["weight"].item()
    1.0
    """

    def __init__(self, model: Any, decay: float = 0.999, warmup: bool = True, buffers: str = "average") -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"EMA: decay must be in [0, 1), got {decay!r}")
        if buffers not in ("average", "copy"):
            raise ValueError(f"EMA: buffers must be 'average' or 'copy', got {buffers!r}")
        self.model, self.decay, self.warmup, self.buffers, self.updates = model, float(decay), bool(warmup), buffers, 0
        parameters = {id(param) for param in model.parameters()}
        first: dict[int, str] = {}                        # tied tensors have one average, under their first name
        self._name: dict[str, str] = {}
        self.average: dict[str, Any] = {}
        self._averaged: list[tuple[Any, Any]] = []        # average, tensor
        self._copied: list[tuple[Any, Any]] = []
        for name, tensor in model.state_dict(keep_vars=True).items():
            if not isinstance(tensor, fn.Tensor):
                continue
            self._name[name] = first.setdefault(id(tensor), name)
            if self._name[name] == name:
                average = self.average[name] = tensor.detach().clone()
                averaged = tensor.is_floating_point() and (id(tensor) in parameters or buffers == "average")
                (self._averaged if averaged else self._copied).append((average, tensor))

    def update(self) -> None:
        """Take in the present weights."""
        self.updates += 1
        n = self.updates
        weight = 1.0 - (min(self.decay, (1 + n) / (10 + n)) if self.warmup else self.decay)
        with fn.no_grad():
            for average, tensor in self._averaged:
                average.lerp_(tensor, weight)
            for average, tensor in self._copied:
                average.copy_(tensor)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside the block, and its own again afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        with fn.no_grad():
            for average, tensor in (*self._averaged, *self._copied):
                kept = tensor.clone()
                tensor.copy_(average)
                average.copy_(kept)

    def model_state_dict(self) -> dict[str, Any]:
        """The model's `state_dict` with the averaged weights."""
        state = self.model.state_dict()
        return type(state)((name, self.average[self._name[name]] if name in self._name else value) for name, value in state.items())

    def state_dict(self) -> dict[str, Any]:
        """The averages and the number of updates."""
        return {"average": dict(self.average), "updates": self.updates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()`.

        Raises: ValueError for that of another model.
        """
        average = state_dict["average"]
        wrong = [name for name in average.keys() | self.average.keys()
                 if name not in average or name not in self.average or average[name].shape != self.average[name].shape]
        if wrong:
            raise ValueError(f"EMA.load_state_dict: {', '.join(sorted(wrong))} do not fit this model")
        with fn.no_grad():
            for name, tensor in self.average.items():
                tensor.copy_(average[name])
        self.updates = state_dict["updates"]
