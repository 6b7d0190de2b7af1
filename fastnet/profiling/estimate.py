"""estimate: how long an epoch will take and how much memory, from a few measured steps, with the error that their spread gives."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import mean, stdev
from time import perf_counter
from typing import Any

import fastnet as fn
from fastnet._core.memory import memory_stats, reset_peak_memory_stats
from fastnet._core.tensor import Tensor
from fastnet.profiling import text
from fastnet.profiling.inputs import made
from fastnet.profiling.profile import training_step
from fastnet.profiling.restore import kept
from fastnet.profiling.watch import tensors

LEAST = 0.05                                             # the relative error that is stated at least: clocks and other processes drift


def blocks(times: list[float], n: int = 10) -> list[float]:
    """The means of n runs of consecutive steps: their spread has in it what drifts, and not what evens out within an epoch."""
    n = min(n, len(times))
    return [mean(times[len(times) * k // n:len(times) * (k + 1) // n]) for k in range(n)]


class Estimate:
    """What `estimate` returns; seconds are predictions, each with an interval.

    Attributes:
        step: seconds of one step, waiting for data included; `step_low`, `step_high` its interval.
        loading: seconds of a step that go into waiting for data; None: no loader was given.
        steps_per_epoch: number of steps; a smaller last batch counts as a part of one.  None: no data were given.
        epoch, epoch_low, epoch_high: seconds of one epoch; None without data.
        total, total_low, total_high: of all epochs.
        epochs: how many.
        error: half the width of the interval over the mean: twice the standard deviation of the means of ten blocks of measured steps,
            and at least 5 %.  A machine that gets busier later is not foreseen.
        measured: how many steps were measured.
        peak_bytes: the most memory in use at any moment of a step, with all else that was in use.
    """

    def __init__(self, times: list[float], waits: list[float] | None, steps_per_epoch: float | None, epochs: int, peak_bytes: int) -> None:
        self.measured, self.epochs, self.peak_bytes, self.steps_per_epoch = len(times), epochs, peak_bytes, steps_per_epoch
        self.step = mean(times)
        self.error = max(LEAST, 2 * stdev(blocks(times)) / self.step)
        self.loading = None if waits is None else mean(waits)
        # no epoch is faster than the fastest step seen
        self.step_low, self.step_high = max(min(times), self.step * (1 - self.error)), self.step * (1 + self.error)
        steps = (self.step, self.step_low, self.step_high)
        self.epoch, self.epoch_low, self.epoch_high = (None if steps_per_epoch is None else steps_per_epoch * t for t in steps)
        each = (self.epoch, self.epoch_low, self.epoch_high)
        self.total, self.total_low, self.total_high = (None if t is None else epochs * t for t in each)

    def __str__(self) -> str:
        wait = "" if self.loading is None else f", {text.seconds(self.loading)} of it waiting for data"
        lines = [f"step    {text.seconds(self.step)} ({text.seconds(self.step_low)} to {text.seconds(self.step_high)}){wait}"]
        n = self.steps_per_epoch
        if n is not None:
            times = [n * t for t in (self.step, self.step_low, self.step_high)]
            lines.append("epoch   {} ({} to {})".format(*map(text.duration, times)) + f", {n:.4g} steps")
            if self.epochs > 1:
                lines.append("total   {} ({} to {})".format(*(text.duration(self.epochs * t) for t in times)) + f", {self.epochs} epochs")
        lines.append(f"memory  {text.size(self.peak_bytes)} at most")
        lines.append(f"error   {100 * self.error:.0f} %, from the spread of {self.measured} measured steps; at least {100 * LEAST:.0f} %")
        return "\n".join(lines)

    __repr__ = __str__


def _loss(output: Any, target: Any = None) -> Tensor:
    """What stands in for a loss that was not given: the mean of the first tensor of the outputs."""
    return tensors(output)[0].mean()


def _batches(data: Any) -> Iterator[Any]:
    while True:
        empty = True
        for batch in data:
            empty = False
            yield batch
        if empty:
            raise ValueError("estimate: the loader has no batch")


def _per_epoch(data: Any, batch: tuple, batch_size: int | None) -> float | None:
    if data is None:
        return None
    if batch_size is None:
        batch_size = getattr(data, "batch_size", None) or (batch[0].shape[0] if isinstance(batch[0], Tensor) and batch[0].ndim else 1)
    if isinstance(data, int):
        return data / batch_size
    if getattr(data, "drop_last", False) or not hasattr(data, "dataset") or not hasattr(data.dataset, "__len__"):
        return float(len(data))
    return min(float(len(data)), len(data.dataset) / batch_size)


def estimate(model: Any, input: Any = None, data: Any = None, *, loss: Callable | None = None, optimizer: Any = None,
             batch_size: int | None = None, epochs: int = 1, dtypes: Any = None, seconds: float = 1.0, warmup: int = 3) -> Estimate:
    """Predict the time of an epoch and the memory of training, from training steps measured for about a second.

    Args:
        model: a module.
        input: the batch of each step: (inputs..., target) with a loss; without one a tensor, a shape or a list of them, as for `summary`.
            None: the batches of the DataLoader.
        data: the number of samples of an epoch; or a DataLoader, whose batches are then waited for before each step, so that
            loading is part of the measure; None: only the step is predicted.
        loss: loss(output, target); None: the mean of the outputs stands in.
        optimizer: stepped in each measured step; None: plain SGD stands in.
        batch_size: samples in a step; default: the loader's, or the first size of the input.
        epochs: how many, for the total.
        dtypes: of inputs given as shapes.
        seconds: for how long steps are measured; at least five are.
        warmup: steps before.

    Returns:
        An `Estimate`.  Parameters, buffers, gradients, the optimizer and the random numbers are afterwards as they were.
        Validation, checkpoints and what else a loop does are not in it.

    Raises:
        TypeError, ValueError: an argument is not as above.

    >>> import fastnet as fn
    >>> e = fn.estimate(fn.nn.Linear(8, 4), (16, 8), data=1600, epochs=3, seconds=0.01)
    >>> e.steps_per_epoch, e.total_low <= e.total <= e.total_high
    (100.0, True)
    """
    if not isinstance(model, fn.nn.Module):
        raise TypeError(f"estimate: model must be a Module, got {type(model).__name__}")
    loader = data if data is not None and not isinstance(data, int) else None
    if isinstance(data, bool) or (isinstance(data, int) and data < 1) or (loader is not None and not hasattr(loader, "__len__")):
        raise TypeError(f"estimate: data must be a number of samples, a DataLoader with a length or None, got {data!r}")
    if input is None and loader is None:
        raise TypeError("estimate: input is needed where data is no DataLoader")
    if epochs < 1 or (batch_size is not None and batch_size < 1) or warmup < 0 or not seconds > 0:
        raise ValueError("estimate: epochs and batch_size must be at least 1, warmup at least 0 and seconds positive, got "
                         f"epochs={epochs}, batch_size={batch_size}, warmup={warmup}, seconds={seconds}")
    if input is None and loss is None:
        raise TypeError("estimate: a loss is needed to train on the loader's batches, which are (inputs..., target)")
    batch = input
    if loss is None:
        if isinstance(input, Mapping):
            raise TypeError("estimate: input must be a tensor, a shape or a list of them, got a dict")
        dtype = next((p.dtype for p in model.parameters() if p.dtype.is_floating_point), fn.get_default_dtype())
        batch, loss = (*made("estimate", input, dtypes, dtype)[0], None), _loss
    live = memory_stats()["live_bytes"]
    with kept(model, optimizer, parameters=True):
        copies = memory_stats()["live_bytes"] - live
        if optimizer is None:
            optimizer = fn.optim.SGD([p for p in model.parameters() if p.requires_grad] or [fn.zeros(1)], lr=1e-6)
        times, waits, batch = _measure(model, batch, loader, loss, optimizer, seconds, warmup)
        peak = memory_stats()["peak_bytes"] - copies
    return Estimate(times, waits if loader is not None else None, _per_epoch(data, batch, batch_size), epochs, peak)


def _measure(model: Any, batch: Any, loader: Any, loss: Callable, optimizer: Any, seconds: float, warmup: int) -> tuple[list, list, Any]:
    """Seconds of each step, the wait for data included, and of that wait; the first batch."""
    times: list[float] = []
    waits: list[float] = []
    source = _batches(loader) if loader is not None else None
    first, own = batch, batch is None
    begun = -warmup
    stop = float("inf")
    while begun < 5 or perf_counter() < stop:
        if begun == 0:
            stop = perf_counter() + seconds
            reset_peak_memory_stats()
        start = perf_counter()
        if source is not None:
            fetched = next(source)
            batch = fetched if own else batch
            first = fetched if first is None else first
        ready = perf_counter()
        training_step("estimate", model, batch, loss, optimizer)(None)
        if begun >= 0:
            times.append(perf_counter() - start)
            waits.append(ready - start)
        begun += 1
    return times, waits, first
