"""spectral_norm: a weight divided by its largest singular value (Miyato, Kataoka, Koyama, Yoshida, 2018)."""
from __future__ import annotations

from typing import Any

import fastnet
from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor
from fastnet.nn.parameter import Parameter
from fastnet.nn.utils.weight_norm import Computed, keep, put_parameter, release, take_parameter


def _unit(x: Tensor, eps: float) -> Tensor:
    return x / x.norm().clamp(min=eps)


class _SpectralNorm(Computed):
    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight as rows along `dim`."""
        return weight.movedim(self.dim, 0).reshape(weight.shape[self.dim], -1)

    def compute(self, module: Any, iterations: int) -> Tensor:
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        w = self.matrix(weight)
        with no_grad():
            for _ in range(iterations):
                v.copy_(_unit(w.detach().T @ u, self.eps))
                u.copy_(_unit(w.detach() @ v, self.eps))
        # Clones: the next forward changes u and v before this one's backward, perhaps.
        return weight / (u.clone() @ (w @ v.clone()))

    def __call__(self, module: Any, args: Any) -> None:
        self.put(module, self.compute(module, self.n_power_iterations if module.training else 0))


def spectral_norm(module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None) -> Any:
    """Divide a weight by its largest singular value before each forward, as discriminators of GANs like it.

    The singular value is followed by power iteration, whose vectors are buffers; in evaluation they stay.

    Args:
        module: a Module.
        name: the parameter, which becomes `name_orig`.
        n_power_iterations: steps in each forward of training.
        eps: the smallest length that is divided by.
        dim: the axis of outputs; 1 for transposed convolutions, else 0.

    Returns:
        The module.

    Raises:
        RuntimeError: no such parameter.
        ValueError: fewer than one iteration.

    >>> import fastnet
    >>> layer = fastnet.nn.utils.spectral_norm(fastnet.nn.Linear(20, 40), n_power_iterations=20)
    >>> y = layer(fastnet.randn(1, 20))
    >>> round(fastnet.linalg.svdvals(layer.weight)[0].item(), 1)
    1.0
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    weight = take_parameter(module, name, "spectral_norm")
    hook = _SpectralNorm(name, n_power_iterations, dim, eps)
    rows, columns = hook.matrix(weight.detach()).shape
    module.register_parameter(name + "_orig", Parameter(weight.detach()))
    module.register_buffer(name + "_u", _unit(fastnet.randn(rows, dtype=weight.dtype), eps))
    module.register_buffer(name + "_v", _unit(fastnet.randn(columns, dtype=weight.dtype), eps))
    setattr(module, name, weight.detach())
    keep(module, hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make the weight a plain parameter again, with the value it has.

    Args:
        module: a Module with `spectral_norm`.
        name: the parameter.

    Raises:
        ValueError: it has no such norm.

    >>> import fastnet
    >>> from fastnet.nn.utils import remove_spectral_norm, spectral_norm
    >>> [name for name, _ in remove_spectral_norm(spectral_norm(fastnet.nn.Linear(3, 2))).named_parameters()]
    ['bias', 'weight']
    """
    hook = release(module, _SpectralNorm, name, "remove_spectral_norm")
    with no_grad():
        weight = hook.compute(module, 0).detach()
    for part in ("_orig", "_u", "_v"):
        delattr(module, name + part)
    put_parameter(module, name, weight)
    return module
