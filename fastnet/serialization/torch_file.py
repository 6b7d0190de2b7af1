"""Files of `torch.save` without PyTorch: tensors and plain containers, by an unpickler that knows a short list of names.

Two forms exist. Since PyTorch 1.6: a zip archive of `NAME/data.pkl` (the tree, as a pickle), `NAME/data/KEY` (the storages) and
`NAME/byteorder`. Before: a row of pickles (magic number, version, system, the tree, the keys) and then the storages, each behind
the number of its elements. In both the pickle refers to storages by a persistent id, and tensors are views of storages.
"""
from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.serialization.container import DamagedFile

ZIP_MAGIC, OLD_MAGIC = b"PK\x03\x04", b"\x80\x02\x8a\n"
_OLD_NUMBER, _OLD_VERSION = 0x1950A86A20F9469CFC6C, 1001
# storage class -> dtype in the file, and the dtype that it becomes: what fastnet lacks becomes the next that holds every value
STORAGES = {"FloatStorage": ("f4", "float32"), "DoubleStorage": ("f8", "float64"), "LongStorage": ("i8", "int64"),
            "IntStorage": ("i4", "int32"), "ByteStorage": ("u1", "uint8"), "BoolStorage": ("u1", "bool_"), "HalfStorage": ("f2", "float32"),
            "BFloat16Storage": ("u2", "float32"), "CharStorage": ("i1", "int32"), "ShortStorage": ("i2", "int32")}
DTYPES = {"float32": "float32", "float64": "float64", "int64": "int64", "int32": "int32", "uint8": "uint8", "bool": "bool_",
          "float16": "float32", "bfloat16": "float32", "int8": "int32", "int16": "int32"}


class Call:
    """A function that a pickle may name. Pickles can set attributes of what they name: this object lives for one file."""
    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class Storage:
    """Elements of one kind in the file; the tensor is made when the bytes are known."""
    __slots__ = ("kind", "count", "tensor")

    def __init__(self, kind: str, count: int, most: int) -> None:
        if kind not in STORAGES:
            raise ValueError(f"load: the file holds a {kind}, whose dtype fastnet does not have; it reads {', '.join(STORAGES)}")
        if type(count) is not int or not 0 <= count <= most:
            raise DamagedFile("the length of a storage makes no sense")
        self.kind, self.count = kind, count
        self.tensor: Tensor = fn.empty(count, dtype=getattr(fn, STORAGES[kind][1]))

    @property
    def nbytes(self) -> int:
        return self.count * np.dtype(STORAGES[self.kind][0]).itemsize

    def fill(self, data: bytes, order: Any) -> None:
        """Give the tensor its values."""
        if len(data) != self.nbytes:
            raise DamagedFile(f"a storage has {len(data)} bytes where {self.nbytes} are expected")
        raw = np.frombuffer(data, np.dtype(STORAGES[self.kind][0]).newbyteorder(order))
        if self.kind == "BoolStorage" and self.count and raw.max() > 1:
            raise DamagedFile("a storage of bool holds other values than 0 and 1")
        if self.kind == "BFloat16Storage":
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        self.tensor.numpy()[...] = raw


class Named:
    """The name of a class of storages, as the pickle mentions it."""
    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Reader(pickle.Unpickler):
    """Reads one pickle; `storages` collects what it refers to, none of it longer than `most`, the bytes of the file."""

    def __init__(self, file: Any, storages: dict[str, Storage], most: int) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages, self.most = storages, most

    def find_class(self, module: str, name: str) -> Any:
        """What may be named; anything else ends the reading."""
        if module in ("torch", "torch.storage") and name in DTYPES:
            return getattr(fn, DTYPES[name])
        if module in ("torch", "torch.cuda") and name.endswith("Storage"):
            return Named(name)
        known = {("collections", "OrderedDict"): OrderedDict, ("torch", "Size"): Call(fn.Size), ("torch", "device"): Call(lambda *_: "cpu"),
                 ("torch._utils", "_rebuild_tensor"): Call(view), ("torch._utils", "_rebuild_tensor_v2"): Call(view),
                 ("torch._utils", "_rebuild_parameter"): Call(parameter)}
        if (module, name) in known:
            return known[module, name]
        raise ValueError(f"load: the file names {module}.{name}; only tensors, numbers, text and plain containers are read, and nothing "
                         "is executed. Where it holds a whole model, load it with the program that wrote it and save its state_dict()")

    def persistent_load(self, pid: Any) -> Storage | Part:
        """The storage (or the part of one) that an id stands for."""
        try:
            word, named, key, _, count, *part = pid
            kind = named.kind
        except (TypeError, ValueError, AttributeError):
            raise DamagedFile("the id of a storage makes no sense") from None
        if word != "storage" or not isinstance(key, str):
            raise DamagedFile("the id of a storage makes no sense")
        if key not in self.storages:
            self.storages[key] = Storage(kind, count, self.most)
        if self.storages[key].kind != kind:
            raise DamagedFile(f"storage {key} is said to have two dtypes")
        if part and part[0] is not None:                  # of old files: (key of the part, offset, elements)
            return Part(self.storages[key], part[0][1])
        return self.storages[key]


class Part:
    """A storage that begins inside another one."""
    __slots__ = ("whole", "offset")

    def __init__(self, whole: Storage, offset: int) -> None:
        self.whole, self.offset = whole, offset


def view(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, *_: Any) -> Tensor:
    """The tensor of this offset, size and stride over a storage; refused where it would reach beyond."""
    if isinstance(storage, Part):
        storage, offset = storage.whole, offset + storage.offset
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or len(size) != len(stride) or not all(type(n) is int and 0 <= n < 2**48 for n in numbers):
        raise DamagedFile("the shape of a tensor makes no sense")
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 not in size and last >= storage.count:
        raise DamagedFile(f"a tensor of shape {tuple(size)} reaches beyond its storage")
    if 0 in size:
        return fn.empty(*size, dtype=storage.tensor.dtype)
    tensor = storage.tensor.as_strided(tuple(size), tuple(stride), offset).detach()
    return tensor.requires_grad_() if requires_grad else tensor


def parameter(data: Any, requires_grad: Any, *_: Any) -> Tensor:
    """A parameter around a tensor."""
    return fn.nn.Parameter(data.detach(), requires_grad=bool(requires_grad))


def read_zip(file: BinaryIO, most: int) -> Any:
    """The tree of a zip file that `torch.save` wrote."""
    archive = zipfile.ZipFile(file)
    names = {info.filename: info for info in archive.infolist()}
    tree = [n for n in names if n.endswith("/data.pkl") and n.count("/") == 1]
    if len(tree) != 1:
        raise DamagedFile("it is a zip archive, but not one that torch.save wrote")
    if any(info.compress_type != zipfile.ZIP_STORED for info in names.values()):
        raise DamagedFile("it has compressed members, which torch.save does not write")
    root = tree[0].removesuffix("data.pkl")
    order = archive.read(root + "byteorder") if root + "byteorder" in names else b"little"
    if order not in (b"little", b"big"):
        raise DamagedFile("its byte order makes no sense")
    storages: dict[str, Storage] = {}
    result = Reader(io.BytesIO(archive.read(tree[0])), storages, most).load()
    for key, storage in storages.items():
        name = f"{root}data/{key}"
        if name not in names:
            raise DamagedFile(f"storage {key} is missing")
        storage.fill(archive.read(name), order.decode())
    return result


def read_old(file: BinaryIO, most: int) -> Any:
    """The tree of a file that `torch.save` of PyTorch before 1.6 wrote."""
    storages: dict[str, Storage] = {}
    number, version, system, result, keys = (Reader(file, storages, most).load() for _ in range(5))
    if number != _OLD_NUMBER or version != _OLD_VERSION or not isinstance(system, dict) or not isinstance(keys, list):
        raise DamagedFile("it is a pickle, but not one that torch.save wrote")
    if sorted(map(str, keys)) != sorted(storages):
        raise DamagedFile("its list of storages is not complete")
    order: Any = "little" if system.get("little_endian", True) else "big"
    for key in keys:
        storage = storages[key]
        if int.from_bytes(file.read(8), order) != storage.count:
            raise DamagedFile(f"storage {key} has another length than its tensors say")
        storage.fill(file.read(storage.nbytes), order)
    return result


def read(file: BinaryIO, start: bytes) -> Any:
    """The tree in a file that begins with `start`, one of the two magic strings.

    Raises: DamagedFile for a file that is cut short, changed or of another kind; ValueError for what is not data, or a dtype that
        fastnet has no place for.
    """
    begin = file.tell()
    most = file.seek(0, io.SEEK_END) - begin
    file.seek(begin)
    try:
        return read_zip(file, most) if start == ZIP_MAGIC else read_old(file, most)
    except DamagedFile:
        raise
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, TypeError, AttributeError, OverflowError, UnicodeError,
            RuntimeError, zipfile.BadZipFile) as error:   # zipfile's for damage are of four kinds
        raise DamagedFile(f"its structure makes no sense ({error!r})") from None
