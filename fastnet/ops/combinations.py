"""cartesian_prod, combinations: the elements of vectors, put together in every way."""
from __future__ import annotations

from itertools import combinations as _combinations
from itertools import combinations_with_replacement as _with_replacement

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.ops.convert import as_tensor
from fastnet.ops.expand import meshgrid
from fastnet.ops.join import stack


def _vector(x: object, op: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{op}: expected a Tensor, got {type(x).__name__}")
    if x.ndim != 1:
        raise RuntimeError(f"{op}: expected tensors of 1 axis, got shape {tuple(x.shape)}")
    return x


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every row that takes one element of each vector, the last one changing fastest.

    Args:
        tensors: of 1 axis, of one dtype.

    Returns:
        (product of the sizes, number of vectors); a single vector as it is.

    >>> import fastnet
    >>> fastnet.cartesian_prod(fastnet.tensor([1, 2]), fastnet.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if not tensors:
        raise RuntimeError("cartesian_prod: no tensors")
    vectors = [_vector(x, "cartesian_prod") for x in tensors]
    return vectors[0] if len(vectors) == 1 else stack(meshgrid(*vectors), dim=-1).reshape(-1, len(vectors))


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of r elements of a vector, in the order of their places.

    Args:
        input: of 1 axis.
        r: elements of a choice, at least 0.
        with_replacement: an element may be chosen several times.

    Returns:
        (number of choices, r); for r = 0 an empty vector.

    >>> import fastnet
    >>> fastnet.combinations(fastnet.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    x = _vector(input, "combinations")
    if r < 0:
        raise RuntimeError(f"combinations: r must not be negative, got {r}")
    if r == 0:
        return x[:0]
    choose = _with_replacement if with_replacement else _combinations
    return x[as_tensor(np.array(list(choose(range(x.numel()), r)), np.int64).reshape(-1, r))]
