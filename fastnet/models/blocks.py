"""What several of the models are made of: convolution + batch norm + activation, and how their weights begin."""
from __future__ import annotations

import os
from typing import Any, TypeVar

import fastnet as fn
from fastnet import nn

T = TypeVar("T", bound=nn.Module)


class ConvNormAct(nn.Sequential):
    """Convolution without bias, batch norm, activation; the padding keeps the size at stride 1.

    Args:
        in_channels, out_channels: channels before and after.
        kernel_size: odd side of the kernel.
        stride, groups: as of `nn.Conv2d`.
        activation: class of the activation; None: there is none.

    x: (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    >>> import fastnet as fn
    >>> from fastnet.models.blocks import ConvNormAct
    >>> tuple(ConvNormAct(3, 8, stride=2)(fn.zeros(1, 3, 9, 9)).shape)
    (1, 8, 5, 5)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1, groups: int = 1,
                 activation: Any = nn.ReLU) -> None:
        layers = [nn.Conv2d(in_channels, out_channels, kernel_size, stride, (kernel_size - 1) // 2, groups=groups, bias=False),
                  nn.BatchNorm2d(out_channels)]
        super().__init__(*layers, *([activation(inplace=True)] if activation else []))


def divisible(channels: float, by: int = 8) -> int:
    """The multiple of `by` next to `channels`, at least `by`, and not more than a tenth below (as MobileNet's authors round).

    >>> from fastnet.models.blocks import divisible
    >>> divisible(32 * 0.75), divisible(11)
    (24, 16)
    """
    nearest = max(by, int(channels + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * channels else nearest


def kaiming(model: nn.Module) -> None:
    """He's normal initialisation over the outputs for every convolution, whose bias becomes 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def loaded(model: T, weights: str | os.PathLike | None) -> T:
    """The model with the weights of a checkpoint, such as torchvision's files; None leaves it as it is. Nothing is downloaded.

    Raises: FileNotFoundError; RuntimeError where names or shapes differ, for example for another num_classes.
    """
    if weights is not None:
        if not os.path.exists(weights):
            raise FileNotFoundError(f"{type(model).__name__}: weights must be the path of a checkpoint (nothing is downloaded); "
                                    f"there is no file {os.fspath(weights)!r}")
        model.load_state_dict(fn.load(weights))
    return model


def at_least(op: str, **sizes: int) -> None:
    """Refuse sizes below 1.

    Raises: ValueError, with the name of the model and of the argument.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{op}: {name} must be a whole number of at least 1, got {size!r}")
