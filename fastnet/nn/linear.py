"""Identity, Linear, Bilinear."""
from __future__ import annotations

import math
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import call, init
from fastnet.nn.functional import bilinear
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter


def _size(op: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{op}: {name} must be an int, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{op}: {name} must not be negative, got {value}")
    return int(value)


class Identity(Module):
    """Returns its input; any arguments of the constructor are allowed and mean nothing, so that it can stand in for another layer.

    >>> import fastnet as fn
    >>> fn.nn.Identity(54, unused=True)(fn.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input itself."""
        return input


class Linear(Module):
    """y = x W^T + b, on the last axis: x (..., in_features) to y (..., out_features).

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        bias: whether b is learned; False: no b.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    `weight` (out_features, in_features) and `bias` (out_features,) start uniform in +-1/sqrt(in_features).

    >>> import fastnet as fn
    >>> tuple(fn.nn.Linear(20, 30)(fn.ones(128, 20)).shape)
    (128, 30)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = _size("Linear", "in_features", in_features)
        self.out_features = _size("Linear", "out_features", out_features)
        self.weight = Parameter(fn.empty(out_features, in_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(fn.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        if self.weight.numel():
            init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    forward = call.forward

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y_o = x1^T W_o x2 + b_o: x1 (..., in1_features), x2 (..., in2_features) to y (..., out_features).

    Args:
        in1_features, in2_features: sizes of the last axes of the inputs.
        out_features: size of the last axis of the output.
        bias: whether b is learned.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Bilinear(4, 5, 6)(fn.ones(3, 4), fn.ones(3, 5)).shape)
    (3, 6)
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        self.in1_features = _size("Bilinear", "in1_features", in1_features)
        self.in2_features = _size("Bilinear", "in2_features", in2_features)
        self.out_features = _size("Bilinear", "out_features", out_features)
        if self.in1_features == 0:
            raise ValueError("Bilinear: in1_features must be positive, got 0")
        self.weight = Parameter(fn.empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(fn.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in +-1/sqrt(in1_features)."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """input1 (..., in1_features) and input2 (..., in2_features) to (..., out_features)."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
                f"out_features={self.out_features}, bias={self.bias is not None}")
