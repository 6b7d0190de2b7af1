from fastnet._core.dtypes import DTypeLike
from fastnet._core.tensor import Tensor

Number = int | float | bool

def arange(
    start: Number, end: Number | None = None, step: Number = 1, *, dtype: DTypeLike | None = None, layout: object = None,
    device: object = None, pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor: ...
def linspace(
    start: Number, end: Number, steps: int, *, dtype: DTypeLike | None = None, layout: object = None, device: object = None,
    pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor: ...
def logspace(
    start: Number, end: Number, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None, layout: object = None,
    device: object = None, pin_memory: bool = False, requires_grad: bool = False, out: Tensor | None = None,
) -> Tensor: ...
def tril_indices(
    row: object, col: object, offset: int = 0, *, dtype: DTypeLike | None = None, device: object = None, layout: object = None,
) -> Tensor: ...
def triu_indices(
    row: object, col: object, offset: int = 0, *, dtype: DTypeLike | None = None, device: object = None, layout: object = None,
) -> Tensor: ...
