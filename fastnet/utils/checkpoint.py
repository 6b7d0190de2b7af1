"""utils.checkpoint: forward again in backward, so that what lies between need not be kept (Chen, Xu, Zhang, Guestrin, 2016)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fastnet as fn
from fastnet._core.engine import node_link
from fastnet._core.tensor import Tensor
from fastnet.autograd.function import Function


class _Again(Function):
    """Its inputs: one that needs a gradient so that backward is called, what to run, what came out, and the arguments."""

    @staticmethod
    def forward(ctx: Any, needs: Tensor, run: Callable[..., list[Tensor]], state: Any, made: list[Tensor], *args: Any) -> Any:
        ctx.run, ctx.state, ctx.args = run, state, args
        results = tuple(y.detach() for y in made)
        ctx.mark_non_differentiable(*(y for y, old in zip(results, made) if not old.requires_grad))
        ctx.set_materialize_grads(False)
        made.clear()                                      # the graph of this forward goes here: apply keeps the list, which had it
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        recorded = fn.is_grad_enabled()                   # by create_graph=True
        args = [x.expand(x.shape) if recorded and isinstance(x, Tensor) and x.requires_grad else
                x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in ctx.args]
        now = fn.get_rng_state()
        try:
            if ctx.state is not None:
                fn.set_rng_state(ctx.state)
            with fn.enable_grad():
                made = ctx.run(*args)
        finally:
            if ctx.state is not None:
                fn.set_rng_state(now)
        pairs = [(y, g) for y, g in zip(made, grads) if y.requires_grad and g is not None]
        if pairs and recorded:
            return (None, None, None, None, *_recorded(pairs, args))
        if pairs:
            fn.autograd.backward([y for y, _ in pairs], [g for _, g in pairs])
        return (None, None, None, None, *(x.grad if isinstance(x, Tensor) else None for x in args))


def _recorded(pairs: list[tuple[Tensor, Tensor]], args: list[Any]) -> list[Tensor | None]:
    """The gradients of the arguments, with a history; those of parameters inside go to their ``.grad``."""
    from fastnet.autograd.recorded.walk import accumulate, leaves_behind
    outputs, starts = zip(*pairs)
    wanted = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
    inside = [node_link(None, node) for node in leaves_behind(outputs, wanted)]
    got = fn.autograd.grad(outputs, wanted + inside, starts, create_graph=True, allow_unused=True)
    for x, g in zip(inside, got[len(wanted):]):
        if g is not None:
            accumulate(x, g)
    row = iter(got)
    return [next(row) if isinstance(x, Tensor) and x.requires_grad else None for x in args]


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
               **kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` whose inner values are not kept: backward computes them again.

    One more forward buys memory: of a model in n such pieces, the values between the pieces are kept, and those inside of one at a time.
    Gradients are those without it, bit by bit; those of parameters inside reach ``.grad`` in `backward`, and not `autograd.grad`.

    Args:
        function: a module or a function, which gives a tensor or a tuple or list of them.
        args, kwargs: for the function; tensors that need a gradient must be arguments themselves, not inside of one.
        use_reentrant: PyTorch's choice between two ways; there is one here.
        preserve_rng_state: let the second forward draw the random numbers of the first, for dropout.

    Raises:
        TypeError: the function returns something else.

    >>> import fastnet as fn
    >>> block = fn.nn.Sequential(fn.nn.Linear(3, 3), fn.nn.Tanh())
    >>> fn.utils.checkpoint.checkpoint(block, fn.ones(2, 3), use_reentrant=False).sum().backward()
    >>> block[0].weight.grad is not None
    True
    """
    if not fn.is_grad_enabled():
        return function(*args, **kwargs)
    names, kinds = list(kwargs), []

    def run(*values: Any) -> list[Tensor]:
        result = function(*values[:len(args)], **dict(zip(names, values[len(args):])))
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        for part in parts:
            if not isinstance(part, Tensor):
                raise TypeError(f"checkpoint: the function must return a Tensor or a tuple of them, got {type(part).__name__}")
        kinds.append(type(result))
        return parts
    state = fn.get_rng_state() if preserve_rng_state else None
    values = (*args, *kwargs.values())
    made = run(*values)
    if any(part.requires_grad for part in made):
        made = list(_Again.apply(fn.zeros(0, requires_grad=True), run, state, made, *values))
    kind = kinds[0]
    if issubclass(kind, Tensor):
        return made[0]
    return kind(*made) if hasattr(kind, "_fields") else kind(made) if kind in (tuple, list) else tuple(made)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, *,
                          preserve_rng_state: bool = True) -> Any:
    """Modules one after the other, in pieces of which all but the last are a `checkpoint`.

    Args:
        functions: a Sequential, or a list of modules or functions.
        segments: number of pieces, from 1 to the number of functions.
        input: of the first.
        use_reentrant, preserve_rng_state: see `checkpoint`.

    >>> import fastnet as fn
    >>> net = fn.nn.Sequential(*(fn.nn.Linear(3, 3) for _ in range(6)))
    >>> x = fn.ones(1, 3)
    >>> fn.equal(fn.utils.checkpoint.checkpoint_sequential(net, 3, x), net(x))
    True
    """
    parts: Sequence[Any] = list(functions.children()) if isinstance(functions, fn.nn.Sequential) else list(functions)
    if not 1 <= segments <= len(parts):
        raise ValueError(f"checkpoint_sequential: segments must be from 1 to the number of functions, {len(parts)}, got {segments}")

    def chain(functions: Sequence[Any], x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x
    size = len(parts) // segments
    for i in range(segments - 1):
        input = checkpoint(chain, parts[i * size:(i + 1) * size], input, preserve_rng_state=preserve_rng_state)
    return chain(parts[(segments - 1) * size:], input)
