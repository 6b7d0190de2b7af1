from collections.abc import Sequence
from typing import Any

from fastnet._core.tensor import Tensor

Number = int | float | bool

def argmax(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def argmin(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def max(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, other: Tensor | Number | None = None,
    axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: tuple[Tensor, Tensor] | Tensor | None = None,
) -> Any: ...
def min(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, other: Tensor | Number | None = None,
    axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: tuple[Tensor, Tensor] | Tensor | None = None,
) -> Any: ...
