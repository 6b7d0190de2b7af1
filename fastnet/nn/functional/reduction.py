"""How a loss per element becomes the result: "mean", "sum" or "none"."""
from __future__ import annotations

import warnings

from fastnet._core.tensor import Tensor


def legacy_reduction(op: str, size_average: bool | None, reduce: bool | None, reduction: str, also: str = "mean") -> str:
    """The reduction that PyTorch's deprecated `size_average` and `reduce` mean, or `reduction` if they are None.

    `also` is a name that is allowed besides the usual ones.

    Raises: ValueError for an unknown name; TypeError for a tensor, which is what a loss is called with once it has been made.
    """
    if isinstance(size_average, Tensor) or isinstance(reduce, Tensor):
        raise TypeError(f"{op}: size_average and reduce are no tensors; a loss is made first and then called: {op}()(input, target)")
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(f"{op}: size_average and reduce are deprecated, please use reduction={reduction!r} instead", stacklevel=4)
    if reduction not in ("mean", "sum", "none", also):
        raise ValueError(f"{op}: {reduction!r} is not a valid value for reduction: it is 'mean', 'sum' or 'none'")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of `loss`, or `loss` itself."""
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def check_same_shape(op: str, input: Tensor, target: Tensor) -> None:
    """Raise ValueError where input and target differ in shape."""
    if input.shape != target.shape:
        raise ValueError(f"{op}: target {tuple(target.shape)} must have the shape of input {tuple(input.shape)}")

