"""Sentence pairs: reading and writing them as lines with a tab, splitting them, and turning them into token ids."""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from fastnet.text.draws import permutation
from fastnet.text.tokenizer import Tokenizer
from fastnet.utils.data import Dataset

T = TypeVar("T")
Pair = tuple[str, str]


def read_pairs(path: str | os.PathLike, columns: tuple[int, int] | None = None) -> list[Pair]:
    """The sentence pairs in a text file: one pair a line, with a tab between (TSV), in UTF-8. Empty lines are passed over.

    Args:
        path: of the file.
        columns: which columns, counted from 0, hold source and target; each line must have them, others are not read. None (the
            default): source and target, and each line must have just these two.

    Returns: pairs (source, target), without spaces around them.

    Raises: FileNotFoundError; ValueError with the path and the line for a line with the wrong number of columns, one that is empty on one
    side, or one that is no UTF-8; ValueError if there is no pair at all.

    >>> from fastnet.text import read_pairs
    >>> with open("pairs.tsv", "w") as file: _ = file.write("hello\\tbonjour\\n\\ngood night\\tbonne nuit\\n")
    >>> read_pairs("pairs.tsv")
    [('hello', 'bonjour'), ('good night', 'bonne nuit')]
    """
    name, pairs = os.fspath(path), []
    first, second = (0, 1) if columns is None else columns
    if min(first, second) < 0:
        raise ValueError(f"read_pairs: columns are counted from 0, got {columns}")
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise ValueError(f"{name}, line {number}: not UTF-8: byte {raw[error.start]:#04x} at column {error.start + 1}") from None
            if not line.strip():
                continue
            cells = line.split("\t")
            least = max(first, second) + 1
            if columns is None and len(cells) != 2:
                hint = "; columns=(0, 1) reads the first two" if len(cells) > 2 else ""
                raise ValueError(f"{name}, line {number}: expected two columns with a tab between, got {len(cells)}: {line[:40]!r}{hint}")
            if len(cells) < least:
                raise ValueError(f"{name}, line {number}: expected at least {least} columns, got {len(cells)}: {line[:40]!r}")
            pair = cells[first].strip(), cells[second].strip()
            if not all(pair):
                raise ValueError(f"{name}, line {number}: the {'target' if pair[0] else 'source'} is empty: {line[:40]!r}")
            pairs.append(pair)
    if not pairs:
        raise ValueError(f"{name}: there is no sentence pair in it")
    return pairs


def write_pairs(path: str | os.PathLike, pairs: Iterable[Pair]) -> None:
    """Write sentence pairs as `read_pairs` reads them.

    Raises: ValueError for a sentence with a tab or a line break in it, or an empty one.
    """
    lines = []
    for i, pair in enumerate(pairs):
        for sentence in pair:
            if not sentence.strip() or any(c in sentence for c in "\t\r\n"):
                raise ValueError(f"write_pairs: pair {i} has a sentence that is empty or has a tab or a line break: {sentence[:40]!r}")
        lines.append("\t".join(pair) + "\n")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


def train_validation_split(items: Sequence[T], validation: float | int = 0.1, seed: int = 0) -> tuple[list[T], list[T]]:
    """Split items at random into those to train on and those to validate on; each part keeps their order.

    Args:
        items: any sequence.
        validation: how many go to the second part: a share between 0.0 and 1.0 (a float), or a number (an int).
        seed: the same seed and number of items give the same split, everywhere.

    >>> from fastnet.text import train_validation_split
    >>> train_validation_split("abcdefghij", validation=0.2, seed=1)
    (['a', 'b', 'c', 'e', 'g', 'h', 'i', 'j'], ['d', 'f'])
    """
    n = len(items)
    size = round(n * validation) if isinstance(validation, float) else validation
    if not 0 <= size <= n or (isinstance(validation, float) and not 0 <= validation <= 1):
        raise ValueError(f"train_validation_split: validation must be a share between 0.0 and 1.0 or a number up to {n}, got {validation}")
    held_out = np.zeros(n, dtype=bool)
    held_out[permutation(seed, 0, n)[:size]] = True
    parts: tuple[list[T], list[T]] = [], []
    for item, held in zip(items, held_out.tolist()):
        parts[held].append(item)
    return parts


class PairDataset(Dataset[tuple[np.ndarray, np.ndarray]]):
    """Sentence pairs as token ids, for a translator: source + eos, and bos + target + eos.

    Args:
        pairs: of source and target.
        source: tokenizer of the sources.
        target: tokenizer of the targets; the same one by default.
        bos, eos: special tokens that stand before and after a sentence, ``"<bos>"`` and ``"<eos>"`` by default.

    Attributes:
        lengths: tokens of each source and target, int64 of shape (N, 2), as `LengthBatchSampler` wants them.

    Raises: ValueError for a tokenizer that lacks bos or eos.

    >>> from fastnet.text import CharTokenizer, PairDataset
    >>> tokenizer = CharTokenizer("abc", special_tokens=["<pad>", "<bos>", "<eos>"])
    >>> data = PairDataset([("ab", "c"), ("a", "cab")], tokenizer)
    >>> [ids.tolist() for ids in data[0]], data.lengths.tolist()
    ([[3, 4, 2], [1, 5, 2]], [[3, 3], [2, 5]])
    """

    def __init__(self, pairs: Iterable[Pair], source: Tokenizer, target: Tokenizer | None = None, bos: str = "<bos>",
                 eos: str = "<eos>") -> None:
        target = source if target is None else target
        for role, tokenizer, needed in (("source", source, [eos]), ("target", target, [bos, eos])):
            for name in needed:
                if name not in tokenizer.special_tokens:
                    there = list(tokenizer.special_tokens)
                    raise ValueError(f"PairDataset: the {role} tokenizer has no special token {name!r}, only {there}")
        end, begin, stop = source.special_tokens[eos], target.special_tokens[bos], target.special_tokens[eos]
        self.samples = [(np.array([*source.encode(a, parse_special=False), end], dtype=np.int32),
                         np.array([begin, *target.encode(b, parse_special=False), stop], dtype=np.int32)) for a, b in pairs]
        self.lengths = np.array([[len(a), len(b)] for a, b in self.samples], dtype=np.int64).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.samples[index]
