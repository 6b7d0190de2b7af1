"""What a case of the benchmark is: one piece of work, its cost, how each library does it, and what is right."""
from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass
class Run:
    """How one library does a case: a statement to time, its names, and how to read its result as NumPy arrays.

    A statement, not a function: timed in a loop of its own, so that a call that takes 40 ns is not charged for a lambda.
    """
    statement: str
    names: dict[str, Any]
    read: Callable[[], list[np.ndarray]]
    finish: Callable[[], Any] = lambda: None              # waits for work that is still on its way (JAX)


@dataclass(frozen=True)
class Target:
    """A bound that fastnet must keep.

    kind: ``peak`` (at least this part of the FMA peak), ``bandwidth`` (of the memory bandwidth), ``time`` (at most this many
    microseconds), ``ratio`` (fastnet's time over the peer's, at most), ``faults`` (page faults a step, at most), ``memory``
    (peak memory over the peer's, at most), ``scaling`` (time on one thread over time on all, at least). A peer of two names,
    ``torch/torch-cl``, is the better of the two.
    """
    kind: str
    bound: float
    peer: str = ""
    threads: str = "any"                                  # "one", "all" or "any"

    def text(self) -> str:
        """The target in words.

        >>> Target("ratio", 0.4, "torch").text()
        'time <= 0.4 of torch'
        """
        peer = f"the better of {self.peer.replace('/', ', ')}" if "/" in self.peer else self.peer
        return {"peak": f">= {self.bound:.0%} of FMA peak", "bandwidth": f">= {self.bound:.0%} of bandwidth",
                "time": f"<= {self.bound:g} us", "ratio": f"time <= {self.bound:.3g} of {peer}",
                "faults": f"<= {self.bound:g} page faults", "memory": f"memory <= {self.bound:g} of {peer}",
                "scaling": f">= {self.bound:g}x on all threads"}[self.kind]


@dataclass
class Case:
    """One piece of work.  A subclass gives `inputs`, `reference` and a method for each library that can do it.

    Methods named after a library (`fastnet`, `torch`, `jax`, `numpy`) take the inputs and return a `Run`; by default fastnet
    and PyTorch share the method `torchlike`, which takes the library as a module: they have the same API.
    """
    name: str
    group: str
    flop: float = 0                                       # arithmetic of one step
    bytes: float = 0                                      # memory that one step cannot avoid moving
    pattern: str = "copy"                                 # which bandwidth it is held against: read, copy, triad, update
    dtype: str = "float32"
    targets: tuple[Target, ...] = ()
    threads: tuple[str, ...] = ("one", "all")
    isas: tuple[str, ...] = ()                            # run fastnet also on these instruction sets
    checks: int = 1                                       # steps before the result is read
    tolerance: float = 1e-5                               # largest error, relative to the largest value of the reference
    images: bool = False                                  # PyTorch runs it in both memory formats
    channels_last: bool = False                           # whether this process does
    quick: bool = False                                   # part of --quick
    fresh: bool = False                                   # in processes of its own, so that peak memory is its own
    peers: tuple[str, ...] = ("numpy", "torch", "jax", "fastnet")
    extra: dict[str, Any] = field(default_factory=dict)

    def inputs(self) -> Arrays:
        """The same arrays for every library, from NumPy."""
        raise TypeError(f"{type(self).__name__} defines no inputs")

    def reference(self, x: Arrays) -> list[np.ndarray]:
        """What is right after `checks` steps, in float64."""
        raise TypeError(f"{type(self).__name__} defines no reference")

    def torchlike(self, lib: Any, x: Arrays, tuned: bool) -> Run:
        raise TypeError(f"{type(self).__name__} does not run on {lib.__name__}")

    def fastnet(self, x: Arrays, tuned: bool) -> Run:
        return self.torchlike(importlib.import_module("fastnet"), x, False)

    def torch(self, x: Arrays, tuned: bool) -> Run:
        return self.torchlike(importlib.import_module("torch"), x, tuned)


def trained(step: Callable[[], Any]) -> Run:
    """A training step that returns its loss; what is checked are the losses of its first steps."""
    losses: list[float] = []

    def checked():
        losses.append(step().item())
    return Run("step()", {"step": step, "checked": checked}, lambda: [np.asarray(losses)])


def error(got: list[np.ndarray], want: list[np.ndarray]) -> float:
    """The largest difference, relative to the largest value of each array; infinite where shapes differ or NaN appears."""
    worst = 0.0
    for g, w in zip(got, want, strict=True):
        g, w = np.asarray(g, np.float64), np.asarray(w, np.float64)
        if g.shape != w.shape:
            return float("inf")
        e = np.abs(g - w).max() / max(np.abs(w).max(), 1e-30) if w.size else 0.0
        worst = max(worst, float(e) if np.isfinite(e) else float("inf"))
    return worst
