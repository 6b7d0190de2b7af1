"""Where a token stands: rotary and sinusoidal positions."""
from __future__ import annotations

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor


def _angles(positions: Tensor, features: int, base: float) -> Tensor:
    """positions (T,) times the frequencies base**(-2i / features), in float64: (T, features / 2)."""
    frequencies = float(base) ** (fn.arange(0, features, 2, dtype=fn.float64) / -features)
    return positions.double().unsqueeze(-1) * frequencies


def sinusoidal_positions(length: int, features: int, base: float = 10000.0) -> Tensor:
    """Sines and cosines of geometrically falling frequencies, in turn (Vaswani et al., Attention is all you need, 2017).

    Args:
        length: positions, from 0 on.
        features: an even number.
        base: the longest wave has about 2 pi base positions.

    Returns: (length, features), float32; features 2i and 2i + 1 are the sine and the cosine of position * base**(-2i / features).

    >>> from fastnet.models import sinusoidal_positions
    >>> sinusoidal_positions(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    if length < 0 or features < 0 or features % 2:
        raise ValueError(f"sinusoidal_positions: length {length} and features {features} must not be negative, features even")
    angles = _angles(fn.arange(length), features, base)
    return fn.stack((angles.sin(), angles.cos()), -1).flatten(-2).float()


def rotary_tables(length: int, features: int, base: float = 10000.0, start: int = 0) -> tuple[Tensor, Tensor]:
    """Cosines and sines for `apply_rotary`: two tensors (length, features), float32, for positions from `start` on."""
    if features % 2:
        raise ValueError(f"rotary_tables: features must be even, got {features}")
    angles = _angles(fn.arange(start, start + length), features, base)
    return (fn.cat((angles.cos(), angles.cos()), -1).float(), fn.cat((-angles.sin(), angles.sin()), -1).float())


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of features (i, i + D/2) by an angle that grows with the position.

    Args:
        x: (..., T, D), queries or keys.
        cos, sin: (T, D), of `rotary_tables`.

    Returns: shaped as x. The product of a query and a key then depends on their distance (Su et al., RoFormer, 2021).

    >>> import fastnet as fn
    >>> from fastnet.models.positions import apply_rotary, rotary_tables
    >>> apply_rotary(fn.ones(1, 2, 2), *rotary_tables(2, 2))
    tensor([[[ 1.0000,  1.0000],
             [-0.3012,  1.3818]]])
    """
    if x.ndim < 2 or tuple(x.shape[-2:]) != tuple(cos.shape) or tuple(cos.shape) != tuple(sin.shape):
        raise ValueError(f"apply_rotary: x {tuple(x.shape)} must end as cos {tuple(cos.shape)} and sin {tuple(sin.shape)}")
    first, second = x.chunk(2, -1)
    return x * cos + fn.cat((second, first), -1) * sin


class RotaryEmbedding(nn.Module):
    """Rotary positions for queries and keys; the tables grow as longer sequences come.

    Args:
        features: size of a head, even.
        base: see `sinusoidal_positions`.

    >>> import fastnet as fn
    >>> q, k = fn.ones(1, 2, 5, 8), fn.ones(1, 2, 5, 8)
    >>> turned = fn.models.RotaryEmbedding(8)
    >>> tuple(turned(q).shape), tuple(turned(k, start=3).shape)
    ((1, 2, 5, 8), (1, 2, 5, 8))
    """

    def __init__(self, features: int, base: float = 10000.0) -> None:
        super().__init__()
        if features < 2 or features % 2:
            raise ValueError(f"RotaryEmbedding: features must be even and positive, got {features}")
        self.features, self.base = features, base
        self._tables = rotary_tables(0, features, base)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x (..., T, features) at positions start to start + T - 1, turned."""
        end = start + x.shape[-2]
        if end > self._tables[0].shape[0]:
            self._tables = rotary_tables(max(end, 2 * self._tables[0].shape[0]), self.features, self.base)
        cos, sin = (t[start:end].to(x.dtype) for t in self._tables)
        return apply_rotary(x, cos, sin)

    def extra_repr(self) -> str:
        return f"{self.features}, base={self.base:g}"


class SinusoidalPositions(nn.Module):
    """Adds `sinusoidal_positions` to x (N, T, features); no parameters.

    Args:
        features: an even number.
        dropout: probability of a zero in the sum, in training.

    >>> import fastnet as fn
    >>> fn.models.SinusoidalPositions(2)(fn.zeros(1, 2, 2))
    tensor([[[0.0000, 1.0000],
             [0.8415, 0.5403]]])
    """

    def __init__(self, features: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.features, self.dropout = features, nn.Dropout(dropout)
        self._table = sinusoidal_positions(0, features)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x at positions from `start` on, with them added."""
        end = start + x.shape[-2]
        if end > self._table.shape[0]:
            self._table = sinusoidal_positions(max(end, 2 * self._table.shape[0]), self.features)
        return self.dropout(x + self._table[start:end].to(x.dtype))
