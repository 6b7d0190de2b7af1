"""The handle that takes a hook away again."""
from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import ref

_ids = count()


class RemovableHandle:
    """What registering a hook returns; ``remove()``, or leaving its ``with`` block, takes the hook away."""

    def __init__(self, hooks: dict[int, Callable], hook: Callable, *, first: bool = False) -> None:
        self.hooks, self.id = hooks, next(_ids)
        if first:
            rest = dict(hooks)
            hooks.clear()
            hooks[self.id] = hook
            hooks.update(rest)
        else:
            hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; doing so twice is harmless."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def called_with(x: Any, hook: Callable[[Any], object]) -> Callable[[], None]:
    """A function without arguments that calls the hook with x, which it does not keep alive."""
    there = ref(x)

    def call() -> None:
        if (found := there()) is not None:
            hook(found)
    return call
