from collections.abc import Sequence

from fastnet._core.tensor import Tensor

Size_ = int | Sequence[int]

def repeat(input: Tensor, *repeats: object, size: Size_ | None = None) -> Tensor: ...
def repeat_interleave(
    input: Tensor, repeats: object = None, dim: int | Sequence[int] | None = None, *, output_size: object = None,
) -> Tensor: ...
def tile(input: Tensor, *copies: object, dims: object = None) -> Tensor: ...
