"""Which module is at work: while it lasts, every call of a module is noted, fused ones too, and nothing else changes."""
from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from fastnet._core import tape
from fastnet._core.memory import memory_stats
from fastnet._core.tensor import Tensor
from fastnet.nn import containers, conv, normalization
from fastnet.nn.module import Module

Shape = tuple[int, ...]


def shapes(value: Any) -> Any:
    """The shapes of the tensors in a value: one, or a list of them where there are several."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if type(value) is tuple and len(value) == 1:
        return shapes(value[0])
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return None
    found = [s for s in map(shapes, value) if s is not None]
    return found[0] if len(found) == 1 else found or None


def tensors(value: Any) -> list[Tensor]:
    """The tensors in a value, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (tuple, list)):
        return []
    return [t for v in value for t in tensors(v)]


class Span:
    """One call of one module: when, which nodes it put on the tape, what came in and went out, and how memory changed."""

    __slots__ = ("module", "kind", "above", "start", "end", "first", "last", "inputs", "outputs", "batch_sizes", "saved", "wants",
                 "output_bytes")

    def __init__(self, module: Any, kind: str, above: Span | None) -> None:
        self.module, self.kind, self.above = module, kind, above
        self.inputs: Any = None
        self.outputs: Any = None
        self.batch_sizes: tuple[int, ...] | None = None  # of a packed sequence
        self.start = self.end = self.first = self.last = self.saved = self.output_bytes = 0
        self.wants = False                               # whether an input needs a gradient


class Watch:
    """Context manager that notes calls of modules (and phases named with `phase`) made by this thread.

    It replaces `Module.__call__` and the three ways by which `Sequential` runs a fused pair, and puts them back on every way out.
    Calls of modules leave their class's `forward`, their hooks and the fusion as they are, so what is watched is what runs otherwise.
    """

    active: Watch | None = None

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.top: Span | None = None
        self.marks: list[tuple[int, int, Span | None]] = []  # (time, newest node, the span at work from then on)
        self.thread = 0

    def __enter__(self) -> Watch:
        if Watch.active is not None:
            raise RuntimeError("profile: another profile, summary or estimate is at work; one at a time")
        Watch.active, self.thread = self, get_ident()
        self.kept = Module.__call__, normalization._BatchNorm._activated, conv._Conv._activated, containers.linear_act
        call, activated, convolved, linear_act = self.kept
        watch = self

        def watched_call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return watch.run(self, call, (self, *args), kwargs, args)

        def watched_norm(self: Any, *args: Any, **kwargs: Any) -> Any:
            if watch.top is not None and watch.top.module is self:       # from its own forward
                return activated(self, *args, **kwargs)
            return watch.run(self, activated, (self, *args), kwargs, args[:1])

        def watched_conv(self: Any, *args: Any) -> Any:
            before = len(watch.spans), len(watch.marks)
            y = watch.run(self, convolved, (self, *args), {}, args[:1])
            if y is None and get_ident() == watch.thread:        # it is called in its own right
                del watch.spans[before[0]:], watch.marks[before[1]:]
            return y

        def watched_linear(x: Any, weight: Any, bias: Any, *rest: Any) -> Any:
            row = watch.top.module if watch.top is not None and get_ident() == watch.thread else None
            for module in row._modules.values() if row is not None else ():
                if getattr(module, "weight", None) is weight:
                    return watch.run(module, linear_act, (x, weight, bias, *rest), {}, (x,))
            return linear_act(x, weight, bias, *rest)

        Module.__call__ = watched_call                   # type: ignore[method-assign]
        normalization._BatchNorm._activated = watched_norm  # type: ignore[method-assign]
        conv._Conv._activated = watched_conv             # type: ignore[method-assign, assignment]
        containers.linear_act = watched_linear           # type: ignore[assignment]
        return self

    def __exit__(self, *_: Any) -> None:
        Module.__call__, normalization._BatchNorm._activated, conv._Conv._activated, containers.linear_act = self.kept  # type: ignore[method-assign]
        Watch.active = None

    def run(self, module: Any, function: Callable, args: tuple, kwargs: dict, inputs: tuple) -> Any:
        if get_ident() != self.thread:
            return function(*args, **kwargs)
        span = self.open(module, "call")
        given = inputs if not kwargs else (*inputs, *kwargs.values())
        span.inputs = shapes(given)
        for x in given:
            if isinstance(x, Tensor):
                span.wants = span.wants or x.requires_grad
            elif type(x).__name__ == "PackedSequence":
                span.batch_sizes, span.wants = tuple(x.batch_sizes.tolist()), span.wants or x.data.requires_grad
        output = None
        span.start = perf_counter_ns()
        try:
            output = function(*args, **kwargs)
            return output
        finally:
            end = perf_counter_ns()
            span.outputs = shapes(output)
            if isinstance(output, Tensor):
                span.output_bytes = output.numel() * output.element_size()
            else:
                span.output_bytes = sum(t.numel() * t.element_size() for t in tensors(output))
            self.close(span, end)

    def open(self, module: Any, kind: str) -> Span:
        """Begin a span; what follows belongs to it until `close`."""
        span = Span(module, kind, self.top)
        self.spans.append(span)
        self.top = span
        span.first = tape._newest()                      # type: ignore[attr-defined]
        span.saved = -memory_stats()["live_bytes"]
        span.start = perf_counter_ns()
        self.marks.append((span.start, span.first, span))
        return span

    def close(self, span: Span, end: int | None = None) -> None:
        """End a span."""
        span.end = perf_counter_ns() if end is None else end
        span.last = tape._newest()                       # type: ignore[attr-defined]
        span.saved += memory_stats()["live_bytes"]
        self.top = span.above
        self.marks.append((span.end, span.last, span.above))

    def phase(self, name: str) -> Phase:
        """A `with` block whose time is noted under a name, such as "optimizer"."""
        return Phase(self, name)


class Phase:
    def __init__(self, watch: Watch, name: str) -> None:
        self.watch, self.name = watch, name

    def __enter__(self) -> Span:
        self.span = self.watch.open(self.name, "phase")
        return self.span

    def __exit__(self, *_: Any) -> None:
        self.watch.close(self.span)
