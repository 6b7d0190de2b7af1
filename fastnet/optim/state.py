"""The state of an optimizer: dicts that tell when they change, so that lists made of them can be kept."""
from __future__ import annotations

from collections import defaultdict
from typing import Any

_changes = 0


def version() -> int:
    """How many changes any optimizer's state has seen."""
    return _changes


def _noting(name: str, base: type) -> Any:
    change = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        global _changes
        _changes += 1
        return change(self, *args, **kwargs)

    return method


_WRITERS = ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update")


class ParamState(dict):
    """The state of one parameter: a dict from names to tensors."""


class States(defaultdict):
    """The states of all parameters: a dict from the parameter to its `ParamState`, which is made when first asked for."""

    def __init__(self, *args: Any) -> None:
        super().__init__(ParamState, *args)

    def __reduce__(self) -> tuple:
        return States, (), None, None, iter(self.items())

    def __copy__(self) -> States:
        return States(self)


for _class, _base in ((ParamState, dict), (States, defaultdict)):
    for _name in _WRITERS:
        setattr(_class, _name, _noting(_name, _base))
