"""diff, trapezoid, cumulative_trapezoid: neighbours along an axis, subtracted and added up."""
from __future__ import annotations

from fastnet._core.tensor import Tensor
from fastnet.ops.join import cat


def _edges(input: Tensor, prepend: Tensor | None, append: Tensor | None, dim: int) -> Tensor:
    parts = [x for x in (prepend, input, append) if x is not None]
    return cat(parts, dim) if len(parts) > 1 else input


def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Differences of neighbours along an axis.

    Args:
        input: any tensor with an axis.
        n: how often.
        dim: the axis.
        prepend: put before input first.
        append: put behind it.

    Raises:
        RuntimeError: no axis, or n is negative.

    >>> import fastnet
    >>> fastnet.diff(fastnet.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if not isinstance(input, Tensor) or input.ndim == 0 or n < 0:
        raise RuntimeError(f"diff: input must be a Tensor with an axis and n not negative, got {input!r} and n={n}")
    x = _edges(input, prepend, append, dim)
    for _ in range(min(n, x.shape[dim])):
        m = x.shape[dim]
        a, b = x.narrow(dim, 1, m - 1), x.narrow(dim, 0, m - 1)
        x = a != b if str(x.dtype).endswith("bool") else a - b
    return x if n else input.clone()


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral by the trapezoidal rule.

    Args:
        y: values.
        x: where they were taken; None: dx apart.
        dx: the distance, 1 by default.
        dim: the axis.

    Raises:
        RuntimeError: both x and dx.

    >>> import fastnet
    >>> fastnet.trapezoid(fastnet.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    return _pieces(y, x, dx, dim, "trapezoid").sum(dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral by the trapezoidal rule, up to each point but the first.

    Args:
        y: values.
        x: where they were taken; None: dx apart.
        dx: the distance, 1 by default.
        dim: the axis.

    Raises:
        RuntimeError: both x and dx.

    >>> import fastnet
    >>> fastnet.cumulative_trapezoid(fastnet.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    return _pieces(y, x, dx, dim, "cumulative_trapezoid").cumsum(dim)


def _pieces(y: Tensor, x: Tensor | None, dx: float | None, dim: int, op: str) -> Tensor:
    if x is not None and dx is not None:
        raise RuntimeError(f"{op}: give x or dx, not both")
    if not isinstance(y, Tensor) or y.ndim == 0:
        raise RuntimeError(f"{op}: y must be a Tensor with an axis, got {y!r}")
    n = y.shape[dim]
    heights = (y.narrow(dim, 1, max(n - 1, 0)) + y.narrow(dim, 0, max(n - 1, 0))) if n else y
    if x is None:
        return heights * (0.5 * (1 if dx is None else dx))
    if x.ndim == 1 and y.ndim > 1:
        x = x.reshape(*(-1 if i == dim % y.ndim else 1 for i in range(y.ndim)))
    return heights * diff(x, dim=dim) * 0.5


trapz = trapezoid
