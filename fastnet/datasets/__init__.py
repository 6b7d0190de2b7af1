"""Small real data sets that ship inside the package."""
from fastnet.datasets.digits import load_digits

__all__ = ["load_digits"]
