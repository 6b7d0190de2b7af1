from collections.abc import Sequence

from fastnet._core.tensor import Tensor

def glu(input: Tensor, dim: int | Sequence[int] | None = -1) -> Tensor: ...
