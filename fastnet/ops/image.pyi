from collections.abc import Sequence

from fastnet._core.tensor import Tensor

def image_pass(
    x: Tensor, height: int, width: int, source: int, plan: Tensor, real: Tensor, code: Tensor, param: Tensor, fill: Tensor,
    scale: Tensor | None = None, shift: Tensor | None = None, taps: Sequence[int] = (0, 0), bound: float = 255.0, floats: bool = False,
) -> Tensor: ...
def image_uniform(seed: int, epoch: int, index: Tensor, count: int) -> Tensor: ...
