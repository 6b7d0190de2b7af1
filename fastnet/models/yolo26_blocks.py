"""The blocks that a YOLO26 detector is made of: convolutions in stages that keep part of their input, pooling, attention."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet import nn
from fastnet.nn.conv import conv_norm_act


class ConvUnit(nn.Module):
    """Convolution without bias, batch norm, SiLU; the padding keeps the size at stride 1.

    Args:
        in_channels, out_channels: channels before and after.
        kernel_size: odd side of the kernel.
        stride, groups: as of `nn.Conv2d`.
        activation: False: there is none.

    x: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    >>> import fastnet as fn
    >>> from fastnet.models.yolo26_blocks import ConvUnit
    >>> tuple(ConvUnit(3, 8, 3, 2)(fn.zeros(1, 3, 9, 9)).shape)
    (1, 8, 5, 5)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1, stride: int = 1, groups: int = 1,
                 activation: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
        self.bn: Any = nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True) if activation else None

    def forward(self, x: Any, residual: Any = None) -> Any:
        """The unit's result; `residual` is added after the activation."""
        return conv_norm_act(self.conv, self.bn, self.act, x, residual, residual_last=True)


class Bottleneck(nn.Module):
    """x plus two 3x3 convolutions of x.

    Args:
        channels: of x and of the result.
        expansion: channels between the two, as a part of `channels`.
    """

    def __init__(self, channels: int, expansion: float = 0.5) -> None:
        super().__init__()
        inner = int(channels * expansion)
        self.cv1 = ConvUnit(channels, inner, 3)
        self.cv2 = ConvUnit(inner, channels, 3)

    def forward(self, x: Any) -> Any:
        return self.cv2(self.cv1(x), x)


class C3k(nn.Module):
    """Half of the channels through two `Bottleneck`s, the other half past them, then a 1x1 convolution of both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.cv1 = ConvUnit(channels, half)
        self.cv2 = ConvUnit(channels, half)
        self.cv3 = ConvUnit(2 * half, channels)
        self.m = nn.Sequential(*(Bottleneck(half, 1.0) for _ in range(2)))

    def forward(self, x: Any) -> Any:
        return self.cv3(fn.cat([self.m(self.cv1(x)), self.cv2(x)], 1))


class Attention(nn.Module):
    """Attention of every place of a map to every other, plus a depthwise convolution of the values, which tells where they are.

    Args:
        channels: of x and of the result.
        heads: each with channels / heads values and half as many keys.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.values = heads, channels // heads
        self.keys = self.values // 2
        self.qkv = ConvUnit(channels, channels + 2 * heads * self.keys, activation=False)
        self.proj = ConvUnit(channels, channels, activation=False)
        self.pe = ConvUnit(channels, channels, 3, groups=channels, activation=False)

    def forward(self, x: Any, residual: Any = None) -> Any:
        n, c, h, w = x.shape
        # the channels of a head lie together: its queries, keys, values
        packed = self.qkv(x).permute(0, 2, 3, 1).reshape(n, h * w, self.heads, 2 * self.keys + self.values)
        q, k, v = packed.split([self.keys, self.keys, self.values], 3)
        y = nn.functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        y = y.transpose(1, 2).reshape(n, h, w, c).permute(0, 3, 1, 2)
        return self.proj(self.pe(v.reshape(n, h, w, c).permute(0, 3, 1, 2), y), residual)


class PSABlock(nn.Module):
    """x plus attention of x; then that plus two 1x1 convolutions of it.

    >>> import fastnet as fn
    >>> from fastnet.models.yolo26_blocks import PSABlock
    >>> tuple(PSABlock(16)(fn.zeros(1, 16, 3, 5)).shape)
    (1, 16, 3, 5)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attn = Attention(channels, max(channels // 64, 1))
        self.ffn = nn.Sequential(ConvUnit(channels, 2 * channels), ConvUnit(2 * channels, channels, activation=False))

    def forward(self, x: Any) -> Any:
        x = self.attn(x, x)
        return self.ffn[1](self.ffn[0](x), x)


class C3k2(nn.Module):
    """A 1x1 convolution to two parts, blocks that each act on the last part and add one, and a 1x1 convolution of all parts.

    Args:
        in_channels, out_channels: before and after.
        blocks: how many.
        kind: of the blocks: "plain" (`Bottleneck`), "c3k", or "attention" (a `Bottleneck` and a `PSABlock`).
        part: channels of a part, as a share of out_channels.

    >>> import fastnet as fn
    >>> from fastnet.models.yolo26_blocks import C3k2
    >>> tuple(C3k2(8, 16, 1, "c3k")(fn.zeros(1, 8, 6, 6)).shape)
    (1, 16, 6, 6)
    """

    def __init__(self, in_channels: int, out_channels: int, blocks: int = 1, kind: str = "plain", part: float = 0.5) -> None:
        super().__init__()
        self.part = int(out_channels * part)
        made: Any = {"plain": Bottleneck, "c3k": C3k, "attention": lambda c: nn.Sequential(Bottleneck(c), PSABlock(c))}[kind]
        self.cv1 = ConvUnit(in_channels, 2 * self.part)
        self.cv2 = ConvUnit((2 + blocks) * self.part, out_channels)
        self.m = nn.ModuleList(made(self.part) for _ in range(blocks))

    def forward(self, x: Any) -> Any:
        both = self.cv1(x)
        parts = [both, both[:, self.part:]]
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(fn.cat([both, *parts[2:]], 1))


class SPPF(nn.Module):
    """x plus a 1x1 convolution of half of the channels and of their maxima over 5x5, 9x9 and 13x13 pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.cv1 = ConvUnit(channels, half, activation=False)
        self.cv2 = ConvUnit(4 * half, channels)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Any) -> Any:
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(self.m(maps[-1]))
        return self.cv2(fn.cat(maps, 1), x)


class C2PSA(nn.Module):
    """Half of the channels through `PSABlock`s, the other half past them, then a 1x1 convolution of both.

    Args:
        channels: of x and of the result.
        blocks: how many.
    """

    def __init__(self, channels: int, blocks: int = 1) -> None:
        super().__init__()
        self.half = channels // 2
        self.cv1 = ConvUnit(channels, 2 * self.half)
        self.cv2 = ConvUnit(2 * self.half, channels)
        self.m = nn.Sequential(*(PSABlock(self.half) for _ in range(blocks)))

    def forward(self, x: Any) -> Any:
        both = self.cv1(x)
        return self.cv2(fn.cat([both[:, :self.half], self.m(both[:, self.half:])], 1))
