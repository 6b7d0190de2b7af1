"""DCGAN (Radford, Metz, Chintala: Unsupervised representation learning with deep convolutional generative adversarial networks, 2015)."""
from __future__ import annotations

from typing import Any

from fastnet import nn
from fastnet.models.blocks import at_least


def doublings(op: str, image_size: int) -> int:
    """How often 4 is doubled to give image_size.

    Raises: ValueError where image_size is not 8, 16, 32, ...
    """
    n = image_size.bit_length() - 3 if isinstance(image_size, int) else 0
    if n < 1 or image_size != 4 << n:
        raise ValueError(f"{op}: image_size must be a power of two of at least 8, got {image_size!r}")
    return n


def begin(model: nn.Module) -> None:
    """The weights of the paper: convolutions N(0, 0.02), scales of batch norm N(1, 0.02)."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.02)


class DCGANGenerator(nn.Module):
    """Images from noise, by transposed convolutions.

    Args:
        latent: numbers a sample of noise has.
        width: channels of the last hidden layer; each layer before has twice as many.
        channels: channels of the images.
        image_size: side of the images, a power of two of at least 8; 64 in the paper.

    z: (N, latent) or (N, latent, 1, 1) -> images (N, channels, image_size, image_size) from -1 to 1.

    Raises: ValueError for another image_size or sizes below 1.

    >>> import fastnet as fn
    >>> tuple(fn.models.DCGANGenerator(10, width=4, channels=1, image_size=16)(fn.randn(2, 10)).shape)
    (2, 1, 16, 16)
    """

    def __init__(self, latent: int = 100, width: int = 64, channels: int = 3, image_size: int = 64) -> None:
        super().__init__()
        at_least("DCGANGenerator", latent=latent, width=width, channels=channels)
        n = doublings("DCGANGenerator", image_size)
        c = width << n - 1
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent, c, 4, 1, 0, bias=False), nn.BatchNorm2d(c), nn.ReLU(True)]
        for _ in range(n - 1):
            layers += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU(True)]
            c //= 2
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(c, channels, 4, 2, 1, bias=False), nn.Tanh())
        begin(self)

    def forward(self, z: Any) -> Any:
        return self.main(z.reshape(*z.shape, 1, 1) if z.ndim == 2 else z)


class DCGANDiscriminator(nn.Module):
    """One logit an image: above 0 where the image looks real. Use `nn.BCEWithLogitsLoss`.

    Args:
        width: channels of the first layer; each layer behind has twice as many.
        channels: channels of the images.
        image_size: side of the images, a power of two of at least 8; 64 in the paper.

    x: (N, channels, image_size, image_size) -> logits (N,).

    Raises: ValueError for another image_size or sizes below 1.

    >>> import fastnet as fn
    >>> tuple(fn.models.DCGANDiscriminator(4, channels=1, image_size=16)(fn.zeros(2, 1, 16, 16)).shape)
    (2,)
    """

    def __init__(self, width: int = 64, channels: int = 3, image_size: int = 64) -> None:
        super().__init__()
        at_least("DCGANDiscriminator", width=width, channels=channels)
        n = doublings("DCGANDiscriminator", image_size)
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
        c = width
        for _ in range(n - 1):
            layers += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, inplace=True)]
            c *= 2
        self.main = nn.Sequential(*layers, nn.Conv2d(c, 1, 4, 1, 0, bias=False))
        begin(self)

    def forward(self, x: Any) -> Any:
        return self.main(x).flatten()
