from typing import Any

from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

Number = int | float | bool

def to(
    input: Tensor, *args: object, dtype: DTypeLike | None = None, device: object = None, non_blocking: bool = False,
    copy: bool = False, memory_format: object = None,
) -> Tensor: ...
def type(input: Tensor, dtype: DTypeLike | None = None, non_blocking: bool = False) -> Any: ...
def type_as(input: Tensor, other: Tensor | Number) -> Tensor: ...
