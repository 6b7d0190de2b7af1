"""torch.compile and torch.compiler's names: kernels are compiled when fastnet is built, so a model is ready as it is."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["compile", "disable", "is_compiling", "reset"]

BACKENDS = (None, "inductor", "eager", "aot_eager", "cudagraphs")
MODES = (None, "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(model: Callable | None = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: str | None = None,
            mode: str | None = None, options: dict[str, Any] | None = None, name: str | None = None, disable: bool = False) -> Any:
    """The model or function itself: there is nothing to compile, and its parameters keep their names.

    Args:
        model: a module or a function; None: this is a decorator with arguments.
        fullgraph, dynamic, options, name, disable: either way; nothing is compiled, so nothing breaks or is specialised.
        backend: None, "inductor", "eager", "aot_eager" or "cudagraphs".
        mode: None, "default", "reduce-overhead", "max-autotune" or "max-autotune-no-cudagraphs".

    Returns:
        The model.

    Raises:
        RuntimeError: both mode and options, an unknown mode, or a backend of one's own, which would be given a graph.
        TypeError: model cannot be called.

    >>> import fastnet
    >>> model = fastnet.nn.Linear(2, 3)
    >>> fastnet.compile(model) is model
    True
    """
    if mode is not None and options is not None:
        raise RuntimeError("compile: give mode or options, not both")
    if mode not in MODES:
        raise RuntimeError(f"compile: mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if backend not in BACKENDS:
        raise RuntimeError(f"compile: backend must be one of {', '.join(map(repr, BACKENDS))}, got {backend!r}; none gets a graph")
    if model is None:
        return lambda f: compile(f, backend=backend)
    if not callable(model):
        raise TypeError(f"compile: model must be callable, got {type(model).__name__}")
    return model


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A decorator for what is not to be compiled: the function itself.

    Args:
        fn: a function; None: this is a decorator with arguments.
        recursive, reason: either way.
    """
    return fn if fn is not None else lambda f: f


def is_compiling() -> bool:
    """Whether a model is being compiled: never.

    >>> import fastnet
    >>> fastnet.compiler.is_compiling()
    False
    """
    return False


def reset() -> None:
    """Forget what was compiled: nothing was."""
