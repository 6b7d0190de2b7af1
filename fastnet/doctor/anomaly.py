"""Where NaN and infinity begin: one batch again, with the output of every op and of every module looked at."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastnet._core.engine import node_value
from fastnet._core.tape import journal
from fastnet._core.tensor import Tensor
from fastnet.autograd.graph import flow, graph
from fastnet.doctor.evidence import Evidence
from fastnet.doctor.preserve import unhooked


@dataclass
class Finding:
    """The first value that is not finite.

    Attributes:
        where: "parameter", "input", "target", "forward", "backward" or "nowhere" (all was finite this time).
        op: name of the op that made it, such as "LogBackward0"; "" for a parameter or an input.
        layer: dotted name of the module in whose forward the op ran ("" the model itself or "the loss"), or of the parameter.
        kind: "nan" or "inf".
        detail: a sentence.
    """

    where: str
    op: str = ""
    layer: str = ""
    kind: str = ""
    detail: str = ""


def bad(a: Any) -> str:
    """ "nan" or "inf" where an array or tensor has such an element, "" otherwise.

    >>> import numpy as np
    >>> from fastnet.doctor.anomaly import bad
    >>> bad(np.array([1.0, np.inf])), bad(np.array([1, 2]))
    ('inf', '')
    """
    a = a.detach().numpy() if isinstance(a, Tensor) else np.asarray(a)
    if a.dtype.kind != "f" or np.isfinite(a).all():
        return ""
    return "nan" if np.isnan(a).any() else "inf"


def first_nonfinite(model: Any, batch_loss: Callable[[Any, Any], Any], batch: Any) -> Finding:
    """Run a batch forward and backward and find the first parameter, input or op that is not finite.

    Gradients of the parameters, buffers and random numbers are not touched by the caller's measure: wrap it in `preserved` for that.

    Args:
        model: a Module.
        batch_loss: (model, batch) -> the loss, or a tuple that begins with it.
        batch: what it takes.

    >>> import fastnet as fn
    >>> from fastnet.doctor.anomaly import first_nonfinite
    >>> model = fn.nn.Linear(2, 1)
    >>> finding = first_nonfinite(model, lambda model, x: model(x).mean().log().sum(), fn.full((3, 2), float("inf")))
    >>> finding.where, finding.kind
    ('input', 'inf')
    """
    for name, p in model.named_parameters():
        if kind := bad(p):
            return Finding("parameter", "", name, kind, f"the parameter {name} already holds {kind}.")
    for name, b in model.named_buffers():
        if kind := bad(b):
            return Finding("parameter", "", name, kind, f"the buffer {name} already holds {kind}.")
    for i, x in enumerate(_tensors(batch)):
        if kind := bad(x):
            return Finding("input", "", "", kind, f"tensor {i} of the batch, of shape {tuple(x.shape)}, holds {kind}.")
    notes: list[Any] = []
    places: list[tuple[int, int, str]] = []               # notes from..to were made in this module
    handles = [h for name, module in model.named_modules() for h in _mark(name, module, notes, places)]
    outer = journal(notes)
    try:
        loss = batch_loss(model, batch)
    finally:
        journal(outer)
        for handle in handles:
            handle.remove()
        for module in model.modules():
            unhooked(module)
    loss = loss[0] if isinstance(loss, tuple) else loss
    for i, node in enumerate(notes):
        value = node_value(node)
        kind = "" if value is None else bad(value)
        if kind:
            where = _place(i, places)
            op = node.name().rstrip("0123456789").removesuffix("Backward").lower()
            return Finding("forward", node.name(), where, kind, f"{op}, in {where or 'the model'}, gave {kind}; all before it was finite.")
    if isinstance(loss, Tensor) and (kind := bad(loss)):
        return Finding("forward", "", "the loss", kind, f"the loss is {kind}, and no recorded op gave it.")
    ops = graph(loss)
    at = {node: i for i, node in enumerate(notes)}
    with np.errstate(all="ignore"):
        for op, sent in flow(ops, np.ones(ops[0].shape, ops[0].dtype.numpy)):
            kinds = [bad(g) for g in sent if g is not None]
            if any(kinds):
                kind, layer = max(kinds), _place(at[op.node], places) if op.node in at else ""
                return Finding("backward", op.name, layer, kind,
                               f"the loss is finite, but the gradient that {op.name}, in {layer or 'the model'}, passes on is {kind}.")
    return Finding("nowhere")


def _mark(name: str, module: Any, notes: list, places: list) -> list[Any]:
    """Hooks that write down which ops ran inside a module."""
    begun: list[int] = []

    def before(module: Any, args: Any) -> None:
        begun.append(len(notes))

    def after(module: Any, args: Any, output: Any) -> None:
        if begun:
            places.append((begun.pop(), len(notes), name))
    return [module.register_forward_pre_hook(before), module.register_forward_hook(after, always_call=True)]


def _place(i: int, places: list[tuple[int, int, str]]) -> str:
    """The innermost module in which note i was made."""
    inside = [(end - begin, name) for begin, end, name in places if begin <= i < end]
    return min(inside)[1] if inside else "the loss"


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for item in value for t in _tensors(item)] if isinstance(value, (list, tuple)) else []


def note_nonfinite(evidence: Evidence, finding: Finding) -> None:
    """Keep the first finding."""
    if evidence.nonfinite is None:
        evidence.nonfinite = finding
