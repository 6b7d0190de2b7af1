"""Inputs from shapes: what a forward is called with when only sizes were given."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor


def made(op: str, input: Any, dtypes: Any, dtype: Any) -> tuple[tuple, dict]:
    """The arguments of a forward: tensors as they are, shapes as random numbers (integers: zeros)."""
    if isinstance(input, Tensor):
        return (input,), {}
    if isinstance(input, Mapping):
        return (), dict(input)
    if not isinstance(input, (tuple, list)) or not input:
        raise TypeError(f"{op}: input must be a shape, a tensor, a tuple or list of either or a dict of arguments, "
                        f"got {type(input).__name__}")
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in input):
        if any(isinstance(part, Tensor) for part in input):
            return tuple(input), {}
        shapes = [tuple(part) for part in input]
    else:
        shapes = [tuple(input)]
    dtypes = [dtypes] * len(shapes) if not isinstance(dtypes, (list, tuple)) else list(dtypes)
    if len(dtypes) != len(shapes):
        raise ValueError(f"{op}: {len(dtypes)} dtypes for {len(shapes)} inputs")
    for shape in shapes:
        if any(not isinstance(n, int) or n < 0 for n in shape):
            raise ValueError(f"{op}: a shape has whole numbers of at least 0, got {shape}")
    generator = fn.Generator().manual_seed(0)

    def filled(shape: tuple, kind: Any) -> Tensor:
        return fn.rand(*shape, dtype=kind, generator=generator) if kind.is_floating_point else fn.zeros(*shape, dtype=kind)
    return tuple(filled(s, d or dtype) for s, d in zip(shapes, dtypes)), {}
