from collections.abc import Sequence

from fastnet._core.tensor import Tensor

def std(
    input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: int | None = None, axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def std_mean(
    input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: int | None = None,
) -> tuple[Tensor, Tensor]: ...
def var(
    input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: int | None = None, axis: int | Sequence[int] | None = None, keepdims: bool | None = None, out: Tensor | None = None,
) -> Tensor: ...
def var_mean(
    input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: int | None = None,
) -> tuple[Tensor, Tensor]: ...
