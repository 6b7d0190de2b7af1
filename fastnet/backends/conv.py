"""Algorithms of convolutions: which one a shape takes for each pass, and why; one of them for tests."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import fastnet as fn
from fastnet.ops import conv as _conv

__all__ = ["Choice", "explain", "flags"]


class Choice(NamedTuple):
    """The algorithm of one pass: its name, why it was chosen, and what every algorithm said, {name: (can serve, reason)}.

    >>> import fastnet
    >>> fastnet.backends.conv.explain((1, 8, 5, 5), (8, 8, 1, 1))["forward"].algorithm
    'gemm'
    """
    algorithm: str
    reason: str
    verdicts: dict[str, tuple[bool, str]]


def explain(input_shape: Sequence[int], weight_shape: Sequence[int], stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
            dtype: Any = None, transposed: bool = False, output_padding: Any = 0) -> dict[str, Choice]:
    """Tell which algorithm computes a convolution of these shapes; the choice depends on shape and dtype alone.

    Args:
        input_shape, weight_shape: as the convolution would get them.
        stride, padding, dilation, groups: its other arguments.
        dtype: of input and weight; the default dtype if None.
        transposed: a transposed convolution, with `output_padding`.

    Returns:
        {"forward": Choice, "input": Choice, "weight": Choice}: the result, the gradient of the input, of the weight.

    Raises:
        RuntimeError: the shapes do not fit.

    >>> import fastnet
    >>> found = fastnet.backends.conv.explain((8, 64, 56, 56), (64, 64, 7, 7), stride=2, padding=3)
    >>> found["weight"].algorithm, found["weight"].reason
    ('direct', 'serves every shape')
    """
    if len(weight_shape) not in (3, 4, 5):
        raise RuntimeError(f"explain: weight_shape must have 3, 4 or 5 axes, got {tuple(weight_shape)}")
    one = fn.zeros(1, dtype=dtype)
    op = f"conv_transpose{len(weight_shape) - 2}d" if transposed else f"conv{len(weight_shape) - 2}d"
    found = _conv._explain(op, one.expand(*input_shape), one.expand(*weight_shape), stride, padding, dilation, groups,
                           output_padding if transposed else None)
    return {name: Choice(algorithm, reason, {n: (can, why) for n, can, why in verdicts})
            for name, (algorithm, reason, verdicts) in zip(("forward", "input", "weight"), found)}


@contextmanager
def flags(algorithm: str | None = None) -> Iterator[None]:
    """While it lasts, all convolutions, and the gradients computed meanwhile, take one algorithm wherever it can serve.

    Args:
        algorithm: a name that `explain` shows, such as "direct"; None: the usual choice.

    Raises:
        ValueError: no such algorithm.

    >>> import fastnet
    >>> with fastnet.backends.conv.flags(algorithm="direct"):
    ...     fastnet.backends.conv.explain((1, 8, 5, 5), (8, 8, 1, 1))["forward"].algorithm
    'direct'
    """
    old = _conv._force(algorithm)
    try:
        yield
    finally:
        _conv._force(old)
