"""Looking leaves no trace: what a forward or a training step changes is put back afterwards, also after an exception."""
from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fastnet as fn


@contextmanager
def kept(model: Any, optimizer: Any = None, mode: str | None = None, parameters: bool = False) -> Iterator[None]:
    """Put back buffers, training flags, gradients and random numbers; with `parameters` also those, and the optimizer's state.

    mode: "train" or "eval" while it lasts; None: as each module stands.
    """
    if mode not in (None, "train", "eval"):
        raise ValueError(f"mode must be 'train', 'eval' or None, got {mode!r}")
    if parameters and any(m.has_uninitialized_params() for m in model.modules() if hasattr(m, "has_uninitialized_params")):
        raise ValueError("the model has lazy layers whose sizes are not known yet: run a forward first")
    modes = [(m, m.training) for m in model.modules()]
    random = fn.get_rng_state()
    values = list(model.buffers()) + (list(model.parameters()) if parameters else [])
    copies = [v.detach().clone() for v in values]
    gradients = [(p, p.grad) for p in model.parameters()]
    state = copy.deepcopy(optimizer.state_dict()) if optimizer is not None else None
    steps = getattr(optimizer, "_step_count", 0)
    try:
        for p, _ in gradients:
            p.grad = None                                # else a backward would add to the caller's
        if mode is not None:
            model.train(mode == "train")
        yield
    finally:
        for m, training in modes:
            m.training = training
        with fn.no_grad():
            for value, was in zip(values, copies):
                value.copy_(was)
        for p, grad in gradients:
            p.grad = grad
        if optimizer is not None:
            optimizer.load_state_dict(state)
            optimizer._step_count = steps
        fn.set_rng_state(random)
