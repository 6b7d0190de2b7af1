"""linear, bilinear, one_hot."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.linear import linear

__all__ = ["bilinear", "linear", "one_hot"]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_o = x1^T W_o x2 + b_o.

    Args:
        input1: (..., I1).
        input2: (..., I2), with the same leading axes.
        weight: (O, I1, I2).
        bias: (O,) or None.

    Returns: (..., O).

    >>> import fastnet as fn
    >>> tuple(fn.nn.functional.bilinear(fn.ones(2, 3), fn.ones(2, 4), fn.ones(5, 3, 4)).shape)
    (2, 5)
    """
    if weight.ndim != 3:
        raise ValueError(f"bilinear: weight must be (out, in1, in2), got {tuple(weight.shape)}")
    out, in1, in2 = weight.shape
    if input1.shape[:-1] != input2.shape[:-1] or input1.shape[-1:] != (in1,) or input2.shape[-1:] != (in2,):
        raise ValueError(f"bilinear: input1 {tuple(input1.shape)} and input2 {tuple(input2.shape)} do not fit weight {tuple(weight.shape)}")
    rows = input1.reshape(-1, in1) @ weight.permute(1, 0, 2).reshape(in1, out * in2)
    y = (rows.reshape(-1, out, in2) * input2.reshape(-1, 1, in2)).sum(-1)
    y = y.reshape(*input1.shape[:-1], out)
    return y if bias is None else y + bias


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """An axis of `num_classes` is added: 1 at the index, 0 elsewhere, int64.

    Args:
        tensor: class indices, of an integer dtype.
        num_classes: -1: the largest index and one more.

    Raises: RuntimeError for an index below 0 or not below `num_classes`.

    >>> import fastnet as fn
    >>> fn.nn.functional.one_hot(fn.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    if tensor.dtype != fn.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type int64, got {tensor.dtype}")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("one_hot: can not infer total number of classes from empty tensor")
    else:
        low, high = int(tensor.min()), int(tensor.max())
        if low < 0:
            raise RuntimeError(f"one_hot: class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        elif num_classes < 1:
            raise RuntimeError(f"one_hot: num_classes should be positive, got {num_classes}")
        elif high >= num_classes:
            raise RuntimeError(f"one_hot: class values must be smaller than num_classes, got {high} for {num_classes} classes")
    return (tensor.unsqueeze(-1) == fn.arange(num_classes)).to(fn.int64)
