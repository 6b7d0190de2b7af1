"""Tables of numbers and categories: CSVTable reads a text file, NumpyTable takes arrays."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnet._core.tensor import from_numpy
from fastnet.datasets.csv_file import read_csv
from fastnet.datasets.encoder import Columns, TableEncoder
from fastnet.utils.data import Dataset, default_collate

SPLITS = ("all", "train", "validation")


class TableDataset(Dataset[Any]):
    """Rows of a table that an encoder has turned into numbers; what CSVTable and NumpyTable share.

    Attributes: encoder (a `TableEncoder`), features (names of the numbers in a row), classes (names, none for regression), arrays,
    has_target (whether the last array is the target), rows (which rows of the file these are, from 0).
    """

    encoder: TableEncoder
    arrays: tuple[np.ndarray, ...]

    def __init__(self, table: Columns, where: Callable[[int], str], encoder: TableEncoder, fitted: bool, split: str, validation: float,
                 seed: int, transform: Callable[..., Any] | None) -> None:
        if split not in SPLITS:
            raise ValueError(f"table: split must be one of {', '.join(SPLITS)}, got {split!r}")
        if not 0 <= validation < 1 or (split == "validation" and not validation):
            raise ValueError(f"table: validation must be a share of the rows, from 0 to 1 (above 0 for that split), got {validation}")
        table = encoder.parsed(table, where)
        kept = np.flatnonzero(encoder.complete(table, where))
        train, held = split_rows(kept, validation, seed)
        if not len(train) or (split == "validation" and not len(held)):
            raise ValueError(f"table: {len(kept)} rows are too few to hold back {validation:g} of them")
        if not fitted:
            encoder.fit({name: table[name][train] for name in encoder.used(table)}, lambda row: where(int(train[row])))
            if encoder.settings["target"] is not None:
                encoder.fit_target(table[encoder.settings["target"]][kept], lambda row: where(int(kept[row])))
        self.rows = rows = {"all": kept, "train": train, "validation": held}[split]
        self.has_target = encoder.settings["target"] in table
        self.arrays = encoder.encode({name: table[name][rows] for name in encoder.used(table)}, lambda row: where(int(rows[row])))
        self.encoder, self.transform, self.features, self.classes = encoder, transform, encoder.features, encoder.classes

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> Any:
        parts = tuple(array[index] for array in self.arrays)
        sample = parts[0] if len(parts) == 1 else parts
        return sample if self.transform is None else self.transform(sample)

    def getbatch(self, indices: Any) -> Any:
        """The rows `indices` as a batch: a gather an array where there is no transform."""
        if self.transform is not None:
            return default_collate([self[int(i)] for i in indices])
        index = np.asarray(indices, dtype=np.int64)
        parts = [from_numpy(array[index]) for array in self.arrays]
        return parts[0] if len(parts) == 1 else parts


def split_rows(rows: np.ndarray, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held back, each in the order of the file; the same for the same seed.

    >>> import numpy as np
    >>> from fastnet.datasets.table import split_rows
    >>> train, held = split_rows(np.arange(10), 0.3, seed=0)
    >>> len(train), sorted([*train, *held]) == list(range(10))
    (7, True)
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    count = round(len(rows) * validation)
    return rows[np.sort(order[count:])], rows[np.sort(order[:count])]


class CSVTable(TableDataset):
    """The rows of a CSV file as a Dataset: a sample is (features, target), or (numbers, categories, target), or without the target.

    Features are float32: numbers, standardised, and categories one-hot. Columns whose values are not all numbers are categories. Means,
    standard deviations and categories come from the rows to train on, never from those held back.

    Args:
        path: a text file in UTF-8 whose first line names the columns.
        target: name of the column to predict; None for none.
        columns: names of the features; None takes all but the target and those in `ignore`.
        ignore: names of columns to leave out, where `columns` is None.
        categorical, task, missing, unknown, categories, standardize: see `TableEncoder`.
        split: ``"all"`` rows, ``"train"``: those that are not held back, or ``"validation"``: those that are.
        validation: share of the rows that are held back, chosen by `seed`.
        seed: of that choice.
        like: a CSVTable, or its `encoder`: this file's rows are treated as that one's, nothing is learned from them. Its target may be
            absent, for prediction.
        delimiter: between the columns; None finds out whether it is a comma, semicolon or tab.
        transform: called with the sample.

    Attributes: features, classes, encoder, arrays.

    Raises: FileNotFoundError; ValueError with file, line and column for a value that does not fit.

    >>> from fastnet.datasets import CSVTable
    >>> with open("pets.csv", "w") as file: _ = file.write("kind,weight,legs\\ncat,4,4\\nbird,0.1,2\\ncat,5,4\\n")
    >>> pets = CSVTable("pets.csv", target="kind", standardize=False)
    >>> pets.features, pets.classes, pets[1][0], int(pets[1][1])
    (['weight', 'legs'], ['bird', 'cat'], array([0.1, 2. ], dtype=float32), 0)
    """

    def __init__(self, path: str | os.PathLike, target: str | None = None, columns: Sequence[str] | None = None, *,
                 ignore: Sequence[str] = (), categorical: Sequence[str] = (), task: str | None = None, missing: str = "error",
                 unknown: str = "error", categories: str = "one-hot", standardize: bool = True, split: str = "all",
                 validation: float = 0.0, seed: int = 0, like: CSVTable | TableEncoder | None = None, delimiter: str | None = None,
                 transform: Callable[..., Any] | None = None) -> None:
        table, lines = read_csv(path, delimiter)
        name = os.fspath(path)
        given = (target, columns, tuple(ignore), tuple(categorical), task, missing, unknown, categories, standardize)
        encoder = encoder_of("CSVTable", like, given, (None, None, (), (), None, "error", "error", "one-hot", True))
        if encoder is None:
            for word, names in (("target", [] if target is None else [target]), ("ignore", ignore), ("columns", columns or [])):
                has(table, name, names, word)
            left = [c for c in table if c != target and c not in ignore] if columns is None else list(columns)
            encoder = TableEncoder(left, target, categorical, task, missing, unknown, categories, standardize)
        else:
            has(table, name, encoder.settings["columns"], "the table that this one is like")
        super().__init__(table, lambda row: f"CSVTable: {name}, line {lines[row]}", encoder, like is not None, split, validation, seed,
                         transform)


class NumpyTable(TableDataset):
    """The rows of an array as a Dataset: a sample is (features, target), or the features alone.

    Args:
        x: array (n, features) of numbers; or the path of a .npy file, or of a .npz file whose arrays are called `x` and `y`.
        y: array (n,): integers or text are classes, other numbers are to be predicted as they are; or the path of a .npy file; None: none.
        task, missing (of NaN), standardize, split, validation, seed, transform: see `CSVTable`.
        names: of the columns; "0", "1", ... by default.
        like: a NumpyTable, or its `encoder`: these rows are treated as those.

    Raises: FileNotFoundError; ValueError for arrays that do not fit, with row and column for a value.

    >>> import numpy as np
    >>> from fastnet.datasets import NumpyTable
    >>> train = NumpyTable(np.array([[1.0, 5], [3, 5]]), np.array([0, 1]))
    >>> test = NumpyTable(np.array([[5.0, 6]]), like=train)
    >>> train.arrays[0].tolist(), test[0].tolist()
    ([[-1.0, 0.0], [1.0, 0.0]], [3.0, 1.0])
    """

    def __init__(self, x: Any, y: Any = None, *, names: Sequence[str] | None = None, task: str | None = None, missing: str = "error",
                 standardize: bool = True, split: str = "all", validation: float = 0.0, seed: int = 0,
                 like: NumpyTable | TableEncoder | None = None, transform: Callable[..., Any] | None = None) -> None:
        x, y = arrays_of(x, y)
        if x.ndim != 2 or x.dtype.kind not in "biuf" or not x.size or (y is not None and y.shape != x.shape[:1]):
            raise ValueError(f"NumpyTable: expected x of shape (n, features) of numbers, and y of shape (n,), got {x.shape} of {x.dtype} "
                             f"and {'none' if y is None else y.shape}")
        encoder = encoder_of("NumpyTable", like, (names, task, missing, standardize), (None, None, "error", True))
        if encoder is None:
            columns = [str(i) for i in range(x.shape[1])] if names is None else list(names)
            if len(columns) != x.shape[1] or len(set(columns)) != len(columns) or "y" in columns:
                raise ValueError(f"NumpyTable: names must be {x.shape[1]} different ones, without 'y', got {columns}")
            if y is not None and task is None:
                task = "regression" if y.dtype.kind == "f" else "classification"
            encoder = TableEncoder(columns, None if y is None else "y", (), task, missing, "error", "one-hot", standardize)
        elif x.shape[1] != len(encoder.settings["columns"]):
            raise ValueError(f"NumpyTable: x has {x.shape[1]} columns, the table that it is like {len(encoder.settings['columns'])}")
        table = dict(zip(encoder.settings["columns"], x.T)) | ({} if y is None else {"y": y})
        super().__init__(table, lambda row: f"NumpyTable: x, row {row}", encoder, like is not None, split, validation, seed, transform)


def arrays_of(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Arrays, read where paths are given; pickled objects are refused."""
    if isinstance(x, (str, os.PathLike)):
        found = load_array(x)
        if not isinstance(found, np.ndarray):
            if "x" not in found.files:
                raise ValueError(f"NumpyTable: {os.fspath(x)} has no array 'x'; it has {', '.join(found.files) or 'none'}")
            y = found["y"] if y is None and "y" in found.files else y
            found = found["x"]
        x = found
    if isinstance(y, (str, os.PathLike)):
        y = load_array(y)
    return np.asarray(x), None if y is None else np.asarray(y)


def load_array(path: str | os.PathLike) -> Any:
    """What a .npy or .npz file holds."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"NumpyTable: {os.fspath(path)} cannot be read: {error}") from None


def encoder_of(owner: str, like: Any, given: tuple, default: tuple) -> TableEncoder | None:
    """The encoder that is reused; None where a new one is to be made."""
    if like is None:
        return None
    if given != default:
        raise ValueError(f"{owner}: like= settles columns and how they are treated; only split, validation, seed, delimiter and transform "
                         "may be given with it")
    encoder = getattr(like, "encoder", like)
    if not isinstance(encoder, TableEncoder):
        raise TypeError(f"{owner}: like must be a {owner} or a TableEncoder, got {type(like).__name__}")
    return encoder


def has(table: Columns, path: str, names: Sequence[str], word: str) -> None:
    """Refuse names that are no columns of the file."""
    for name in names:
        if name not in table:
            from difflib import get_close_matches
            close = get_close_matches(name, table, 1)
            raise ValueError(f"CSVTable: {path} has no column {name!r} ({word}); " + (f"did you mean {close[0]!r}?" if close else
                             f"it has {', '.join(table)}"))
