"""History: what was measured during a training, a record an epoch."""
from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any, TextIO

Record = dict[str, Any]


class History:
    """Records, in order: dicts of numbers such as epoch, step, train_loss, val_loss, lr, seconds.

    ``history["val_loss"]`` is the list of that value over the records, None where a record lacks it; ``history[-1]`` the last record.

    >>> from fastnet.training import History
    >>> history = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}])
    >>> history["train_loss"], len(history)
    ([0.5, 0.25], 2)
    >>> history
    epoch  train_loss
        1         0.5
        2        0.25
    """

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records: list[Record] = list(records or [])

    def append(self, record: Record) -> None:
        """Add a record."""
        self.records.append(record)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, key: str | int) -> Any:
        if not isinstance(key, str):
            return self.records[key]
        if not any(key in record for record in self.records):
            raise KeyError(f"no record has {key!r}; there are {', '.join(self.names())}")
        return [record.get(key) for record in self.records]

    def names(self) -> list[str]:
        """The names of the values, in the order in which they came."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def best(self, monitor: str, mode: str = "min") -> Record:
        """The record with the smallest, or for mode "max" the largest, value of `monitor`.

        Raises: ValueError for another mode; KeyError where no record has it.
        """
        if mode not in ("min", "max"):
            raise ValueError(f"History.best: mode must be 'min' or 'max', got {mode!r}")
        self[monitor]
        have = [record for record in self.records if record.get(monitor) is not None]
        return (min if mode == "min" else max)(have, key=lambda record: record[monitor])

    def table(self) -> str:
        """The records as text, a line each under a line of names."""
        names = self.names()
        rows = [names, *([_cell(record.get(name)) for name in names] for record in self.records)]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)

    def to_csv(self, path: str | os.PathLike) -> None:
        """Write the records as a table: a line of names, then a line each; what is no number or text is left out."""
        with open(path, "w", newline="") as file:
            write_csv(file, self.names(), self.records)

    def plot(self, names: list[str] | None = None, path: str | os.PathLike | None = None) -> Any:
        """Curves over the epochs (steps where there are several records an epoch), with matplotlib.

        Args:
            names: of values; None: all that end with "loss".
            path: of a picture to write; None: none.

        Returns: the matplotlib figure.

        Raises: ImportError without matplotlib, which `pip install 'fastnet[plot]'` brings; `save_svg` needs nothing.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("History.plot needs matplotlib: pip install 'fastnet[plot]'; History.save_svg does without") from None
        figure = Figure(figsize=(7.2, 4), layout="constrained")
        axes = figure.subplots()
        over = self._axis()
        for name in names or self._losses():
            axes.plot(self[over], [math.nan if value is None else value for value in self[name]], label=name)
        axes.set_xlabel(over)
        axes.legend()
        axes.grid(alpha=0.3)
        if path is not None:
            figure.savefig(path)
        return figure

    def save_svg(self, path: str | os.PathLike, names: list[str] | None = None, title: str = "training") -> None:
        """Write a picture of curves over the records, on a logarithmic axis; it needs no other library.

        Args:
            path: of the file.
            names: of values above zero; None: all that end with "loss".
            title: text above the picture.
        """
        from fastnet.training.curve import loss_curve
        names = names or self._losses()
        missing = [name for name in names if any(not isinstance(value, (int, float)) for value in self[name])]
        if missing:
            raise ValueError(f"History.save_svg: not every record has {', '.join(missing)}")
        with open(path, "w") as file:
            file.write(loss_curve({name: self[name] for name in names}, title, "record" if self._axis() == "step" else "epoch"))

    def _losses(self) -> list[str]:
        return [name for name in self.names() if name.endswith("loss")]

    def _axis(self) -> str:
        epochs = [record.get("epoch") for record in self.records]
        return "epoch" if None not in epochs and len(set(epochs)) == len(epochs) else "step"

    def __repr__(self) -> str:
        return self.table() if self.records else "History()"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def write_csv(file: TextIO, names: list[str] | None, records: list[Record]) -> None:
    """Lines of a table of records, under a line of names unless `names` is None."""
    import csv
    table = csv.writer(file, lineterminator="\n")
    if names is not None:
        table.writerow(names)
    for record in records:
        table.writerow([value if isinstance(value, (int, float, str)) else "" for value in map(record.get, names or record)])
