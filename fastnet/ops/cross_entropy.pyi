from fastnet._core.tensor import Tensor

def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: object = None, ignore_index: int = -100,
    reduce: object = None, reduction: str = 'mean', label_smoothing: float = 0.0,
) -> Tensor: ...
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: object = None, ignore_index: int = -100,
    reduce: object = None, reduction: str = 'mean',
) -> Tensor: ...
