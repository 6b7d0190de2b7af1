"""U-Net with batch norm and padded convolutions (Ronneberger, Fischer, Brox: U-Net, 2015)."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet import nn
from fastnet.models.blocks import at_least


class DoubleConv(nn.Module):
    """Twice: 3x3 convolution, batch norm, ReLU.

    >>> import fastnet as fn
    >>> from fastnet.models.unet import DoubleConv
    >>> tuple(DoubleConv(1, 4)(fn.zeros(1, 1, 5, 7)).shape)
    (1, 4, 5, 7)
    """

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int | None = None) -> None:
        super().__init__()
        mid = mid_channels or out_channels
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, mid, 3, padding=1, bias=False), nn.BatchNorm2d(mid), nn.ReLU(inplace=True),
            nn.Conv2d(mid, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))

    def forward(self, x: Any) -> Any:
        return self.double_conv(x)


class Down(nn.Module):
    """2x2 max pooling, then a `DoubleConv`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(in_channels, out_channels))

    def forward(self, x: Any) -> Any:
        return self.maxpool_conv(x)


class Up(nn.Module):
    """Twice the size, joined with the map of that size from the way down, then a `DoubleConv`.

    Args:
        in_channels: channels of the small map and of the joined ones together.
        out_channels: channels of the result.
        bilinear: interpolate instead of a 2x2 transposed convolution; in_channels then counts twice those of the small map.
    """

    def __init__(self, in_channels: int, out_channels: int, bilinear: bool) -> None:
        super().__init__()
        if bilinear:
            self.up: nn.Module = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(in_channels, out_channels, in_channels // 2)
        else:
            self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, 2, 2)
            self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, small: Any, skip: Any) -> Any:
        small = self.up(small)
        dy, dx = skip.shape[2] - small.shape[2], skip.shape[3] - small.shape[3]
        if dy or dx:                                      # the way down rounded an odd side
            small = nn.functional.pad(small, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(fn.cat([skip, small], 1))


class UNet(nn.Module):
    """Four halvings and four doublings with skip connections: a map of logits of the image's own size.

    Args:
        n_channels: channels of the images.
        n_classes: channels of the result; one number a pixel and class.
        bilinear: double the size by bilinear interpolation instead of transposed convolutions (fewer parameters).
        width: channels at full size; 64 in the paper.

    x: (N, n_channels, H, W), sides of at least 16 -> (N, n_classes, H, W).

    >>> import fastnet as fn
    >>> tuple(fn.models.UNet(1, 2, width=4)(fn.zeros(1, 1, 19, 32)).shape)
    (1, 2, 19, 32)
    """

    def __init__(self, n_channels: int, n_classes: int, bilinear: bool = False, *, width: int = 64) -> None:
        super().__init__()
        at_least("UNet", n_channels=n_channels, n_classes=n_classes, width=width)
        half = 2 if bilinear else 1
        self.inc = DoubleConv(n_channels, width)
        self.down1 = Down(width, 2 * width)
        self.down2 = Down(2 * width, 4 * width)
        self.down3 = Down(4 * width, 8 * width)
        self.down4 = Down(8 * width, 16 * width // half)
        self.up1 = Up(16 * width, 8 * width // half, bilinear)
        self.up2 = Up(8 * width, 4 * width // half, bilinear)
        self.up3 = Up(4 * width, 2 * width // half, bilinear)
        self.up4 = Up(2 * width, width, bilinear)
        self.outc = OutConv(width, n_classes)

    def forward(self, x: Any) -> Any:
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return self.outc(self.up4(self.up3(self.up2(x, x3), x2), x1))


class OutConv(nn.Module):
    """1x1 convolution to the classes."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Any) -> Any:
        return self.conv(x)
