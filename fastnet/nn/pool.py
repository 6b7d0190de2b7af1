"""Pooling layers: maximum, average, adaptive, power mean, and the inverse of max pooling."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fastnet.nn.functional as F
from fastnet._core.tensor import Tensor
from fastnet.nn.module import Module

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
           "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
           "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]

Size = int | Sequence[int]
Sizes = int | None | Sequence[int | None]


class _MaxPool(Module):
    _pool: Callable[..., Any]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
                 return_indices: bool = False, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Tensor) -> Any:
        """The pooled input; with return_indices also where its elements were."""
        return self._pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
                f"ceil_mode={self.ceil_mode}")


class MaxPool1d(_MaxPool):
    """The greatest element of each window of a sequence (N, C, L) or (C, L).

    Args:
        kernel_size, stride, padding, dilation, return_indices, ceil_mode: as for `MaxPool2d`.

    >>> import fastnet as fn
    >>> tuple(fn.nn.MaxPool1d(2)(fn.ones(2, 3, 8)).shape)
    (2, 3, 4)
    """

    _pool = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """The greatest element of each window of an image (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        padding: places of -infinity before and after, at most half a window.
        dilation: distance of a window's elements.
        return_indices: also return where each maximum was, for `MaxUnpool2d`.
        ceil_mode: let a last window begin inside and reach over the end.

    >>> import fastnet as fn
    >>> tuple(fn.nn.MaxPool2d(2)(fn.ones(2, 3, 8, 8)).shape)
    (2, 3, 4, 4)
    """

    _pool = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """The greatest element of each window of a volume (N, C, D, H, W) or (C, D, H, W).

    Args:
        kernel_size, stride, padding, dilation, return_indices, ceil_mode: as for `MaxPool2d`.

    >>> import fastnet as fn
    >>> tuple(fn.nn.MaxPool3d(2)(fn.ones(2, 3, 8, 8, 8)).shape)
    (2, 3, 4, 4, 4)
    """

    _pool = staticmethod(F.max_pool3d)


class _AvgPool(Module):
    _pool: Callable[..., Tensor]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The pooled input."""
        return self._pool(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence (N, C, L) or (C, L).

    Args:
        kernel_size, stride, padding, ceil_mode, count_include_pad: as for `AvgPool2d`.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AvgPool1d(2)(fn.ones(2, 3, 8)).shape)
    (2, 3, 4)
    """

    _pool = staticmethod(F.avg_pool1d)


class _AvgPoolOver(_AvgPool):
    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True, divisor_override: int | None = None) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The pooled input."""
        return self._pool(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
                          self.divisor_override)


class AvgPool2d(_AvgPoolOver):
    """The mean of each window of an image (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        padding: zeros before and after, at most half a window.
        ceil_mode: let a last window begin inside and reach over the end.
        count_include_pad: divide by the window's size, zeros of the padding included; else by the number of elements.
        divisor_override: divide by this.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AvgPool2d(2)(fn.ones(2, 3, 8, 8)).shape)
    (2, 3, 4, 4)
    """

    _pool = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolOver):
    """The mean of each window of a volume (N, C, D, H, W) or (C, D, H, W).

    Args:
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: as for `AvgPool2d`.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AvgPool3d(2)(fn.ones(2, 3, 8, 8, 8)).shape)
    (2, 3, 4, 4, 4)
    """

    _pool = staticmethod(F.avg_pool3d)


class _Adaptive(Module):
    _pool: Callable[..., Any]

    def __init__(self, output_size: Sizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The pooled input, of output_size."""
        return self._pool(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """The mean of each of output_size windows that cover a sequence (N, C, L) or (C, L).

    Args:
        output_size: one number; None keeps a size.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveAvgPool1d(1)(fn.ones(2, 3, 8)).shape)
    (2, 3, 1)
    """

    _pool = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """The mean of each of output_size windows that cover an image (N, C, H, W) or (C, H, W).

    Args:
        output_size: one number or (height, width); None keeps a size.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveAvgPool2d(1)(fn.ones(2, 3, 8, 8)).shape)
    (2, 3, 1, 1)
    """

    _pool = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    """The mean of each of output_size windows that cover a volume (N, C, D, H, W) or (C, D, H, W).

    Args:
        output_size: one number or (depth, height, width); None keeps a size.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveAvgPool3d(1)(fn.ones(2, 3, 8, 8, 8)).shape)
    (2, 3, 1, 1, 1)
    """

    _pool = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Sizes, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The pooled input, of output_size; with return_indices also where its elements were."""
        return self._pool(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The greatest element of each of output_size windows that cover a sequence (N, C, L) or (C, L).

    Args:
        output_size: one number; None keeps a size.
        return_indices: also return where each maximum was.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveMaxPool1d(5)(fn.ones(2, 3, 8)).shape)
    (2, 3, 5)
    """

    _pool = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The greatest element of each of output_size windows that cover an image (N, C, H, W) or (C, H, W).

    Args:
        output_size: one number or (height, width); None keeps a size.
        return_indices: also return where each maximum was.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveMaxPool2d(5)(fn.ones(2, 3, 8, 8)).shape)
    (2, 3, 5, 5)
    """

    _pool = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """The greatest element of each of output_size windows that cover a volume (N, C, D, H, W) or (C, D, H, W).

    Args:
        output_size: one number or (depth, height, width); None keeps a size.
        return_indices: also return where each maximum was.

    >>> import fastnet as fn
    >>> tuple(fn.nn.AdaptiveMaxPool3d(5)(fn.ones(2, 3, 8, 8, 8)).shape)
    (2, 3, 5, 5, 5)
    """

    _pool = staticmethod(F.adaptive_max_pool3d)


class _MaxUnpool(Module):
    _unpool: Callable[..., Tensor]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Zeros, with the input's elements where the indices say; of output_size where the pooling lost it."""
        return self._unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The inverse of `MaxPool1d`: a sequence of zeros with each element where the pooling found it.

    Args:
        kernel_size, stride, padding: those of the pooling.

    >>> import fastnet as fn
    >>> y, at = fn.nn.MaxPool1d(2, return_indices=True)(fn.ones(2, 3, 8))
    >>> tuple(fn.nn.MaxUnpool1d(2)(y, at).shape)
    (2, 3, 8)
    """

    _unpool = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """The inverse of `MaxPool2d`: an image of zeros with each element where the pooling found it.

    Args:
        kernel_size, stride, padding: those of the pooling.

    >>> import fastnet as fn
    >>> y, at = fn.nn.MaxPool2d(2, return_indices=True)(fn.ones(2, 3, 8, 8))
    >>> tuple(fn.nn.MaxUnpool2d(2)(y, at).shape)
    (2, 3, 8, 8)
    """

    _unpool = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """The inverse of `MaxPool3d`: a volume of zeros with each element where the pooling found it.

    Args:
        kernel_size, stride, padding: those of the pooling.

    >>> import fastnet as fn
    >>> y, at = fn.nn.MaxPool3d(2, return_indices=True)(fn.ones(2, 3, 8, 8, 8))
    >>> tuple(fn.nn.MaxUnpool3d(2)(y, at).shape)
    (2, 3, 8, 8, 8)
    """

    _unpool = staticmethod(F.max_unpool3d)


class _LPPool(Module):
    _pool: Callable[..., Tensor]

    def __init__(self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """The pooled input."""
        return self._pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, ceil_mode={self.ceil_mode}"


class LPPool1d(_LPPool):
    """(sum of x^p)^(1/p) over each window of a sequence (N, C, L) or (C, L).

    Args:
        norm_type: p, finite and not 0.
        kernel_size: size of the window, one number.
        stride: distance of windows; default kernel_size.
        ceil_mode: let a last window begin inside and reach over the end.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LPPool1d(2, 4)(fn.ones(2, 3, 8)).shape)
    (2, 3, 2)
    """

    _pool = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """(sum of x^p)^(1/p) over each window of an image (N, C, H, W) or (C, H, W).

    Args:
        norm_type: p, finite and not 0.
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        ceil_mode: let a last window begin inside and reach over the end.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LPPool2d(2, 4)(fn.ones(2, 3, 8, 8)).shape)
    (2, 3, 2, 2)
    """

    _pool = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """(sum of x^p)^(1/p) over each window of a volume (N, C, D, H, W) or (C, D, H, W).

    Args:
        norm_type: p, finite and not 0.
        kernel_size: size of the window, one number or (depth, height, width).
        stride: distance of windows; default kernel_size.
        ceil_mode: let a last window begin inside and reach over the end.

    >>> import fastnet as fn
    >>> tuple(fn.nn.LPPool3d(2, 4)(fn.ones(2, 3, 8, 8, 8)).shape)
    (2, 3, 2, 2, 2)
    """

    _pool = staticmethod(F.lp_pool3d)
