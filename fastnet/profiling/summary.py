"""summary: what a model is made of: shapes, parameters, FLOPs and memory of each layer, from one forward on real memory."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fastnet as fn
from fastnet._core.launch import _record_launches  # type: ignore[attr-defined]
from fastnet._core.memory import memory_stats, reset_peak_memory_stats
from fastnet._core.tensor import Tensor
from fastnet.profiling import text
from fastnet.profiling.inputs import made
from fastnet.profiling.products import PEEK
from fastnet.profiling.restore import kept
from fastnet.profiling.rows import Row, own_products, rows_of
from fastnet.profiling.watch import Watch, tensors

COLUMNS = {"input": "input", "output": "output", "parameters": "parameters", "trainable": "trainable", "macs": "MACs", "flops": "FLOPs",
           "saved": "saved", "note": ""}


class Summary:
    """What `summary` returns: rows to iterate over, totals as attributes, a table as text.

    Attributes:
        rows: all rows, parents before children.
        parameters, trainable: numbers of elements.
        macs, flops: of one forward.
        parameter_bytes, buffer_bytes, input_bytes: memory of parameters, buffers and the input.
        saved_bytes: what a forward leaves for backward, the output included.
        training_bytes: estimate of the peak of a training step: parameters, gradients, the optimizer's state, buffers, input, what is saved
            and the largest gradients on the way.
    """

    def __init__(self, rows: list[Row], depth: int, columns: Sequence[str], **totals: Any) -> None:
        self.rows, self.depth, self.columns = rows, depth, tuple(columns)
        self.parameters: int = rows[0].parameters
        self.trainable: int = rows[0].trainable
        self.macs: int = rows[0].macs
        self.flops: int = rows[0].flops
        self.parameter_bytes: int = totals["parameter_bytes"]
        self.buffer_bytes: int = totals["buffer_bytes"]
        self.input_bytes: int = totals["input_bytes"]
        self.saved_bytes: int = totals["saved_bytes"]
        self.training_bytes: int = totals["training_bytes"]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | str) -> Row:
        """A row by position or by the dotted name of its module."""
        if isinstance(key, str):
            for row in self.rows:
                if row.name == key:
                    return row
            raise KeyError(f"summary: no module is called {key!r}")
        return self.rows[key]

    def __str__(self) -> str:
        shown = [r for r in self.rows if r.depth <= self.depth]
        cells = [[_label(r), *(_cell(r, c) for c in self.columns)] for r in shown]
        lines = text.table(["layer", *(COLUMNS[c] for c in self.columns)], cells, last=self.columns[-1:] == ("note",))
        return "\n".join([
            lines, "",
            f"parameters       {self.parameters:,} ({text.size(self.parameter_bytes)}), trainable {self.trainable:,}",
            f"forward          {text.amount(self.macs, 'MACs')}, {text.amount(self.flops, 'FLOPs')} (a multiply-add is 2)",
            f"saved by forward {text.size(self.saved_bytes)} for input of {text.size(self.input_bytes)}",
            f"training step    about {text.size(self.training_bytes)} at its peak"])

    __repr__ = __str__


def _label(row: Row) -> str:
    own = row.name.rpartition(".")[2]
    return "  " * row.depth + (f"{own}: " if own else "") + row.type


def _cell(row: Row, column: str) -> str:
    value = getattr(row, column)
    if column in ("input", "output"):
        return "-" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if column == "saved":
        return text.size(value)
    if column in ("macs", "flops"):
        return text.amount(value).replace(" ", "")
    return f"{value:,}" if column in ("parameters", "trainable") else str(value)


def summary(model: Any, input: Any, *, dtypes: Any = None, depth: int = 3, mode: str | None = "train", optimizer: Any = 2,
            columns: Sequence[str] = ("input", "output", "parameters", "macs", "saved", "note")) -> Summary:
    """Run one forward and tell shapes, parameters, FLOPs and memory of every layer; the model and the random numbers stay as they were.

    Args:
        model: a module.
        input: a shape with the batch, a tensor, a tuple or list of either (one for each argument of forward), or a dict of arguments.
        dtypes: of inputs given as shapes, one or a list; default: the dtype of the parameters.  Integers become zeros.
        depth: how deep the printed table goes; the rows have all.
        mode: "train" or "eval" while it runs; None: as each module stands.
        optimizer: for the estimate of a training step: an optimizer, whose state is counted, or numbers of states for each parameter
            (0: plain SGD, 1: momentum, 2: Adam).
        columns: what the table shows, of "input", "output", "parameters", "trainable", "macs", "flops", "saved", "note".

    Returns:
        A `Summary`.

    Raises:
        TypeError, ValueError: an argument is not as above.
        RuntimeError: the model refuses the input.

    >>> import fastnet as fn
    >>> found = fn.summary(fn.nn.Sequential(fn.nn.Linear(8, 4), fn.nn.ReLU()), (2, 8))
    >>> found.parameters, found["0"].output, found.macs
    (36, (2, 4), 64)
    """
    if not isinstance(model, fn.nn.Module):
        raise TypeError(f"summary: model must be a Module, got {type(model).__name__}")
    unknown = [c for c in columns if c not in COLUMNS]
    if unknown:
        raise ValueError(f"summary: columns must be of {', '.join(COLUMNS)}; got {', '.join(map(str, unknown))}")
    params = list(model.parameters())
    dtype = next((p.dtype for p in params if p.dtype.is_floating_point), fn.get_default_dtype())
    args, kwargs = made("summary", input, dtypes, dtype)
    launches: list[tuple] = []
    with kept(model, mode=mode), fn.enable_grad(), Watch() as watch:
        before = _record_launches(launches, PEEK)
        live = memory_stats()["live_bytes"]
        reset_peak_memory_stats()
        try:
            try:
                output = model(*args, **kwargs)
            except ValueError as error:
                if mode != "train":
                    raise
                raise ValueError(f"summary: in training mode, {error}; mode='eval' may do") from error
            except TypeError as error:
                if dtypes is not None or "integer" not in str(error):
                    raise
                raise TypeError(f"summary: {error}; dtypes=fastnet.int64 makes integers of the shape") from error
            saved, peak = memory_stats()["live_bytes"] - live, memory_stats()["peak_bytes"] - live
        finally:
            _record_launches(before)
        del output
    rows = rows_of(model, watch, own_products(watch, launches))
    parameter_bytes, buffer_bytes = _bytes(params), _bytes(model.buffers())
    trainable = _bytes(p for p in params if p.requires_grad)
    input_bytes = _bytes(tensors(args) + tensors(kwargs))
    largest = max((s.output_bytes for s in watch.spans), default=0)
    steady = parameter_bytes + buffer_bytes + input_bytes + trainable + _state_bytes(optimizer, trainable)
    return Summary(rows, depth, columns, parameter_bytes=parameter_bytes, buffer_bytes=buffer_bytes, input_bytes=input_bytes,
                   saved_bytes=saved, training_bytes=steady + max(peak, saved + 2 * largest))


def _bytes(values: Any) -> int:
    return sum(v.numel() * v.element_size() for v in values)


def _state_bytes(optimizer: Any, trainable: int) -> int:
    if isinstance(optimizer, int) and not isinstance(optimizer, bool) and optimizer >= 0:
        return optimizer * trainable
    if not isinstance(optimizer, fn.optim.Optimizer):
        raise TypeError(f"summary: optimizer must be an optimizer or a number of states of at least 0, got {optimizer!r}")
    found = _bytes(v for state in optimizer.state.values() for v in state.values() if isinstance(v, Tensor))
    guess = {"SGD": int(any(g.get("momentum") for g in optimizer.param_groups)), "Lion": 1, "Adagrad": 1, "RMSprop": 1}
    return found or guess.get(type(optimizer).__name__, 2) * trainable
