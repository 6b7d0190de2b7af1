"""What a profile says of each layer: its share of time in both passes, its rate, and what ran for it."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from fastnet.profiling.flops import Work, formula, work
from fastnet.profiling.join import makers, owners, within
from fastnet.profiling.products import launched
from fastnet.profiling.watch import Span


@dataclass
class LaunchTimes:
    """The launches of one kernel: `count` in a step (the mean), for how many seconds (the median), on how many threads at most; `launches`
    in all steps."""
    kernel: str
    launches: int = 0
    count: float = 0
    seconds: float = 0.0
    threads: int = 1


@dataclass
class LayerTime:
    """One layer (or phase) of a `Profile`: seconds are the median of the steps, calls and operations the mean.

    Attributes:
        name, type, depth: as in the model; phases such as "optimizer" have no type.
        calls: how often it ran.
        forward, backward: seconds, with what it called.
        forward_self, backward_self: seconds without; in each step these add up to the whole, their medians nearly.
        flops: operations of both passes, with what it called (a multiply-add is 2).
        gflops, percent: their rate in 1e9 a second, and of the measured peak.
        saved: bytes by which one forward of it grew memory.
        kernels: {name: LaunchTimes} that ran for it, without what it called.
        algorithms: {"forward" | "input" | "weight" | "backward": name}, for convolutions and matrix products.
    """
    name: str
    type: str
    depth: int
    calls: float = 0
    forward: float = 0.0
    backward: float = 0.0
    forward_self: float = 0.0
    backward_self: float = 0.0
    flops: float = 0.0
    gflops: float = 0.0
    percent: float = 0.0
    saved: float = 0.0
    kernels: dict[str, LaunchTimes] = field(default_factory=dict)
    algorithms: dict[str, str] = field(default_factory=dict)

    @property
    def time(self) -> float:
        """Seconds of both passes."""
        return self.forward + self.backward


def add(into: dict[str, LaunchTimes], name: str, seconds: float, threads: int) -> None:
    """Count one launch of one step."""
    one = into.setdefault(name, LaunchTimes(name))
    one.launches += 1
    one.count += 1
    one.seconds += seconds
    one.threads = max(one.threads, threads)


def layers(p: Any) -> tuple[list[LayerTime], dict[str, float]]:
    """The rows of one `steps.Step`, without rates, and its seconds by pass: forward, loss, backward, optimizer, other, total."""
    ns = 1e-9
    rows: dict[int | str, LayerTime] = {}
    for name, module, depth in p.modules():
        rows[id(module)] = LayerTime(name, type(module).__name__, depth)

    def row(span: Span | None) -> LayerTime:
        if span is None:
            return rows.setdefault("other", LayerTime("(other)", "", 0))
        if span.kind == "phase":
            return rows.setdefault(span.module, LayerTime("(other)" if span.module == "step" else f"({span.module})", "", 0))
        return rows[id(span.module)]

    own: dict[Span, float] = {s: float(s.end - s.start) for s in p.spans}
    for s in p.spans:
        if s.above is not None:
            own[s.above] -= s.end - s.start
    whole = [n for n in p.nodes if n[3] == 0]
    backward_time = sum(n[1] - n[0] for n in whole)
    for event, span in zip(whole, owners(p.watch, whole)):
        if span is not None:
            own[span] -= event[1] - event[0]
    for s in p.spans:
        one = row(s)
        one.calls += 1
        one.forward_self += own[s] * ns
        if s.kind == "call":
            one.saved = max(one.saved, s.saved)
        if not _inside_itself(s):
            one.forward += (s.end - s.start) * ns if s.module != "step" else 0
    single = sorted((n for n in p.nodes if n[3] != 0 and n[2] == p.watch.thread), key=lambda n: n[0])
    made = makers(p.watch, single)
    for event, span in zip(single, made):
        row(span).backward_self += (event[1] - event[0]) * ns
        for one in _chain(rows, span, row):
            one.backward += (event[1] - event[0]) * ns
    between = backward_time - sum(n[1] - n[0] for n in single)
    rows["engine"] = LayerTime("(backward engine)", "", 0, backward=between * ns, backward_self=between * ns)
    products = _kernels(p, row, single, made)
    _count(p, rows, row, products, {s for s in made if s is not None})
    other = row(None)
    if "step" in rows:
        step = rows.pop("step")
        step.forward = step.forward_self
        step.calls = 1
        rows["step"] = step
    if not other.time and not other.kernels:
        del rows["other"]
    return list(rows.values()), _passes(rows, p.spans, backward_time, ns)


def _inside_itself(s: Span) -> bool:
    """A module called by itself: its outer call has the time already."""
    up = s.above
    while up is not None:
        if up.module is s.module:
            return True
        up = up.above
    return False


def _chain(rows: dict, span: Span | None, row: Any) -> list[LayerTime]:
    """The rows that a node's time belongs to: of the module that made it and of the modules around, each once."""
    if span is None or span.kind == "phase":
        return [row(span)]
    found: dict[int, LayerTime] = {}
    up: Span | None = span
    while up is not None and up.kind == "call":
        found[id(up.module)] = rows[id(up.module)]
        up = up.above
    return list(found.values())


def _kernels(p: Any, row: Any, single: list, made: list) -> dict[Span, list[float]]:
    """Hand the launches to the rows; for each span its multiply-adds by kernel, forward and backward."""
    products: dict[Span, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for event, owner, at in zip(p.launches, owners(p.watch, p.launches), within(p.launches, single)):
        span = made[at] if at >= 0 else owner
        name, seconds = p.kernel_name(event[3]), (event[1] - event[0]) * 1e-9
        add(row(span).kernels, name, seconds, event[6])
        macs, how = launched(event[3], event[7])
        if span is not None and macs:
            products[span][at >= 0] += macs
            if name == "gemm":
                seen = row(span).algorithms
                key = "backward" if at >= 0 else "forward"
                words = seen.get(key, "").split(" + ") if key in seen else []
                if f"gemm {how}" not in words:
                    seen[key] = " + ".join([*words, f"gemm {how}"])
    return products


def _count(p: Any, rows: dict, row: Any, products: dict[Span, list[float]], differentiated: set[Span]) -> None:
    """Operations of each span, added to its row and to those around it, and the algorithms of convolutions."""
    explained: set[Any] = set()
    for s in p.spans:
        if s.kind != "call":
            total = 2 * sum(products.get(s, (0, 0)))
            row(s).flops += total
            continue
        if s.above is not None and s.above.kind == "call" and formula(s.above.module) is not None:
            continue                                     # counted by the formula of what called it
        known = work(s)
        if known is None:
            forward, back = (2 * n for n in products.get(s, (0.0, 0.0)))
        else:
            forward, back = known.flops, _backward(s, known) if s in differentiated else 0.0
        for one in _chain(rows, s, row):
            one.flops += forward + back
        if known is not None and s.module not in explained:
            explained.add(s.module)
            ways = _convolution(s, s in differentiated)
            if ways:
                rows[id(s.module)].algorithms = ways     # its matrix products are parts of these


def _backward(s: Span, known: Work) -> float:
    """Two products as large as the forward's, one for the input and one for the weight, where they are wanted; the rest once."""
    weights = any(q.requires_grad for q in s.module._parameters.values() if q is not None)
    return 2 * known.macs * (s.wants + weights) + (known.flops - 2 * known.macs)


def _convolution(s: Span, differentiated: bool) -> dict[str, str]:
    m = s.module
    if not hasattr(m, "kernel_size") or not hasattr(m, "in_channels"):
        return {}
    from fastnet.backends.conv import explain
    x = s.inputs[0] if isinstance(s.inputs, list) else s.inputs
    if len(x) == len(m.weight.shape) - 1:
        x = (1, *x)
    transposed = "Transpose" in type(m).__name__
    padding = m.padding if getattr(m, "padding_mode", "zeros") == "zeros" else 0
    try:
        found = explain(x, m.weight.shape, m.stride, padding, m.dilation, m.groups, m.weight.dtype, transposed,
                        m.output_padding if transposed else 0)
    except (RuntimeError, ValueError, TypeError):        # padded by another mode: the kernel sees another shape
        return {}
    return {k: c.algorithm for k, c in found.items() if k == "forward" or (differentiated and (k != "input" or s.wants))}


def _passes(rows: dict, spans: list[Span], backward: float, ns: float) -> dict[str, float]:
    roots = [s for s in spans if s.kind == "call" and (s.above is None or s.above.kind == "phase")]
    in_loss = sum(s.end - s.start for s in spans if s.module == "loss")
    inside = sum(s.end - s.start for s in roots if s.above is not None and s.above.module == "loss")
    found = {"forward": (sum(s.end - s.start for s in roots) - inside) * ns, "loss": in_loss * ns, "backward": backward * ns,
             "optimizer": sum(s.end - s.start for s in spans if s.module == "optimizer") * ns,
             "total": sum(s.end - s.start for s in spans if s.above is None) * ns}
    found["other"] = found["total"] - sum(found[k] for k in ("forward", "loss", "backward", "optimizer"))
    return found
