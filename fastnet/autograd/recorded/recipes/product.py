"""Recipes of matrix products and of linear layers with the activation that was fused with them."""
from __future__ import annotations

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import RECIPES, backward
from fastnet.autograd.recorded.op import Op
from fastnet.ops.where import where


@backward("MatmulBackward0", "MmBackward0", "BmmBackward0", "MvBackward0", "DotBackward0")
def matmul(op: Op, gy: Tensor, k: int) -> Tensor:
    row, column = op.integers[:2]                        # operands of one axis
    g = gy
    if row:
        g = g.unsqueeze(g.ndim - (0 if column else 1))
    if column:
        g = g.unsqueeze(-1)
    if k == 0:
        b = op.input(1)
        g = g @ (b.unsqueeze(1) if column else b).transpose(-1, -2)
        return g.squeeze(-2) if row else g
    a = op.input(0)
    g = (a.unsqueeze(0) if row else a).transpose(-1, -2) @ g
    return g.squeeze(-1) if column else g


def fused(gy: Tensor, y: Tensor, act: int) -> Tensor:
    """gy through a fused activation: 0 none, 1 relu, 2 tanh, 3 sigmoid, as in csrc/kernels/gemm.h."""
    if act == 1:
        return where(y.detach() > 0, gy, 0.0)
    return gy * (1 - y * y if act == 2 else y * (1 - y))


def linear(op: Op, gy: Tensor) -> list[Tensor | None]:
    gz = fused(gy, op.output(2), op.integers[0]) if op.integers[0] else gy
    count = int(np.prod(gz.shape[:-1]))
    rows = gz.reshape(count, gz.shape[-1])
    return [gz @ op.input(1) if op.wants(0) else None,
            rows.t() @ op.input(0).reshape(count, op.like(1).shape[1]) if op.wants(1) else None,
            rows.sum(0) if op.wants(2) else None]


RECIPES["LinearBackward0"] = linear
