"""Exporters of arithmetic, comparisons, logic and selection."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.table import exporter
from fastnet.onnx.sizes import Dim


def operand(g: Graph, x: Any, dtype: Any) -> str:
    """A Value or a number in a dtype."""
    return g.cast(x, dtype) if isinstance(x, Value) else g.number(x, dtype)


def common(a: Any, b: Any) -> np.dtype:
    """The dtype in which two operands meet: numbers give way to tensors of their kind."""
    values = [x for x in (a, b) if isinstance(x, Value)]
    if len(values) == 2:
        wide = [x for x in values if x.ndim] or values
        if len({x.dtype.kind for x in wide}) == 1 == len(wide) and np.can_cast(values[0].dtype, wide[0].dtype, "same_kind"):
            return wide[0].dtype                          # a 0-dim tensor gives way, too
        kinds = {x.dtype for x in values}
        return np.dtype(np.float32) if kinds == {np.dtype(np.float32), np.dtype(np.int64)} else np.result_type(*kinds)
    number = b if values[0] is a else a
    floats = isinstance(number, float) or isinstance(number, Dim) and isinstance(number.values[0], float)
    return np.dtype(np.float32) if floats and values[0].dtype.kind != "f" else values[0].dtype


def _binary(g: Graph, kind: str, a: Any, b: Any, **attributes: Any) -> str:
    return g.op(kind, operand(g, a, g.y.dtype), operand(g, b, g.y.dtype), **attributes)


@exporter("add", "sub")
def add(g: Graph, input: Any, other: Any, *, alpha: Any = 1) -> str:
    if g.y.dtype == np.bool_:
        return _binary(g, "Or", input, other)
    if alpha != 1:
        other = g.op("Mul", operand(g, other, g.y.dtype), g.number(alpha, g.y.dtype))
    b = other if isinstance(other, str) else operand(g, other, g.y.dtype)
    return g.op("Add" if g.event.name == "add" else "Sub", operand(g, input, g.y.dtype), b)


@exporter("rsub")
def rsub(g: Graph, input: Any, other: Any, *, alpha: Any = 1) -> str:
    a = operand(g, input, g.y.dtype)
    return g.op("Sub", operand(g, other, g.y.dtype), a if alpha == 1 else g.op("Mul", a, g.number(alpha, g.y.dtype)))


@exporter("mul")
def mul(g: Graph, input: Any, other: Any) -> str:
    return _binary(g, "And" if g.y.dtype == np.bool_ else "Mul", input, other)


@exporter("div", "floor_divide")
def div(g: Graph, input: Any, other: Any, *, rounding_mode: str | None = None) -> str:
    mode = "floor" if g.event.name == "floor_divide" else rounding_mode
    a, b = operand(g, input, g.y.dtype), operand(g, other, g.y.dtype)
    if g.y.dtype.kind in "iu":
        if mode == "floor":
            a = g.op("Sub", a, g.op("Mod", a, b))
        return g.op("Div", a, b)
    y = g.op("Div", a, b)
    if mode == "trunc":
        return g.op("Mul", g.op("Sign", y), g.op("Floor", g.op("Abs", y)))
    return y if mode is None else g.op("Floor", y)


@exporter("remainder", "fmod")
def remainder(g: Graph, input: Any, other: Any) -> str:
    a, b = operand(g, input, g.y.dtype), operand(g, other, g.y.dtype)
    if g.event.name == "fmod" or g.y.dtype.kind in "iu":
        return g.op("Mod", a, b, fmod=int(g.event.name == "fmod"))
    return g.op("Sub", a, g.op("Mul", g.op("Floor", g.op("Div", a, b)), b))


@exporter("maximum", "minimum")
def maximum(g: Graph, input: Any, other: Any) -> str:
    return _binary(g, "Max" if g.event.name == "maximum" else "Min", input, other)


@exporter("pow")
def power(g: Graph, input: Any, exponent: Any) -> str:
    if not isinstance(exponent, (Value, Dim)) and exponent == 2:
        a = operand(g, input, g.y.dtype)
        return g.op("Mul", a, a)
    return _binary(g, "Pow", input, exponent)


@exporter("lerp")
def lerp(g: Graph, input: Value, end: Value, weight: Any) -> str:
    return g.op("Add", input, g.op("Mul", g.op("Sub", end, input), operand(g, weight, g.y.dtype)))


@exporter("addcmul", "addcdiv")
def addcmul(g: Graph, input: Value, tensor1: Value, tensor2: Value, *, value: Any = 1) -> str:
    more = g.op("Mul" if g.event.name == "addcmul" else "Div", tensor1, tensor2)
    return g.op("Add", input, more if value == 1 else g.op("Mul", more, g.number(value, g.y.dtype)))


@exporter("clamp", "clamp_min", "clamp_max")
def clamp(g: Graph, input: Value, min: Any = None, max: Any = None) -> str:
    if g.event.name == "clamp_max" and max is None:
        min, max = None, min
    a = operand(g, input, g.y.dtype)
    if all(x is None or not isinstance(x, Value) or x.shape == [] for x in (min, max)):
        return g.op("Clip", a, *(None if x is None else operand(g, x, g.y.dtype) for x in (min, max)))
    a = a if min is None else g.op("Max", a, operand(g, min, g.y.dtype))
    return a if max is None else g.op("Min", a, operand(g, max, g.y.dtype))


COMPARE = {"eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual", "ne": "Equal"}


@exporter(*COMPARE)
def compare(g: Graph, input: Any, other: Any) -> str:
    dtype = common(input, other)
    if dtype == np.bool_ and COMPARE[g.event.name] != "Equal":
        dtype = np.dtype(np.int32)
    y = g.op(COMPARE[g.event.name], operand(g, input, dtype), operand(g, other, dtype))
    return g.op("Not", y) if g.event.name == "ne" else y


@exporter("logical_and", "logical_or", "logical_xor")
def logical(g: Graph, input: Any, other: Any) -> str:
    return g.op(g.event.name[8:].title(), operand(g, input, np.bool_), operand(g, other, np.bool_))


@exporter("logical_not")
def logical_not(g: Graph, input: Value) -> str:
    return g.op("Not", g.cast(input, np.bool_))


@exporter("bitwise_and", "bitwise_or", "bitwise_xor")
def bitwise(g: Graph, input: Any, other: Any) -> str:
    word = g.event.name[8:].title()
    return _binary(g, word if g.y.dtype == np.bool_ else f"Bitwise{word}", input, other)


@exporter("bitwise_not")
def bitwise_not(g: Graph, input: Value) -> str:
    return g.op("Not" if input.dtype == np.bool_ else "BitwiseNot", input)


@exporter("where")
def where(g: Graph, condition: Value, input: Any, other: Any) -> str:
    return g.op("Where", g.cast(condition, np.bool_), operand(g, input, g.y.dtype), operand(g, other, g.y.dtype))


@exporter("masked_fill")
def masked_fill(g: Graph, input: Value, mask: Value, value: Any) -> str:
    return g.op("Where", g.cast(mask, np.bool_), operand(g, value, g.y.dtype), input)
