"""scatter_reduce: values that go to one place are added, multiplied, averaged, or their largest or smallest is kept."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.dtypes import int64
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.create import ones_like, zeros_like
from fastnet.ops.index_select import index_select
from fastnet.ops.join import cat
from fastnet.ops.where import where

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """Reduce the elements of src that index sends to each element of input.

    Args:
        input: any tensor.
        dim: the axis along which index tells places.
        index: integers; its shape fits into input's (apart from dim) and src's.
        src: the values, of input's dtype.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: the elements of input take part; False: those that get values do not.

    Returns:
        input's shape; where nothing goes, input.

    Raises:
        ValueError: another word for reduce.
        RuntimeError: shapes or dtypes that do not fit.

    >>> import fastnet
    >>> fastnet.scatter_reduce(fastnet.zeros(2), 0, fastnet.tensor([0, 0, 1]), fastnet.tensor([1.0, 2.0, 3.0]), "amax")
    tensor([2., 3.])
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"scatter_reduce: reduce must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    x, i, s = _checked(input, dim, index, src)
    dim = dim % max(input.ndim, 1)
    hits = zeros_like(x, dtype=int64).scatter_add(dim, i, ones_like(s, dtype=int64)) if reduce == "mean" or not include_self else None
    if reduce in ("sum", "mean"):
        base = x if include_self or hits is None else where(hits > 0, zeros_like(x), x)
        y = base.scatter_add(dim, i, s)
        if reduce == "mean" and hits is not None:
            count = hits + 1 if include_self else hits.clamp(min=1)
            y = y / count if x.is_floating_point() else y.div(count, rounding_mode="floor").to(x.dtype)
    else:
        y = _products(x, dim, i, s, hits) if reduce == "prod" else _extremes(x, dim, i, s, hits, reduce == "amax")
    return y.reshape(input.shape)


def scatter_reduce_(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """`scatter_reduce`, in place.

    Args:
        input: any tensor; changed.
        dim: the axis along which index tells places.
        index: integers.
        src: the values.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: the elements of input take part.

    >>> import fastnet
    >>> fastnet.ones(2).scatter_reduce_(0, fastnet.tensor([1, 1]), fastnet.tensor([2.0, 3.0]), "prod")
    tensor([1., 6.])
    """
    return input.copy_(scatter_reduce(input, dim, index, src, reduce, include_self=include_self))


def _checked(input: Any, dim: int, index: Any, src: Any) -> tuple[Tensor, Tensor, Tensor]:
    for name, t in (("input", input), ("index", index), ("src", src)):
        if not isinstance(t, Tensor):
            raise TypeError(f"scatter_reduce: {name} must be a Tensor, got {type(t).__name__}")
    if src.dtype != input.dtype:
        raise RuntimeError(f"scatter_reduce: src is {src.dtype}, input is {input.dtype}; they must agree")
    x, i, s = (t.reshape(1) if t.ndim == 0 else t for t in (input, index, src))
    if not -x.ndim <= dim < x.ndim:
        raise IndexError(f"scatter_reduce: dim {dim} is out of range for a tensor of {input.ndim} axes")
    if not x.ndim == i.ndim == s.ndim or any(a > b for a, b in zip(i.shape, s.shape)):
        raise RuntimeError(f"scatter_reduce: index {tuple(index.shape)} must fit into src {tuple(src.shape)}, "
                           f"with as many axes as input {tuple(input.shape)}")
    return x, i, s[tuple(slice(n) for n in i.shape)]


def _key(i: Tensor, dim: int) -> tuple:
    """index as a key of NumPy that reaches each place."""
    grids = list(np.ix_(*(np.arange(n) for n in i.shape)))
    grids[dim] = i.detach().numpy()
    return tuple(grids)


def _extremes(x: Tensor, dim: int, i: Tensor, s: Tensor, hits: Tensor | None, largest: bool) -> Tensor:
    best = x.detach().numpy().copy()
    low = (np.finfo if best.dtype.kind == "f" else np.iinfo)(best.dtype).min if best.dtype != bool else False
    high = (np.finfo if best.dtype.kind == "f" else np.iinfo)(best.dtype).max if best.dtype != bool else True
    if best.dtype.kind == "f":
        low, high = -np.inf, np.inf
    if hits is not None:
        best[hits.numpy() > 0] = low if largest else high
    (np.maximum if largest else np.minimum).at(best, _key(i, dim), s.detach().numpy())
    y = from_numpy(best)
    if not (x.requires_grad or s.requires_grad):
        return y
    # The gradient is shared by all elements that are the extreme one: weights that add up to 1 pick it out.
    from_self = ((x == y) if hits is None else (x == y) & (hits == 0)).to(x.dtype)
    from_src = (s == y.gather(dim, i)).to(x.dtype)
    ties = from_self.scatter_add(dim, i, from_src)
    safe = where(ties > 0, ties, 1.0)
    finite = where(from_self > 0, x, 0.0) * (from_self / safe)
    return finite.scatter_add(dim, i, where(from_src > 0, s, 0.0) * (from_src / safe.gather(dim, i))) + where(ties > 0, 0.0, y)


def _products(x: Tensor, dim: int, i: Tensor, s: Tensor, hits: Tensor | None) -> Tensor:
    start = x if hits is None else where(hits > 0, ones_like(x), x)
    if not (x.requires_grad or s.requires_grad):
        return _multiplied(start, s, i, dim)
    # The factors of each place side by side, multiplied in pairs until one is left: zeros need no care, and all derivatives follow.
    places = np.concatenate([np.arange(x.numel()), np.ravel_multi_index(np.broadcast_arrays(*_key(i, dim)), tuple(x.shape)).reshape(-1)])
    order = np.argsort(places, kind="stable")
    factors, places = index_select(cat([start.reshape(-1), s.reshape(-1)]), 0, from_numpy(order)), places[order]
    while len(places) > x.numel():
        turn = np.arange(len(places)) - np.searchsorted(places, places)
        left = np.flatnonzero(turn % 2 == 0)
        right = np.minimum(left + 1, len(places) - 1)
        paired = (places[right] == places[left]) & (right != left)
        first, second = (index_select(factors, 0, from_numpy(at)) for at in (left, right))
        factors, places = first * where(from_numpy(paired), second, 1.0), places[left]
    return factors.reshape(x.shape)


def _multiplied(start: Tensor, s: Tensor, i: Tensor, dim: int) -> Tensor:
    product = start.detach().numpy().copy()
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        np.multiply.at(product, _key(i, dim), s.detach().numpy())
    return from_numpy(product)
