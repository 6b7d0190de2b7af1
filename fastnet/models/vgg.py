"""VGG-11, 13, 16 and 19, with and without batch norm (Simonyan, Zisserman: Very deep convolutional networks, 2014)."""
from __future__ import annotations

from typing import Any

from fastnet import nn
from fastnet.models.blocks import at_least, kaiming, loaded

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # convolutions before each pooling


class VGG(nn.Module):
    """Stages of 3x3 convolutions, each closed by a 2x2 max pooling, and three dense layers.

    Args:
        stages: convolutions in each of the five stages; their channels are width, 2, 4, 8 and 8 times width.
        num_classes: width of the last layer.
        batch_norm: batch norm after each convolution.
        dropout: probability in the dense layers.
        width: channels of the first stage.
        hidden: width of the two hidden dense layers.
        pool: side of the map that the dense layers see; maps are averaged to it. With images of 32x32, 1 is enough.
        in_channels: channels of the images.

    x: (N, in_channels, H, W), sides of at least 32 -> logits (N, num_classes).

    >>> import fastnet as fn
    >>> model = fn.models.vgg11(num_classes=10, width=8, hidden=16, pool=1).eval()
    >>> tuple(model(fn.zeros(1, 3, 32, 32)).shape)
    (1, 10)
    """

    def __init__(self, stages: tuple[int, ...], num_classes: int = 1000, batch_norm: bool = False, dropout: float = 0.5, *,
                 width: int = 64, hidden: int = 4096, pool: int = 7, in_channels: int = 3) -> None:
        super().__init__()
        at_least("VGG", num_classes=num_classes, width=width, hidden=hidden, pool=pool, in_channels=in_channels)
        layers: list[nn.Module] = []
        channels = in_channels
        for stage, count in enumerate(stages):
            out = width * min(2 ** stage, 8)
            for _ in range(count):
                layers += [nn.Conv2d(channels, out, 3, padding=1), *([nn.BatchNorm2d(out)] if batch_norm else []), nn.ReLU(inplace=True)]
                channels = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(pool)
        self.classifier = nn.Sequential(
            nn.Linear(channels * pool * pool, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout), nn.Linear(hidden, num_classes))
        kaiming(self)
        for module in self.classifier:
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def vgg11(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-11 (configuration A); options as of `VGG`, weights: path of a checkpoint.

    >>> import fastnet as fn
    >>> sum(isinstance(m, fn.nn.Conv2d) for m in fn.models.vgg11(width=2, hidden=2, pool=1).modules())
    8
    """
    return loaded(VGG(STAGES[11], num_classes, **options), weights)


def vgg11_bn(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-11 with batch norm; options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[11], num_classes, True, **options), weights)


def vgg13(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-13 (configuration B); options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[13], num_classes, **options), weights)


def vgg13_bn(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-13 with batch norm; options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[13], num_classes, True, **options), weights)


def vgg16(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-16 (configuration D); options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[16], num_classes, **options), weights)


def vgg16_bn(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-16 with batch norm; options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[16], num_classes, True, **options), weights)


def vgg19(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-19 (configuration E); options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[19], num_classes, **options), weights)


def vgg19_bn(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> VGG:
    """VGG-19 with batch norm; options as of `VGG`, weights: path of a checkpoint."""
    return loaded(VGG(STAGES[19], num_classes, True, **options), weights)
