"""The recorded graph behind a tensor as plain Python objects, and the gradients that flow through it, op by op."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnet._core.engine import node_backward, node_facts, node_of
from fastnet._core.tape import Node
from fastnet._core.tensor import Tensor, from_numpy


class Op:
    """One op of a graph, or a leaf.

    Attributes:
        node: the node of the tape.
        name: as ``grad_fn`` prints it, such as ``"MulBackward0"``; ``"leaf"`` for a leaf.
        shape: of its value.
        seq: its place in the order of creation.
        inputs: the ops of its inputs; None for an input that needs no gradient.
        gradient: of its value, an ndarray, once `flow` has reached it; None before, or where nothing arrived.
        arrived: how many ops have sent a part of that gradient.
    """

    def __init__(self, node: Node) -> None:
        facts = node_facts(node)
        self.node, self.shape, self.seq, self.dtype = node, facts["shape"], facts["seq"], facts["dtype"]
        self.leaf, self.kind, self.saved, self.numbers = facts["leaf"], facts["kind"], facts["saved"], facts["numbers"]
        self.name = "leaf" if self.leaf else node.name()
        self.inputs: list[Op | None] = []
        self.gradient: np.ndarray | None = None
        self.arrived = 0

    def send(self, gradient: np.ndarray | None) -> list[np.ndarray | None]:
        """The gradients of the inputs, given that of the value.

        The output of a Function only leaves its gradient with the Function, which then sends without being given one.
        """
        g = None if gradient is None else from_numpy(np.array(gradient, self.dtype.numpy))
        return [None if x is None else np.array(x.detach().numpy()) for x in node_backward(self.node, g)]

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape}>"


def graph(tensor: Tensor) -> list[Op]:
    """All ops behind a tensor and the leaves, newest first: the order in which backward reaches them.

    Args:
        tensor: with a history that was not freed.

    Raises:
        RuntimeError: the tensor requires no gradient.

    >>> import fastnet
    >>> from fastnet.autograd.graph import graph
    >>> w = fastnet.tensor([2.0], requires_grad=True)
    >>> graph((w * 3) ** 2)
    [<PowBackward0 (1,)>, <MulBackward0 (1,)>, <leaf (1,)>]
    """
    root = node_of(tensor)
    if root is None:
        raise RuntimeError("graph: this tensor requires no gradient and has no history")
    found: dict[Any, Op] = {}
    left = [root]
    while left:
        node = left.pop()
        if node in found:
            continue
        found[node] = Op(node)
        left += [x for x, _ in node.next_functions if x is not None]
    for op in found.values():
        op.inputs = [None if x is None else found[x] for x, _ in op.node.next_functions]
    return sorted(found.values(), key=lambda op: -op.seq)


def flow(ops: list[Op], gradient: np.ndarray) -> Iterator[tuple[Op, list[np.ndarray | None]]]:
    """Send a gradient through a graph, one op after the other.

    Args:
        ops: what `graph` gave; their `gradient` and `arrived` are filled in on the way.
        gradient: of the first op's value.

    Yields:
        Each op that a gradient reaches (leaves last), and the gradients of its inputs.
    """
    ops[0].gradient, ops[0].arrived = gradient, 1
    for op in ops:
        if op.kind == "function":
            if not op.arrived:
                continue
        elif op.gradient is None:
            continue
        sent: list[np.ndarray | None] = [] if op.leaf else op.send(op.gradient)
        if op.kind == "output" and op.inputs[0] is not None:
            op.inputs[0].arrived += 1
        for x, g in zip(op.inputs, sent):
            if x is not None and g is not None:
                x.gradient = g if x.gradient is None else x.gradient + g
                x.arrived += 1
        yield op, sent
