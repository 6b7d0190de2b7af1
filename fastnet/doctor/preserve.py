"""preserved: weights, buffers, gradients, optimizer, modes and random numbers are as before; unhooked: so are calls of a module."""
from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import fastnet as fn


_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def unhooked(module: Any) -> None:
    """Let calls of a module take the short way again, now that our hooks are gone, unless somebody else has some."""
    if not any(module.__dict__[kind] for kind in _HOOKS):
        module.__dict__.pop("_hooked", None)
        fn.nn.Module._structure += 1                      # plans of containers are made anew: what runs fused may be fused again


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(item) for item in value)
    return value.detach().clone() if isinstance(value, fn.Tensor) else value


@contextmanager
def preserved(model: Any, optimizer: Any = None, *, weights: bool = True) -> Iterator[None]:
    """Put everything back at the end, after an error too.

    Args:
        model: a Module: parameters, buffers, gradients, training modes.
        optimizer: its state and options, or None.
        weights: False: the weights will not be changed, and are not copied.

    >>> import fastnet as fn
    >>> from fastnet.doctor.preserve import preserved
    >>> model = fn.nn.Linear(2, 2)
    >>> before = model.weight.tolist()
    >>> with preserved(model):
    ...     _ = fn.nn.init.zeros_(model.weight)
    >>> model.weight.tolist() == before
    True
    """
    tensors = [*model.buffers(), *(model.parameters() if weights else ())]
    values = [t.detach().clone() for t in tensors]
    parameters = list(model.parameters())
    gradients = [p.grad for p in parameters]
    modes = [(module, module.training) for module in model.modules()]
    state = None if optimizer is None else _copy(optimizer.state_dict())
    count = getattr(optimizer, "_step_count", None)
    seeds = fn.get_rng_state(), random.getstate(), np.random.get_state()
    for p in parameters:
        p.grad = None
    try:
        yield
    finally:
        with fn.no_grad():
            for t, value in zip(tensors, values):
                t.detach().copy_(value)
        for p, g in zip(parameters, gradients):
            p.grad = g
        for module, mode in modes:
            module.training = mode
        if optimizer is not None:
            optimizer.load_state_dict(state)
            if count is not None:
                optimizer._step_count = count
        fn.set_rng_state(seeds[0])
        random.setstate(seeds[1])
        np.random.set_state(seeds[2])
