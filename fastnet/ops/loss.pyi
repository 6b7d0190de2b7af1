from fastnet._core.tensor import Tensor

def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: object = None, reduce: object = None,
    reduction: str = 'mean',
) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: object = None, reduce: object = None,
    reduction: str = 'mean', pos_weight: Tensor | None = None,
) -> Tensor: ...
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: object = None, reduce: object = None,
    reduction: str = 'mean',
) -> Tensor: ...
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = 'mean', delta: float = 1.0, weight: Tensor | None = None,
) -> Tensor: ...
def kl_div(
    input: Tensor, target: Tensor, size_average: object = None, reduce: object = None, reduction: str = 'mean',
    log_target: bool = False,
) -> Tensor: ...
def l1_loss(
    input: Tensor, target: Tensor, size_average: object = None, reduce: object = None, reduction: str = 'mean',
    weight: Tensor | None = None,
) -> Tensor: ...
def mse_loss(
    input: Tensor, target: Tensor, size_average: object = None, reduce: object = None, reduction: str = 'mean',
    weight: Tensor | None = None,
) -> Tensor: ...
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: object = None, reduce: object = None, reduction: str = 'mean', beta: float = 1.0,
) -> Tensor: ...
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: object = None, reduce: object = None, reduction: str = 'mean',
) -> Tensor: ...
