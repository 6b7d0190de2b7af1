"""TokenFile: token ids in a file that may be larger than memory; TokenWriter writes it piece by piece."""
from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.text.tokens import Tokens

# magic, format, bytes of one id, zero, ids in the vocabulary, ids in the file; little-endian as all that follows
_HEADER = struct.Struct("<8sHHIQQ")
_MAGIC, _FORMAT, _OPEN = b"FNTOKENS", 1, 2**64 - 1        # _OPEN in place of the count: the writer has not finished


def _item(vocab_size: int) -> np.dtype:
    return np.dtype("<u2" if vocab_size <= 2**16 else "<u4")


class TokenWriter:
    """Writes a token file piece by piece, in two bytes an id for vocabularies up to 65,536, in four otherwise. Use it in a `with` block.

    Until it is closed the file is marked as unfinished, and `TokenFile` refuses it; it stays so if the `with` block ends by an exception.

    Args:
        path: of the file.
        vocab_size: all ids are less; at most 2**32.
        mode: ``"w"`` (the default) begins the file anew, ``"x"`` refuses one that is there, ``"a"`` goes on at its end.

    Raises: ValueError for another mode, a vocab_size out of range, or, with ``"a"``, a file of another vocab_size.

    >>> from fastnet.text import TokenFile, TokenWriter
    >>> with TokenWriter("story.tokens", vocab_size=50257) as out:
    ...     for piece in ([1, 2, 3], [50256, 4]):
    ...         out.append(piece)
    >>> TokenFile("story.tokens")
    TokenFile('story.tokens', 5 tokens, vocab_size=50257)
    """

    def __init__(self, path: str | os.PathLike, vocab_size: int, mode: str = "w") -> None:
        if mode not in ("w", "x", "a"):
            raise ValueError(f"TokenWriter: mode must be 'w', 'x' or 'a', got {mode!r}")
        if not 1 <= vocab_size <= 2**32:
            raise ValueError(f"TokenWriter: vocab_size must lie between 1 and 2**32, got {vocab_size}")
        self.path, self.vocab_size, self.dtype, self.count = os.fspath(path), int(vocab_size), _item(vocab_size), 0
        going_on = mode == "a" and os.path.exists(path)
        if going_on:
            held, self.count = read_header(path)
            if held != self.vocab_size:
                raise ValueError(f"TokenWriter: {self.path} holds ids of a vocabulary of {held}, not {self.vocab_size}")
        if mode == "w" and os.path.exists(path):
            os.unlink(os.path.realpath(path))             # not cut short: who has the old file mapped keeps it
        self._file = open(path, "r+b" if going_on else "xb" if mode == "x" else "wb")
        self._mark(_OPEN)
        self._file.seek(0, os.SEEK_END)

    def _mark(self, count: int) -> None:
        self._file.seek(0)
        self._file.write(_HEADER.pack(_MAGIC, _FORMAT, self.dtype.itemsize, 0, self.vocab_size, count))
        self._file.flush()

    def append(self, ids: Any) -> None:
        """Write ids at the end.

        Args:
            ids: ints with one axis: a list, an array or a tensor; may be empty.

        Raises: ValueError, with the position, for an id outside the vocabulary, for what are no ints, or after `close`.
        """
        if self._file.closed:
            raise ValueError(f"TokenWriter.append: {self.path} is closed")
        array = ids.numpy() if isinstance(ids, Tensor) else np.asarray(ids)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(f"TokenWriter.append: ids must be ints with one axis, got shape {array.shape} of {array.dtype}")
        if not array.size:
            return
        if array.min() < 0 or array.max() >= self.vocab_size:
            at = int(np.argmax((array < 0) | (array >= self.vocab_size)))
            raise ValueError(f"TokenWriter.append: id {array[at]} at position {at} is outside the vocabulary of {self.vocab_size}")
        self._file.write(array.astype(self.dtype).tobytes())
        self.count += array.size

    def close(self) -> None:
        """Write the count, which makes the file complete."""
        if not self._file.closed:
            self._file.flush()
            self._mark(self.count)
            self._file.close()

    def __enter__(self) -> TokenWriter:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()


def read_header(path: str | os.PathLike) -> tuple[int, int]:
    """The size of the vocabulary and the count of ids of a token file; ValueError, with the path, if it is none or not complete."""
    name = os.fspath(path)
    with open(path, "rb") as file:
        head = file.read(_HEADER.size)
        size = file.seek(0, os.SEEK_END)
    if len(head) < _HEADER.size or head[:8] != _MAGIC:
        raise ValueError(f"TokenFile: {name} is no token file: it begins with {head[:8]!r}")
    _, version, itemsize, _, vocab_size, count = _HEADER.unpack(head)
    if version != _FORMAT:
        raise ValueError(f"TokenFile: {name} has format {version}; this fastnet reads format {_FORMAT}")
    if count == _OPEN:
        raise ValueError(f"TokenFile: {name} is not complete: its writer was not closed")
    if not 1 <= vocab_size <= 2**32 or itemsize != _item(vocab_size).itemsize:
        raise ValueError(f"TokenFile: {name} is damaged: {itemsize} bytes an id and a vocabulary of {vocab_size}")
    if size != _HEADER.size + count * itemsize:
        raise ValueError(f"TokenFile: {name} has {size} bytes, but {count} ids take {_HEADER.size + count * itemsize}")
    return vocab_size, count


class TokenFile(Tokens):
    """The ids in a file that `TokenWriter` wrote. The file is mapped, not read: of one larger than memory, what is used comes in.

    `batch`, `batches`, `sequential`, `windows` and `split` are those of `Tokens`.

    Args:
        path: of the file.

    Attributes:
        ids: the mapped file, read-only, uint16 or uint32.
        vocab_size: the one it was written for.

    Raises: FileNotFoundError; ValueError, with the path, for another file, or one that is damaged or not complete.

    >>> from fastnet.text import TokenFile, TokenWriter
    >>> with TokenWriter("numbers.tokens", vocab_size=1000) as out:
    ...     out.append(range(1000))
    >>> tokens = TokenFile("numbers.tokens")
    >>> for x, y in tokens.batches(block=8, batch=4, seed=1, steps=3):
    ...     assert x.shape == (4, 8) and bool((y == x + 1).all())
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = os.fspath(path)
        self.vocab_size, count = read_header(path)
        kind = _item(self.vocab_size)
        # an empty file cannot be mapped
        super().__init__(np.memmap(path, kind, "r", _HEADER.size, (count,)) if count else np.empty(0, kind))

    def __repr__(self) -> str:
        return f"TokenFile({self.path!r}, {len(self)} tokens, vocab_size={self.vocab_size})"
