from collections.abc import Sequence

from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

def all(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def amax(
    input: Tensor, dim: int | Sequence[int] | None = (), keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def amin(
    input: Tensor, dim: int | Sequence[int] | None = (), keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def any(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, axis: int | Sequence[int] | None = None,
    keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def count_nonzero(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor: ...
def logsumexp(input: Tensor, dim: int | Sequence[int] | None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor: ...
def mean(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
    axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def prod(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
    axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def sum(
    input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
    axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
