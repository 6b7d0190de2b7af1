"""Padding layers: a constant, zeros, the array mirrored, its edge, its other end."""
from __future__ import annotations

from collections.abc import Sequence

import fastnet.nn.functional as F
from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module

__all__ = ["CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
           "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d",
           "ZeroPad1d", "ZeroPad2d", "ZeroPad3d"]

Sizes = int | Sequence[int]


class _Pad(Module):
    _rank: int
    _mode = "constant"
    value: float | None = None

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        sizes = (padding,) * 2 * self._rank if isinstance(padding, int) else tuple(padding)
        if len(sizes) != 2 * self._rank:
            raise ValueError(f"{type(self).__name__}: padding must be a number or {2 * self._rank} of them, got {padding!r}")
        self.padding = sizes

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) or (C, ...), with its last axes longer by the padding."""
        if input.ndim not in (self._rank + 1, self._rank + 2):
            raise RuntimeError(f"{type(self).__name__}: input must have {self._rank + 1} or {self._rank + 2} axes, got shape "
                               f"{tuple(input.shape)}")
        return F.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """The input with its last axes longer by the padding."""
        return F.pad(input, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_ConstantPad):
    """A sequence (N, C, L) or (C, L) with a constant around it.

    Args:
        padding: one number or (left, right); negative numbers take elements away.
        value: the constant.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ConstantPad1d(1, 0.5)(fn.ones(2, 3, 4)).shape)
    (2, 3, 6)
    """

    _rank = 1


class ConstantPad2d(_ConstantPad):
    """An image (N, C, H, W) or (C, H, W) with a constant around it.

    Args:
        padding: one number or (left, right, top, bottom); negative numbers take elements away.
        value: the constant.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ConstantPad2d(1, 0.5)(fn.ones(2, 3, 4, 5)).shape)
    (2, 3, 6, 7)
    """

    _rank = 2


class ConstantPad3d(_ConstantPad):
    """A volume (N, C, D, H, W) or (C, D, H, W) with a constant around it.

    Args:
        padding: one number or (left, right, top, bottom, front, back); negative numbers take elements away.
        value: the constant.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ConstantPad3d(1, 0.5)(fn.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 6, 7, 8)
    """

    _rank = 3


class ZeroPad1d(_ZeroPad):
    """A sequence (N, C, L) or (C, L) with zeros around it.

    Args:
        padding: one number or (left, right); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ZeroPad1d(1)(fn.ones(2, 3, 4)).shape)
    (2, 3, 6)
    """

    _rank = 1


class ZeroPad2d(_ZeroPad):
    """An image (N, C, H, W) or (C, H, W) with zeros around it.

    Args:
        padding: one number or (left, right, top, bottom); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ZeroPad2d(1)(fn.ones(2, 3, 4, 5)).shape)
    (2, 3, 6, 7)
    """

    _rank = 2


class ZeroPad3d(_ZeroPad):
    """A volume (N, C, D, H, W) or (C, D, H, W) with zeros around it.

    Args:
        padding: one number or (left, right, top, bottom, front, back); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ZeroPad3d(1)(fn.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 6, 7, 8)
    """

    _rank = 3


class ReflectionPad1d(_Pad):
    """A sequence (N, C, L) or (C, L) continued as in a mirror, without its outermost elements.

    Args:
        padding: one number or (left, right); less than the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReflectionPad1d(1)(fn.ones(2, 3, 4)).shape)
    (2, 3, 6)
    """

    _rank = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """An image (N, C, H, W) or (C, H, W) continued as in a mirror, without its outermost elements.

    Args:
        padding: one number or (left, right, top, bottom); less than the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReflectionPad2d(1)(fn.ones(2, 3, 4, 5)).shape)
    (2, 3, 6, 7)
    """

    _rank = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """A volume (N, C, D, H, W) or (C, D, H, W) continued as in a mirror, without its outermost elements.

    Args:
        padding: one number or (left, right, top, bottom, front, back); less than the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReflectionPad3d(1)(fn.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 6, 7, 8)
    """

    _rank = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """A sequence (N, C, L) or (C, L) continued by its outermost elements.

    Args:
        padding: one number or (left, right); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReplicationPad1d(1)(fn.ones(2, 3, 4)).shape)
    (2, 3, 6)
    """

    _rank = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """An image (N, C, H, W) or (C, H, W) continued by its outermost elements.

    Args:
        padding: one number or (left, right, top, bottom); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReplicationPad2d(1)(fn.ones(2, 3, 4, 5)).shape)
    (2, 3, 6, 7)
    """

    _rank = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """A volume (N, C, D, H, W) or (C, D, H, W) continued by its outermost elements.

    Args:
        padding: one number or (left, right, top, bottom, front, back); negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ReplicationPad3d(1)(fn.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 6, 7, 8)
    """

    _rank = 3
    _mode = "replicate"


class CircularPad1d(_Pad):
    """A sequence (N, C, L) or (C, L) continued from its other end.

    Args:
        padding: one number or (left, right); at most the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.CircularPad1d(1)(fn.ones(2, 3, 4)).shape)
    (2, 3, 6)
    """

    _rank = 1
    _mode = "circular"


class CircularPad2d(_Pad):
    """An image (N, C, H, W) or (C, H, W) continued from its other end.

    Args:
        padding: one number or (left, right, top, bottom); at most the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.CircularPad2d(1)(fn.ones(2, 3, 4, 5)).shape)
    (2, 3, 6, 7)
    """

    _rank = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """A volume (N, C, D, H, W) or (C, D, H, W) continued from its other end.

    Args:
        padding: one number or (left, right, top, bottom, front, back); at most the axis; negative numbers take elements away.

    >>> import fastnet as fn
    >>> tuple(fn.nn.CircularPad3d(1)(fn.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 6, 7, 8)
    """

    _rank = 3
    _mode = "circular"
