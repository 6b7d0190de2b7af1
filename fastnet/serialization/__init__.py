"""save and load: a tree of dicts, lists, numbers, text and tensors in one file, verified when read, never executed."""
from __future__ import annotations

import os
from typing import Any, BinaryIO

from fastnet._core.size import device
from fastnet.serialization.container import DamagedFile, read, write
from fastnet.serialization.structure import Encoder, decode

__all__ = ["DamagedFile", "load", "save"]


def save(obj: Any, f: str | os.PathLike | BinaryIO) -> None:
    """Write a tree of dicts, lists, tuples, numbers, text and tensors (any `state_dict`) to a file.

    Args:
        obj: what is saved. NumPy scalars come back as Python numbers, subclasses of dict as dict (OrderedDict as itself).
        f: path, or a file opened for binary writing. A path is replaced in one step when everything is on the disk, so a crash
            leaves the old file or the new one.

    Raises: TypeError, before anything is written, for a value the format does not carry; it tells where that value is.

    >>> import io, fastnet as fn
    >>> file = io.BytesIO()
    >>> fn.save({"epoch": 3, "weights": [fn.ones(2)]}, file)
    >>> _ = file.seek(0)
    >>> fn.load(file)["epoch"]
    3
    """
    encoder = Encoder()
    tree = encoder.encode(obj)
    if hasattr(f, "write"):
        write(f, encoder.arrays, tree)  # type: ignore[arg-type]
        return
    path = os.path.realpath(os.fspath(f))  # type: ignore[arg-type]
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            write(file, encoder.arrays, tree)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Have new names in a folder on the disk too, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def load(f: str | os.PathLike | BinaryIO, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Read what `save` wrote, a safetensors file (then: a dict from names to tensors), or a file of `torch.save`. Nothing is executed.

    Args:
        f: path, or a file opened for binary reading; PyTorch's files are recognised where it can seek.
        map_location: None, "cpu", or PyTorch's other ways to say it: a function, or a dict from devices to "cpu".
        weights_only: either way the same is read and nothing is executed: no file can bring code.

    Every byte of fastnet's own files is checked; of PyTorch's, what their format has sums for. Of PyTorch's files, old (before 1.6) and
    new, tensors, numbers, text and plain containers are read, without PyTorch: a `state_dict`, not a whole model. Its float16 and
    bfloat16 become float32, int8 and int16 become int32.

    Raises: `DamagedFile` (a RuntimeError) for a file that is cut short, changed or of another kind; ValueError for a file that would
        have to be executed; FileNotFoundError.
    """
    for place in map_location.values() if isinstance(map_location, dict) else [map_location]:
        if place is not None and not callable(place):
            device(place)
    if hasattr(f, "readinto"):
        return _load(f, getattr(f, "name", "the file"))  # type: ignore[arg-type]
    with open(f, "rb") as file:  # type: ignore[arg-type]
        return _load(file, os.fspath(f))  # type: ignore[arg-type]


def _load(file: BinaryIO, name: Any) -> Any:
    try:
        if getattr(file, "seekable", bool)():
            start = file.read(4)
            file.seek(-len(start), os.SEEK_CUR)
            if start in (b"PK\x03\x04", b"\x80\x02\x8a\n"):
                from fastnet.serialization import torch_file  # pickle and zipfile are not imported before they are needed
                return torch_file.read(file, start)
        tensors, tree = read(file)
        return decode(tree[0], tensors) if tree else tensors
    except DamagedFile as error:
        raise DamagedFile(f"load: {name!r} cannot be read: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:  # a tree that `save` cannot have written
        raise DamagedFile(f"load: {name!r} cannot be read: its structure makes no sense ({error!r})") from None
