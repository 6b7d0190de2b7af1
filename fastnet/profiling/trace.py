"""A profile as JSON trace events, which Perfetto (ui.perfetto.dev) and chrome://tracing open."""
from __future__ import annotations

import json
import os
from typing import Any


def write(path: str | os.PathLike, profile: Any) -> None:
    """Write what a `Profile` recorded: phases, modules, nodes of backward and kernels as nested slices, a row for each thread."""
    events: list[dict[str, Any]] = []
    zero = min((s.start for s in profile.watch.spans), default=0)
    threads = {profile.watch.thread: 1}

    def slice_(name: str, kind: str, start: int, end: int, thread: int, **args: Any) -> None:
        events.append({"name": name, "cat": kind, "ph": "X", "ts": (start - zero) / 1000, "dur": (end - start) / 1000, "pid": 1,
                       "tid": threads.setdefault(thread, len(threads) + 1), "args": args})

    for span in profile.watch.spans:
        if span.kind == "phase":
            slice_(span.module, "phase", span.start, span.end, profile.watch.thread)
        else:
            slice_(profile.label(span.module), "module", span.start, span.end, profile.watch.thread, type=type(span.module).__name__,
                   input=str(span.inputs), output=str(span.outputs))
    for (start, end, thread, number, name), maker in zip(profile.nodes, profile.makers()):
        where = {} if maker is None else {"layer": profile.label(maker.module)}
        slice_(name, "backward", start, end, thread, **where)
    for start, end, thread, kernel, dtype, n, team, _ in profile.launches:
        slice_(profile.kernel_name(kernel), "kernel", start, end, thread, units=n, threads=team, dtype=("float32", "float64")[dtype])
    events.sort(key=lambda e: (e["tid"], e["ts"], -e["dur"]))
    names = [{"name": "process_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "fastnet"}}]
    names += [{"name": "thread_name", "ph": "M", "pid": 1, "tid": row, "args": {"name": "training" if row == 1 else f"thread {row}"}}
              for row in threads.values()]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"traceEvents": names + events, "displayTimeUnit": "ms"}, file)
