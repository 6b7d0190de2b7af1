"""Recipes of arithmetic on two or three operands, of casts and copies."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import backward
from fastnet.autograd.recorded.op import Op
from fastnet.ops.where import where


def _plain(x: Any) -> Any:
    """A value that only decides where something passes."""
    return x.detach() if isinstance(x, Tensor) else x


@backward("ToCopyBackward0", "ExpandBackward0", "CloneBackward0")
def same(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy


@backward("CopyBackwards", "FillBackward0")
def overwritten(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy if k == 0 else op.zeros(k)


@backward("AddBackward0", "SubBackward0")
def add(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy * op.numbers[2] if k == 1 and op.numbers[2] != 1 else gy


@backward("MulBackward0")
def mul(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy * op.operand(1 - k)


@backward("DivBackward0")
def div(op: Op, gy: Tensor, k: int) -> Tensor:
    g = gy / op.operand(1)
    return g if k == 0 else -g * op.output()


@backward("DivBackward1")
def rounded(op: Op, gy: Tensor, k: int) -> Tensor:
    return op.zeros(k)


@backward("FmodBackward0", "RemainderBackward0")
def modulo(op: Op, gy: Tensor, k: int) -> Tensor:
    if k == 0:
        return gy
    quotient = _plain(op.operand(0)) / _plain(op.operand(1))
    return -gy * (quotient.trunc() if op.name[0] == "F" else quotient.floor())


@backward("MaximumBackward0", "MinimumBackward0")
def extremum(op: Op, gy: Tensor, k: int) -> Tensor:
    a, b = _plain(op.operand(k)), _plain(op.operand(1 - k))
    loses, tie = (a < b if op.name[1] == "a" else a > b), a == b
    if not isinstance(loses, Tensor):
        return gy * (0.5 if tie else float(not loses))
    return where(tie, 0.5 * gy, where(loses, 0.0, gy))


@backward("Atan2Backward0")
def atan2(op: Op, gy: Tensor, k: int) -> Tensor:
    a, b = op.operand(0), op.operand(1)
    g = gy / (a * a + b * b)
    return g * b if k == 0 else -g * a


@backward("ClampMinBackward0", "ClampMaxBackward0")
def bound(op: Op, gy: Tensor, k: int) -> Tensor:
    x, edge = _plain(op.operand(0)), _plain(op.operand(1))
    if op.name == "ClampMaxBackward0":
        x, edge = edge, x
    return where(x >= edge if k == 0 else x < edge, gy, 0.0)


@backward("PowBackward1")
def power(op: Op, gy: Tensor, k: int) -> Tensor:
    a, e = op.operand(0), op.operand(1)
    if k == 0:
        if not isinstance(e, Tensor):
            return op.zeros(0) if e == 0 else gy * (e * a ** (e - 1))
        return gy * where(e.detach() == 0, 0.0, e * a ** (e - 1))
    if not isinstance(a, Tensor):
        a = e.detach().clone().fill_(a)
    nothing = (a.detach() == 0) & (_plain(e) >= 0)       # 0^e: its slope along e is 0, not 0 * log 0
    return where(nothing, 0.0, gy * a ** e * where(nothing, 1.0, a).log())


@backward("LerpBackward0")
def lerp(op: Op, gy: Tensor, k: int) -> Tensor:
    if k == 2:
        return gy * (op.operand(1) - op.operand(0))
    w = op.operand(2)
    return gy * w if k == 1 else gy * (1 - w)


@backward("AddcmulBackward0")
def addcmul(op: Op, gy: Tensor, k: int) -> Tensor:
    return gy if k == 0 else gy * op.operand(3 - k) * op.numbers[3]


@backward("AddcdivBackward0")
def addcdiv(op: Op, gy: Tensor, k: int) -> Tensor:
    if k == 0:
        return gy
    g = gy / op.operand(2) * op.numbers[3]
    return g if k == 1 else -g * op.operand(1) / op.operand(2)


@backward("WhereBackward0")
def choice(op: Op, gy: Tensor, k: int) -> Tensor:
    condition = op.saved[0]
    return where(condition, gy, 0.0) if k == 0 else where(condition, 0.0, gy)
