"""Pooling as functions: maximum, average, power mean, and the inverse of max pooling; over one, two or three axes."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops import pool

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
           "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
           "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d"]

Size = int | Sequence[int]
Sizes = int | None | Sequence[int | None]


def max_pool1d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The greatest element of each window of a sequence (N, C, L) or (C, L); the arguments are those of `max_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.max_pool1d(fn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return pool.max_pool(input, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The greatest element of each window of an image.

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        padding: places of -infinity before and after, at most half a window.
        dilation: distance of a window's elements.
        ceil_mode: let a last window begin inside and reach over the end.
        return_indices: also return the place h * W + w of each maximum, int64, for `max_unpool2d`.

    Returns:
        (N, C, H', W') with H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1; NaN where a window holds one.

    Raises:
        RuntimeError: the shapes do not fit.
        TypeError: input is not floating-point.

    >>> import fastnet as fn
    >>> fn.nn.functional.max_pool2d(fn.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return pool.max_pool(input, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:
    """The greatest element of each window of a volume (N, C, D, H, W) or (C, D, H, W); the arguments are those of `max_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.max_pool3d(fn.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    return pool.max_pool(input, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
               count_include_pad: bool = True) -> Tensor:
    """The mean of each window of a sequence (N, C, L) or (C, L); the arguments are those of `avg_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.avg_pool1d(fn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return pool.avg_pool(input, 1, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window of an image.

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        padding: zeros before and after, at most half a window.
        ceil_mode: let a last window begin inside and reach over the end.
        count_include_pad: divide by the window's size, zeros of the padding included; else by the number of elements.
        divisor_override: divide by this.

    Returns:
        (N, C, H', W') with H' = floor((H + 2 padding - kernel_size) / stride) + 1.

    Raises:
        RuntimeError: the shapes do not fit, or divisor_override is 0.
        TypeError: input is not floating-point.

    >>> import fastnet as fn
    >>> fn.nn.functional.avg_pool2d(fn.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return pool.avg_pool(input, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(input: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window of a volume (N, C, D, H, W) or (C, D, H, W); the arguments are those of `avg_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.avg_pool3d(fn.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    return pool.avg_pool(input, 3, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def adaptive_avg_pool1d(input: Tensor, output_size: Sizes) -> Tensor:
    """The mean of each of output_size windows that cover a sequence (N, C, L) or (C, L); see `adaptive_avg_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_avg_pool1d(fn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return pool.adaptive_avg_pool(input, 1, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Sizes) -> Tensor:
    """The mean of each of output_size windows that cover an image.

    Window i of n reaches from floor(i H / n) to ceil((i + 1) H / n).

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        output_size: one number or (height, width); None keeps a size.

    Returns:
        (N, C, *output_size)

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_avg_pool2d(fn.arange(16.0).reshape(1, 4, 4), 1)
    tensor([[[7.5000]]])
    """
    return pool.adaptive_avg_pool(input, 2, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Sizes) -> Tensor:
    """The mean of each of output_size windows that cover a volume (N, C, D, H, W) or (C, D, H, W); see `adaptive_avg_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_avg_pool3d(fn.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return pool.adaptive_avg_pool(input, 3, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """The greatest element of each of output_size windows that cover a sequence (N, C, L) or (C, L); see `adaptive_max_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_max_pool1d(fn.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return pool.adaptive_max_pool(input, 1, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """The greatest element of each of output_size windows that cover an image.

    Window i of n reaches from floor(i H / n) to ceil((i + 1) H / n).

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        output_size: one number or (height, width); None keeps a size.
        return_indices: also return the place h * W + w of each maximum, int64.

    Returns:
        (N, C, *output_size)

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_max_pool2d(fn.arange(16.0).reshape(1, 4, 4), (1, None))
    tensor([[[12., 13., 14., 15.]]])
    """
    return pool.adaptive_max_pool(input, 2, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """The greatest element of each of output_size windows that cover a volume (N, C, D, H, W) or (C, D, H, W); see `adaptive_max_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.adaptive_max_pool3d(fn.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    return pool.adaptive_max_pool(input, 3, output_size, return_indices)


def _each(value: Any, rank: int, op: str, argument: str) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Sequence) else (value,) * rank
    if len(values) != rank or not all(isinstance(n, int) and not isinstance(n, bool) for n in values):
        raise RuntimeError(f"{op}: {argument} must be a number or {rank} of them, got {value!r}")
    return values


def _lp_pool(x: Tensor, rank: int, p: float, kernel_size: Size, stride: Size | None, ceil_mode: bool) -> Tensor:
    if p == 0 or p in (float("inf"), float("-inf")):
        raise ValueError(f"lp_pool{rank}d: norm_type must be finite and not 0, got {p}")
    size = prod(_each(kernel_size, rank, f"lp_pool{rank}d", "kernel_size"))
    mean = pool.avg_pool(x ** p, rank, kernel_size, stride, 0, ceil_mode)
    return ((mean.sign() * fn.relu(mean.abs())) * size) ** (1.0 / p)


def _max_unpool(x: Tensor, rank: int, indices: Tensor, kernel_size: Size, stride: Size | None, padding: Size,
                output_size: Sequence[int] | None) -> Tensor:
    op = f"max_unpool{rank}d"
    if not isinstance(x, Tensor) or not isinstance(indices, Tensor):
        raise TypeError(f"{op}: input and indices must be tensors, got {type(x).__name__} and {type(indices).__name__}")
    if x.ndim not in (rank + 1, rank + 2) or x.shape != indices.shape:
        raise RuntimeError(f"{op}: input and indices must have one shape of {rank + 1} or {rank + 2} axes, got {tuple(x.shape)} and "
                           f"{tuple(indices.shape)}")
    if indices.dtype != fn.int64:
        raise RuntimeError(f"{op}: indices must be int64, got {indices.dtype}")
    kernel = _each(kernel_size, rank, op, "kernel_size")
    step = kernel if stride is None else _each(stride, rank, op, "stride")
    pad = _each(padding, rank, op, "padding")
    default = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[-rank:], step, pad, kernel))
    sizes = default if output_size is None else tuple(output_size)[-rank:]
    if output_size is not None and len(output_size) not in (rank, rank + 1, rank + 2):
        raise ValueError(f"{op}: output_size must hold {rank} numbers, or as many as input has axes, got {tuple(output_size)}")
    if any(not d - s < n < d + s for n, d, s in zip(sizes, default, step)) and output_size is not None or min(sizes) < 1:
        raise ValueError(f"{op}: output_size {tuple(sizes)} must be less than a stride {step} from {default}, and positive")
    size = prod(sizes)
    if x.numel() and not (0 <= int(indices.min()) and int(indices.max()) < size):
        raise RuntimeError(f"{op}: an index lies outside the output of size {tuple(sizes)}")
    # With the channels innermost, as images lie in memory, these are views.
    flat, at = x.flatten(-rank).transpose(-1, -2), indices.flatten(-rank).transpose(-1, -2)
    out = fn.zeros(*flat.shape[:-2], size, flat.shape[-1], dtype=x.dtype).scatter(-2, at, flat)
    return out.transpose(-1, -2).unflatten(-1, sizes)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False) -> Tensor:
    """(sum of x^p)^(1/p) over each window of a sequence (N, C, L) or (C, L); see `lp_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.lp_pool1d(fn.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(input, 1, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False) -> Tensor:
    """(sum of x^p)^(1/p) over each window of an image; p = norm_type.

    Args:
        input: (N, C, H, W) or (C, H, W), floating-point.
        norm_type: p, not 0; infinity is not possible: take `max_pool2d` of the absolute value.
        kernel_size: size of the window, one number or (height, width).
        stride: distance of windows; default kernel_size.
        ceil_mode: let a last window reach over the end; its sum is scaled to a full window's.

    >>> import fastnet as fn
    >>> fn.nn.functional.lp_pool2d(fn.tensor([[[3.0, 0.0], [0.0, 4.0]]]), 2, 2)
    tensor([[[5.]]])
    """
    return _lp_pool(input, 2, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False) -> Tensor:
    """(sum of x^p)^(1/p) over each window of a volume (N, C, D, H, W) or (C, D, H, W); see `lp_pool2d`.

    >>> import fastnet as fn
    >>> fn.nn.functional.lp_pool3d(fn.ones(1, 2, 2, 1), 2, (2, 2, 1))
    tensor([[[[2.]]]])
    """
    return _lp_pool(input, 3, norm_type, kernel_size, stride, ceil_mode)


def max_unpool1d(input: Tensor, indices: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """A sequence of zeros in which each element of the input (N, C, L) or (C, L) lies where `max_pool1d` found it.

    >>> import fastnet as fn
    >>> y, at = fn.nn.functional.max_pool1d(fn.tensor([[1.0, 3.0]]), 2, return_indices=True)
    >>> fn.nn.functional.max_unpool1d(y, at, 2)
    tensor([[0., 3.]])
    """
    return _max_unpool(input, 1, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input: Tensor, indices: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """An image of zeros in which each element of the input lies where `max_pool2d` found it.

    Args:
        input: (N, C, H, W) or (C, H, W).
        indices: int64, the same shape: places h * W' + w of the result, as `max_pool2d(..., return_indices=True)` gives them.
        kernel_size, stride, padding: those of the pooling.
        output_size: (..., H', W') of the result where the pooling lost it; default (H - 1) stride - 2 padding + kernel_size.

    Raises:
        ValueError: output_size is a stride or more from the default.
        RuntimeError: shapes differ, or an index lies outside.

    >>> import fastnet as fn
    >>> y, at = fn.nn.functional.max_pool2d(fn.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> fn.nn.functional.max_unpool2d(y, at, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _max_unpool(input, 2, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input: Tensor, indices: Tensor, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
                 output_size: Sequence[int] | None = None) -> Tensor:
    """A volume of zeros in which each element of the input (N, C, D, H, W) or (C, D, H, W) lies where `max_pool3d` found it.

    >>> import fastnet as fn
    >>> y, at = fn.nn.functional.max_pool3d(fn.arange(4.0).reshape(1, 1, 2, 2), (1, 2, 2), return_indices=True)
    >>> fn.nn.functional.max_unpool3d(y, at, (1, 2, 2))
    tensor([[[[0., 0.],
              [0., 3.]]]])
    """
    return _max_unpool(input, 3, indices, kernel_size, stride, padding, output_size)
