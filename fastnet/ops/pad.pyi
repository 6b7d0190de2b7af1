from fastnet._core.tensor import Tensor

Number = int | float | bool

def pad(input: Tensor, pad: object, mode: str = 'constant', value: Number | None = None) -> Tensor: ...
