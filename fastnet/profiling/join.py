"""Who did it: the calls of modules to which launches and nodes of the tape belong, by time and by number."""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from fastnet.profiling.watch import Span, Watch


def owners(watch: Watch, launches: Sequence[tuple]) -> list[Span | None]:
    """For each launch the innermost span that was open when it began; None: none was, or another thread launched it."""
    times = [m[0] for m in watch.marks]
    found: list[Span | None] = []
    for event in launches:
        at = bisect_right(times, event[0]) - 1
        found.append(watch.marks[at][2] if at >= 0 and event[2] == watch.thread else None)
    return found


def makers(watch: Watch, nodes: Sequence[tuple]) -> list[Span | None]:
    """For each differentiated node the innermost span that put it on the tape; None: no span did."""
    numbers = [m[1] for m in watch.marks]
    found: list[Span | None] = []
    for event in nodes:
        at = bisect_left(numbers, event[3]) - 1
        found.append(watch.marks[at][2] if at >= 0 else None)
    return found


def within(launches: Sequence[tuple], nodes: Sequence[tuple]) -> list[int]:
    """For each launch the index of the node whose backward ran it, or -1.  `nodes` are in order of time and do not overlap."""
    starts = [n[0] for n in nodes]
    found = []
    for event in launches:
        at = bisect_right(starts, event[0]) - 1
        found.append(at if at >= 0 and event[0] < nodes[at][1] and event[2] == nodes[at][2] else -1)
    return found
