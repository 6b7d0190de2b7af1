"""torch.testing's assert_close."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor

__all__ = ["assert_close"]


def assert_close(actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None, equal_nan: bool = False,
                 check_dtype: bool = True, msg: str | Callable[[str], str] | None = None) -> None:
    """Raise unless two tensors, numbers, or lists, tuples and dicts of them agree: |actual - expected| <= atol + rtol |expected|.

    Args:
        actual, expected: what is compared.
        rtol, atol: both or none; none: 1.3e-6 and 1e-5 for float32, 1e-7 and 1e-7 for float64, 0 and 0 for integers.
        equal_nan: NaN agrees with NaN.
        check_dtype: dtypes must agree too.
        msg: what is said instead, or a function that makes it of what would be said.

    Raises:
        AssertionError: they differ; it tells by how much, and where.
        ValueError: only one of rtol and atol.

    >>> import fastnet
    >>> fastnet.testing.assert_close(fastnet.ones(2) * (1 + 1e-7), fastnet.ones(2))
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"assert_close: give both rtol and atol or none, got {rtol} and {atol}")
    said = _differ(actual, expected, rtol, atol, equal_nan, check_dtype, "")
    if said:
        raise AssertionError(said if msg is None else msg(said) if callable(msg) else msg)


def _differ(a: Any, b: Any, rtol: float | None, atol: float | None, equal_nan: bool, check_dtype: bool, where: str) -> str:
    rest = rtol, atol, equal_nan, check_dtype
    if isinstance(a, dict) and isinstance(b, dict):
        if a.keys() != b.keys():
            return f"the keys differ{where}: {sorted(map(str, a))} and {sorted(map(str, b))}"
        return next(filter(None, (_differ(a[k], b[k], *rest, f"{where}[{k!r}]") for k in a)), "")
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if len(a) != len(b):
            return f"the lengths differ{where}: {len(a)} and {len(b)}"
        return next(filter(None, (_differ(x, y, *rest, f"{where}[{k}]") for k, (x, y) in enumerate(zip(a, b)))), "")
    if isinstance(a, Tensor) != isinstance(b, Tensor):
        return f"the types differ{where}: {type(a).__name__} and {type(b).__name__}"
    if isinstance(a, Tensor) and check_dtype and a.dtype != b.dtype:
        return f"the dtypes differ{where}: {a.dtype} and {b.dtype}"
    x, y = (np.asarray(v.detach().numpy() if isinstance(v, Tensor) else v) for v in (a, b))
    if x.shape != y.shape:
        return f"the shapes differ{where}: {x.shape} and {y.shape}"
    single = np.float32 in (x.dtype, y.dtype)
    floating = "f" in (x.dtype.kind, y.dtype.kind)
    given: tuple[Any, Any] = (rtol, atol) if rtol is not None else (1.3e-6, 1e-5) if single else (1e-7, 1e-7) if floating else (0, 0)
    x, y = x.astype(np.float64), y.astype(np.float64)
    bad = ~np.isclose(x, y, *given, equal_nan=equal_nan)
    if not bad.any():
        return ""
    with np.errstate(all="ignore"):
        gap = np.where(bad, np.nan_to_num(np.abs(x - y), nan=np.inf), -1.0)
    at = np.unravel_index(int(gap.argmax()), gap.shape)
    return (f"{int(bad.sum())} of {bad.size} elements differ{where}, most at {tuple(map(int, at))}: {x[at]} and {y[at]}, by {gap[at]:.3g} "
            f"(rtol {given[0]}, atol {given[1]})")
