"""MLP and SmallCNN: the plain networks to begin with, for tables and for small images."""
from __future__ import annotations

from collections.abc import Sequence

from fastnet import nn


class MLP(nn.Sequential):
    """Dense layers with ReLU between them; the input is flattened.

    Args:
        in_features: numbers in a sample.
        out_features: numbers that come out: logits of classes, or predictions.
        hidden: sizes of the hidden layers.
        dropout: probability of a zero after each hidden layer; 0: no dropout layers.

    >>> import fastnet as fn
    >>> fn.models.MLP(64, 10, hidden=[32])(fn.ones(5, 1, 8, 8)).shape
    fastnet.Size([5, 10])
    """

    def __init__(self, in_features: int, out_features: int = 1, hidden: Sequence[int] = (64, 64), dropout: float = 0.0) -> None:
        sizes = [in_features, *hidden]
        if any(not isinstance(size, int) or size < 1 for size in (*sizes, out_features)):
            raise ValueError(f"MLP: sizes must be positive integers, got in_features {in_features}, hidden {list(hidden)}, "
                             f"out_features {out_features}")
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in zip(sizes, sizes[1:]):
            layers += [nn.Linear(before, after), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        super().__init__(*layers, nn.Linear(sizes[-1], out_features))


class SmallCNN(nn.Sequential):
    """Three convolutions of 3x3 with batch norm and ReLU, two poolings, one dense layer: for images of 8 to about 32 pixels a side.

    Args:
        num_classes: logits that come out.
        in_channels: of the images.
        image_size: pixels a side, at least 4.
        width: channels of the first two convolutions; the third has twice as many.
        dropout: probability of a zero before the dense layer.

    >>> import fastnet as fn
    >>> fn.models.SmallCNN()(fn.ones(2, 1, 8, 8)).shape
    fastnet.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 8, width: int = 32, dropout: float = 0.5) -> None:
        if image_size < 4:
            raise ValueError(f"SmallCNN: image_size must be at least 4, got {image_size}")
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width * (image_size // 4) ** 2, num_classes))
