"""The call of a module that has hooks."""
from __future__ import annotations

from typing import Any, Callable

from fastnet._core.engine import is_grad_enabled
from fastnet._core.tensor import Tensor
from fastnet.autograd import Function


class _Watch(Function):
    """Identity on a row of tensors whose backward hands all their gradients to `seen` at once and passes on what it returns."""

    @staticmethod
    def forward(ctx, seen: Callable, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.seen = seen
        return tuple(t.detach() for t in tensors)

    @staticmethod
    def backward(ctx, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, *ctx.seen(grads))


def _watch(values: tuple, seen: Callable[[tuple], tuple]) -> tuple[tuple, list[int]]:
    """Put the tensors of `values` that carry gradients through `_Watch`; also their positions."""
    at = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not at:
        return values, at
    watched = _Watch.apply(seen, *[values[i] for i in at])
    if isinstance(watched, Tensor):
        watched = (watched,)
    out = list(values)
    for i, tensor in zip(at, watched):
        out[i] = tensor
    return tuple(out), at


def _spread(grads: tuple, at: list[int], n: int) -> tuple:
    row = [None] * n
    for i, grad in zip(at, grads):
        row[i] = grad
    return tuple(row)


class _BackwardCall:
    """The backward hooks of one call of one module: collects the gradients of its outputs, then those of its inputs."""

    def __init__(self, module: Any) -> None:
        self.module, self.grad_output = module, ()
        self.inputs_at: list[int] = []
        self.n_inputs = 0

    def wrap_inputs(self, args: tuple) -> tuple:
        self.n_inputs = len(args)
        args, self.inputs_at = _watch(args, self._inputs_seen)
        return args

    def wrap_outputs(self, result: Any) -> Any:
        values = result if isinstance(result, tuple) else (result,)
        n = len(values)
        at: list[int] = []
        values, found = _watch(values, lambda grads: self._outputs_seen(grads, at, n))
        at += found
        return values if isinstance(result, tuple) else values[0]

    def _outputs_seen(self, grads: tuple, at: list[int], n: int) -> tuple:
        grad_output = _spread(grads, at, n)
        for hook in list(self.module._backward_pre_hooks.values()):
            changed = hook(self.module, grad_output)
            if changed is not None:
                grad_output = _as_row("full backward pre-hook", changed, n)
        self.grad_output = grad_output
        if not self.inputs_at:  # nothing below will report: the hooks run now, with gradients of inputs unknown
            self._run_hooks((None,) * self.n_inputs)
        return tuple(grad_output[i] for i in at)

    def _inputs_seen(self, grads: tuple) -> tuple:
        grad_input = self._run_hooks(_spread(grads, self.inputs_at, self.n_inputs))
        return tuple(grad_input[i] for i in self.inputs_at)

    def _run_hooks(self, grad_input: tuple) -> tuple:
        for hook in list(self.module._backward_hooks.values()):
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                grad_input = _as_row("full backward hook", changed, self.n_inputs)
        return grad_input


def _as_row(name: str, changed: Any, n: int) -> tuple:
    row = changed if isinstance(changed, tuple) else (changed,)
    if len(row) != n:
        raise RuntimeError(f"{name} returned {len(row)} gradients, expected {n}")
    return row


def call_with_hooks(module: Any, args: tuple, kwargs: dict) -> Any:
    """Run `module.forward` with the module's forward and backward hooks around it."""
    for hook, with_kwargs in list(module._forward_pre_hooks.values()):
        if with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(f"forward pre-hook with kwargs must return None or (args, kwargs), got {changed!r}")
                args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    backward = None
    if (module._backward_hooks or module._backward_pre_hooks) and is_grad_enabled():
        backward = _BackwardCall(module)
        args = backward.wrap_inputs(args)
    ran: set[int] = set()
    try:
        result = module.forward(*args, **kwargs)
        for key, (hook, with_kwargs, _) in list(module._forward_hooks.items()):
            ran.add(key)
            changed = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if changed is not None:
                result = changed
    except Exception:
        for key, (hook, with_kwargs, always_call) in list(module._forward_hooks.items()):
            if always_call and key not in ran:
                hook(module, args, kwargs, None) if with_kwargs else hook(module, args, None)
        raise
    return backward.wrap_outputs(result) if backward is not None else result
