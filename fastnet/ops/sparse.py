"""SparseTensor: a few rows of a table, as the gradient of an embedding has them."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.size import Size
from fastnet._core.tensor import Tensor, attach, from_numpy
from fastnet.ops.create import zeros
from fastnet.ops.index_select import add_rows_, add_to_gradient
from fastnet.ops.join import cat
from fastnet.ops.norm import norm


class SparseTensor:
    """Rows of a table; all others are 0.  What ``weight.grad`` is after `nn.Embedding` with ``sparse=True``.

    It has the methods of PyTorch's sparse COO tensors with one sparse and one dense axis; it is no `Tensor`, and no op takes it.

    Args:
        indices: (n,) int64, which rows, all of them of the table; a row may come several times, its values are added.
        values: (n, features).
        size: of the table, (rows, features).
        is_coalesced: the indices rise and none comes twice.

    Raises: ValueError for shapes that do not belong together; TypeError for indices that are not int64; RuntimeError for one outside the
        table.

    >>> import fastnet as fn
    >>> table = fn.nn.Embedding(1000, 2, sparse=True)
    >>> table(fn.tensor([7, 3, 7])).sum().backward()
    >>> table.weight.grad.coalesce().indices(), table.weight.grad.coalesce().values()
    (tensor([[3, 7]]), tensor([[1., 1.],
            [2., 2.]]))
    """
    is_sparse = True
    is_leaf = True
    requires_grad = False

    def __init__(self, indices: Tensor, values: Tensor, size: tuple[int, int], is_coalesced: bool = False) -> None:
        if indices.ndim != 1 or len(size) != 2 or tuple(values.shape) != (indices.shape[0], size[1]):
            raise ValueError(f"SparseTensor: values {tuple(values.shape)} must be a row for each of indices {tuple(indices.shape)} "
                             f"of a table {tuple(size)}")
        numbers = indices.numpy()
        if numbers.dtype != np.int64:
            raise TypeError(f"SparseTensor: indices must be int64, got {indices.dtype}")
        if numbers.size and (numbers.min() < 0 or numbers.max() >= size[0]):
            raise RuntimeError(f"SparseTensor: indices must be rows of a table {tuple(size)}, got {numbers.min()} to {numbers.max()}")
        self._index, self._rows, self._coalesced = indices, values, is_coalesced
        self.shape = Size(size)

    @classmethod
    def _of(cls, indices: Tensor, values: Tensor, size: tuple[int, int], is_coalesced: bool) -> SparseTensor:
        """Without a look at indices that were looked at before."""
        made = cls.__new__(cls)
        made._index, made._rows, made._coalesced, made.shape = indices, values, is_coalesced, Size(size)
        return made

    def _same(self, values: Tensor) -> SparseTensor:
        return self._of(self._index, values, self.shape, self._coalesced)

    # what it is

    @property
    def dtype(self) -> Any:
        return self._rows.dtype

    @property
    def device(self) -> Any:
        return self._rows.device

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def dim(self) -> int:
        """The number of axes: 2."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape of the table, or the size of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """The number of elements of the table."""
        return self.shape[0] * self.shape[1]

    def sparse_dim(self) -> int:
        """Axes that the indices count: 1."""
        return 1

    def dense_dim(self) -> int:
        """Axes of each value: 1."""
        return 1

    def is_coalesced(self) -> bool:
        """Whether the indices rise and none comes twice."""
        return self._coalesced

    def _nnz(self) -> int:
        return self._rows.shape[0]

    def _indices(self) -> Tensor:
        return self._index.unsqueeze(0)

    def _values(self) -> Tensor:
        return self._rows

    def indices(self) -> Tensor:
        """The rows' numbers, (1, n); of a coalesced one."""
        self._require_coalesced("indices")
        return self._indices()

    def values(self) -> Tensor:
        """The rows, (n, features), sharing memory; of a coalesced one."""
        self._require_coalesced("values")
        return self._rows

    def _require_coalesced(self, name: str) -> None:
        if not self._coalesced:
            raise RuntimeError(f"{name}: cannot get {name} of an uncoalesced SparseTensor, please call .coalesce() first")

    # other forms

    def coalesce(self) -> SparseTensor:
        """The same with rising indices, each once; itself if it is so already."""
        if self._coalesced:
            return self
        rows, places = np.unique(self._index.numpy(), return_inverse=True)
        values = zeros(len(rows), self.shape[1], dtype=self.dtype)
        add_rows_(values, from_numpy(places.reshape(-1).astype(np.int64, copy=False)), self._rows)
        return self._of(from_numpy(rows), values, self.shape, True)

    def to_dense(self) -> Tensor:
        """The whole table as a Tensor."""
        table = zeros(*self.shape, dtype=self.dtype)
        add_rows_(table, self._index, self._rows)
        return table

    def clone(self) -> SparseTensor:
        """A copy."""
        return self._of(self._index.clone(), self._rows.clone(), self.shape, self._coalesced)

    def detach(self) -> SparseTensor:
        """Itself: it has no history."""
        return self

    detach_ = detach

    # arithmetic

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Tensor):
            if tuple(other.shape) != tuple(self.shape) or other.dtype != self.dtype:
                raise RuntimeError(f"add: {self.dtype} rows of a table {tuple(self.shape)} and a {other.dtype} tensor {tuple(other.shape)}")
            table = other.detach().clone().contiguous()
            add_rows_(table, self._index, self._rows)
            return table
        if not isinstance(other, SparseTensor):
            return NotImplemented
        if other.shape != self.shape or other.dtype != self.dtype:
            raise RuntimeError(f"add: {self.dtype} rows of a table {tuple(self.shape)} and {other.dtype} ones of {tuple(other.shape)}")
        return self._of(cat([self._index, other._index]), cat([self._rows, other._rows]), self.shape, False)

    __radd__ = __add__

    def __mul__(self, factor: float) -> SparseTensor:
        return self._same(self._rows * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> SparseTensor:
        return self._same(self._rows / divisor)

    def __neg__(self) -> SparseTensor:
        return self._same(-self._rows)

    def mul_(self, factor: float) -> SparseTensor:
        """Multiply by a number in place."""
        self._rows.mul_(factor)
        return self

    def div_(self, divisor: float) -> SparseTensor:
        """Divide by a number in place."""
        self._rows.div_(divisor)
        return self

    def zero_(self) -> SparseTensor:
        """Forget all rows."""
        self._index, self._rows, self._coalesced = self._index[:0], self._rows[:0], True
        return self

    def norm(self, p: float = 2.0) -> Tensor:
        """The p-norm of the table as one vector."""
        return norm(self.coalesce()._rows, p)

    def add_to(self, leaf: Any) -> None:
        """Add the rows to the dense gradient of a node; the tape calls it where dense and sparse gradients meet."""
        add_to_gradient(leaf, self._index, self._rows)

    def __repr__(self) -> str:
        return (f"tensor(indices={self._indices()},\n       values={self._rows},\n       "
                f"size={tuple(self.shape)}, nnz={self._nnz()}, layout=sparse_coo)")


attach(is_sparse=False)
