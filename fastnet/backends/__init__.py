"""What runs below the ops: which algorithm, and why."""
from fastnet.backends import conv

__all__ = ["conv"]
