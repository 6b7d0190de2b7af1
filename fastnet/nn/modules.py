"""torch.nn.modules' names: every layer, and PyTorch's files of layers as other names of fastnet's."""
# ruff: noqa: F401
import sys as _sys

from fastnet import nn as _nn
from fastnet.nn import *  # noqa: F403
from fastnet.nn import (activation, attention, containers, conv, distance, dropout, embedding, flatten, linear, loss, module, normalization,
                        padding, pixel, pool, rnn, transformer, upsampling)
from fastnet.nn.normalization import _BatchNorm

__all__ = list(_nn.__all__)

batchnorm = instancenorm = normalization
container, pixelshuffle, pooling, sparse = containers, pixel, pool, embedding
for _name, _module in list(vars().items()):
    if _name[0] != "_" and getattr(_module, "__name__", "").startswith("fastnet.nn.") and _name not in __all__:
        _sys.modules.setdefault(f"{__name__}.{_name}", _module)
