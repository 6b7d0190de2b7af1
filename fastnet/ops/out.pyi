from collections.abc import Callable
from typing import Any

NAMES: frozenset[str]

def install(namespace: dict[str, Any]) -> None: ...
def takes_out(function: Callable[..., Any]) -> Callable[..., Any]: ...
