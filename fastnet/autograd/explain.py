"""backward(explain=True): the backward pass of a small graph told op by op, down to what each gradient means."""
from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastnet._core.engine import node_of
from fastnet._core.tensor import Tensor
from fastnet.autograd.formulas import formula
from fastnet.autograd.graph import Op, flow, graph

TINY = 6                                                  # elements of a tensor whose numbers are shown
MOST = 40                                                 # ops of a graph that is told in full
STEP = 0.01                                               # by how much a parameter is raised in the last sentences


def backward_explained(tensor: Tensor, gradient: Any, retain_graph: Any, create_graph: Any, inputs: Any, names: Any) -> None:
    """What `Tensor.backward` does with explain: narrate, run backward as usual, print."""
    text = explain(tensor, gradient, names=_visible(sys._getframe(1)) if names is True else names)
    tensor.backward(gradient, retain_graph, create_graph, inputs)
    print(text)


def explain(tensor: Tensor, gradient: Tensor | None = None, *, names: Any = None) -> str:
    """Tell how backward would go through the graph behind a tensor; no ``.grad`` changes and the graph stays.

    Tensors of up to 6 elements are shown with their numbers and the local derivative that the op's own backward gives, larger ones
    with shape and norm. A graph of more than 40 ops is told in one line for each of the first 40, and its parameters in full.
    Hooks of tensors are not run.

    Args:
        tensor: a loss, or anything with a history.
        gradient: of the tensor; may be left out for one element.
        names: of leaves: a Module, or a dict of name -> tensor.

    Returns:
        The text.

    Raises:
        RuntimeError: the tensor has no history, or it was freed.
        TypeError: names is something else.

    >>> import fastnet
    >>> from fastnet.autograd.explain import explain
    >>> w = fastnet.tensor([2.0], requires_grad=True)
    >>> print(explain((w * 3) ** 2, names={"w": w}))
    Backward through 2 ops, the newest first. ...
    """
    leaves = {node_of(t): (name, t) for name, t in reversed(_named(names)) if t.requires_grad and t.is_leaf}
    ops = graph(tensor)
    start = np.ones(ops[0].shape, ops[0].dtype.numpy) if gradient is None else gradient.detach().numpy()
    if gradient is None and start.size != 1:
        raise RuntimeError(f"explain: a tensor of shape {ops[0].shape} needs a gradient of that shape; only one element has 1 by itself")
    inner = [op for op in ops if not op.leaf and op.kind != "output"]
    told = [f"Backward through {len(inner)} op{'s' * (len(inner) != 1)}, the newest first. Each op multiplies the gradient that comes in",
            f"by its local derivative (the chain rule). It begins with dL/dL = {_numbers(start)}."]
    labels = _labels(ops, leaves)
    for op, sent in flow(ops, start):
        if op.leaf or op.kind == "output":
            continue
        at = inner.index(op)
        if len(inner) <= MOST:
            told += ["", *_tell(op, sent, labels)]
        elif at < MOST:
            told.append(f"{labels[op]}: gradient in {_size(op)}")
        elif at == MOST:
            told.append(f"... and {len(inner) - MOST} more ops")
    told.append("")
    for op in ops:
        if op.leaf:
            told += _meaning(op, labels[op], leaves.get(op.node, (None, None))[1])
    return "\n".join(told)


def _named(names: Any) -> list[tuple[str, Tensor]]:
    if names is None:
        return []
    if hasattr(names, "named_parameters"):
        return list(names.named_parameters())
    if isinstance(names, Mapping):
        return [(str(name), t) for name, t in names.items() if isinstance(t, Tensor)]
    raise TypeError(f"explain: expected True, a Module or a dict of names, got {type(names).__name__}")


def _visible(frame: Any) -> dict[str, Tensor]:
    """Tensors and parameters of modules that the caller's variables hold, by what the caller calls them."""
    found: dict[str, Tensor] = {}
    for space in (frame.f_locals, frame.f_globals):
        for name, value in list(space.items()):
            if isinstance(value, Tensor):
                found.setdefault(name, value)
            elif hasattr(value, "named_parameters") and not isinstance(value, type):
                for inner, parameter in value.named_parameters():
                    found.setdefault(f"{name}.{inner}", parameter)
    return found


def _labels(ops: list[Op], leaves: Mapping) -> dict[Op, str]:
    """What each op is called in the text."""
    labels, leaf, step = {}, 0, 0
    for op in ops:
        if op.leaf and op.node in leaves:
            labels[op] = leaves[op.node][0]
        elif op.leaf:
            leaf += 1
            labels[op] = f"leaf {leaf} {op.shape}"
        elif op.kind != "output":
            step += 1
            labels[op] = f"{step}. {op.name}"
    for op in ops:
        if op.kind == "output" and op.inputs[0] is not None:
            labels[op] = labels[op.inputs[0]] = f"{labels[op.inputs[0]].split('. ')[0]}. {op.name}"
    return labels


def _tell(op: Op, sent: list, labels: Mapping) -> list[str]:
    value, derivative = formula(op.name)
    lines = [labels[op], f"     {value};  {derivative}"]
    if op.gradient is not None:
        lines.append(f"     gradient in: {_numbers(op.gradient)}{_joined(op)}")
    known = [_numbers(t.detach().numpy()) for t in op.saved if t is not None and t.numel() <= TINY] + _constants(op)
    if known:
        lines.append(f"     what forward kept for it: {', '.join(known)}")
    names = _inputs(op, derivative)
    for k, (x, g) in enumerate(zip(op.inputs, sent)):
        if x is None or g is None:
            continue
        local = _local(op, k, g)
        target = labels[x] if x.leaf else f"op {labels[x]}"
        lines.append(f"     {f'local derivative dy/d{names[k]} = {local};  ' if local else ''}gradient out: {_numbers(g)} to {target}")
    return lines


def _constants(op: Op) -> list[str]:
    """The numbers that were an operand, or the exponent."""
    if op.name == "PowBackward0":
        return [f"p = {op.numbers[0]:g}"]
    if op.name not in ("MulBackward0", "DivBackward0", "PowBackward1"):
        return []
    return [f"{'ab'[k]} = {op.numbers[k]:g}" for k in range(2) if op.inputs[k] is None and op.saved[k] is None and op.numbers[k]]


def _inputs(op: Op, derivative: str) -> tuple[str, ...]:
    """What the formula calls the op's inputs."""
    if len(op.inputs) == 3 and ("gw" in derivative or "gW" in derivative):
        return ("x", "w", "b")
    if "dy/da" in derivative or "gA" in derivative or len(op.inputs) == 2:
        return ("a", "b")[:len(op.inputs)]
    return ("x",) * len(op.inputs)


def _local(op: Op, k: int, g: np.ndarray) -> str | None:
    """dy/dx of input k as the op's own backward gives it: numbers for each element, or a matrix (elements of y, elements of x)."""
    size = int(np.prod(op.shape))
    if op.kind != "op" or not 0 < size <= TINY or not 0 < g.size <= TINY:
        return None
    sent = [op.send(one.reshape(op.shape))[k] for one in np.eye(size)]
    rows = np.array([x.ravel() for x in sent if x is not None])
    if rows.shape[0] == rows.shape[1] and not rows[~np.eye(size, dtype=bool)].any():
        return _numbers(np.diag(rows).reshape(g.shape))
    if size > 1 and rows.size > 4 * TINY:
        return f"a matrix ({size}, {g.size})"
    return _numbers(rows.reshape(g.shape) if size == 1 else rows)


def _numbers(a: np.ndarray) -> str:
    if a.size > TINY * TINY:
        return f"shape {a.shape}, norm {np.linalg.norm(a.astype(np.float64)):.4g}"
    if a.ndim == 0:
        return f"{float(a):.4g}"
    return np.array2string(np.asarray(a) + 0.0, precision=4, separator=", ", suppress_small=False).replace("\n", "")


def _joined(op: Op) -> str:
    return f", the sum of {op.arrived} that arrived" if op.arrived > 1 else ""


def _size(op: Op) -> str:
    return "none" if op.gradient is None else f"shape {op.shape}, norm {np.linalg.norm(op.gradient.astype(np.float64)):.4g}"


def _meaning(op: Op, label: str, leaf: Tensor | None) -> list[str]:
    """What the gradient of a leaf says about it."""
    if op.gradient is None:
        return [f"{label}: no gradient arrives."]
    value = f", its value is {_numbers(leaf.detach().numpy())}" if leaf is not None and leaf.numel() <= TINY else ""
    lines = [f"dL/d({label}) = {_numbers(op.gradient)}{_joined(op)}{value}"]
    if not op.gradient.size:
        return lines
    at = np.unravel_index(np.argmax(np.abs(op.gradient)), op.gradient.shape)
    g = float(op.gradient[at])
    which = label + (f"[{', '.join(map(str, at))}]" if op.gradient.size > 1 else "")
    if not np.isfinite(g):
        return [*lines, f"     {which} has a gradient that is not finite: one of the ops above made it."]
    if g == 0:
        return [*lines, f"     To first order the loss does not change with {label}."]
    return [*lines, f"     Raising {which} by {STEP} changes the loss by about {STEP * g:.4g}; so gradient descent "
                    f"{'lowers' if g > 0 else 'raises'} it."]
