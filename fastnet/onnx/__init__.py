"""Models as ONNX files, which other programs run."""
from fastnet.onnx.export import export

__all__ = ["export"]
