"""Profile: records what runs while it is entered, and tells it as rows, tables and a trace file."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import fastnet as fn
from fastnet._core import launch, tape
from fastnet._core.memory import memory_stats, reset_peak_memory_stats
from fastnet.optim.optimizer import Optimizer
from fastnet.profiling import text, trace
from fastnet.profiling.join import makers
from fastnet.profiling import steps as steps_
from fastnet.profiling.layers import LaunchTimes, LayerTime
from fastnet.profiling.peak import peak_flops
from fastnet.profiling.products import PEEK
from fastnet.profiling.watch import Span, Watch

SORTS = {"time": lambda r: -r.time, "self": lambda r: -(r.forward_self + r.backward_self), "forward": lambda r: -r.forward,
         "backward": lambda r: -r.backward, "gflops": lambda r: -r.gflops, "percent": lambda r: -r.percent, "calls": lambda r: -r.calls,
         "name": lambda r: r.name}


class Profile:
    """What `profile` returns, and its context manager: rows to iterate over, totals, tables, a trace file.

    Attributes:
        layers: a `LayerTime` for each module and phase, in the order of the model; times are those of one step, the median.
        kernels: a `LaunchTimes` for each kernel, the longest first.
        passes: {"forward", "loss", "backward", "optimizer", "other", "total"}: seconds of one step, the median of each.
        steps: how many steps were watched; in a with block 1 and one more for each `next_step`.
        plain: seconds of a step that is not watched, the median; `overhead`: the part by which watching lengthens it, of medians, too;
            None after a with block.
        peak_flops: operations a second that this machine reaches in registers with the threads in use.
        peak_bytes, live_bytes: the most memory that was in use meanwhile, and what was in use before.
    """

    def __init__(self, model: Any = None) -> None:
        self.model = model
        self.watch = Watch()
        self.launches: list[tuple] = []
        self.nodes: list[tuple] = []
        self.steps = 1
        self.plain: float | None = None
        self.peak_bytes = self.live_bytes = 0
        self.peak_flops = 0.0
        self._root: Span | None = None
        self._names: dict[int, str] = {}
        self._done: tuple[list[LayerTime], dict[str, float]] | None = None

    # ---- recording

    def __enter__(self) -> Profile:
        self.watch.__enter__()
        self._done = None
        self.live_bytes = memory_stats()["live_bytes"]
        reset_peak_memory_stats()
        self._steppers = [(c, c.__dict__["step"]) for c in _classes(Optimizer) if "step" in c.__dict__]
        for cls, step in self._steppers:
            cls.step = _watched_step(self.watch, step)   # type: ignore[attr-defined]
        self._before = launch._record_launches(self.launches, PEEK), tape._record_backward(self.nodes)  # type: ignore[attr-defined]
        self._root = self.watch.open("step", "phase")
        return self

    def next_step(self) -> None:
        """Say that a step of the block has ended and another begins: `steps` grows, and times are those of one step."""
        if self._root is None or Watch.active is not self.watch:
            raise RuntimeError("next_step: only inside the `with` block")
        while self.watch.top is not None:
            self.watch.close(self.watch.top)
        self.steps += 1
        self._root = self.watch.open("step", "phase")

    def __exit__(self, *_: Any) -> None:
        assert self._root is not None
        while self.watch.top is not None:
            self.watch.close(self.watch.top)
        launch._record_launches(self._before[0], PEEK if self._before[0] is not None else None)  # type: ignore[attr-defined]
        tape._record_backward(self._before[1])  # type: ignore[attr-defined]
        for cls, step in self._steppers:
            cls.step = step                              # type: ignore[attr-defined]
        self.peak_bytes = max(self.peak_bytes, memory_stats()["peak_bytes"])
        self.watch.__exit__()
        if not self.peak_flops:
            kinds = [p.dtype for p in self.model.parameters()] if self.model is not None else []
            self.peak_flops = peak_flops(kinds[0] if kinds and kinds[0].is_floating_point else None)

    # ---- results

    @property
    def layers(self) -> list[LayerTime]:
        return self._result()[0]

    @property
    def passes(self) -> dict[str, float]:
        return self._result()[1]

    @property
    def overhead(self) -> float | None:
        if not self.plain:
            return None
        return median((s.end - s.start) * 1e-9 for s in self.watch.spans if s.above is None) / self.plain - 1

    @property
    def kernels(self) -> list[LaunchTimes]:
        return steps_.kernels(steps_.cut(self))

    def __iter__(self) -> Iterator[LayerTime]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerTime:
        """The row of a layer by its dotted name ("" is the model), or of a phase such as "(optimizer)"."""
        for row in self.layers:
            if row.name == name:
                return row
        raise KeyError(f"profile: no layer is called {name!r}")

    def _result(self) -> tuple[list[LayerTime], dict[str, float]]:
        if self._root is None or Watch.active is self.watch:
            raise RuntimeError("profile: nothing to tell before the `with` block has ended")
        if self._done is None:
            self._done = steps_.rows(steps_.cut(self), self.peak_flops)
        return self._done

    def modules(self) -> list[tuple[str, Any, int]]:
        """(name, module, depth) of everything that was called, and of the model, parents first, each once."""
        found: list[tuple[str, Any, int]] = []
        seen: set[int] = set()
        roots = [("", self.model)] if self.model is not None else []
        roots += [(type(s.module).__name__, s.module) for s in self.watch.spans if s.kind == "call"]
        for prefix, root in roots:
            if id(root) not in seen:
                for name, module in root.named_modules(prefix=prefix):
                    if id(module) not in seen:
                        seen.add(id(module))
                        found.append((name, module, name.count(".") + (1 if name and not prefix else 0)))
        self._names = {id(m): name for name, m, _ in found}
        return found

    def makers(self) -> list[Span | None]:
        return makers(self.watch, self.nodes)

    def label(self, module: Any) -> str:
        if isinstance(module, str):
            return module
        if id(module) not in self._names:
            self.modules()
        return self._names.get(id(module)) or type(module).__name__

    _kernel_names: dict[int, str] = {}

    def kernel_name(self, number: int) -> str:
        """The name of a kernel by its number."""
        if number not in self._kernel_names:
            self._kernel_names.update({v: k for k, v in launch.kernel_numbers().items()})
        return self._kernel_names[number]

    # ---- text

    def table(self, sort_by: str | None = None, depth: int | None = None, width: int | None = 100) -> str:
        """Time of each layer in both passes, its rate, and the algorithms or kernels that ran.

        Args:
            sort_by: "time", "self", "forward", "backward", "gflops", "percent", "calls" or "name"; None: the order of the model.
            depth: how deep into the model; None: everything.
            width: of the table, in letters; names that do not fit are cut, with "..". None: as wide as it gets.

        Raises:
            ValueError: sort_by is something else, or width below 80.
        """
        if sort_by is not None and sort_by not in SORTS:
            raise ValueError(f"table: sort_by must be one of {', '.join(SORTS)} or None, got {sort_by!r}")
        if width is not None and width < 80:
            raise ValueError(f"table: width must be at least 80, got {width}")
        rows = [r for r in self.layers if (depth is None or r.depth <= depth) and (r.time or r.calls)]
        rows = sorted(rows, key=SORTS[sort_by]) if sort_by else rows
        total = self.passes["total"] or 1.0
        shown = {r.name for r in rows if r.type}

        def above(name: str) -> list[str]:
            """The dotted names around a layer's, the nearest first."""
            parts = name.split(".") if name and not name.startswith("(") else []
            return [".".join(parts[:n]) for n in range(len(parts) - 1, -1, -1)]

        def cells(r: LayerTime) -> list[str]:
            around = [] if sort_by else [a for a in above(r.name) if a in shown and (a or r.depth > r.name.count("."))]
            own = r.name[len(around[0]) + 1 if around and around[0] else 0:]
            own = f"{own}: {r.type}" if own and r.type and own != r.type else own or r.type
            name = "  " * len(around) + own
            return [name, f"{r.calls:.3g}", text.seconds(r.forward), text.seconds(r.backward), f"{100 * r.time / total:.1f}",
                    f"{r.gflops:.1f}" if r.gflops else "-", f"{r.percent:.0f}" if r.gflops else "-", _ran(r)]
        head = ["layer", "calls", "forward", "backward", "time%", "GF/s", "peak%", "what ran"]
        return text.table(head, [cells(r) for r in rows], last=True, width=width)

    def kernel_table(self) -> str:
        """Count, time and threads of each kernel, the longest first."""
        total = self.passes["total"] or 1.0
        rows = [[k.kernel, f"{k.count:.3g}", text.seconds(k.seconds), f"{100 * k.seconds / total:.1f}", str(k.threads)]
                for k in self.kernels]
        return text.table(["kernel", "launches", "time", "time%", "threads"], rows)

    def __str__(self) -> str:
        p = self.passes
        plain, more = self.plain, self.overhead
        what = "one step" if self.steps == 1 else f"one step, the median of {self.steps}"
        watched = "" if plain is None or more is None else f"; unwatched {text.seconds(plain)}, so watching costs {100 * more:.0f} %"
        return "\n".join([
            f"{what}: {text.seconds(p['total'])}{watched}",
            ", ".join(f"{k} {text.seconds(p[k])}" for k in ("forward", "loss", "backward", "optimizer", "other") if p[k] > 0),
            f"peak of this machine on {fn.get_num_threads()} thread(s), {fn.get_isa()}: {self.peak_flops / 1e9:.0f} GFLOP/s",
            f"memory: at most {text.size(self.peak_bytes)}, {text.size(self.live_bytes)} before",
            "GF/s: operations of the definition; Winograd's algorithm needs fewer, and may pass 100 %",
            "", self.table(), "", self.kernel_table()])

    __repr__ = __str__

    def export(self, path: str | os.PathLike) -> None:
        """Write the recorded slices as a JSON trace, which Perfetto (ui.perfetto.dev) and chrome://tracing open."""
        self._result()
        trace.write(path, self)


def _ran(r: LayerTime) -> str:
    """Algorithms, or kernels, the longest first; what their names begin with where they have that in common."""
    if r.algorithms:
        return ", ".join(dict.fromkeys(r.algorithms.values()))
    longest = [k.kernel for k in sorted(r.kernels.values(), key=lambda k: -k.seconds)]
    common = os.path.commonprefix([f"{name}_" for name in longest]).rpartition("_")[0]
    return common or ", ".join(dict.fromkeys(name.removesuffix("_forward").removesuffix("_backward") for name in longest))


def _classes(cls: Any) -> Iterator[Any]:
    yield cls
    for below in cls.__subclasses__():
        yield from _classes(below)


def _watched_step(watch: Watch, step: Callable) -> Callable:
    from _thread import get_ident
    from functools import wraps

    @wraps(step)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        if get_ident() != watch.thread or (watch.top is not None and watch.top.module == "optimizer"):
            return step(self, *args, **kwargs)
        with watch.phase("optimizer"):
            return step(self, *args, **kwargs)
    return watched
