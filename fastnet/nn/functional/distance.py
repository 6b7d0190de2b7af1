"""Distances and directions: cosine_similarity, pairwise_distance, normalize."""
from __future__ import annotations

from fastnet._core.tensor import Tensor
from fastnet.ops.norm import vector_norm


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1.x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`.

    Args:
        x1, x2: tensors that broadcast to one shape.
        dim: the axis that is summed; the result is without it.
        eps: least norm.

    >>> import fastnet as fn
    >>> fn.nn.functional.cosine_similarity(fn.tensor([[1.0, 0.0]]), fn.tensor([[0.0, 2.0]])).tolist()
    [0.0]
    """
    return (normalize(x1, dim=dim, eps=eps) * normalize(x2, dim=dim, eps=eps)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """(sum |x1 - x2 + eps|^p)^(1/p) along the last axis.

    Args:
        x1, x2: (..., D), broadcast.
        p: the norm's degree.
        eps: added to the difference.
        keepdim: keep the last axis with size 1.
    """
    return vector_norm(x1 - x2 + eps, p, dim=-1, keepdim=keepdim)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input / max(|input|_p, eps) along `dim`.

    Args:
        input: any shape.
        p: the norm's degree.
        dim: the axis (or axes) over which the norm is taken.
        eps: least norm.

    >>> import fastnet as fn
    >>> fn.nn.functional.normalize(fn.tensor([[0.0, 2.0]])).tolist()
    [[0.0, 1.0]]
    """
    return input / vector_norm(input, p, dim=dim, keepdim=True).clamp(min=eps)
