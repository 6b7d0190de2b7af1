"""torch.profiler's names over `fastnet.profile`: what ran in a `with` block, by name, in a table or a trace file; schedules of steps."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from enum import Enum
from time import time_ns
from typing import Any

from fastnet.profiling import text
from fastnet.profiling.recorder import Profile
from fastnet.profiling.watch import Watch

__all__ = ["ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule", "tensorboard_trace_handler"]


class ProfilerActivity(Enum):
    """What is measured: the CPU; there is no GPU."""

    CPU, CUDA, XPU = range(3)


class ProfilerAction(Enum):
    """What a profile does in a step."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = range(4)


class record_function(ContextDecorator):
    """A `with` block, or a decorator, whose time a profile tells under a name; without a profile, nothing.

    Args:
        name: how it is called.
        args: any text; not shown.

    >>> from fastnet.profiler import profile, record_function
    >>> with profile() as prof:
    ...     with record_function("mine"):
    ...         pass
    >>> [event.key for event in prof.key_averages()]
    ['mine']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._phases: list[Any] = []

    def __enter__(self) -> record_function:
        from _thread import get_ident
        watch = Watch.active
        phase = watch.phase(self.name) if watch is not None and watch.thread == get_ident() else None
        self._phases.append(phase)
        if phase is not None:
            phase.__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        phase = self._phases.pop()
        if phase is not None:
            phase.__exit__()


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0) -> Callable[[int], ProfilerAction]:
    """For `profile`: which steps are recorded: after `skip_first` steps, again and again, `wait` and `warmup` are not, `active` are.

    Args:
        wait, warmup: steps that are not recorded.
        active: steps that are; after them `on_trace_ready` is called.
        repeat: how many times; 0: for ever.
        skip_first: steps before the first time.

    Raises:
        ValueError: a negative number, or no active step.

    >>> from fastnet.profiler import schedule
    >>> [schedule(wait=1, warmup=1, active=2, repeat=1)(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise ValueError(f"schedule: active must be at least 1 and the others 0, got wait {wait}, warmup {warmup}, active {active}, repeat "
                         f"{repeat}, skip_first {skip_first}")

    def action(step: int) -> ProfilerAction:
        cycle, place = divmod(step - skip_first, wait + warmup + active)
        if step < skip_first or (repeat and cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == wait + warmup + active - 1 else ProfilerAction.RECORD
    return action


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False) -> Callable[[profile], None]:
    """For `profile`'s on_trace_ready: write each trace to a file of its own, `<worker>.<nanoseconds>.pt.trace.json`.

    Args:
        dir_name: a folder, which is made.
        worker_name: how the files begin; None: "fastnet_" and the number of this process.
        use_gzip: False.

    Raises:
        ValueError: use_gzip is True.
    """
    if use_gzip:
        raise ValueError("tensorboard_trace_handler: use_gzip must be False")

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker_name or f'fastnet_{os.getpid()}'}.{time_ns()}.pt.trace.json"))
    return handler


class EventAverage:
    """All events of one name.

    Attributes:
        key: the name: of a kernel, a module's class, an op's backward or a `record_function`.
        count: how many.
        cpu_time_total: their microseconds; `self_cpu_time_total` those that no event inside them took; `cpu_time` the mean.
    """

    def __init__(self, key: str) -> None:
        self.key, self.count, self.cpu_time_total, self.self_cpu_time_total = key, 0, 0.0, 0.0

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / self.count


class EventAverages(list):
    """What `key_averages` gives: a list of `EventAverage`."""

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events."""
        return sum(e.self_cpu_time_total for e in self)

    def table(self, sort_by: str | None = None, row_limit: int = 100, header: str | None = None) -> str:
        """The list as text.

        Args:
            sort_by: "cpu_time_total", "self_cpu_time_total", "cpu_time" or "count", the largest first; None: by first appearance.
            row_limit: how many rows; -1: all.
            header: a line above.

        Raises:
            ValueError: sort_by is something else.
        """
        names = ("self_cpu_time_total", "cpu_time_total", "cpu_time", "count")
        if sort_by not in (None, *names):
            raise ValueError(f"table: sort_by must be one of {', '.join(names)} or None, got {sort_by!r}")
        events = self if sort_by is None else sorted(self, key=lambda e: -getattr(e, sort_by))
        total = self.self_cpu_time_total or 1.0
        shares = ((e, f"{100 * e.self_cpu_time_total / total:.1f}") for e in events[:row_limit if row_limit >= 0 else None])
        rows = [[e.key, share, *(text.seconds(getattr(e, n) * 1e-6) for n in names[:3]), str(e.count)] for e, share in shares]
        shown = text.table(["Name", "Self CPU %", "Self CPU", "CPU total", "CPU time avg", "# of Calls"], rows)
        return "\n".join([*([header] if header else []), shown, f"Self CPU time total: {text.seconds(total * 1e-6)}"])


class profile:
    """A `with` block of which is told what ran: modules, ops' backwards, kernels, and what `record_function` named.

    `fastnet.profile` tells more: times by layer, rates, and the algorithms that ran.

    Args:
        activities: any of `ProfilerActivity`; the CPU is measured, whatever they are.
        schedule: None, or what `schedule` gives, by which `step()` starts and stops recording.
        on_trace_ready: called with the profile when a recording has ended.
        record_shapes, profile_memory, with_stack, with_flops, with_modules: either way. Traces have the shapes of modules; none has stacks.

    >>> import fastnet
    >>> with fastnet.profiler.profile() as prof:
    ...     y = fastnet.nn.Linear(8, 4)(fastnet.ones(2, 8))
    >>> [event.count for event in prof.key_averages() if event.key == "Linear"]
    [1]
    """

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None, schedule: Callable[[int], ProfilerAction] | None = None,
                 on_trace_ready: Callable[[profile], Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
                 with_stack: bool = False, with_flops: bool = False, with_modules: bool = False) -> None:
        self._plan = schedule or (lambda step: ProfilerAction.RECORD)
        self._ready, self.step_num, self._action = on_trace_ready, 0, ProfilerAction.NONE
        self.recorded: Profile | None = None             # the last recording

    def _move(self, action: ProfilerAction) -> None:
        """From what was done to what is to be done."""
        on, before = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE), self._action
        self._action = action
        if before in on and (before is on[1] or action not in on):
            assert self.recorded is not None
            self.recorded.__exit__()
            if self._ready is not None:
                self._ready(self)
        if action in on and before is not on[0]:
            self.recorded = Profile()
            self.recorded.__enter__()

    def start(self) -> None:
        """Begin, as the `with` block does."""
        self._move(self._plan(self.step_num))

    def stop(self) -> None:
        """End, as the `with` block does."""
        self._move(ProfilerAction.NONE)

    def step(self) -> None:
        """Say that a step has ended and another begins."""
        self.step_num += 1
        self._move(self._plan(self.step_num))

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def _last(self, op: str) -> Profile:
        if self.recorded is None:
            raise RuntimeError(f"{op}: nothing was recorded")
        return self.recorded

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> EventAverages:
        """Events by name.

        Args:
            group_by_input_shape, group_by_stack_n: False and 0.

        Raises:
            ValueError: they are something else.
            RuntimeError: nothing was recorded.
        """
        if group_by_input_shape or group_by_stack_n:
            raise ValueError("key_averages: events are grouped by name only; group_by_input_shape must be False and group_by_stack_n 0")
        p = self._last("key_averages")
        own = p.watch.thread
        events = [(own, s.start, -s.end, s.module if s.kind == "phase" else type(s.module).__name__)
                  for s in p.watch.spans if s.above is not None]
        events += [(thread, start, -end, name) for start, end, thread, _, name in p.nodes]
        events += [(thread, start, -end, p.kernel_name(kernel)) for start, end, thread, kernel, *_ in p.launches]
        found: dict[str, EventAverage] = {}
        around: list[tuple[int, int, EventAverage]] = []
        for thread, start, end, key in sorted(events):
            e = found.setdefault(key, EventAverage(key))
            time = (-end - start) / 1000
            while around and (around[-1][0] != thread or around[-1][1] <= start):
                around.pop()
            if around:
                around[-1][2].self_cpu_time_total -= time
            if all(outer is not e for _, _, outer in around):
                e.cpu_time_total += time
            e.count, e.self_cpu_time_total = e.count + 1, e.self_cpu_time_total + time
            around.append((thread, -end, e))
        return EventAverages(found.values())

    def export_chrome_trace(self, path: str) -> None:
        """Write the recording as a JSON trace, which Perfetto (ui.perfetto.dev) and chrome://tracing open.

        Args:
            path: of the file.
        """
        self._last("export_chrome_trace").export(path)
