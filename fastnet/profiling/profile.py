"""profile: where the time of a training step goes: by layer and pass, by kernel, against the peak of the machine."""
from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.profiling.recorder import Profile
from fastnet.profiling.restore import kept
from fastnet.profiling.watch import Watch


def training_step(op: str, model: Any, batch: Any, loss: Any, optimizer: Any) -> Callable[[Watch | None], None]:
    """One step as a function: forward, loss and backward where there is a loss, the optimizer's step where there is one."""
    if not isinstance(model, fn.nn.Module):
        raise TypeError(f"{op}: model must be a Module, got {type(model).__name__}")
    if isinstance(batch, Tensor):
        batch = (batch,)
    if not isinstance(batch, (tuple, list)) or not batch:
        raise TypeError(f"{op}: batch must be a tensor or (inputs..., target), got {type(batch).__name__}")
    if loss is None and optimizer is not None:
        raise ValueError(f"{op}: an optimizer needs a loss")
    if loss is not None and (not callable(loss) or len(batch) < 2):
        raise TypeError(f"{op}: loss must be loss(output, target), and batch (inputs..., target)")
    inputs = tuple(batch) if loss is None else tuple(batch[:-1])

    def step(watch: Watch | None = None) -> None:
        if optimizer is not None:
            optimizer.zero_grad()
        elif loss is not None:
            model.zero_grad()
        output = model(*inputs)
        if loss is None:
            return
        if watch is None:
            value = loss(output, batch[-1])
        else:
            with watch.phase("loss"):
                value = loss(output, batch[-1])
        value.backward()
        if optimizer is not None:
            optimizer.step()
    return step


def _timed(step: Callable, n: int) -> list[float]:
    times = []
    for _ in range(n):
        start = perf_counter()
        step(None)
        times.append(perf_counter() - start)
    return times


def profile(model: Any = None, batch: Any = None, *, loss: Callable | None = None, optimizer: Any = None, steps: int = 5,
            warmup: int = 2) -> Profile:
    """Measure training steps layer by layer; without a batch, a context manager that watches what runs inside.

    Args:
        model: a module; as a context manager optional, for the names of layers.
        batch: (inputs..., target), or inputs alone where there is no loss.
        loss: loss(output, target); None: only forward runs.
        optimizer: stepped after backward; None: no step.
        steps: how many steps are watched; as many run unwatched, half before and half after, to tell what watching costs.
        warmup: steps before.

    Returns:
        A `Profile`.  Parameters, buffers, gradients, the optimizer and the random numbers are afterwards as they were; a `with` block
        changes what its own code changes.

    Raises:
        TypeError, ValueError: an argument is not as above.

    >>> import fastnet as fn
    >>> net = fn.nn.Sequential(fn.nn.Linear(8, 4), fn.nn.ReLU(), fn.nn.Linear(4, 2))
    >>> p = fn.profile(net, (fn.rand(16, 8), fn.zeros(16, 2)), loss=fn.nn.functional.mse_loss, steps=2)
    >>> p["0"].type, p["2"].calls, p["2"].backward > 0
    ('Linear', 1.0, True)
    >>> with fn.profile(net) as p:
    ...     y = net(fn.rand(3, 8))
    >>> sorted(k.kernel for k in p.kernels)
    ['gemm', 'random_uniform']
    """
    if batch is None:
        if model is not None and not isinstance(model, fn.nn.Module):
            raise TypeError(f"profile: model must be a Module, got {type(model).__name__}")
        if loss is not None or optimizer is not None:
            raise ValueError("profile: loss and optimizer need a batch; a with block runs its own")
        return Profile(model)
    if steps < 1 or warmup < 0:
        raise ValueError(f"profile: steps must be at least 1 and warmup at least 0, got {steps} and {warmup}")
    step = training_step("profile", model, batch, loss, optimizer)
    p = Profile(model)
    plain: list[float] = []
    with kept(model, optimizer, parameters=True):
        for _ in range(warmup):
            step(None)
        plain += _timed(step, (steps + 1) // 2)
        with p:
            for i in range(steps):
                if i:
                    p.next_step()
                step(p.watch)
        plain += _timed(step, (steps + 1) // 2)
    p.plain = median(plain)
    return p
