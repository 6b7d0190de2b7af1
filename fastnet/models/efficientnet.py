"""EfficientNet-B0 (Tan, Le: EfficientNet, rethinking model scaling for convolutional neural networks, 2019)."""
from __future__ import annotations

import math
from typing import Any

import fastnet as fn
from fastnet import nn
from fastnet.models.blocks import ConvNormAct, at_least, divisible, kaiming, loaded

# expansion, kernel, stride of the first block, channels, blocks
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))


class SqueezeExcitation(nn.Module):
    """x times a factor for each channel, which two 1x1 convolutions of the channels' means give (Hu, Shen, Sun, 2017).

    Args:
        channels: channels of x.
        squeezed: channels between the two convolutions.

    >>> import fastnet as fn
    >>> from fastnet.models.efficientnet import SqueezeExcitation
    >>> tuple(SqueezeExcitation(8, 2)(fn.ones(1, 8, 3, 3)).shape)
    (1, 8, 3, 3)
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.activation = nn.SiLU()
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Any) -> Any:
        return x * self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x)))))


class StochasticDepth(nn.Module):
    """In training, sets whole samples to 0 with probability p and divides the others by 1 - p (Huang et al., 2016).

    >>> import fastnet as fn
    >>> from fastnet.models.efficientnet import StochasticDepth
    >>> StochasticDepth(0.2).eval()(fn.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"StochasticDepth: p must lie in [0, 1), got {p!r}")
        self.p = p

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        return x * (fn.rand((x.shape[0], *[1] * (x.ndim - 1)), dtype=x.dtype) < keep).to(x.dtype) / keep

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


class MBConv(nn.Module):
    """Inverted residual with squeeze and excitation; in training the sum with x drops samples.

    Args:
        in_channels, out_channels: channels of x and of the result.
        kernel_size, stride: of the depthwise convolution.
        expansion: factor on the channels inside; 1 leaves the first convolution out.
        drop: probability that a sample's branch is left out in training.

    >>> import fastnet as fn
    >>> from fastnet.models.efficientnet import MBConv
    >>> tuple(MBConv(8, 16, 3, 2, 6, 0.1)(fn.zeros(1, 8, 6, 6)).shape)
    (1, 16, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int, drop: float) -> None:
        super().__init__()
        inner = divisible(in_channels * expansion)
        self.adds = stride == 1 and in_channels == out_channels
        self.block = nn.Sequential(
            *([ConvNormAct(in_channels, inner, 1, activation=nn.SiLU)] if inner != in_channels else []),
            ConvNormAct(inner, inner, kernel_size, stride, groups=inner, activation=nn.SiLU),
            SqueezeExcitation(inner, max(1, in_channels // 4)),
            ConvNormAct(inner, out_channels, 1, activation=None))
        self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Any) -> Any:
        return x + self.stochastic_depth(self.block(x)) if self.adds else self.block(x)


class EfficientNet(nn.Module):
    """A stem, seven stages of `MBConv`, a 1x1 convolution, global average pooling, a dense layer.

    Args:
        num_classes: width of the last layer.
        width_mult: factor on the channels of every stage, which are rounded to multiples of 8.
        depth_mult: factor on the number of blocks of every stage, rounded up.
        dropout: probability before the last layer.
        stochastic_depth_prob: the probability of leaving a block out grows from 0 towards this from the first block to the last.
        in_channels: channels of the images.

    x: (N, in_channels, H, W) -> logits (N, num_classes).

    >>> import fastnet as fn
    >>> model = fn.models.efficientnet_b0(num_classes=10, width_mult=0.25).eval()
    >>> tuple(model(fn.zeros(1, 3, 32, 32)).shape)
    (1, 10)
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0, depth_mult: float = 1.0, dropout: float = 0.2,
                 stochastic_depth_prob: float = 0.2, *, in_channels: int = 3) -> None:
        super().__init__()
        at_least("EfficientNet", num_classes=num_classes, in_channels=in_channels)
        if not (width_mult > 0 and depth_mult > 0):
            raise ValueError(f"EfficientNet: width_mult and depth_mult must be above 0, got {width_mult!r} and {depth_mult!r}")
        counts = [math.ceil(count * depth_mult) for *_, count in STAGES]
        channels, built = divisible(32 * width_mult), 0
        layers: list[nn.Module] = [ConvNormAct(in_channels, channels, 3, 2, activation=nn.SiLU)]
        for (expansion, kernel, stride, c, _), count in zip(STAGES, counts, strict=True):
            out, stage = divisible(c * width_mult), []
            for i in range(count):
                stage.append(MBConv(channels, out, kernel, stride if i == 0 else 1, expansion, stochastic_depth_prob * built / sum(counts)))
                channels, built = out, built + 1
            layers.append(nn.Sequential(*stage))
        layers.append(ConvNormAct(channels, 4 * channels, 1, activation=nn.SiLU))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * channels, num_classes))
        kaiming(self)
        bound = num_classes ** -0.5
        nn.init.uniform_(self.classifier[1].weight, -bound, bound)
        nn.init.zeros_(self.classifier[1].bias)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def efficientnet_b0(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> EfficientNet:
    """EfficientNet-B0; options as of `EfficientNet`, weights: path of a checkpoint."""
    return loaded(EfficientNet(num_classes, **options), weights)
