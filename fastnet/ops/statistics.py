"""quantile, nanquantile, nanmean, nansum, nanmedian, aminmax, cov, corrcoef: statistics composed of sums and sorts."""
from __future__ import annotations

from typing import Any, NamedTuple

from fastnet._core.tensor import Tensor
from fastnet.ops.convert import as_tensor
from fastnet.ops.operands import a_floating, a_tensor
from fastnet.ops.reduce import amax, amin
from fastnet.ops.sort import median, sort
from fastnet.ops.where import where

aminmax_result = NamedTuple("aminmax_result", [("min", Tensor), ("max", Tensor)])
aminmax_result.__name__ = "aminmax"    # what it prints; pickles know it by __qualname__
MODES = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(input: Tensor, q: Tensor | float, dim: int | None = None, keepdim: bool = False, *,
             interpolation: str = "linear") -> Tensor:
    """The value below which a part q of the elements lies; NaN where one of them is NaN.

    Args:
        input: a floating-point tensor.
        q: from 0 to 1, a number or a tensor of 1 axis of input's dtype.
        dim: the axis; None: all elements.
        keepdim: keep it, with size 1.
        interpolation: between two elements: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"``, ``"nearest"``.

    Returns:
        The reduced shape, with an axis in front where q has one.

    Raises:
        RuntimeError: no elements, another dtype, q outside [0, 1].

    >>> import fastnet
    >>> fastnet.quantile(fastnet.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
    tensor(1.5000)
    """
    return _quantile(input, q, dim, keepdim, interpolation, "quantile")


def nanquantile(input: Tensor, q: Tensor | float, dim: int | None = None, keepdim: bool = False, *,
                interpolation: str = "linear") -> Tensor:
    """`quantile` of the elements that are not NaN.

    Args:
        input: a floating-point tensor.
        q: from 0 to 1, a number or a tensor of 1 axis of input's dtype.
        dim: the axis; None: all elements.
        keepdim: keep it, with size 1.
        interpolation: as `quantile`'s.

    >>> import fastnet
    >>> fastnet.nanquantile(fastnet.tensor([float("nan"), 1.0, 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile(input, q, dim, keepdim, interpolation, "nanquantile")


def _quantile(input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, op: str) -> Tensor:
    x = a_floating(input, op)
    if interpolation not in MODES:
        raise RuntimeError(f"{op}: interpolation must be one of {', '.join(MODES)}, got {interpolation!r}")
    at = as_tensor(q, dtype=x.dtype) if not isinstance(q, Tensor) else q
    if at.ndim > 1 or at.dtype != x.dtype:
        raise RuntimeError(f"{op}: q must be a number or 1 axis of {x.dtype}, got {tuple(at.shape)} of {at.dtype}")
    if not ((at >= 0) & (at <= 1)).all():
        raise RuntimeError(f"{op}: q must lie in [0, 1]")
    ndim = x.ndim
    if dim is None:
        x, axis = x.reshape(1, -1), 1                     # the axis is last in what follows
    else:
        axis = dim + max(ndim, 1) if dim < 0 else dim
        if not 0 <= axis < max(ndim, 1):
            raise IndexError(f"{op}: dim {dim} is out of range for a tensor of {ndim} axes")
        x = x.unsqueeze(0) if ndim == 0 else x.movedim(axis, -1)
    n = x.shape[-1]
    if n == 0:
        raise RuntimeError(f"{op}: no elements in input {tuple(input.shape)}")
    ordered = sort(x, -1).values                          # NaN comes last
    count = x.isnan().logical_not().sum(-1, keepdim=True).to(x.dtype)
    place = at.reshape(-1) * (count - 1).clamp(min=0) if op == "nanquantile" else at.reshape(-1) * where(count < n, float(n - 1), count - 1)
    rank = {"lower": place.floor(), "higher": place.ceil(), "nearest": place.round()}.get(interpolation, place)
    low = rank.detach().floor()
    y = ordered.gather(-1, low.long())
    if interpolation in ("linear", "midpoint"):
        above = ordered.gather(-1, rank.detach().ceil().long())
        part = rank - low if interpolation == "linear" else where(rank > low, 0.5, 0.0).to(x.dtype)
        y = y + (above - y) * part
    if op == "quantile":
        y = where(count < n, float("nan"), y)
    y = y.movedim(-1, 0)                                  # (q, the other axes)
    if dim is None:
        y = y.reshape(-1, *([1] * ndim if keepdim else []))
    elif ndim == 0:
        y = y.reshape(-1)
    elif keepdim:
        y = y.unsqueeze(axis + 1)
    return y if at.ndim else y.squeeze(0)


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum, NaN counted as 0.

    Args:
        input: any tensor.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.nansum(fastnet.tensor([1.0, float("nan")]))
    tensor(1.)
    """
    a_tensor(input, "nansum")
    x = where(input.isnan(), 0.0, input) if input.is_floating_point() else input
    return x.sum(dim, keepdim, dtype=dtype)


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of the elements that are not NaN; NaN where there is none.

    Args:
        input: a floating-point tensor.
        dim: an axis, several, or None for all.
        keepdim: keep the axes, with size 1.
        dtype: cast to it first.

    >>> import fastnet
    >>> fastnet.nanmean(fastnet.tensor([1.0, float("nan"), 3.0]))
    tensor(2.)
    """
    x = a_floating(input, "nanmean")
    x = x if dtype is None else x.to(dtype)
    return nansum(x, dim, keepdim) / x.isnan().logical_not().sum(dim, keepdim).to(x.dtype)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of the elements that are not NaN, the lower of two; NaN where there is none.

    Args:
        input: any tensor.
        dim: the axis; None: all elements.
        keepdim: keep it, with size 1.

    Returns:
        A tensor; with dim, values and indices.

    >>> import fastnet
    >>> fastnet.nanmedian(fastnet.tensor([1.0, float("nan"), 3.0, 2.0]))
    tensor(2.)
    """
    a_tensor(input, "nanmedian")
    if not input.is_floating_point():
        return median(input) if dim is None else median(input, dim, keepdim)
    x = input.reshape(-1) if dim is None else input
    if x.ndim == 0:
        return median(x, 0, keepdim)
    axis = -1 if dim is None else dim
    ordered = sort(x, axis)
    last = ((x.isnan().logical_not().sum(axis, keepdim=True) - 1).clamp(min=0) // 2)
    values, indices = ordered.values.gather(axis, last), ordered.indices.gather(axis, last)
    if dim is None:
        return values.squeeze(0)
    result = type(median(x.detach()[:0].new_zeros(1), 0))
    return result(values, indices) if keepdim else result(values.squeeze(axis), indices.squeeze(axis))


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> aminmax_result:
    """The smallest and the largest element.

    Args:
        input: any tensor.
        dim: the axis; None: all elements.
        keepdim: keep it, with size 1.

    Returns:
        min and max, by name.

    >>> import fastnet
    >>> fastnet.aminmax(fastnet.tensor([1.0, 3.0]))
    aminmax(min=tensor(1.), max=tensor(3.))
    """
    a_tensor(input, "aminmax")
    dims = tuple(range(input.ndim)) if dim is None else dim
    return aminmax_result(amin(input, dims, keepdim), amax(input, dims, keepdim))


def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariance of variables, one a row, over observations, one a column.

    Args:
        input: (variables, observations), or (observations,).
        correction: subtracted from the number of observations.
        fweights: (observations,), integers: how often each was seen.
        aweights: (observations,): how much each counts.

    Returns:
        (variables, variables), or a number.

    Raises:
        RuntimeError: more than 2 axes, or weights of another length.

    >>> import fastnet
    >>> fastnet.cov(fastnet.tensor([[0.0, 2.0], [0.0, 4.0]]))
    tensor([[2., 4.],
            [4., 8.]])
    """
    a_tensor(input, "cov")
    if input.ndim > 2:
        raise RuntimeError(f"cov: input has {input.ndim} axes, at most 2 are taken")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    x = x if x.is_floating_point() else x.float()
    n = x.shape[1]
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is not None and tuple(w.shape) != (n,):
            raise RuntimeError(f"cov: {name} {tuple(w.shape)} must have one number for each of {n} observations")
    if fweights is None and aweights is None:
        centred = x - x.mean(1, keepdim=True)
        y = centred @ centred.T / max(n - correction, 0)
    else:
        parts = [w.to(x.dtype) for w in (fweights, aweights) if w is not None]
        w = parts[0] if len(parts) == 1 else parts[0] * parts[1]
        total = w.sum()
        centred = x - (x * w).sum(1, keepdim=True) / total
        again = 0 if correction == 0 else correction if aweights is None else correction * (w * aweights.to(x.dtype)).sum() / total
        y = (centred * w) @ centred.T / (total - again).clamp(min=0)
    return y.squeeze() if input.ndim < 2 else y if x.shape[0] > 1 else y.squeeze()


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlation of variables, one a row, over observations, one a column.

    Args:
        input: (variables, observations), or (observations,).

    Returns:
        (variables, variables), or a number; between -1 and 1.

    Raises:
        RuntimeError: more than 2 axes.

    >>> import fastnet
    >>> fastnet.corrcoef(fastnet.tensor([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation.unsqueeze(1) / deviation).clamp(-1, 1)
