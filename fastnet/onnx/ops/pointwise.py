"""Exporters of functions of one tensor: mathematics and activations."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.table import exporter

SAME = {"neg": "Neg", "abs": "Abs", "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "reciprocal": "Reciprocal", "sqrt": "Sqrt",
        "exp": "Exp", "log": "Log",
        "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh",
        "cosh": "Cosh", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf", "sigmoid": "Sigmoid", "tanh": "Tanh",
        "relu": "Relu", "softsign": "Softsign", "mish": "Mish", "hardswish": "HardSwish"}


def _enter(name: str, kind: str) -> None:
    @exporter(name)
    def same(g: Graph, input: Value, inplace: bool = False) -> str:
        return g.op(kind, g.cast(input, g.y.dtype) if input.dtype != g.y.dtype else input)


for _name, _kind in SAME.items():
    _enter(_name, _kind)


@exporter("square")
def square(g: Graph, input: Value) -> str:
    return g.op("Mul", input, input)


@exporter("rsqrt")
def rsqrt(g: Graph, input: Value) -> str:
    return g.op("Reciprocal", g.op("Sqrt", input))


@exporter("trunc")
def trunc(g: Graph, input: Value) -> str:
    return g.op("Mul", g.op("Sign", input), g.op("Floor", g.op("Abs", input)))


@exporter("round")
def round(g: Graph, input: Value, *, decimals: int = 0) -> str:
    if decimals == 0:
        return g.op("Round", input)
    scale = g.const(10.0 ** decimals, input.dtype)
    return g.op("Div", g.op("Round", g.op("Mul", input, scale)), scale)


@exporter("exp2")
def exp2(g: Graph, input: Value) -> str:
    return g.op("Pow", g.const(2, input.dtype), input)


@exporter("expm1")
def expm1(g: Graph, input: Value) -> str:
    half = g.op("Mul", input, 0.5)                        # 2 exp(x/2) sinh(x/2), which loses nothing near 0
    return g.op("Mul", g.op("Mul", g.op("Exp", half), g.op("Sinh", half)), g.const(2, input.dtype))


@exporter("log1p")
def log1p(g: Graph, input: Value) -> str:
    up = g.op("Add", input, 1)                            # its rounding error is that of up - 1 in the quotient, too (Kahan)
    less = g.op("Sub", up, g.const(1, input.dtype))
    exact = g.op("Mul", g.op("Log", up), g.op("Div", input, less))
    return g.op("Where", g.op("Or", g.op("Equal", less, g.const(0, input.dtype)), g.op("IsInf", up)), input, exact)


@exporter("log2", "log10")
def logarithm(g: Graph, input: Value) -> str:
    return g.op("Mul", g.op("Log", input), g.const(1 / math.log(2 if g.event.name == "log2" else 10), input.dtype))


@exporter("erfc")
def erfc(g: Graph, input: Value) -> str:
    return g.op("Sub", g.const(1, input.dtype), g.op("Erf", input))


@exporter("isnan", "isinf", "isfinite")
def kind_of(g: Graph, input: Value) -> str:
    if input.dtype.kind != "f":
        return g.op("Equal", input, input) if g.event.name == "isfinite" else g.op("Not", g.op("Equal", input, input))
    if g.event.name != "isfinite":
        return g.op("IsNaN" if g.event.name == "isnan" else "IsInf", input)
    return g.op("Not", g.op("Or", g.op("IsNaN", input), g.op("IsInf", input)))


@exporter("hardtanh")
def hardtanh(g: Graph, input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> str:
    return g.op("Clip", input, g.const(min_val, input.dtype), g.const(max_val, input.dtype))


@exporter("relu6")
def relu6(g: Graph, input: Value, inplace: bool = False) -> str:
    return hardtanh(g, input, 0.0, 6.0)


@exporter("leaky_relu")
def leaky_relu(g: Graph, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> str:
    return g.op("LeakyRelu", input, alpha=float(negative_slope))


@exporter("elu")
def elu(g: Graph, input: Value, alpha: float = 1.0, inplace: bool = False) -> str:
    return g.op("Elu", input, alpha=float(alpha))


@exporter("celu")
def celu(g: Graph, input: Value, alpha: float = 1.0, inplace: bool = False) -> str:
    return g.op("Celu", input, alpha=float(alpha))


@exporter("selu")
def selu(g: Graph, input: Value, inplace: bool = False) -> str:
    return g.op("Selu", input)


@exporter("gelu")
def gelu(g: Graph, input: Value, *, approximate: str = "none") -> str:
    if g.opset >= 20:
        return g.op("Gelu", input, approximate=approximate)
    if approximate == "tanh":
        cube = g.op("Mul", g.op("Mul", input, input), input)
        inner = g.op("Tanh", g.op("Mul", g.op("Add", input, g.op("Mul", cube, g.const(0.044715, input.dtype))),
                                  g.const(math.sqrt(2 / math.pi), input.dtype)))
    else:
        inner = g.op("Erf", g.op("Mul", input, math.sqrt(0.5)))
    return g.op("Mul", g.op("Mul", input, 0.5), g.op("Add", inner, g.const(1, input.dtype)))


@exporter("silu")
def silu(g: Graph, input: Value, inplace: bool = False) -> str:
    return g.op("Mul", input, g.op("Sigmoid", input))


@exporter("softplus")
def softplus(g: Graph, input: Value, beta: float = 1.0, threshold: float = 20.0) -> str:
    b = g.const(beta, input.dtype)
    scaled = g.op("Mul", input, b) if beta != 1 else input
    soft = g.op("Softplus", scaled)
    soft = g.op("Div", soft, b) if beta != 1 else soft
    if threshold >= 20:                                   # beyond it softplus(x) is x in float32
        return soft
    return g.op("Where", g.op("Greater", scaled, g.const(threshold, input.dtype)), input, soft)


@exporter("logsigmoid")
def logsigmoid(g: Graph, input: Value) -> str:
    return g.op("Neg", g.op("Softplus", g.op("Neg", input)))


@exporter("hardsigmoid")
def hardsigmoid(g: Graph, input: Value, inplace: bool = False) -> str:
    return g.op("HardSigmoid", input, alpha=1 / 6, beta=0.5)


@exporter("tanhshrink")
def tanhshrink(g: Graph, input: Value) -> str:
    return g.op("Sub", input, g.op("Tanh", input))


@exporter("hardshrink", "softshrink")
def shrink(g: Graph, input: Value, lambd: float = 0.5) -> str:
    return g.op("Shrink", input, lambd=float(lambd), bias=0.0 if g.event.name == "hardshrink" else float(lambd))


@exporter("threshold")
def threshold(g: Graph, input: Value, threshold: float, value: float, inplace: bool = False) -> str:
    return g.op("Where", g.op("Greater", input, threshold), input, g.const(value, input.dtype))


@exporter("prelu")
def prelu(g: Graph, input: Value, weight: Value) -> str:
    slope: Any = weight
    if weight.shape != [1] and input.ndim > 2:
        slope = g.reshape(weight, [*weight.shape, *[1] * (input.ndim - 2)])
    return g.op("PRelu", input, slope)


@exporter("glu")
def glu(g: Graph, input: Value, dim: int = -1) -> str:
    a, b = g.op("Split", input, outputs=2, axis=dim, num_outputs=2)
    return g.op("Mul", a, g.op("Sigmoid", b))


@exporter("clone", "contiguous")
def same(g: Graph, input: Value, *args: Any, **options: Any) -> Value:
    return input


@exporter("dropout", "dropout1d", "dropout2d", "dropout3d")
def dropout(g: Graph, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    if training and p:
        raise g.refuse("it draws at random although the model is in evaluation: pass training=self.training")
    return input


@exporter("to", "type", "type_as", "float", "double", "long", "int", "byte", "bool")
def to(g: Graph, input: Value, *args: Any, **options: Any) -> str:
    if g.y.dtype.kind in "iu" and input.dtype.kind == "f" and g.y.dtype == np.uint8:
        return g.cast(g.cast(input, np.int64), np.uint8)
    return g.cast(input, g.y.dtype)
