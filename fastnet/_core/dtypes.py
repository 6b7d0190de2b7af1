"""The six dtypes, as objects; their position is their number in C. And the names of two that no tensor has."""
from __future__ import annotations

import builtins

import numpy as np


class dtype:
    """The type of a tensor's elements, such as ``fastnet.float32``."""

    __slots__ = ("index", "is_floating_point", "itemsize", "name", "numpy")

    def __init__(self, index: int, name: str) -> None:
        self.index, self.name, self.numpy = index, name, np.dtype(name)
        self.itemsize, self.is_floating_point = self.numpy.itemsize, self.numpy.kind == "f"

    is_complex = False

    @property
    def is_signed(self) -> builtins.bool:
        return self.name not in ("uint8", "bool")

    def __repr__(self) -> str:
        return f"fastnet.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def __deepcopy__(self, memo: dict) -> dtype:
        return self


class _half_dtype(dtype):
    """A name that scripts hand to `autocast`: nothing computes in half precision here, and no tensor is of it."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        self.name, self.itemsize, self.is_floating_point = name, 2, True

    @property
    def index(self) -> int:  # type: ignore[override]
        raise TypeError(f"dtype {self!r} is only a name: tensors are {', '.join(map(repr, DTYPES))}")

    numpy = index  # type: ignore[assignment]


DTYPES = tuple(dtype(i, name) for i, name in enumerate(("float32", "float64", "int64", "int32", "uint8", "bool")))
float32, float64, int64, int32, uint8, bool_ = DTYPES
float16, bfloat16 = _half_dtype("float16"), _half_dtype("bfloat16")
_BY_NUMPY = {d.numpy: d for d in DTYPES}
_BY_PYTHON = {float: float32, int: int64, bool: bool_}


DTypeLike = dtype | np.dtype | str | type                # what `as_dtype` takes, besides None


def as_dtype(value: DTypeLike | None, default: dtype | None = None) -> dtype:
    """The fastnet dtype that `value` (a dtype, a NumPy dtype or name, float, int, bool, None) names."""
    if isinstance(value, dtype):
        return value
    if value is None and default is not None:
        return default
    if isinstance(value, type) and value in _BY_PYTHON:
        return _BY_PYTHON[value]
    if isinstance(value, type) and isinstance(named := getattr(value, "dtype", None), dtype):
        return named                                      # FloatTensor and its kind
    try:
        return _BY_NUMPY[np.dtype(value)]
    except (KeyError, TypeError):
        raise TypeError(f"dtype {value!r} is not one of {', '.join(map(repr, DTYPES))}") from None


class finfo:
    """Limits of a floating-point dtype: bits, eps, max, min, tiny, smallest_normal, resolution."""

    def __init__(self, type: dtype = float32) -> None:
        info = np.finfo(as_dtype(type).numpy)
        self.bits, self.dtype = info.bits, str(info.dtype)
        self.eps, self.max, self.min, self.tiny = float(info.eps), float(info.max), float(info.min), float(info.tiny)
        self.smallest_normal, self.resolution = self.tiny, float(info.resolution)


class iinfo:
    """Limits of an integer dtype: bits, max, min."""

    def __init__(self, type: dtype) -> None:
        info = np.iinfo(as_dtype(type).numpy)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), str(info.dtype)


bool = bool_
