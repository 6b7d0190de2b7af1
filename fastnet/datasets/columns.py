"""One column of a table as numbers: a numeric one, one of categories, or the target. Fitted on the rows to train on, used for all."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "None", "NULL", "null")
ABSENT = frozenset(MISSING)


class Refused(ValueError):
    """A value that a column cannot take: `row` is its place in the column."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def is_missing(values: np.ndarray) -> np.ndarray:
    """Which values are absent: NaN, or one of `MISSING` in a column of text.

    >>> import numpy as np
    >>> from fastnet.datasets.columns import is_missing
    >>> is_missing(np.array(["1", "NA", ""], object)).tolist()
    [False, True, True]
    """
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "biu":
        return np.zeros(len(values), bool)
    return np.fromiter((v in ABSENT for v in values), bool, len(values))


def numbers(values: np.ndarray) -> np.ndarray:
    """The values as float64, NaN where they are absent.

    Raises: Refused for a value that is no finite number.
    """
    try:
        out = values.astype(np.float64)
    except ValueError:                                    # some are absent, or no numbers
        absent = is_missing(values)
        try:
            out = np.where(absent, "nan", values).astype(np.float64)
        except ValueError:
            row = next(i for i, v in enumerate(values) if not absent[i] and not is_number(v))
            raise Refused(row, f"{values[row]!r} is no number") from None
    if np.isinf(out).any():
        raise Refused(int(np.isinf(out).argmax()), "the number is not finite")
    return out


def guessed(values: np.ndarray) -> np.ndarray:
    """A column as numbers, where all values that are there are numbers; else as it is, text of categories.

    Raises: Refused for a value that is no number in a column where most are: it is a slip, or the column was meant to be categories.
    """
    try:
        return numbers(values)
    except Refused as error:
        if values.dtype.kind in "biuf" or "not finite" in str(error):
            raise
        present = values[~is_missing(values)]
        if 2 * sum(map(is_number, present)) > len(present):
            raise Refused(error.row, f"{error}, but most values of the column are; categorical=[...] makes categories of all") from None
        return values


def is_number(text: Any) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


class NumberColumn:
    """A column of numbers: (value - mean) / standard deviation, or the value; what is absent is taken to be the mean."""

    def __init__(self, name: str, mean: float, std: float) -> None:
        self.name, self.mean, self.std, self.features = name, mean, std, [name]

    @classmethod
    def fit(cls, name: str, values: np.ndarray, standardize: bool) -> NumberColumn:
        """Mean and standard deviation of the values that are there; a constant column is divided by 1."""
        found = numbers(values)
        found = found[~np.isnan(found)]
        if not len(found):
            raise Refused(0, "there is no value in this column")
        mean = float(found.mean())
        if not standardize:
            return cls(name, mean, 0.0)
        return cls(name, mean, float(found.std()) or 1.0)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(n, 1)."""
        found = numbers(values)
        found = np.where(np.isnan(found), self.mean, found)
        return ((found - self.mean) / self.std if self.std else found)[:, None]


class CategoryColumn:
    """A column of categories, in alphabetical order: an integer each, from 1 on; 0 is what is absent, or unknown where that is allowed."""

    def __init__(self, name: str, categories: Sequence[str], allow_unknown: bool) -> None:
        self.name, self.categories, self.allow_unknown = name, list(categories), allow_unknown
        self.features = [f"{name}={category}" for category in self.categories]

    @classmethod
    def fit(cls, name: str, values: np.ndarray, allow_unknown: bool) -> CategoryColumn:
        """The categories that occur."""
        return cls(name, sorted(set(as_text(values[~is_missing(values)]))), allow_unknown)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """(n,), int64."""
        place = {category: i + 1 for i, category in enumerate(self.categories)}
        codes = np.array([place.get(v, 0) for v in as_text(values)], np.int64).reshape(-1)
        unknown = (codes == 0) & ~is_missing(values)
        if unknown.any() and not self.allow_unknown:
            row = int(unknown.argmax())
            raise Refused(row, f"{values[row]!r} is a category that the training rows do not have ({shown(self.categories)}); "
                               "unknown='zero' accepts that")
        return codes

    def encode(self, values: np.ndarray) -> np.ndarray:
        """One-hot, (n, categories): a row of zeros for what is absent."""
        return (self.codes(values)[:, None] == np.arange(1, len(self.categories) + 1)).astype(np.float64)


class TargetColumn:
    """The column that is to be predicted: classes (then `classes` are their names, in order) or a number (then it is empty)."""

    def __init__(self, name: str, classes: Sequence[str]) -> None:
        self.name, self.classes = name, list(classes)

    @classmethod
    def fit(cls, name: str, values: np.ndarray, task: str | None) -> TargetColumn:
        """Classes in the order of their numbers, or of the alphabet."""
        text = values.dtype.kind not in "biuf" and not all(is_number(v) for v in values)
        if task == "regression" and text:
            row = next(i for i, v in enumerate(values) if not is_number(v))
            raise Refused(row, f"{values[row]!r} is no number, and the task is regression")
        if task == "classification" or (task is None and text):
            found = set(as_text(values))
            numeric = all(is_number(v) for v in found)
            return cls(name, sorted(found, key=(lambda v: (float(v), v)) if numeric else (lambda v: (0.0, v))))
        return cls(name, [])

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(n,): int64 for classes, float32 for numbers."""
        if not self.classes:
            return numbers(values).astype(np.float32)
        place = {name: i for i, name in enumerate(self.classes)}
        text = as_text(values)
        unknown = [i for i, v in enumerate(text) if v not in place]
        if unknown:
            raise Refused(unknown[0], f"{text[unknown[0]]!r} is no class of the table that this one is like ({shown(self.classes)})")
        return np.array([place[v] for v in text], np.int64).reshape(-1)


def as_text(values: np.ndarray) -> list[str]:
    """Values as text: whole numbers without a point, so that 3 and 3.0 of an array are one category."""
    if values.dtype.kind == "f":
        return [str(int(v)) if v == int(v) else str(v) for v in np.where(np.isfinite(values), values, 0.5).tolist()]
    return [str(v) for v in values.tolist()]


def shown(names: Sequence[str], most: int = 8) -> str:
    """A few names."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
