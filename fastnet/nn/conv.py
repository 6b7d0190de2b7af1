"""Conv1d, Conv2d, Conv3d and their transposes."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import init
from fastnet.nn.activation import GELU, Hardswish, LeakyReLU, Mish, ReLU, ReLU6, Sigmoid, SiLU, Tanh
from fastnet.nn.functional import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, pad
from fastnet.nn.linear import Identity
from fastnet.nn.module import Module
from fastnet.nn.normalization import norm_act, plain
from fastnet.nn.parameter import Parameter
from fastnet.ops.conv import conv_act

_MODES = ("zeros", "reflect", "replicate", "circular")
_FUSED = {ReLU: "relu", ReLU6: "relu6", LeakyReLU: "leaky_relu", SiLU: "silu", Hardswish: "hardswish", GELU: "gelu", Sigmoid: "sigmoid",
          Tanh: "tanh", Mish: "mish"}


def _numbers(op: str, name: str, value: Any, spatial: int, least: int) -> tuple[int, ...]:
    """One number for each axis."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * spatial
    values = values * spatial if len(values) == 1 else values
    if any(isinstance(v, bool) or not hasattr(v, "__index__") for v in values):
        raise TypeError(f"{op}: {name} must be int or a tuple of ints, got {value!r}")
    if len(values) != spatial:
        raise ValueError(f"{op}: {name} must be one number or {spatial}, got {value!r}")
    if min(values) < least:
        raise ValueError(f"{op}: {name} must be {'positive' if least else 'not negative'}, got {value!r}")
    return tuple(int(v) for v in values)


class _ConvNd(Module):
    """What all convolutions have: checks, weight, bias, their initialisation."""

    spatial: int
    transposed = False
    in_channels: int
    out_channels: int
    groups: int

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: int,
                 bias: bool, padding_mode: str, device: Any, dtype: Any, output_padding: Any = 0) -> None:
        super().__init__()
        op, spatial = type(self).__name__, self.spatial
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)):
            setattr(self, name, _numbers(op, name, value, 1, 1)[0])
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{op}: {name} must be divisible by groups, got {channels} and {groups}")
        if padding_mode not in _MODES:
            raise ValueError(f"{op}: padding_mode must be one of {_MODES}, got {padding_mode!r}")
        if self.transposed and padding_mode != "zeros":
            raise ValueError(f"{op}: only padding_mode 'zeros' is there for a transposed convolution, got {padding_mode!r}")
        self.kernel_size = _numbers(op, "kernel_size", kernel_size, spatial, 1)
        self.stride = _numbers(op, "stride", stride, spatial, 1)
        self.dilation = _numbers(op, "dilation", dilation, spatial, 1)
        self.output_padding = _numbers(op, "output_padding", output_padding, spatial, 0)
        self.padding: str | tuple[int, ...] = padding
        if isinstance(padding, str):
            if self.transposed or padding not in ("same", "valid"):
                raise ValueError(f"{op}: padding must be numbers{'' if self.transposed else ', same or valid'}, got {padding!r}")
            if padding == "same" and max(self.stride) > 1:
                raise ValueError(f"{op}: padding='same' needs a stride of 1, got {stride}")
        else:
            self.padding = _numbers(op, "padding", padding, spatial, 0)
        self.padding_mode = padding_mode
        self._around = self._ends()
        ends = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(fn.empty(*ends, *self.kernel_size, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(fn.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _ends(self) -> tuple[int, ...]:
        """The padding as nn.functional.pad wants it: last axis first, before and after."""
        if isinstance(self.padding, str):
            total = [d * (k - 1) if self.padding == "same" else 0 for d, k in zip(self.dilation, self.kernel_size)]
            return tuple(n for t in reversed(total) for n in (t // 2, t - t // 2))
        return tuple(n for p in reversed(self.padding) for n in (p, p))

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in +-1/sqrt(weight.shape[1] * taps)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        none = (0,) * self.spatial
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        parts += [f"padding={self.padding}"] if self.padding != none else []
        parts += [f"dilation={self.dilation}"] if self.dilation != (1,) * self.spatial else []
        parts += [f"output_padding={self.output_padding}"] if self.output_padding != none else []
        parts += [f"groups={self.groups}"] if self.groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(parts)


class _Conv(_ConvNd):
    """A convolution as a layer."""

    _function: Callable[..., Tensor]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                 groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve input (N, in_channels, ...) or (in_channels, ...)."""
        if self.padding_mode == "zeros":
            return type(self)._function(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        return type(self)._function(pad(input, self._around, mode=self.padding_mode), self.weight, self.bias, self.stride, 0, self.dilation,
                                    self.groups)

    def _activated(self, input: Tensor, activation: Module | None = None, residual: Tensor | None = None,
                   residual_last: bool = False) -> Tensor | None:
        """activation(conv(input) + residual) in one pass; None where `conv_act` gives None, or there are no zeros around the image."""
        if self.padding_mode != "zeros":
            return None
        name = _FUSED[type(activation)] if activation is not None else None
        if name == "gelu" and activation.approximate == "tanh":  # type: ignore[union-attr]
            name = "gelu_tanh"
        return conv_act(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups, name,
                        getattr(activation, "negative_slope", 0.01), residual, residual_last)


class Conv1d(_Conv):
    """Convolution over one axis: (N, in_channels, L) to (N, out_channels, L'); see `fastnet.conv1d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, dilation: int or (int,).
        padding: int or (int,), 'same' or 'valid'.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: what lies around the input: "zeros", "reflect", "replicate", "circular".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    `weight` (out_channels, in_channels/groups, kernel) and `bias` (out_channels,) start uniform in +-1/sqrt(in_channels/groups * kernel).

    >>> import fastnet as fn
    >>> tuple(fn.nn.Conv1d(4, 8, 3, padding=1)(fn.ones(2, 4, 10)).shape)
    (2, 8, 10)
    """

    spatial = 1
    _function = staticmethod(conv1d)


class Conv2d(_Conv):
    """Convolution over two axes: (N, in_channels, H, W) to (N, out_channels, H', W'), channels last in memory; see `fastnet.conv2d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, dilation: int or (int, int).
        padding: int or (int, int), 'same' or 'valid'.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: what lies around the input: "zeros", "reflect", "replicate", "circular".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    `weight` (out_channels, in_channels/groups, kH, kW) and `bias` (out_channels,) start uniform in +-1/sqrt(in_channels/groups * kH * kW).

    >>> import fastnet as fn
    >>> tuple(fn.nn.Conv2d(3, 16, 5, stride=2, padding=2)(fn.ones(1, 3, 32, 32)).shape)
    (1, 16, 16, 16)
    """

    spatial = 2
    _function = staticmethod(conv2d)


class Conv3d(_Conv):
    """Convolution over three axes: (N, in_channels, D, H, W) to (N, out_channels, D', H', W'); see `fastnet.conv3d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, dilation: int or (int, int, int).
        padding: int or (int, int, int), 'same' or 'valid'.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: what lies around the input: "zeros", "reflect", "replicate", "circular".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Conv3d(2, 4, (1, 3, 3))(fn.ones(1, 2, 3, 5, 5)).shape)
    (1, 4, 3, 3, 3)
    """

    spatial = 3
    _function = staticmethod(conv3d)


class _ConvTranspose(_ConvNd):
    """A transposed convolution as a layer."""

    transposed = True
    _function: Callable[..., Tensor]

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
                 groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype,
                         output_padding)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Convolve input (N, in_channels, ...) or (in_channels, ...); output_size, if given, chooses output_padding."""
        more = self.output_padding if output_size is None else self._padding_for(input, list(output_size))
        return type(self)._function(input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation)

    def _padding_for(self, input: Tensor, size: list[int]) -> tuple[int, ...]:
        op, n = type(self).__name__, self.spatial
        if len(size) not in (n, input.dim()):
            raise ValueError(f"{op}: output_size must have {n} or {input.dim()} numbers, got {size}")
        size = size[-n:]
        least = [(i - 1) * s - 2 * p + d * (k - 1) + 1 for i, s, p, d, k in
                 zip(input.shape[-n:], self.stride, self._ends()[::-2], self.dilation, self.kernel_size)]
        if any(not a <= b < a + s for a, b, s in zip(least, size, self.stride)):
            raise ValueError(f"{op}: output_size {size} must lie between {least} and {[a + s - 1 for a, s in zip(least, self.stride)]} "
                             f"for input {tuple(input.shape)}")
        return tuple(b - a for a, b in zip(least, size))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over one axis; see `fastnet.conv_transpose1d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, padding, dilation: int or (int,).
        output_padding: further elements at the end of the output.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: "zeros".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    `weight` is (in_channels, out_channels/groups, kernel).

    >>> import fastnet as fn
    >>> tuple(fn.nn.ConvTranspose1d(4, 2, 4, stride=2, padding=1)(fn.ones(1, 4, 5)).shape)
    (1, 2, 10)
    """

    spatial = 1
    _function = staticmethod(conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over two axes; see `fastnet.conv_transpose2d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, padding, dilation: int or (int, int).
        output_padding: further rows and columns at the end of the output.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: "zeros".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    `weight` is (in_channels, out_channels/groups, kH, kW).

    >>> import fastnet as fn
    >>> up = fn.nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)
    >>> tuple(up(fn.ones(1, 4, 5, 5)).shape), tuple(up(fn.ones(1, 4, 5, 5), output_size=(10, 10)).shape)
    ((1, 2, 9, 9), (1, 2, 10, 10))
    """

    spatial = 2
    _function = staticmethod(conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over three axes; see `fastnet.conv_transpose3d`.

    Args:
        in_channels, out_channels: channels of input and output.
        kernel_size, stride, padding, dilation: int or (int, int, int).
        output_padding: further elements at the end of each axis of the output.
        groups: into how many groups channels are cut.
        bias: whether a bias is learned.
        padding_mode: "zeros".
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Raises:
        ValueError: arguments that do not fit.

    >>> import fastnet as fn
    >>> tuple(fn.nn.ConvTranspose3d(4, 2, 2, stride=2)(fn.ones(1, 4, 3, 3, 3)).shape)
    (1, 2, 6, 6, 6)
    """

    spatial = 3
    _function = staticmethod(conv_transpose3d)


def activates(conv: Any, activation: Any) -> bool:
    """Whether `conv` can do the activation (or None) in its own pass: exactly these types, no hooks on either."""
    return (type(conv) in (Conv1d, Conv2d, Conv3d) and plain(conv)
            and (activation is None or (type(activation) in _FUSED and plain(activation))))


def conv_norm_act(conv: Any, norm: Any, activation: Any, input: Tensor, residual: Tensor | None = None,
                  residual_last: bool = False) -> Tensor:
    """activation(norm(conv(input)) + residual); without gradients, and the norm folded away, one pass; else `norm_act` after `conv`.

    Args:
        conv, norm, activation: modules; activation may be None.
        input: what conv takes.
        residual: of the result's shape, or None.
        residual_last: add it after the activation.

    >>> import fastnet as fn
    >>> from fastnet.nn.conv import conv_norm_act
    >>> x, conv = fn.ones(1, 2, 3, 3), fn.nn.Conv2d(2, 2, 1)
    >>> bool((conv_norm_act(conv, fn.nn.Identity(), fn.nn.ReLU(), x, x) == (conv(x) + x).relu()).all())
    True
    """
    if type(norm) is Identity and plain(norm) and activates(conv, activation):
        y = conv._activated(input, activation, residual, residual_last)
        if y is not None:
            return y
    y = conv(input)
    if residual is None or not residual_last or activation is None:
        return norm_act(norm, activation, y, residual)
    return norm_act(norm, activation, y) + residual
