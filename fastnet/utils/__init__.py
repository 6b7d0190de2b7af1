"""utils: what surrounds training; `utils.data` feeds it."""
from fastnet.utils import data

__all__ = ["data"]
