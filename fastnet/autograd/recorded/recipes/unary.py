"""Recipes of functions of one number: dy/dx from the input or from the value, whichever the op saved."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import backward
from fastnet.autograd.recorded.op import Op
from fastnet.ops.where import where

# dy/dx of x and the op's numbers
FROM_INPUT: dict[str, Callable[[Tensor, list[float]], Any]] = {
    "Abs": lambda x, f: x.sign(),
    "Square": lambda x, f: 2 * x,
    "Log": lambda x, f: 1 / x,
    "Log2": lambda x, f: 1 / (x * math.log(2)),
    "Log10": lambda x, f: 1 / (x * math.log(10)),
    "Log1P": lambda x, f: 1 / (1 + x),
    "Sin": lambda x, f: x.cos(),
    "Cos": lambda x, f: -x.sin(),
    "Asin": lambda x, f: (1 - x * x).rsqrt(),
    "Acos": lambda x, f: -(1 - x * x).rsqrt(),
    "Atan": lambda x, f: 1 / (1 + x * x),
    "Sinh": lambda x, f: x.cosh(),
    "Cosh": lambda x, f: x.sinh(),
    "Asinh": lambda x, f: (1 + x * x).rsqrt(),
    "Acosh": lambda x, f: (x * x - 1).rsqrt(),
    "Atanh": lambda x, f: 1 / (1 - x * x),
    "Erf": lambda x, f: 2 / math.sqrt(math.pi) * (-x * x).exp(),
    "Erfc": lambda x, f: -2 / math.sqrt(math.pi) * (-x * x).exp(),
}
# dy/dx of y
FROM_OUTPUT: dict[str, Callable[[Tensor, list[float]], Any]] = {
    "Reciprocal": lambda y, f: -y * y,
    "Sqrt": lambda y, f: 0.5 / y,
    "Rsqrt": lambda y, f: -0.5 * y * y * y,
    "Exp": lambda y, f: y,
    "Exp2": lambda y, f: y * math.log(2),
    "Expm1": lambda y, f: y + 1,
    "Tan": lambda y, f: 1 + y * y,
    "Sigmoid": lambda y, f: y * (1 - y),
    "Tanh": lambda y, f: 1 - y * y,
}


def pointwise(table: dict[str, Callable], of_output: bool) -> None:
    """List recipes: gy times what the table's functions give for the input or the output."""
    for name, slope in table.items():
        def recipe(op: Op, gy: Tensor, k: int, slope: Callable = slope) -> Tensor:
            return gy * slope(op.output() if of_output else op.input(0), op.numbers)
        backward(name + "Backward0")(recipe)


def masked(table: dict[str, Callable]) -> None:
    """List recipes: 0 where the table's functions of what was saved are True, gy elsewhere."""
    for name, stops in table.items():
        def recipe(op: Op, gy: Tensor, k: int, stops: Callable = stops) -> Tensor:
            return where(stops(op.saved[0], op.numbers), 0.0, gy)
        backward(name + "Backward0")(recipe)


pointwise(FROM_INPUT, False)
pointwise(FROM_OUTPUT, True)


@backward("NegBackward0")
def neg(op: Op, gy: Tensor, k: int) -> Tensor:
    return -gy


@backward("SignBackward0", "FloorBackward0", "CeilBackward0", "TruncBackward0", "RoundBackward0")
def steps(op: Op, gy: Tensor, k: int) -> Tensor:
    return op.zeros(k)


@backward("PowBackward0")
def power(op: Op, gy: Tensor, k: int) -> Tensor:
    # Exponents that are functions of their own: 2 and 3 saved x, the others y.
    e = op.numbers[0]
    if e == 2:
        return gy * (2 * op.input(0))
    if e == 3:
        return gy * (3 * op.input(0).square())
    return gy * FROM_OUTPUT["Sqrt" if e == 0.5 else "Rsqrt" if e == -0.5 else "Reciprocal"](op.output(), op.numbers)
