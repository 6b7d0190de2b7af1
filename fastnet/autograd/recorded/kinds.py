"""The kinds of recipes by which ops tell their second derivatives, and the table of all recipes.

    @backward("MulBackward0")            the gradient of input k, written with ops
    def mul(op, gy, k): return gy * op.operand(1 - k)

    @linear("CumsumBackward0")           the op again, for another input: the backward of a linear op's backward; inputs that need
    def cumsum(op): ...                  no gradient come as None

    @replay("GluBackward0")              the op's value from simpler ops; these are then differentiated
    def glu(op, x): ...

What a recipe reads of the op, it reads when it is called: the graph may be freed before the second backward.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnet._core.engine import enable_grad, grad, node_backward
from fastnet._core.tensor import Tensor
from fastnet.autograd.function import Function
from fastnet.autograd.recorded.op import Op

Recipe = Callable[[Op, Tensor], "list[Tensor | None]"]
RECIPES: dict[str, Recipe] = {}


def _list(names: tuple[str, ...], recipe: Recipe) -> None:
    for name in names:
        assert name not in RECIPES, name
        RECIPES[name] = recipe


def backward(*names: str) -> Callable:
    """List a function (op, gy, k) that gives the gradient of input k; it may have the shape of the value where that was broadcast."""
    def put(f: Callable) -> Callable:
        _list(names, lambda op, gy: [op.fit(f(op, gy, k), k) if op.wants(k) else None for k in range(len(op.sources))])
        return f
    return put


class _Adjoint(Function):
    """The backward of a linear op by its kernel; its own backward is the op again."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, op: Op, again: Callable) -> tuple:
        ctx.again, ctx.wanted = again, [op.wants(k) for k in range(len(op.sources))]
        made = node_backward(op.node, gy, op.wanted)
        return tuple(made[k] for k in op.wanted)

    @staticmethod
    def backward(ctx: Any, *ggx: Tensor) -> tuple:  # type: ignore[override]
        given = iter(ggx)
        return ctx.again(*[next(given) if wanted else None for wanted in ctx.wanted]), None, None


def linear(*names: str) -> Callable:
    """List a function (op) that gives the op as a function of its inputs, for inputs of the same shapes."""
    def put(f: Callable) -> Callable:
        def recipe(op: Op, gy: Tensor) -> list[Tensor | None]:
            got = iter(_Adjoint.apply(gy, op, f(op)))
            return [next(got) if op.wants(k) else None for k in range(len(op.sources))]
        _list(names, recipe)
        return f
    return put


def pull(f: Callable[..., Tensor], xs: list[Any], wanted: list[int], gy: Tensor) -> list[Tensor | None]:
    """The gradients of f(*xs), given that of its value, with respect to the wanted ones of xs; with history."""
    with enable_grad():
        # Each through a node of its own: where one of xs was computed from another, that way does not count.
        leaves = [x.expand(x.shape) if k in wanted else x for k, x in enumerate(xs)]
        y = f(*leaves)
        if not y.requires_grad:
            return [None] * len(wanted)
        return list(grad(y, [leaves[k] for k in wanted], gy, create_graph=True, allow_unused=True))


def replay(*names: str) -> Callable:
    """List a function (op, *inputs) that computes the op's value, or one with the same derivatives, from simpler ops."""
    def put(f: Callable) -> Callable:
        def recipe(op: Op, gy: Tensor) -> list[Tensor | None]:
            n = len(op.sources)
            found = dict(zip(op.wanted, pull(lambda *xs: f(op, *xs), [op.input(k) for k in range(n)], op.wanted, gy)))
            return [found.get(k) for k in range(n)]
        _list(names, recipe)
        return f
    return put
