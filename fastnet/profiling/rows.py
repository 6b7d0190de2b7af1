"""The rows of a summary: what one watched forward says of each module."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from fastnet.profiling.flops import Work, formula, work
from fastnet.profiling.join import owners
from fastnet.profiling.products import launched
from fastnet.profiling.watch import Span, Watch


@dataclass
class Row:
    """One module of a `Summary`; numbers include those of its children.

    Attributes:
        name, type: the dotted name ("" is the model itself) and the class.
        depth: 0 for the model, 1 for its children, ...
        input, output: shapes of the first call; a list of shapes where there are several tensors; None: it never ran.
        parameters, trainable: numbers of elements; what is shared counts where it is met first.
        macs, flops: multiply-adds, and operations (2 for each multiply-add), of one forward of the model.
        saved: bytes by which one forward of it grew memory: its outputs and what backward will read.
        calls: how often it ran.
        note: what else there is to know.
    """
    name: str
    type: str
    depth: int
    input: Any = None
    output: Any = None
    parameters: int = 0
    trainable: int = 0
    macs: int = 0
    flops: int = 0
    saved: int = 0
    calls: int = 0
    note: str = ""


def own_products(watch: Watch, launches: list[tuple]) -> dict[Span, float]:
    """For each span the multiply-adds of products and convolutions that its own code launched, not that of its children."""
    own: dict[Span, float] = defaultdict(float)
    for event, span in zip(launches, owners(watch, launches)):
        if span is not None:
            own[span] += launched(event[3], event[7])[0]
    return own


def counted(span: Span, own: dict[Span, float]) -> tuple[Work, str]:
    """The work of a span itself, apart from its children, and a note on how that is known."""
    known = work(span)
    if known is not None:
        return known, ""
    macs = own.get(span, 0.0)
    return Work(macs, 2 * macs), "own products counted as they ran" if macs else ""


def rows_of(model: Any, watch: Watch, own: dict[Span, float]) -> list[Row]:
    calls: dict[int, list[Span]] = defaultdict(list)
    totals: dict[Span, list[float]] = {}
    notes: dict[int, str] = {}
    for span in reversed(watch.spans):                   # children come before what called them
        done = totals.setdefault(span, [0.0, 0.0])
        mine, note = counted(span, own)
        if formula(span.module) is not None:             # counts the layer alone, whatever it calls
            done[:] = [0.0, 0.0]
        done[0] += mine.macs
        done[1] += mine.flops
        if note:
            notes[id(span.module)] = note
        if span.above is not None:
            above = totals.setdefault(span.above, [0.0, 0.0])
            above[0] += done[0]
            above[1] += done[1]
        calls[id(span.module)].insert(0, span)
    rows: list[Row] = []
    seen: dict[int, str] = {}
    counted_params: set[int] = set()
    _walk(model, "", 0, rows, seen, counted_params, calls, totals, notes)
    return rows


def fusions(module: Any) -> dict[int, str]:
    """For each layer of a Sequential that runs as part of the one before it, the name of that one."""
    found, before = {}, None
    planned = {id(m) for m, _ in module.__dict__.get("_plan", ())}
    for name, child in module._modules.items() if planned else ():
        if id(child) in planned:
            before = name
        elif before is not None:
            found[id(child)] = before
    return found


def _walk(module: Any, name: str, depth: int, rows: list[Row], seen: dict[int, str], params: set[int], calls: dict, totals: dict,
          notes: dict[int, str]) -> Row:
    row = Row(name, type(module).__name__, depth)
    rows.append(row)
    if id(module) in seen:
        row.note = f"is {seen[id(module)] or 'the model'}, counted there"
        return row
    seen[id(module)] = name
    said = [notes[id(module)]] if id(module) in notes else []
    for key, p in module._parameters.items():
        if p is not None:
            if id(p) in params:
                said.append(f"{key} is shared")
            else:
                params.add(id(p))
                row.parameters += p.numel()
                row.trainable += p.numel() if p.requires_grad else 0
    spans = calls.get(id(module), [])
    row.calls = len(spans)
    if spans:
        row.input, row.output = spans[0].inputs, spans[0].outputs
        row.macs, row.flops = (round(sum(totals[s][k] for s in spans)) for k in (0, 1))
        row.saved = sum(s.saved for s in spans)
        if len(spans) > 1:
            said.append(f"{len(spans)} calls")
    fused = fusions(module) if spans else {}
    for key, child in module._modules.items():
        if child is not None:
            below = _walk(child, f"{name}.{key}" if name else key, depth + 1, rows, seen, params, calls, totals, notes)
            if below.note == "not called" and id(child) in fused:
                below.note = f"fused with {fused[id(child)]}"
            row.parameters += below.parameters
            row.trainable += below.trainable
    if not spans and not module._modules:
        said.append("not called")
    row.note = "; ".join(said)
    return row
