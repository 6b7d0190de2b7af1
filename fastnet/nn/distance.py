"""CosineSimilarity and PairwiseDistance."""
from __future__ import annotations

from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn.module import Module


class CosineSimilarity(Module):
    """x1.x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`.

    Args:
        dim: the axis that is summed.
        eps: least norm.

    >>> import fastnet as fn
    >>> fn.nn.CosineSimilarity()(fn.ones(1, 2), fn.ones(1, 2)).shape == (1,)
    True
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Two tensors that broadcast to one without axis `dim`."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """(sum |x1 - x2 + eps|^p)^(1/p) along the last axis.

    Args:
        p: the norm's degree.
        eps: added to the difference.
        keepdim: keep the last axis with size 1.

    >>> import fastnet as fn
    >>> tuple(fn.nn.PairwiseDistance()(fn.ones(3, 2), fn.zeros(3, 2)).shape)
    (3,)
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """(..., D) and (..., D) to (...)."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
