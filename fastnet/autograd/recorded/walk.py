"""backward and grad that record what they do: the walk of the tape in Python, every op's backward made of ops by its recipe."""
from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from fastnet._core.engine import (enable_grad, node_begin, node_call, node_facts, node_hold, node_hooks, node_link, node_of, node_open,
                                  node_seq)
from fastnet._core.tape import Node, gradient_watcher, release
from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import RECIPES
from fastnet.autograd.recorded.op import Op


def _through(op: Op, gy: Tensor) -> list[Tensor | None]:
    """The gradients of an op's inputs."""
    import fastnet.autograd.recorded.recipes  # noqa: F401  here: only who asks for second derivatives reads them
    recipe = RECIPES.get(op.name)
    if recipe is None:
        raise RuntimeError(f"backward: {op.name} has no second derivative, so create_graph=True cannot go through it")
    sent = recipe(op, gy)
    for k, g in enumerate(sent):
        if g is not None and (g.shape != op.like(k).shape or g.dtype != op.like(k).dtype):
            raise RuntimeError(f"backward: the recipe of {op.name} gave input {k} a {g.dtype} gradient of shape {tuple(g.shape)}, not "
                               f"{op.like(k).dtype} of shape {tuple(op.like(k).shape)}")
    return sent


def _leading(roots: list[Node], captures: set[Node], oldest: int) -> set[Node]:
    """The nodes behind the roots, and among them, from which a captured one can be reached."""
    found: dict[Node, list[Node]] = {}
    left = list(roots)
    while left:
        node = left.pop()
        if node not in found:
            found[node] = [x for x, _ in node.next_functions if x is not None] if node_seq(node) > oldest else []
            left += found[node]
            if not found[node] and node not in captures and node_facts(node)["freed"]:
                node_open(node)                          # says that the graph was freed
    leading = set(captures)
    for node in sorted(found, key=node_seq):
        if any(x in leading for x in found[node]):
            leading.add(node)
    return leading


def accumulate(x: Tensor, g: Tensor) -> None:
    """x.grad += g in a new tensor, which has their histories."""
    before: Any = x.grad
    if before is not None and getattr(before, "is_sparse", False):
        before = before.to_dense()
    x.grad = g.clone() if before is None else before + g


def leaves_behind(tensors: Sequence[Tensor], stop: list[Tensor]) -> list[Node]:
    """The leaves that tensors depend on other than through those in `stop`."""
    found: set[Any] = {node_of(x) for x in stop}
    left, leaves = [node_of(y) for y in tensors], []
    while left:
        node = left.pop()
        if node is None or node in found:
            continue
        found.add(node)
        inputs = [x for x, _ in node.next_functions]
        if not inputs and node_facts(node)["leaf"]:
            leaves.append(node)
        left += inputs
    return leaves


class _Walk:
    """One backward: nodes that wait, newest first, and the gradients that have arrived at them."""

    def __init__(self, captures: set[Node] | None) -> None:
        self.heap: list[tuple[int, Node]] = []
        self.arrived: dict[Node, Any] = {}
        self.captures = captures
        self.oldest = min(map(node_seq, captures)) if captures else 0
        self.captured: dict[Node, Tensor] = {}
        self.leading: set[Node] | None = None            # where gradients are needed; None: everywhere
        self.watcher = gradient_watcher()

    def send(self, node: Node, g: Any) -> None:
        if node in self.arrived:
            self.arrived[node] = self.arrived[node] + g
        else:
            self.arrived[node] = g
            heappush(self.heap, (-node_seq(node), node))

    def run(self, retain_graph: bool) -> None:
        while self.heap:
            node = heappop(self.heap)[1]
            g = self.arrived.pop(node)
            facts = node_facts(node)
            if facts["kind"] != "function":
                g = self._keep(node, facts, g)
            if facts["leaf"] or node_seq(node) <= self.oldest:
                continue
            node_open(node)
            inputs = [x for x, _ in node.next_functions]
            wanted = [k for k, x in enumerate(inputs) if x is not None and (self.leading is None or x in self.leading)]
            if facts["kind"] == "op":
                sent = _through(Op(node, facts, inputs, wanted), g) if wanted else []
            elif facts["kind"] == "function":
                sent = node_call(node)[0](g, node)
            else:                                        # an output of a Function leaves its gradient with it
                self._leave(inputs[0], facts["integers"][0], g)
                wanted, sent = [], []
            if self.watcher is not None:
                self.watcher(node, [node_hold(node, x) for x in sent])
            for k in wanted:
                x, gx = inputs[k], sent[k]
                self.send(x, node_link(None, x).detach().clone() if gx is None else gx)
            if not retain_graph:
                release(node)

    def _keep(self, node: Node, facts: dict[str, Any], g: Tensor) -> Tensor:
        """Hooks, captures and .grad."""
        hooks, after, retained = node_hooks(node)
        for hook in hooks:
            result = hook(g)
            if result is None:
                continue
            if not isinstance(result, Tensor) or result.shape != g.shape or result.dtype != g.dtype:
                what = f"{result.dtype} of shape {tuple(result.shape)}" if isinstance(result, Tensor) else type(result).__name__
                raise RuntimeError(f"register_hook: a hook turned a {g.dtype} gradient of shape {tuple(g.shape)} into {what}")
            g = result
        if self.captures is not None:
            if node in self.captures:
                self.captured[node] = g
        elif facts["leaf"] or retained:
            accumulate(node_link(None, node), g)
            for call in after:
                call()
        return g

    def _leave(self, function: Node, k: int, g: Tensor) -> None:
        if function not in self.arrived:
            self.arrived[function] = [None] * node_call(function)[1]
            heappush(self.heap, (-node_seq(function), function))
        row = self.arrived[function]
        row[k] = g if row[k] is None else row[k] + g


def _begin(walk: _Walk, outputs: list[Tensor], gradients: Any) -> None:
    gradients = [None] * len(outputs) if gradients is None else [gradients] if isinstance(gradients, Tensor) else list(gradients)
    if len(gradients) != len(outputs):
        raise ValueError(f"backward: {len(gradients)} gradients for {len(outputs)} tensors")
    begun: list[Any] = [(node_of(y), node_begin(y, g)) for y, g in zip(outputs, gradients)]
    if walk.captures is not None:
        walk.leading = _leading([node for node, _ in begun], walk.captures, walk.oldest)
    for node, g in begun:
        if walk.leading is None or node in walk.leading:
            walk.send(node, g)


def recorded_grad(outputs: list[Tensor], inputs: list[Tensor], gradients: Any, retain_graph: bool | None, allow_unused: bool | None,
                  materialize: bool) -> tuple[Tensor | None, ...]:
    """`fastnet.autograd.grad` with create_graph; the inputs require gradients."""
    nodes = [node_of(x) for x in inputs]
    walk = _Walk({n for n in nodes if n is not None})
    with enable_grad():
        _begin(walk, outputs, gradients)
        walk.run(retain_graph is None or bool(retain_graph))
    result: list[Tensor | None] = []
    for x, n in zip(inputs, nodes):
        g = walk.captured.get(n)  # type: ignore[arg-type]
        if g is None and materialize:
            g = node_link(None, n).detach().clone()  # type: ignore[arg-type]
        elif g is None and not allow_unused:
            raise RuntimeError(f"grad: no output depends on an input of shape {tuple(x.shape)}; allow_unused=True gives None for it")
        result.append(g)
    return tuple(result)


def recorded_backward(outputs: list[Tensor], gradients: Any, retain_graph: bool | None, inputs: list[Tensor] | None) -> None:
    """`fastnet.autograd.backward` with create_graph."""
    if inputs is None:
        walk = _Walk(None)
        with enable_grad():
            _begin(walk, outputs, gradients)
            walk.run(retain_graph is None or bool(retain_graph))
        return
    if not inputs:
        raise RuntimeError("backward: inputs is empty")
    for x in inputs:
        if not x.requires_grad:
            raise RuntimeError(f"backward: one of inputs, of shape {tuple(x.shape)}, does not require gradients")
    with enable_grad():
        for x, g in zip(inputs, recorded_grad(outputs, inputs, gradients, retain_graph, True, False)):
            if g is not None:
                accumulate(x, g)
                for call in node_hooks(node_of(x))[1]:  # type: ignore[arg-type]
                    call()
