from collections.abc import Sequence

from fastnet._core.dtypes import DTypeLike
from fastnet._core.dtypes import dtype as DType
from fastnet._core.tensor import Tensor

Size_ = int | Sequence[int]

def empty(
    *sizes: Size_, size: Size_ | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: object = None,
    device: object = None, pin_memory: bool = False, requires_grad: bool = False, memory_format: object = None,
) -> Tensor: ...
def empty_like(
    input: Tensor, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None, pin_memory: bool = False,
    requires_grad: bool = False, memory_format: object = None,
) -> Tensor: ...
def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None, pin_memory: bool = False,
    requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor: ...
def full(
    size: Size_, fill_value: object, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None,
    pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor: ...
def full_like(
    input: Tensor, fill_value: object, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None,
    pin_memory: bool = False, requires_grad: bool = False, memory_format: object = None,
) -> Tensor: ...
def get_default_dtype() -> DType: ...
def new_empty(
    input: Tensor, *sizes: Size_, size: Size_ | None = None, dtype: DTypeLike | None = None, device: object = None,
    requires_grad: bool = False, layout: object = None, pin_memory: bool = False,
) -> Tensor: ...
def new_full(
    input: Tensor, size: Size_, fill_value: object, *, dtype: DTypeLike | None = None, device: object = None, requires_grad: bool = False,
    layout: object = None, pin_memory: bool = False,
) -> Tensor: ...
def new_ones(
    input: Tensor, *sizes: Size_, size: Size_ | None = None, dtype: DTypeLike | None = None, device: object = None,
    requires_grad: bool = False, layout: object = None, pin_memory: bool = False,
) -> Tensor: ...
def new_zeros(
    input: Tensor, *sizes: Size_, size: Size_ | None = None, dtype: DTypeLike | None = None, device: object = None,
    requires_grad: bool = False, layout: object = None, pin_memory: bool = False,
) -> Tensor: ...
def ones(
    *sizes: Size_, size: Size_ | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: object = None,
    device: object = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor: ...
def ones_like(
    input: Tensor, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None, pin_memory: bool = False,
    requires_grad: bool = False, memory_format: object = None,
) -> Tensor: ...
def set_default_dtype(d: object) -> None: ...
def zeros(
    *sizes: Size_, size: Size_ | None = None, out: Tensor | None = None, dtype: DTypeLike | None = None, layout: object = None,
    device: object = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor: ...
def zeros_like(
    input: Tensor, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None, pin_memory: bool = False,
    requires_grad: bool = False, memory_format: object = None,
) -> Tensor: ...
