from collections.abc import Sequence

from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

def log_softmax(
    input: Tensor, dim: int | Sequence[int] | None = None, dtype: DTypeLike | None = None, *, out: Tensor | None = None,
) -> Tensor: ...
def softmax(
    input: Tensor, dim: int | Sequence[int] | None = None, dtype: DTypeLike | None = None, *, out: Tensor | None = None,
) -> Tensor: ...
def softmin(input: Tensor, dim: int | Sequence[int] | None = None, dtype: DTypeLike | None = None) -> Tensor: ...
