from collections.abc import Sequence

from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

def norm(
    input: Tensor, p: float | str = 'fro', dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None, *,
    out: Tensor | None = None,
) -> Tensor: ...
def vector_norm(
    x: Tensor, ord: float = 2, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
) -> Tensor: ...
