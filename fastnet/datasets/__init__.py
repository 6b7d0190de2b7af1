"""Real data sets: the digits that ship inside the package, and readers for files that are on the machine. Nothing is downloaded."""
from fastnet.datasets.digits import load_digits
from fastnet.datasets.idx import read_idx
from fastnet.datasets.image import read_image, write_image
from fastnet.datasets.mnist import FASHION_CLASSES, load_fashion_mnist, load_mnist
from fastnet.datasets.topics import python_topics

__all__ = ["FASHION_CLASSES", "load_digits", "load_fashion_mnist", "load_mnist", "python_topics", "read_idx", "read_image",
           "write_image"]
