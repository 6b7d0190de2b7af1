"""TextLineDataset: the lines of text files by number, without holding the files in memory."""
from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnet.utils.data import Dataset


class TextLineDataset(Dataset[Any]):
    """Lines of one or more text files in UTF-8; a sample is a line without its end.

    The files are mapped, not read: only where lines begin is kept, eight bytes a line.

    Args:
        files: a path, or several, whose lines follow each other.
        transform: called with the line, such as a tokenizer's `encode`.
        skip_empty: leave out lines that have nothing but white space.

    Raises: FileNotFoundError; ValueError with file and line, when that line is asked for, where it is not UTF-8.

    >>> from fastnet.datasets import TextLineDataset
    >>> with open("poem.txt", "w") as file: _ = file.write("one\\n\\ntwo")
    >>> list(TextLineDataset("poem.txt", skip_empty=True))
    ['one', 'two']
    """

    def __init__(self, files: str | os.PathLike | Sequence[str | os.PathLike], transform: Callable[[str], Any] | None = None,
                 skip_empty: bool = False) -> None:
        self.files = [os.fspath(f) for f in ([files] if isinstance(files, (str, os.PathLike)) else files)]
        self.transform = transform
        self._bytes, self._begins, self._numbers, self._ends = [], [], [], [0]
        for path in self.files:
            data = np.memmap(path, np.uint8, "r") if os.path.getsize(path) else np.zeros(0, np.uint8)
            begins = line_begins(data)
            numbers = np.arange(len(begins) - 1)
            if skip_empty:
                numbers = np.array([i for i in numbers if data[begins[i]:begins[i + 1]].tobytes().strip()], np.int64)
            self._bytes.append(data)
            self._begins.append(begins)
            self._numbers.append(numbers)
            self._ends.append(self._ends[-1] + len(numbers))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"TextLineDataset: index {index} is out of range for {len(self)} lines")
        index %= len(self)
        part = bisect_right(self._ends, index) - 1
        number = int(self._numbers[part][index - self._ends[part]])
        begin, end = self._begins[part][number:number + 2]
        try:
            line = self._bytes[part][begin:end].tobytes().decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"TextLineDataset: {self.files[part]}, line {number + 1}, is not UTF-8: {error.reason}") from None
        return line if self.transform is None else self.transform(line)


def line_begins(data: np.ndarray, block: int = 1 << 24) -> np.ndarray:
    """Where the lines of a file begin, and where the last one ends."""
    ends = [np.flatnonzero(data[at:at + block] == 10) + at + 1 for at in range(0, len(data), block)]
    begins = np.concatenate([np.zeros(1, np.int64), *ends])
    return begins if begins[-1] == len(data) else np.append(begins, len(data))
