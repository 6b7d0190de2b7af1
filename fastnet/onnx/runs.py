"""Runs of a model on variations of its example, and what they have in common."""
from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from fastnet import nn
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.onnx.ops import CREATORS, EXPORTERS
from fastnet.onnx.sizes import Differs, candidates, resized, together
from fastnet.onnx.trace import Trace, listening, tensors


def _replaced(value: Any, with_: Any) -> Any:
    """Nested arguments with other tensors in them, taken from an iterator."""
    if isinstance(value, Tensor):
        return next(with_)
    if isinstance(value, (tuple, list)):
        made = [_replaced(x, with_) for x in value]
        return value._make(made) if hasattr(value, "_make") else type(value)(made)
    return {key: _replaced(x, with_) for key, x in value.items()} if isinstance(value, dict) else value


class Runs:
    """Runs of the model on variations of the example."""

    def __init__(self, model: nn.Module, given: tuple[tuple, dict], examples: list[Tensor], axes: dict[str, list[tuple[int, int]]]) -> None:
        self.model, self.given, self.axes = model, given, axes
        self.arrays = [np.array(x.detach().numpy()) for x in examples]
        self.modules = {id(module): name for name, module in model.named_modules()}
        self.structure: Any = None

    def inputs(self, sizes: dict[str, int], turn: int) -> list[Tensor]:
        wanted: list[dict[int, int]] = [{} for _ in self.arrays]
        for label, size in sizes.items():
            for k, axis in self.axes[label]:
                wanted[k][axis] = size
        return [from_numpy(resized(a, w, turn)) for a, w in zip(self.arrays, wanted)]

    def plain(self, sizes: dict[str, int], turn: int) -> None:
        args, kwargs = _replaced(self.given, iter(self.inputs(sizes, turn)))
        self.model(*args, **kwargs)

    def taken(self, label: str, n: int) -> Iterator[int]:
        """Other sizes of a dynamic axis with which the model runs.

        Raises: RuntimeError where there is none.
        """
        found, reason = False, "it has no other size"
        for size in candidates(n):
            try:
                self.plain({label: size}, 0)
            except Exception as error:                    # the model does not take this size
                reason = str(error)
                continue
            found = True
            yield size
        if not found:
            raise RuntimeError(f"onnx.export: the model takes no other size for the dynamic axis {label!r}: {reason}")

    def traced(self, sizes: dict[str, int], turn: int) -> tuple[Trace, list[int]]:
        trace = Trace(self.modules, frozenset(EXPORTERS), CREATORS)
        inputs = self.inputs(sizes, turn)
        args, kwargs = _replaced(self.given, iter(inputs))
        for x in inputs:
            trace.add(x)
        with listening(trace):
            result = self.model(*args, **kwargs)
        self.structure = result if self.structure is None else self.structure
        outs = [trace.number(x) for x in tensors(result)]
        if not outs:
            raise TypeError(f"onnx.export: the model must return tensors, got {type(result).__name__}")
        trace.forget()
        return trace, outs


def traces_of(model: nn.Module, given: Any, examples: list[Tensor],
              axes: dict[str, list[tuple[int, int]]]) -> tuple[list[Trace], list[int], Any]:
    """Traces of the example, of other values, and of other sizes for each dynamic axis."""
    runs = Runs(model, given, examples, axes)
    runs.plain({}, 0)
    sizes: dict[str, Iterator[int]] = {}
    for label, where in axes.items():                     # before the traces: what a model keeps for the longest input is there then
        taken = runs.taken(label, examples[where[0][0]].shape[where[0][1]])
        first = list(islice(taken, 2))
        sizes[label] = chain(first, taken)
    base, results = runs.traced({}, 0)
    for where_ in dict.fromkeys(base.taken):
        warnings.warn(f"onnx.export: a value of a tensor becomes one of Python{where_}; in the graph it is a constant, and the way of the "
                      "program that follows from it is fixed", UserWarning, stacklevel=4)
    traces = [base]

    def more(label: dict[str, int], turn: int) -> bool:
        trace, outs = runs.traced(label, turn)
        together([base, trace])
        if outs != results:
            raise Differs("the result")
        traces.append(trace)
        return True

    turn = 1
    if base.taken:                                        # other values may well go another way
        other, outs = runs.traced({}, turn)
        base.other = other if outs == results and [e.name for e in other.events] == [e.name for e in base.events] else None
    else:
        _attempt(more, {}, turn, "other values of the inputs")
    last: dict[str, int] = {}
    for label, found in sizes.items():
        count, parted = 0, ""
        for size in found:
            try:
                turn += 1
                count += more({label: size}, turn)
                last[label] = size
            except Differs as error:
                parted = str(error)
            if count == 2:
                break
        if not count:
            raise RuntimeError(f"onnx.export: with other sizes of {label!r} the model calls other ops, from {parted} on; a graph has one "
                               "way for all sizes")
    if len(sizes) > 1:
        _attempt(more, last, turn + 1, "other sizes of all dynamic axes")
    return traces, results, runs.structure


def _attempt(more: Any, sizes: dict[str, int], turn: int, what: str) -> None:
    try:
        more(sizes, turn)
    except Differs as error:
        raise RuntimeError(f"onnx.export: with {what} the model calls other ops, from {error} on; a graph has one way for all") from None
