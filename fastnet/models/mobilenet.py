"""MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen: Inverted residuals and linear bottlenecks, 2018)."""
from __future__ import annotations

from typing import Any

from fastnet import nn
from fastnet.models.blocks import ConvNormAct, at_least, divisible, kaiming, loaded
from fastnet.nn.conv import conv_norm_act

# expansion, channels, blocks, stride of the first block
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """1x1 convolution to `expansion` times the channels, depthwise 3x3, 1x1 convolution without activation; plus x where shapes agree.

    Args:
        in_channels, out_channels: channels of x and of the result.
        stride: of the depthwise convolution.
        expansion: factor; 1 leaves the first convolution out.

    >>> import fastnet as fn
    >>> from fastnet.models.mobilenet import InvertedResidual
    >>> tuple(InvertedResidual(8, 16, 2, 6)(fn.zeros(1, 8, 6, 6)).shape)
    (1, 16, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.adds = stride == 1 and in_channels == out_channels
        self.conv = nn.Sequential(
            *([ConvNormAct(in_channels, inner, 1, activation=nn.ReLU6)] if expansion != 1 else []),
            ConvNormAct(inner, inner, 3, stride, groups=inner, activation=nn.ReLU6),
            nn.Conv2d(inner, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))

    def forward(self, x: Any) -> Any:
        if not self.adds:
            return self.conv(x)
        if getattr(self.conv, "_hooked", True):
            return x + self.conv(x)
        *layers, conv, norm = self.conv
        y = x
        for layer in layers:
            y = layer(y)
        return conv_norm_act(conv, norm, None, y, x)     # the sum is made while the norm or the convolution writes


class MobileNetV2(nn.Module):
    """A stem, seven stages of inverted residuals, a 1x1 convolution, global average pooling, a dense layer.

    Args:
        num_classes: width of the last layer.
        width_mult: factor on the channels of every stage, which are rounded to multiples of 8.
        dropout: probability before the last layer.
        in_channels: channels of the images.

    x: (N, in_channels, H, W) -> logits (N, num_classes).

    >>> import fastnet as fn
    >>> model = fn.models.mobilenet_v2(num_classes=10, width_mult=0.25).eval()
    >>> tuple(model(fn.zeros(1, 3, 32, 32)).shape)
    (1, 10)
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2, *, in_channels: int = 3) -> None:
        super().__init__()
        at_least("MobileNetV2", num_classes=num_classes, in_channels=in_channels)
        if not width_mult > 0:
            raise ValueError(f"MobileNetV2: width_mult must be above 0, got {width_mult!r}")
        channels, last = divisible(32 * width_mult), divisible(1280 * max(1.0, width_mult))
        layers: list[nn.Module] = [ConvNormAct(in_channels, channels, 3, 2, activation=nn.ReLU6)]
        for expansion, c, count, stride in STAGES:
            out = divisible(c * width_mult)
            for i in range(count):
                layers.append(InvertedResidual(channels, out, stride if i == 0 else 1, expansion))
                channels = out
        layers.append(ConvNormAct(channels, last, 1, activation=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(last, num_classes))
        kaiming(self)
        nn.init.normal_(self.classifier[1].weight, 0, 0.01)
        nn.init.zeros_(self.classifier[1].bias)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def mobilenet_v2(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> MobileNetV2:
    """MobileNetV2; options as of `MobileNetV2`, weights: path of a checkpoint."""
    return loaded(MobileNetV2(num_classes, **options), weights)
