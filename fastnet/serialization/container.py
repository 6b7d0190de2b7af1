"""The file: a safetensors container (header length, JSON header, raw data) with checksums and a tree in its metadata.

Any safetensors reader can read the tensors; `read` also takes plain safetensors files. Nothing in a file is ever executed.
"""
from __future__ import annotations

import json
import math
import zlib
from typing import Any, BinaryIO

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.serialization.structure import CODES

_DTYPES: dict[str, np.dtype] = {code: dtype for dtype, code in CODES.items()}
_ALIGN, _MAX_HEADER = 64, 100 << 20


class DamagedFile(RuntimeError):
    """The file is not what `save` wrote: cut short, changed, or of another kind."""


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def write(file: BinaryIO, arrays: dict[str, np.ndarray], tree: Any) -> None:
    """Write the arrays and the tree."""
    header: dict[str, Any] = {}
    sums: dict[str, int] = {}
    at = 0
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)  # so that each begins at a multiple of its item size
    blocks = []
    for name, array in ordered:
        array = np.ascontiguousarray(array).reshape(array.shape)
        blocks.append(array)
        header[name] = {"dtype": CODES[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
        sums[name] = zlib.crc32(_bytes(array))
    metadata = {"format": "fastnet", "version": "1", "tree": _dump(tree), "crc32": _dump(sums)}
    header["__metadata__"] = metadata
    metadata["header_crc32"] = str(zlib.crc32(_dump(header).encode()))
    text = _dump(header).encode()
    text += b" " * (-(len(text) + 8) % _ALIGN)
    file.write(len(text).to_bytes(8, "little") + text)
    for array in blocks:
        file.write(_bytes(array))


def _read_exactly(file: BinaryIO, buffer: memoryview, what: str) -> None:
    got = 0
    while got < len(buffer):
        n = file.readinto(buffer[got:])  # type: ignore[attr-defined]
        if not n:
            raise DamagedFile(f"it ends within {what}")
        got += n


def _read_header(file: BinaryIO) -> dict[str, Any]:
    start = bytearray(8)
    _read_exactly(file, memoryview(start), "its first 8 bytes")
    length = int.from_bytes(start, "little")
    if not 2 <= length <= _MAX_HEADER:
        raise DamagedFile("it is no fastnet or safetensors file")
    text = bytearray(length)
    _read_exactly(file, memoryview(text), "its header")
    try:
        header = json.loads(text)
    except ValueError:
        raise DamagedFile("its header is no JSON") from None
    if not isinstance(header, dict):
        raise DamagedFile("its header is no JSON object")
    return header


def _entry(name: str, entry: Any, at: int) -> tuple[np.dtype, tuple[int, ...]]:
    """dtype and shape of one tensor whose data must begin at `at`."""
    try:
        code, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        valid = all(type(n) is int and 0 <= n < 2**62 for n in (*shape, begin, end))
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise DamagedFile(f"the entry of tensor {name!r} makes no sense")
    if code not in _DTYPES:
        raise ValueError(f"load: tensor {name!r} has dtype {code}; supported are {', '.join(_DTYPES)}")
    if begin != at or end - begin != math.prod(shape) * _DTYPES[code].itemsize:
        raise DamagedFile(f"tensor {name!r} has a size or a place that does not fit its shape {shape}")
    return _DTYPES[code], shape


def read(file: BinaryIO) -> tuple[dict[str, Tensor], list]:
    """The tensors by name, and the tree in a list (empty for a plain safetensors file).

    Raises: DamagedFile for a file that is cut short, changed or of another kind; ValueError for a dtype that is not supported.
    """
    header = _read_header(file)
    metadata = header.get("__metadata__", {})
    # any of the three marks will do, so that damage to one cannot pass the file off as a plain one without checksums
    ours = isinstance(metadata, dict) and (metadata.get("format") == "fastnet" or "header_crc32" in metadata or "tree" in metadata)
    sums: dict[str, int] = {}
    tree: list = []
    if ours:
        stated = metadata.pop("header_crc32", None)
        if stated != str(zlib.crc32(_dump(header).encode())):
            raise DamagedFile("the checksum of its header does not match")
        if metadata.get("version") != "1":
            raise ValueError(f"load: the file has format version {metadata.get('version')}, this fastnet reads version 1")
        sums, tree = json.loads(metadata["crc32"]), [json.loads(metadata["tree"])]
    header.pop("__metadata__", None)
    try:
        order = sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"]))
    except (KeyError, TypeError):
        raise DamagedFile("the places of its tensors make no sense") from None
    tensors, at = {}, 0
    for name, entry in order:
        dtype, shape = _entry(name, entry, at)
        tensor = fn.empty(shape, dtype=getattr(fn, dtype.name))
        data = _bytes(tensor.numpy())
        _read_exactly(file, data, f"tensor {name!r}")
        at += len(data)
        if ours and zlib.crc32(data) != sums.get(name):
            raise DamagedFile(f"the checksum of tensor {name!r} does not match")
        if dtype == np.bool_ and len(data) and np.frombuffer(data, np.uint8).max() > 1:
            raise DamagedFile(f"tensor {name!r} is bool but holds other values than 0 and 1")
        tensors[name] = tensor
    if file.read(1):
        raise DamagedFile("it goes on after its last tensor")
    return tensors, tree
