"""What runs below the ops: which algorithm, and why; and the switches of other devices and libraries that scripts ask for."""
from importlib import import_module as _import_module

from fastnet.backends import conv, cudnn, mps

__all__ = ["conv", "cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


def __getattr__(name: str) -> object:
    """What few scripts ask for, imported when they do."""
    if name in __all__:
        return _import_module(f"fastnet.backends.{name}")
    raise AttributeError(f"module 'fastnet.backends' has no attribute {name!r}")
