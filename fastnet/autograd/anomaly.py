"""detect_anomaly: a backward that stops at the first gradient that is NaN, and says where its op was called."""
from __future__ import annotations

from typing import Any

from fastnet._core.engine import node_value
from fastnet._core.tape import Node, journal, on_gradients


class _Origins:
    """Where each op was called, by its node; the nodes themselves are not kept."""

    def __init__(self) -> None:
        self.at: dict[int, list[str]] = {}

    def append(self, node: Node) -> None:
        from traceback import format_stack               # here: few programs need it
        self.at[hash(node)] = format_stack()[:-1]


class set_detect_anomaly:
    """Turn the detection on or off; as a context, until its end.

    Args:
        mode: on or off.
        check_nan: look at the gradients; False: only remember where ops were called.

    >>> import fastnet
    >>> x = fastnet.zeros(1, requires_grad=True)
    >>> with fastnet.autograd.set_detect_anomaly(True):
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
    RuntimeError: SqrtBackward0 returned NaN for input 0, of shape (1,)...
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.origins = _Origins() if mode else None
        self.before = journal(self.origins), on_gradients(self._look if mode and check_nan else None)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        journal(self.before[0])
        on_gradients(self.before[1])

    def _look(self, node: Node, gradients: list[Node | None]) -> None:
        for i, holder in enumerate(gradients):
            value = None if holder is None else node_value(holder)
            if value is not None and value.is_floating_point() and bool(value.isnan().any()):
                where = "".join((self.origins.at if self.origins else {}).get(hash(node), ["  before detection was turned on\n"]))
                raise RuntimeError(f"{node.name()} returned NaN for input {i}, of shape {tuple(value.shape)}; it was called here:\n{where}")


class detect_anomaly(set_detect_anomaly):
    """A context in which backward raises an error at the first op that gives a NaN gradient, with the place where that op was called.

    It makes training several times slower: for the search, not for every day. `fastnet.diagnose` finds the first value that is not finite
    in the forward pass too.

    Args:
        check_nan: look at the gradients.

    Raises:
        RuntimeError: in backward, when a gradient is NaN.

    >>> import fastnet
    >>> with fastnet.autograd.detect_anomaly():
    ...     fastnet.ones(1, requires_grad=True).log().sum().backward()
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        super().__init__(True, self.check_nan)
