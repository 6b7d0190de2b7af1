"""What runs below the ops: which algorithm, and why; and the switches of other devices that scripts ask for."""
from fastnet.backends import conv, cudnn, mps

__all__ = ["conv", "cudnn", "mps"]
