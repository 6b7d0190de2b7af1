from collections.abc import Sequence

from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

def cumprod(input: Tensor, dim: int | Sequence[int] | None, *, dtype: DTypeLike | None = None, out: Tensor | None = None) -> Tensor: ...
def cumsum(input: Tensor, dim: int | Sequence[int] | None, *, dtype: DTypeLike | None = None, out: Tensor | None = None) -> Tensor: ...
