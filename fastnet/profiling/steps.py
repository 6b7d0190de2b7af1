"""The steps of a profile: each taken by itself, and the median of them."""
from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

from fastnet.profiling.layers import LaunchTimes, LayerTime, add, layers

TIMES = ("forward", "backward", "forward_self", "backward_self")


class Step:
    """What a `Profile` recorded in one step, as `layers` reads it."""

    def __init__(self, p: Any, modules: list) -> None:
        self.watch, self.kernel_name = p.watch, p.kernel_name
        self.spans: list[Any] = []
        self.nodes: list[tuple] = []
        self.launches: list[tuple] = []
        self._modules = modules

    def modules(self) -> list:
        return self._modules


def cut(p: Any) -> list[Step]:
    """A profile's steps."""
    modules = p.modules()
    steps: list[Step] = []
    starts: list[int] = []
    for span in p.watch.spans:
        if span.above is None:
            steps.append(Step(p, modules))
            starts.append(span.start)
        steps[-1].spans.append(span)
    for kind in ("nodes", "launches"):
        for event in getattr(p, kind):
            getattr(steps[max(0, bisect_right(starts, event[0]) - 1)], kind).append(event)
    return steps


def typical(values: Sequence[float], steps: int) -> float:
    """Seconds of one step: the median of the steps that have a value, less where not all do."""
    return median(values) * len(values) / steps if values else 0.0


def kernels(steps: list[Step]) -> list[LaunchTimes]:
    """The kernels of all steps, the longest first."""
    parts: list[dict[str, LaunchTimes]] = []
    for step in steps:
        found: dict[str, LaunchTimes] = {}
        for event in step.launches:
            add(found, step.kernel_name(event[3]), (event[1] - event[0]) * 1e-9, event[6])
        parts.append(found)
    return sorted(_joined(parts, len(steps)).values(), key=lambda k: -k.seconds)


def rows(steps: list[Step], peak: float) -> tuple[list[LayerTime], dict[str, float]]:
    """The rows of a profile, with rates, and the seconds of a step by pass."""
    told = [layers(step) for step in steps]
    n, by_name = len(steps), defaultdict(list)
    order = max(([row.name for row in found] for found, _ in told), key=len)
    for found, _ in told:
        for row in found:
            by_name[row.name].append(row)
    result = [_median_row(by_name[name], n) for name in dict.fromkeys([*order, *by_name])]
    for one in result:
        if one.flops and one.time:
            one.gflops = one.flops / one.time / 1e9
            one.percent = 100 * one.flops / one.time / peak
    return result, {name: median(passes[name] for _, passes in told) for name in told[0][1]}


def _median_row(parts: list[LayerTime], steps: int) -> LayerTime:
    one = LayerTime(parts[0].name, parts[0].type, parts[0].depth)
    for name in TIMES:
        setattr(one, name, typical([getattr(part, name) for part in parts if part.calls or part.time], steps))
    one.calls, one.flops = (sum(getattr(part, name) for part in parts) / steps for name in ("calls", "flops"))
    one.saved = max(part.saved for part in parts)
    one.kernels = _joined([part.kernels for part in parts], steps)
    for part in parts:
        for key, way in part.algorithms.items():
            one.algorithms.setdefault(key, way)
    return one


def _joined(parts: list[dict[str, LaunchTimes]], steps: int) -> dict[str, LaunchTimes]:
    found: dict[str, list[LaunchTimes]] = defaultdict(list)
    for part in parts:
        for name, times in part.items():
            found[name].append(times)
    return {name: LaunchTimes(name, sum(k.launches for k in each), sum(k.launches for k in each) / steps,
                              typical([k.seconds for k in each], steps), max(k.threads for k in each)) for name, each in found.items()}
