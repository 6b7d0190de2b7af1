"""linear and bilinear."""
from __future__ import annotations

from fastnet._core.tensor import Tensor
from fastnet.ops.linear import linear

__all__ = ["bilinear", "linear"]


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
