"""The IDX files of MNIST and of data sets in its form."""
from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

from fastnet.datasets.places import find

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}  # third byte of a file -> numbers in it
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """The array in an IDX file, compressed by gzip or not.

    The format: two zero bytes, a code of the dtype, the number of axes, the length of each axis in four bytes, the numbers; all
    big-endian.

    Args:
        path: of the file; its first bytes, not its name, tell whether it is compressed.

    Returns: an array in the machine's byte order.

    Raises: FileNotFoundError; ValueError, with the path, for a file that is no IDX file or has another length than it says.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "two-idx1-ubyte")
    >>> with open(path, "wb") as file: _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    >>> from fastnet.datasets import read_idx
    >>> read_idx(path).tolist()
    [7, 9]
    """
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"read_idx: {os.fspath(path)} is a damaged gzip file: {error}") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES or not data[3]:
        raise ValueError(f"read_idx: {os.fspath(path)} is no IDX file: it begins with {data[:4].hex(' ') or 'nothing'}")
    dtype, ndim = np.dtype(DTYPES[data[2]]), data[3]
    begin = 4 + 4 * ndim
    shape = tuple(int.from_bytes(data[at:at + 4], "big") for at in range(4, begin, 4))
    want = begin + math.prod(shape) * dtype.itemsize
    if len(data) != want:
        raise ValueError(f"read_idx: {os.fspath(path)} has {len(data)} bytes, but {want} would hold its shape {shape}")
    return np.frombuffer(data, dtype, offset=begin).reshape(shape).astype(dtype.newbyteorder("="))


def missing(folder: Path) -> str | None:
    """The first of the four files that the folder has neither as it is nor compressed."""
    wanted = [file for split in FILES.values() for file in split]
    lacks = [file for file in wanted if not (folder / file).exists() and not (folder / f"{file}.gz").exists()]
    return f"{lacks[0]} or {lacks[0]}.gz" if lacks else None


def load(name: str, split: str, root: str | os.PathLike | None, below: str, advice: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 1, H, W), uint8, and labels (N,), int64, of one split."""
    if split not in FILES:
        raise ValueError(f"{name}: split must be one of {', '.join(FILES)}, got {split!r}")
    folder = find(name, root, missing, ("raw", f"{below}/raw"), advice)
    images, labels = (read_idx(folder / file if (folder / file).exists() else folder / f"{file}.gz") for file in FILES[split])
    if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1] or not len(labels):
        raise ValueError(f"{name}: {folder} has images of shape {images.shape} ({images.dtype}) and labels of shape {labels.shape}; "
                         "expected (N, H, W) of uint8 and (N,)")
    return images[:, None], labels.astype(np.int64)
