"""torch.jit's decorators, which change nothing here, as in PyTorch under PYTORCH_JIT=0: scripts and modules run as they are.

There is no TorchScript: `save`, `load`, `freeze` and `ScriptModule` are absent. `fastnet.save` keeps a `state_dict`.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["export", "ignore", "is_scripting", "is_tracing", "script", "script_if_tracing", "trace", "unused"]


def script(obj: Any) -> Any:
    """The function, class or module itself.

    Args:
        obj: what PyTorch would compile.

    >>> import fastnet
    >>> @fastnet.jit.script
    ... def twice(x: fastnet.Tensor) -> fastnet.Tensor:
    ...     return x + x
    >>> twice(fastnet.ones(1))
    tensor([2.])
    """
    return obj


def trace(func: Callable, example_inputs: Any = None, *, check_trace: bool = True, strict: bool = True) -> Any:
    """The function or module itself, which is called once with the example so that a wrong one is seen now.

    Args:
        func: a function or a module.
        example_inputs: its arguments, a tuple; anything else is the only one. None: it is not called.
        check_trace, strict: either way; no trace is kept that could differ.
    """
    from fastnet._core.engine import no_grad
    if example_inputs is not None:
        with no_grad():
            func(*(example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)))
    return func


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator for what is to stay Python: the function itself.

    Args:
        drop: the function, or whether calls are to be left out of what is saved.
        kwargs: `drop_on_export`, the same.
    """
    return drop if callable(drop) else lambda f: f


def unused(fn: Callable) -> Callable:
    """The function itself."""
    return fn


export = script_if_tracing = unused


def is_scripting() -> bool:
    """Whether a script is being compiled: never."""
    return False


def is_tracing() -> bool:
    """Whether a trace is being made: never."""
    return False
