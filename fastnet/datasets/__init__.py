"""Real data sets: the digits that ship inside the package, and readers for files that are on the machine. Nothing is downloaded."""
from fastnet.datasets.arrays import CIFAR10, CIFAR100, MNIST, ArrayDataset, Digits, FashionMNIST
from fastnet.datasets.boxes import BoxDataset, collate_boxes
from fastnet.datasets.cifar import CIFAR10_CLASSES, cifar100_classes, load_cifar10, load_cifar100
from fastnet.datasets.coco import CocoDetection
from fastnet.datasets.digits import load_digits
from fastnet.datasets.digit_scenes import DigitScenes
from fastnet.datasets.encoder import TableEncoder
from fastnet.datasets.folder import IMG_EXTENSIONS, DatasetFolder, ImageFolder
from fastnet.datasets.idx import read_idx
from fastnet.datasets.image import read_image, write_image
from fastnet.datasets.lines import TextLineDataset
from fastnet.datasets.mnist import FASHION_CLASSES, load_fashion_mnist, load_mnist
from fastnet.datasets.table import CSVTable, NumpyTable
from fastnet.datasets.topics import python_topics
from fastnet.datasets.yolo import YoloDetection
from fastnet.datasets.yolo_description import read_description

__all__ = ["CIFAR10", "CIFAR10_CLASSES", "CIFAR100", "FASHION_CLASSES", "IMG_EXTENSIONS", "MNIST", "ArrayDataset", "BoxDataset", "CSVTable",
           "CocoDetection", "DatasetFolder", "DigitScenes", "Digits", "FashionMNIST", "ImageFolder", "NumpyTable", "TableEncoder",
           "TextLineDataset", "YoloDetection", "cifar100_classes", "collate_boxes", "load_cifar10", "load_cifar100", "load_digits",
           "load_fashion_mnist", "load_mnist", "python_topics", "read_description", "read_idx", "read_image", "write_image"]
