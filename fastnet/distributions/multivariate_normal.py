"""MultivariateNormal: Gauss's distribution of vectors."""
from __future__ import annotations

import math
from typing import Any

import fastnet
from fastnet import linalg
from fastnet._core.tensor import Tensor
from fastnet.distributions.distribution import Distribution


class MultivariateNormal(Distribution):
    """Gauss's distribution of vectors of n numbers.

    Args:
        loc: (..., n), the mean.
        covariance_matrix: (..., n, n), symmetric and positive definite.
        precision_matrix: its inverse, in place of it.
        scale_tril: the lower triangle L with covariance L Lᵀ, in place of it.
        validate_args: False: do not check.

    Raises:
        ValueError: not exactly one of the three matrices, or shapes that do not fit.

    >>> import fastnet
    >>> fastnet.distributions.MultivariateNormal(fastnet.zeros(2), fastnet.eye(2)).log_prob(fastnet.zeros(2))
    tensor(-1.8379)
    """

    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None) -> None:
        given = [m for m in (covariance_matrix, precision_matrix, scale_tril) if m is not None]
        if len(given) != 1:
            raise ValueError("MultivariateNormal: give exactly one of covariance_matrix, precision_matrix and scale_tril")
        n = loc.shape[-1] if loc.ndim else 0
        if loc.ndim < 1 or given[0].ndim < 2 or tuple(given[0].shape[-2:]) != (n, n):
            raise ValueError(f"MultivariateNormal: loc {tuple(loc.shape)} needs a matrix (..., {n}, {n}), got {tuple(given[0].shape)}")
        lower = given[0]
        if scale_tril is None:
            lower = linalg.cholesky(lower if precision_matrix is None else linalg.inv(lower))
        batch = fastnet.broadcast_shapes(tuple(loc.shape[:-1]), tuple(lower.shape[:-2]))
        self.loc, self.scale_tril = loc.expand(*batch, n), lower.expand(*batch, n, n)
        super().__init__(batch, (n,), validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = fastnet.randn(self._extended(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        return self.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        away = (value - self.loc).unsqueeze(-1)
        z = linalg.solve_triangular(self.scale_tril, away, upper=False)
        return -0.5 * (z * z).sum((-2, -1)) - self._half_log_det() - 0.5 * self.loc.shape[-1] * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        return self._half_log_det() + 0.5 * self.loc.shape[-1] * (1 + math.log(2 * math.pi))

    @property
    def covariance_matrix(self) -> Tensor:
        """L Lᵀ."""
        return self.scale_tril @ self.scale_tril.mT

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self.scale_tril ** 2).sum(-1)
