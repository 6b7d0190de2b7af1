"""Rows: the rows of a parameter that a sparse gradient names, with their state, taken out for an update and put back."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.sparse import SparseTensor


class Rows:
    """Copies of some rows of a parameter and of its state; at the end of ``with`` they are written back.

    Args:
        param: the table.
        grad: its gradient.
        states: tensors of the table's shape.

    `param` is a leaf of those rows whose gradient is the coalesced one, `states` the rows of the states.
    """

    def __init__(self, param: Tensor, grad: SparseTensor, *states: Tensor) -> None:
        grad = grad.coalesce()
        self._index, self._tables = grad._index, (param.detach(), *states)
        self.param, *self.states = (table.index_select(0, self._index) for table in self._tables)
        self.param.requires_grad_()
        self.param.grad = grad._values()

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, failed: Any, *_: Any) -> None:
        if failed is None:
            with fn.no_grad():
                for table, rows in zip(self._tables, (self.param, *self.states)):
                    table[self._index] = rows
