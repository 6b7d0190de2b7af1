"""What a recipe for a second derivative sees of one op: its inputs and its value with their histories, and its numbers."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.engine import node_block, node_link
from fastnet._core.tape import Node
from fastnet._core.tensor import Tensor


class Op:
    """An op on the tape whose backward is to be recorded.

    Attributes:
        node: its node.
        name: as ``grad_fn`` prints it.
        shape: of its value.
        numbers, integers: the op's own.
        saved: what the op kept, without history; None where it kept nothing.
        sources: the nodes of its inputs; None for an input that needs no gradient.
        wanted: the numbers of the inputs whose gradients are asked for.
    """

    def __init__(self, node: Node, facts: dict[str, Any], sources: list[Node | None], wanted: list[int]) -> None:
        self.node, self.name = node, node.name()
        self.shape, self.numbers, self.integers, self.saved = facts["shape"], facts["numbers"], facts["integers"], facts["saved"]
        self.sources, self.wanted = sources, wanted
        self._like: dict[int, Tensor] = {}

    def wants(self, k: int) -> bool:
        """Whether the gradient of input k is asked for."""
        return k in self.wanted

    def like(self, k: int) -> Tensor:
        """Zeros of the shape and dtype of input k, which needs a gradient, with its history."""
        if k not in self._like:
            source = self.sources[k]
            assert source is not None
            self._like[k] = node_link(None, source)
        return self._like[k]

    def zeros(self, k: int) -> Tensor:
        """The gradient 0 of input k."""
        return self.like(k).detach().clone()

    def input(self, k: int, at: int | None = None) -> Any:
        """Input k, which the op saved at place `at` (default k), with its history if it needs a gradient.

        Zeros with that history where it needs a gradient but was not saved; None where it was not saved and needs none.
        """
        value = self.saved[k if at is None else at] if (k if at is None else at) < len(self.saved) else None
        source = self.sources[k] if k < len(self.sources) else None
        if source is None:
            return value
        like = self.like(k)
        if value is None:
            return like
        if value.shape != like.shape:
            value = value.reshape(like.shape)
        return node_link(value, source) if value.dtype == like.dtype else node_link(value.to(like.dtype), source).to(value.dtype)

    def operand(self, k: int) -> Any:
        """Input k of an elementwise op, which may have been a number."""
        value = self.input(k)
        return self.numbers[k] if value is None else value

    def output(self, at: int = 0) -> Tensor:
        """The op's value, which it saved at place `at`, with its history; in the shape in which it was saved."""
        value = self.saved[at]
        y = node_link(value.reshape(self.shape), self.node)
        return y if value.shape == y.shape else y.reshape(value.shape)

    def fit(self, g: Tensor, k: int) -> Tensor:
        """A gradient, summed over the axes along which input k was broadcast, in the input's dtype."""
        like = self.like(k)
        if g.shape != like.shape:
            extra = g.ndim - like.ndim
            over = [d for d in range(g.ndim) if d < extra or (like.shape[d - extra] == 1 and g.shape[d] != 1)]
            g = (g.sum(over) if over else g).reshape(like.shape)
        return g if g.dtype == like.dtype else g.to(like.dtype)

    def block(self, layout: Any, count: int = 1) -> Any:
        """What lies in the op's block, read as NumPy dtypes aligned as C does."""
        kind = np.dtype(layout, align=True) if isinstance(layout, list) else np.dtype(layout)
        read = np.frombuffer(node_block(self.node, kind.itemsize * count), kind)
        return read[0] if count == 1 else read
