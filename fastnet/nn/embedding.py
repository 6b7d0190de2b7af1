"""Embedding: rows of a learned table; EmbeddingBag: sums of them."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter


class Embedding(Module):
    """A learned vector for each index.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: length of a row.
        padding_idx: a row that starts as zeros and receives no gradient; may be negative.
        max_norm: rows with a larger norm are scaled down to it when they are used.
        norm_type: p of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times that the input holds it.
        sparse: `weight.grad` is a `SparseTensor` of the rows that the input holds; for `optim.SGD`, `Adagrad` and `SparseAdam`.
        _weight: the table to start with, (num_embeddings, embedding_dim).
        _freeze: the table receives no gradient.
        device: "cpu" or None.
        dtype: of the table; the default dtype if None.

    `weight` (num_embeddings, embedding_dim) starts normal with mean 0 and standard deviation 1.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Embedding(10, 3)(fn.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape)
    (2, 4, 3)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
                 norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, _weight: Tensor | None = None,
                 _freeze: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx {padding_idx} is outside the {num_embeddings} rows of the table")
        if _weight is not None and tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise ValueError(f"Embedding: _weight {tuple(_weight.shape)} must be {(num_embeddings, embedding_dim)}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx + num_embeddings if padding_idx is not None and padding_idx < 0 else padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse = max_norm, norm_type, scale_grad_by_freq, sparse
        table = fn.empty(num_embeddings, embedding_dim, device=device, dtype=dtype) if _weight is None else _weight
        self.weight = Parameter(table, requires_grad=not _freeze)
        if _weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew; the padding row becomes zeros."""
        fn.nn.init.normal_(self.weight)
        if self.padding_idx is not None:
            with fn.no_grad():
                self.weight[self.padding_idx].fill_(0)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
                        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False) -> Embedding:
        """An Embedding over a given table (rows, features), which receives no gradient if `freeze`."""
        if embeddings.ndim != 2:
            raise ValueError(f"Embedding.from_pretrained: embeddings must have two axes, got {tuple(embeddings.shape)}")
        rows, features = embeddings.shape
        return cls(rows, features, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight=embeddings, _freeze=freeze)

    def forward(self, input: Tensor) -> Tensor:
        """Integers of any shape to that shape with the features as last axis."""
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse)

    def extra_repr(self) -> str:
        rest = {"padding_idx": self.padding_idx, "max_norm": self.max_norm, "norm_type": self.norm_type if self.norm_type != 2 else None,
                "scale_grad_by_freq": self.scale_grad_by_freq or None, "sparse": self.sparse or None}
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *[f"{key}={v}" for key, v in rest.items() if v is not None]])


class EmbeddingBag(Module):
    """Sums, means or maxima of learned vectors, one for each bag of indices.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: length of a row.
        max_norm: rows with a larger norm are scaled down to it when they are used.
        norm_type: p of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times that the input holds it.
        sparse: `weight.grad` is a `SparseTensor` of the rows that the input holds; for `optim.SGD`, `Adagrad` and `SparseAdam`.
        mode: "sum", "mean" or "max".
        _weight: the table to start with, (num_embeddings, embedding_dim).
        include_last_offset: offsets have one more element, the end.
        padding_idx: indices that are left out; that row starts as zeros.
        device: "cpu" or None.
        dtype: of the table; the default dtype if None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.EmbeddingBag(10, 3)(fn.tensor([1, 2, 4, 5, 4]), fn.tensor([0, 3])).shape)
    (2, 3)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
                 scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Tensor | None = None,
                 include_last_offset: bool = False, padding_idx: int | None = None, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
        table = Embedding(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight,
                          device=device, dtype=dtype)
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, table.padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse = max_norm, norm_type, scale_grad_by_freq, sparse
        self.mode, self.include_last_offset = mode, include_last_offset
        self.weight = table.weight

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
                        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, include_last_offset: bool = False,
                        padding_idx: int | None = None) -> EmbeddingBag:
        """An EmbeddingBag over a given table (rows, features), which receives no gradient if `freeze`."""
        if embeddings.ndim != 2:
            raise ValueError(f"EmbeddingBag.from_pretrained: embeddings must have two axes, got {tuple(embeddings.shape)}")
        rows, features = embeddings.shape
        bag = cls(rows, features, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset, padding_idx)
        bag.weight.requires_grad_(not freeze)
        return bag

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """(bags, N), or (N,) with offsets (bags,), to (bags, embedding_dim)."""
        return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
                               per_sample_weights, self.include_last_offset, self.padding_idx)

    def extra_repr(self) -> str:
        rest = {"max_norm": self.max_norm, "norm_type": self.norm_type if self.norm_type != 2 else None,
                "scale_grad_by_freq": self.scale_grad_by_freq or None, "sparse": self.sparse or None, "mode": repr(self.mode),
                "padding_idx": self.padding_idx}
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *[f"{key}={v}" for key, v in rest.items() if v is not None]])
