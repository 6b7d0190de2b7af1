from collections.abc import Sequence

from fastnet._core.tape import Node
from fastnet._core.tensor import Tensor

def interpolate(input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
                mode: str = 'nearest', align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                antialias: bool = False) -> Tensor: ...
def interpolate_again(input: Tensor, node: Node) -> Tensor: ...
