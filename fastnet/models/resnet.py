"""ResNet-18 to 152 (He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015), for large and for small images."""
from __future__ import annotations

from typing import Any

from fastnet import nn
from fastnet.models.blocks import at_least, kaiming, loaded
from fastnet.nn.conv import conv_norm_act


class BasicBlock(nn.Module):
    """relu(x + two 3x3 convolutions of x), each with batch norm.

    Args:
        in_channels: channels of x.
        channels: channels of both convolutions and of the result.
        stride: of the first convolution; a 1x1 convolution then takes x to the new size.
        groups, base_width: 1 and 64; only `Bottleneck` takes others.

    >>> import fastnet as fn
    >>> from fastnet.models.resnet import BasicBlock
    >>> tuple(BasicBlock(8, 16, stride=2)(fn.zeros(1, 8, 6, 6)).shape)
    (1, 16, 3, 3)
    """
    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1, groups: int = 1, base_width: int = 64) -> None:
        super().__init__()
        if groups != 1 or base_width != 64:
            raise ValueError(f"BasicBlock: groups must be 1 and base_width 64, got {groups} and {base_width}; Bottleneck takes others")
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(in_channels, channels, stride)

    def forward(self, x: Any) -> Any:
        residual = x if self.downsample is None else self.downsample(x)
        y = conv_norm_act(self.conv1, self.bn1, self.relu, x)
        return conv_norm_act(self.conv2, self.bn2, self.relu, y, residual)


class Bottleneck(nn.Module):
    """relu(x + 1x1, 3x3 and 1x1 convolutions of x), each with batch norm; the 3x3 one has the stride.

    Args:
        in_channels: channels of x.
        channels: a quarter of the channels of the result.
        stride: of the 3x3 convolution; a 1x1 convolution then takes x to the new size.
        groups: of the 3x3 convolution.
        base_width: channels of the 3x3 convolution are channels * base_width / 64 * groups.

    >>> import fastnet as fn
    >>> from fastnet.models.resnet import Bottleneck
    >>> tuple(Bottleneck(16, 8, stride=2)(fn.zeros(1, 16, 6, 6)).shape)
    (1, 32, 3, 3)
    """
    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1, groups: int = 1, base_width: int = 64) -> None:
        super().__init__()
        inner, out = int(channels * (base_width / 64)) * groups, channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out, stride)

    def forward(self, x: Any) -> Any:
        residual = x if self.downsample is None else self.downsample(x)
        y = conv_norm_act(self.conv2, self.bn2, self.relu, conv_norm_act(self.conv1, self.bn1, self.relu, x))
        return conv_norm_act(self.conv3, self.bn3, self.relu, y, residual)


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """What takes x to the shape of the block's result; None where it has it already."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


class ResNet(nn.Module):
    """A stem, four stages of residual blocks, global average pooling, a dense layer.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: blocks in each of the four stages; their channels are width, 2, 4 and 8 times width.
        num_classes: width of the last layer.
        zero_init_residual: the last batch norm of each block begins with weight 0, so that each block begins as the identity.
        groups, width_per_group: of the 3x3 convolutions of a Bottleneck (ResNeXt: 32 and 4; wide ResNet: 1 and 128).
        width: channels of the first stage; 16 trains in minutes.
        stem: ``"imagenet"``: 7x7 convolution of stride 2 and 3x3 max pooling of stride 2; ``"cifar"``: 3x3 convolution of
            stride 1 and no pooling, for images of about 32x32.
        in_channels: channels of the images.

    x: (N, in_channels, H, W) -> logits (N, num_classes).

    Raises: ValueError for another stem, or sizes below 1.

    >>> import fastnet as fn
    >>> model = fn.models.resnet18(num_classes=10, width=8, stem="cifar")
    >>> tuple(model(fn.zeros(2, 3, 32, 32)).shape)
    (2, 10)
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], layers: tuple[int, ...], num_classes: int = 1000,
                 zero_init_residual: bool = False, groups: int = 1, width_per_group: int = 64, *, width: int = 64,
                 stem: str = "imagenet", in_channels: int = 3) -> None:
        super().__init__()
        at_least("ResNet", num_classes=num_classes, groups=groups, width_per_group=width_per_group, width=width, in_channels=in_channels)
        if stem not in ("imagenet", "cifar"):
            raise ValueError(f"ResNet: stem must be 'imagenet' or 'cifar', got {stem!r}")
        large = stem == "imagenet"
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False) if large else nn.Conv2d(in_channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        channels, stages = width, []
        for stage, count in enumerate(layers):
            blocks = []
            for i in range(count):
                blocks.append(block(channels, width * 2 ** stage, 2 if stage and i == 0 else 1, groups, width_per_group))
                channels = width * 2 ** stage * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)
        kaiming(self)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, (BasicBlock, Bottleneck)):
                    nn.init.zeros_((module.bn3 if isinstance(module, Bottleneck) else module.bn2).weight)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(conv_norm_act(self.conv1, self.bn1, self.relu, x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> ResNet:
    """ResNet-18; options as of `ResNet`, weights: path of a checkpoint.

    >>> import fastnet as fn
    >>> model = fn.models.resnet18()
    >>> sum(p.numel() for p in model.parameters())
    11689512
    """
    return loaded(ResNet(BasicBlock, (2, 2, 2, 2), num_classes, **options), weights)


def resnet34(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> ResNet:
    """ResNet-34; options as of `ResNet`, weights: path of a checkpoint."""
    return loaded(ResNet(BasicBlock, (3, 4, 6, 3), num_classes, **options), weights)


def resnet50(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> ResNet:
    """ResNet-50 with the stride in the 3x3 convolutions ("v1.5"); options as of `ResNet`, weights: path of a checkpoint."""
    return loaded(ResNet(Bottleneck, (3, 4, 6, 3), num_classes, **options), weights)


def resnet101(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> ResNet:
    """ResNet-101; options as of `ResNet`, weights: path of a checkpoint."""
    return loaded(ResNet(Bottleneck, (3, 4, 23, 3), num_classes, **options), weights)


def resnet152(num_classes: int = 1000, *, weights: Any = None, **options: Any) -> ResNet:
    """ResNet-152; options as of `ResNet`, weights: path of a checkpoint."""
    return loaded(ResNet(Bottleneck, (3, 8, 36, 3), num_classes, **options), weights)
