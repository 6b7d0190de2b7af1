"""weight_norm, spectral_norm and orthogonal as parametrizations: the weight is computed whenever it is asked for."""
from __future__ import annotations

from typing import Any

import fastnet
from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor
from fastnet.nn.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from fastnet.nn.module import Module
from fastnet.nn.utils.parametrize import register_parametrization
from fastnet.nn.utils.spectral_norm import _unit
from fastnet.nn.utils.weight_norm import length

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return v * (g / length(v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return length(weight, self.dim), weight


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Make a weight of its length, `original0`, and its direction, `original1` (Salimans and Kingma, 2016).

    Args:
        module: a Module.
        name: the parameter.
        dim: each slice along this axis has a length of its own; None or -1: the whole has one.

    >>> import fastnet
    >>> from fastnet.nn.utils.parametrizations import weight_norm
    >>> list(weight_norm(fastnet.nn.Linear(3, 2, bias=False)).state_dict())
    ['parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    return register_parametrization(module, name, _WeightNorm(None if dim == -1 else dim), unsafe=True)


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            rows = self._rows(weight.detach())
            self.register_buffer("_u", _unit(fastnet.randn(rows.shape[0], dtype=rows.dtype), eps))
            self.register_buffer("_v", _unit(fastnet.randn(rows.shape[1], dtype=rows.dtype), eps))
            self._iterate(rows, 15)

    def _rows(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def _iterate(self, rows: Tensor, n: int) -> None:
        with no_grad():
            for _ in range(n):
                self._u.copy_(_unit(rows @ self._v, self.eps))
                self._v.copy_(_unit(rows.T @ self._u, self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return _unit(weight, self.eps)
        rows = self._rows(weight)
        if self.training:
            self._iterate(rows.detach(), self.n_power_iterations)
        return weight / (self._u.clone() @ (rows @ self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None) -> Any:
    """Divide a weight by its largest singular value, which power iteration follows in training (Miyato et al., 2018).

    Args:
        module: a Module.
        name: the parameter.
        n_power_iterations: steps each time the weight is asked for.
        eps: the smallest length that is divided by.
        dim: the axis of outputs; None: 1 for transposed convolutions, else 0.

    Raises:
        ValueError: fewer than one iteration.

    >>> import fastnet
    >>> layer = fastnet.nn.utils.parametrizations.spectral_norm(fastnet.nn.Linear(20, 40), n_power_iterations=20)
    >>> round(fastnet.linalg.matrix_norm(layer.weight, 2).item(), 2)
    1.0
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(getattr(module, name), n_power_iterations, dim, eps))


class _Orthogonal(Module):
    def __init__(self, weight: Tensor, cayley: bool, based: bool) -> None:
        super().__init__()
        self.cayley, self.turned = cayley, weight.shape[-2] < weight.shape[-1]
        if based:
            self.register_buffer("base", fastnet.zeros(0, dtype=weight.dtype))

    def forward(self, x: Tensor) -> Tensor:
        x = x.mT if self.turned else x
        n, k = x.shape[-2:]
        if n != k:
            x = fastnet.cat([x, x.new_zeros(*x.shape[:-1], n - k)], -1)
        a = x.tril(-1)
        a = a - a.mT
        one = fastnet.eye(n, dtype=x.dtype)
        q = fastnet.linalg.solve(one - 0.5 * a, one + 0.5 * a) if self.cayley else fastnet.linalg.matrix_exp(a)
        q = (self.base @ q if hasattr(self, "base") else q)[..., :k]
        return q.mT if self.turned else q

    def right_inverse(self, value: Tensor) -> Tensor:
        if not hasattr(self, "base"):
            raise RuntimeError("orthogonal: without use_trivialization the weight cannot be assigned")
        q, r = fastnet.linalg.qr(value.mT if self.turned else value, "complete")
        k = r.shape[-1]
        signs = fastnet.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).unsqueeze(-2)
        self.base = fastnet.cat([q[..., :k] * signs, q[..., k:]], -1)
        return fastnet.zeros_like(value)


def orthogonal(module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True) -> Any:
    """Keep a weight's columns, or its rows where they are fewer, orthonormal: a base times a rotation, made of an antisymmetric matrix.

    Args:
        module: a Module.
        name: the parameter, of at least two axes.
        orthogonal_map: "matrix_exp", or None, which is the same: the rotation is exp(A); "cayley": (1 - A / 2)^-1 (1 + A / 2).
        use_trivialization: begin with the orthonormal matrix next to the weight, as the base; False: the base is the identity, and A is
            made of the weight.

    Raises:
        ValueError: another map ("householder" is not available), or a weight of one axis.

    >>> import fastnet
    >>> w = fastnet.nn.utils.parametrizations.orthogonal(fastnet.nn.Linear(3, 3)).weight
    >>> fastnet.allclose(w @ w.T, fastnet.eye(3), atol=1e-5)
    True
    """
    if orthogonal_map not in (None, "matrix_exp", "cayley"):
        raise ValueError(f"orthogonal: orthogonal_map must be 'matrix_exp' or 'cayley', got {orthogonal_map!r}")
    weight = getattr(module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: {name!r} must have at least two axes, got {tuple(weight.shape)}")
    part = _Orthogonal(weight, orthogonal_map == "cayley", use_trivialization)
    if not use_trivialization:
        part.right_inverse = lambda value: value          # type: ignore[method-assign]
        register_parametrization(module, name, part)
        del part.right_inverse
        return module
    return register_parametrization(module, name, part)
