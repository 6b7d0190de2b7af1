from typing import Any

from fastnet._core.tensor import Tensor

Number = int | float | bool

def masked_fill(input: Tensor, mask: Tensor, value: Number) -> Tensor: ...
def masked_fill_(input: Tensor, mask: Tensor, value: Number) -> Tensor: ...
def where(
    condition: Tensor, input: Tensor | Number | None = None, other: Tensor | Number | None = None, *, out: Tensor | None = None,
) -> Any: ...
