"""Flatten and Unflatten."""
from __future__ import annotations

from collections.abc import Sequence

from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module


class Flatten(Module):
    """Make axes `start_dim` to `end_dim` one axis.

    Args:
        start_dim: first axis.
        end_dim: last axis.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Flatten()(fn.ones(2, 3, 4)).shape)
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The input with the axes merged."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make axis `dim` several axes.

    Args:
        dim: the axis.
        unflattened_size: the sizes it becomes; one of them may be -1.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Unflatten(1, (3, 4))(fn.ones(2, 12)).shape)
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int, got {type(dim).__name__} (named axes are not supported)")
        if not isinstance(unflattened_size, Sequence) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of ints, got {unflattened_size!r}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The input with the axis split."""
        dim = self.dim + input.ndim if self.dim < 0 else self.dim
        if not 0 <= dim < input.ndim:
            raise IndexError(f"Unflatten: dim {self.dim} is out of range for input {tuple(input.shape)}")
        return input.reshape((*input.shape[:dim], *self._sizes(input.shape[dim]), *input.shape[dim + 1:]))

    def _sizes(self, n: int) -> list[int]:
        sizes, known, unknown = list(self.unflattened_size), 1, []
        for i, size in enumerate(sizes):
            if size == -1:
                unknown.append(i)
            else:
                known *= size
        if len(unknown) == 1 and known > 0 and n % known == 0:
            sizes[unknown[0]] = n // known
        elif unknown or known != n:
            raise RuntimeError(f"Unflatten: unflattened_size {tuple(self.unflattened_size)} does not fit axis {self.dim} of size {n}")
        return sizes

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
