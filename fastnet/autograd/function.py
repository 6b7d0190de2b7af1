"""Function: an op of one's own, written in Python."""
from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from fastnet._core.engine import is_grad_enabled, no_grad, node_link, record_function, set_grad_enabled
from fastnet._core.tape import Node
from fastnet._core.tensor import Tensor, from_numpy


class Context:
    """What forward leaves for backward; other attributes may be set on it freely."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._saved: tuple = ()
        self._constant: tuple[int, ...] = ()
        self._dirty: tuple[int, ...] = ()
        self._materialize = True
        self._returned: dict[int, int] = {}              # which of what is saved is which output
        self._node: Node | None = None                   # while backward is being recorded

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs or outputs) for backward; one that is modified in place before then is noticed."""
        self._saved = tuple((t, None if t is None else t._version) for t in tensors)

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` kept.

        Raises:
            RuntimeError: one of them was modified in place since.
        """
        for t, version in self._saved:
            if t is not None and t._version != version:
                raise RuntimeError(f"saved_tensors: a tensor of shape {tuple(t.shape)} was modified in place after it was saved "
                                   f"(version {version} was saved, it is at {t._version})")
        if self._node is None:
            return tuple(t for t, _ in self._saved)
        node = self._node
        return tuple(node_link(t, node, self._returned[i]) if i in self._returned else t for i, (t, _) in enumerate(self._saved))

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs have no gradient."""
        self._constant = tuple(map(id, outputs))

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Say which inputs forward modified in place; each must be returned as an output."""
        self._dirty = tuple(map(id, inputs))

    def set_materialize_grads(self, value: bool) -> None:
        """False: backward gets None, not zeros, for an output that the loss does not depend on."""
        self._materialize = value

    def _detach_outputs(self, outputs: dict[int, tuple[int | None, Tensor]]) -> None:
        # An output that holds its own node through what is saved would be a cycle that nobody frees.
        for i, (t, _) in enumerate(self._saved):
            k = outputs.get(id(t), (None, t))[0]
            if k is not None:
                self._returned[i] = k
        self._saved = tuple((outputs.get(id(t), (None, t))[1], version) for t, version in self._saved)


class Function:
    """Base class of ops written in Python.

    A subclass has the static methods ``forward(ctx, *args)`` (or ``forward(*args)`` and ``setup_context(ctx, inputs, output)``), which
    computes with tensors, and ``backward(ctx, *grad_outputs)``, which returns one gradient or None for each argument of forward.
    Call it with ``apply``.

    >>> import fastnet
    >>> class Double(fastnet.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x.detach().clone()
    ...     @staticmethod
    ...     def backward(ctx, gy):
    ...         return gy
    >>> x = fastnet.tensor([1.0], requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor([1.])
    """

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Function: a subclass must define the static method forward")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise TypeError("Function: a subclass must define the static method backward")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward on the arguments and put the outputs on the tape."""
        ctx = Context()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with no_grad():
            if hasattr(cls, "setup_context"):
                result = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args, **kwargs)
        single = not isinstance(result, tuple)
        outputs = (result,) if single else result
        if not any(isinstance(y, Tensor) for y in outputs):
            raise TypeError(f"{cls.__name__}.forward: expected a Tensor or a tuple with Tensors, got {type(result).__name__}")
        given = {id(a) for a in args if isinstance(a, Tensor)}
        fresh = tuple(y.detach() if isinstance(y, Tensor) and (y.requires_grad or id(y) in given) and id(y) not in ctx._dirty else y
                      for y in outputs)
        if any(ctx.needs_input_grad) and is_grad_enabled():
            tracked = [y if isinstance(y, Tensor) and y.is_floating_point() and id(old) not in ctx._constant else None
                       for y, old in zip(fresh, outputs)]
            if any(y is not None for y in tracked):
                ctx._detach_outputs({id(y): (None if tracked[k] is None else k, y.detach()) for row in (fresh, outputs)
                                     for k, y in enumerate(row) if isinstance(y, Tensor) and id(y) not in given})
                n_inputs = len(args)                     # `args` itself would live as long as the node
                shapes = [None if y is None else (y.shape, y.dtype.numpy) for y in tracked] if ctx._materialize else None
                record_function(cls.__name__, list(args), tracked,
                                lambda grads, node=None: _call_backward(cls, ctx, n_inputs, grads, shapes, node))
        return fresh[0] if single else fresh


def _call_backward(cls: type[Function], ctx: Context, n_inputs: int, grads: list, shapes: list | None, node: Node | None) -> list:
    """One gradient or None for each input, from one or None for each output; recorded if the Function's node is given."""
    if shapes is not None:
        grads = [from_numpy(np.zeros(*s)) if g is None and s is not None else g for g, s in zip(grads, shapes)]
    before = ctx._node
    ctx._node = node
    try:
        with set_grad_enabled(node is not None):
            result = cls.backward(ctx, *grads)
    finally:
        ctx._node = before
    result = result if isinstance(result, tuple) else (result,)
    if len(result) > n_inputs and all(g is None for g in result[n_inputs:]):
        result = result[:n_inputs]
    if len(result) != n_inputs:
        raise RuntimeError(f"{cls.__name__}.backward: returned {len(result)} gradients for {n_inputs} arguments of forward")
    return list(result)


class _Once(Function):
    """Identity on gradients that have no history; differentiating it says whose they are."""

    @staticmethod
    def forward(ctx: Any, name: str, anchor: Tensor, *grads: Tensor) -> tuple[Tensor, ...]:
        ctx.name = name
        return tuple(g.detach() for g in grads)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(f"{ctx.name}: backward is marked with once_differentiable and has no derivative of its own")


def once_differentiable(backward: Callable) -> Callable:
    """Decorate the backward of a `Function` that is not made of differentiable ops: its gradients cannot be differentiated again.

    Under ``create_graph=True`` the gradients are those that backward gives, and differentiating them raises a RuntimeError.

    Args:
        backward: the static method ``backward(ctx, *grad_outputs)``; decorate it below ``@staticmethod``.

    >>> import fastnet
    >>> from fastnet.autograd.function import once_differentiable
    >>> class Cube(fastnet.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, gy):
    ...         return fastnet.from_numpy(3 * ctx.saved_tensors[0].detach().numpy() ** 2) * gy
    >>> x = fastnet.tensor([2.0], requires_grad=True)
    >>> fastnet.autograd.grad(Cube.apply(x), x)
    (tensor([12.]),)
    """
    @wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            result = backward(ctx, *grads)
        if not is_grad_enabled():
            return result
        row = list(result) if isinstance(result, tuple) else [result]
        at = [k for k, g in enumerate(row) if isinstance(g, Tensor)]
        if at:
            anchor = from_numpy(np.zeros((), np.float32)).requires_grad_()
            for k, g in zip(at, _Once.apply(backward.__qualname__.removesuffix(".backward"), anchor, *[row[k] for k in at])):
                row[k] = g
        return tuple(row)
    return wrapper
