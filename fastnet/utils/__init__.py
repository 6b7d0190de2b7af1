"""utils: what surrounds training; `utils.data` feeds it, `utils.checkpoint` saves memory, `utils.tensorboard` writes what is to be seen."""
from fastnet.utils import data

__all__ = ["data"]


def __getattr__(name: str) -> object:
    """checkpoint and tensorboard, imported when they are asked for."""
    if name in ("checkpoint", "tensorboard"):
        from importlib import import_module
        return import_module(f"fastnet.utils.{name}")
    raise AttributeError(f"module 'fastnet.utils' has no attribute {name!r}")
