"""TableEncoder: how the columns of a table become the numbers a network takes; what it measures it measures on training rows only."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastnet.datasets.columns import CategoryColumn, NumberColumn, Refused, TargetColumn, guessed, is_missing, numbers

Columns = dict[str, np.ndarray]
CHOICES = {"missing": ("error", "drop", "mean"), "unknown": ("error", "zero"), "categories": ("one-hot", "index"),
           "task": (None, "classification", "regression")}


class TableEncoder:
    """Columns to numbers.

    Args:
        columns: names of the features, in order.
        target: name of the column to predict; None for none.
        categorical: names of columns that hold categories though they look like numbers; columns with other text do anyway.
        task: ``"classification"`` or ``"regression"``; None: classification where the target is text.
        missing: what to do with absent values: ``"error"``, ``"drop"`` the row, or ``"mean"``: the training rows' mean, and for
            categories none of them.
        unknown: what to do with a category that the training rows do not have: ``"error"``, or ``"zero"``: as an absent one.
        categories: ``"one-hot"``: numbers among the others; ``"index"``: integers of their own, for `nn.Embedding`.
        standardize: subtract the training rows' mean and divide by their standard deviation.

    Raises: ValueError for other words.
    """

    def __init__(self, columns: Sequence[str], target: str | None = None, categorical: Sequence[str] = (), task: str | None = None,
                 missing: str = "error", unknown: str = "error", categories: str = "one-hot", standardize: bool = True) -> None:
        for name, given in (("missing", missing), ("unknown", unknown), ("categories", categories), ("task", task)):
            if given not in CHOICES[name]:
                raise ValueError(f"table: {name} must be one of {', '.join(map(str, CHOICES[name]))}, got {given!r}")
        strange = [name for name in categorical if name not in columns]
        if strange:
            raise ValueError(f"table: categorical names {strange[0]!r}, which is none of the columns {', '.join(columns)}")
        if target in columns:
            raise ValueError(f"table: the target {target!r} is among the columns; it would tell the network the answer")
        self.settings: dict[str, Any] = {"columns": list(columns), "target": target, "categorical": list(categorical), "task": task,
                                         "missing": missing, "unknown": unknown, "categories": categories,
                                         "standardize": standardize}
        self.numeric: list[NumberColumn] = []
        self.categorical: list[CategoryColumn] = []
        self.target: TargetColumn | None = None

    def used(self, table: Columns) -> list[str]:
        """The columns that are read: features, and the target where the table has it."""
        target = self.settings["target"]
        return [*self.settings["columns"], *([target] if target in table else [])]

    def parsed(self, table: Columns, where: Callable[[int], str]) -> Columns:
        """The columns that are read, those of numbers as numbers; a fitted encoder knows which, a new one looks at all rows."""
        fitted: list[NumberColumn | CategoryColumn] = [*self.numeric, *self.categorical]
        known = {c.name: c for c in fitted}
        out = {}
        for name in self.used(table):
            column, values = known.get(name), table[name]
            if name == self.settings["target"] or name in self.settings["categorical"] or isinstance(column, CategoryColumn):
                out[name] = values
            else:
                out[name] = told(where, name, partial(guessed if column is None else numbers, values))
        return out

    def complete(self, table: Columns, where: Callable[[int], str]) -> np.ndarray:
        """Rows to keep; `where(row)` names a row in errors. Absent values are refused unless the policy says what to do with them."""
        missing, keep = self.settings["missing"], np.ones(len(next(iter(table.values()))), bool)
        for name in self.used(table):
            absent = is_missing(table[name])
            if absent.any() and missing == "drop":
                keep &= ~absent
            elif absent.any() and (missing == "error" or name == self.settings["target"]):
                help = "missing='drop' leaves such rows out" + (", 'mean' fills them" if name != self.settings["target"] else "")
                raise ValueError(f"{where(int(absent.argmax()))}, column {name!r}: no value; {help}")
        if not keep.any():
            raise ValueError(f"{where(0).partition(',')[0]}: no row is left that has all its values")
        return keep

    def fit(self, table: Columns, where: Callable[[int], str]) -> TableEncoder:
        """Learn categories, means and standard deviations from the rows to train on; `fit_target` learns the classes."""
        s = self.settings
        for name in s["columns"]:
            values = table[name]
            if name in s["categorical"] or values.dtype.kind not in "biuf":
                self.categorical.append(CategoryColumn.fit(name, values, s["unknown"] == "zero"))
            else:
                self.numeric.append(told(where, name, partial(NumberColumn.fit, name, values, s["standardize"])))
        return self

    def fit_target(self, values: np.ndarray, where: Callable[[int], str]) -> None:
        """Learn the names of the classes, from all rows: a class that only held-back rows have is a class too."""
        name, task = self.settings["target"], self.settings["task"]
        self.target = told(where, name, lambda: TargetColumn.fit(name, values, task))

    @property
    def features(self) -> list[str]:
        """Names of the numbers in a row: ``"size"``, ``"colour=red"``."""
        return [name for column in self._columns() for name in column.features]

    def _columns(self) -> list[NumberColumn | CategoryColumn]:
        """The columns that become features."""
        return [*self.numeric, *(self.categorical if self.settings["categories"] == "one-hot" else [])]

    @property
    def classes(self) -> list[str]:
        """Names of the classes; none for regression."""
        return [] if self.target is None else self.target.classes

    @property
    def cardinalities(self) -> list[int]:
        """For ``categories="index"``: how many integers each column of categories has, 0 (absent) included: sizes for `nn.Embedding`."""
        return [len(c.categories) + 1 for c in self.categorical] if self.settings["categories"] == "index" else []

    def encode(self, table: Columns, where: Callable[[int], str]) -> tuple[np.ndarray, ...]:
        """Numbers (n, features), float32; with ``categories="index"`` also integers (n, columns), int64; the target where it is there."""
        rows, onehot = len(next(iter(table.values()))), self.settings["categories"] == "one-hot"
        parts = [told(where, c.name, partial(c.encode, table[c.name])) for c in self._columns()]
        out = [np.concatenate(parts, 1).astype(np.float32) if parts else np.zeros((rows, 0), np.float32)]
        if self.categorical and not onehot:
            out.append(np.stack([told(where, c.name, partial(c.codes, table[c.name])) for c in self.categorical], 1))
        if self.target is not None and self.target.name in table:
            out.append(told(where, self.target.name, partial(self.target.encode, table[self.target.name])))
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """All that was learned, as JSON takes it."""
        return {"settings": self.settings, "numeric": [[c.name, c.mean, c.std] for c in self.numeric],
                "categorical": [[c.name, c.categories] for c in self.categorical], "classes": self.classes}

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> TableEncoder:
        """The encoder that `to_dict` described."""
        self = cls(**tree["settings"])
        self.numeric = [NumberColumn(*column) for column in tree["numeric"]]
        self.categorical = [CategoryColumn(name, kinds, self.settings["unknown"] == "zero") for name, kinds in tree["categorical"]]
        if self.settings["target"] is not None:
            self.target = TargetColumn(self.settings["target"], tree["classes"])
        return self


def told(where: Callable[[int], str], name: str, work: Callable[[], Any]) -> Any:
    """What `work` gives; a value that it refuses is told with its place in the file."""
    try:
        return work()
    except Refused as error:
        raise ValueError(f"{where(error.row)}, column {name!r}: {error}") from None
