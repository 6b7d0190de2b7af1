"""LeNet-5 for images of 28x28 or 32x32 (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998)."""
from __future__ import annotations

from typing import Any

from fastnet import nn
from fastnet.models.blocks import at_least


class LeNet5(nn.Module):
    """Two convolutions of 5x5 with max pooling, three dense layers; ReLU between them, as is usual today.

    Args:
        num_classes: width of the last layer.
        in_channels: channels of the images.
        width: factor on the channels and hidden units; 1 gives the 6, 16, 120, 84 of the paper, 61,706 parameters.
        image_size: side of the images; below 32 the first convolution pads them to 32.

    x: (N, in_channels, image_size, image_size) -> logits (N, num_classes).

    Raises: ValueError for an image_size that is not 28 or 32.

    >>> import fastnet as fn
    >>> tuple(fn.models.LeNet5()(fn.zeros(2, 1, 28, 28)).shape)
    (2, 10)
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, width: int = 1, image_size: int = 28) -> None:
        super().__init__()
        at_least("LeNet5", num_classes=num_classes, in_channels=in_channels, width=width)
        if image_size not in (28, 32):
            raise ValueError(f"LeNet5: image_size must be 28 or 32, got {image_size!r}")
        self.conv1 = nn.Conv2d(in_channels, 6 * width, 5, padding=(32 - image_size) // 2)
        self.conv2 = nn.Conv2d(6 * width, 16 * width, 5)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.fc1 = nn.Linear(16 * width * 5 * 5, 120 * width)
        self.fc2 = nn.Linear(120 * width, 84 * width)
        self.fc3 = nn.Linear(84 * width, num_classes)

    def forward(self, x: Any) -> Any:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x))).flatten(1)
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))
