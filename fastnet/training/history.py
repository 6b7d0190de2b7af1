"""History: what was measured during a training, a record an epoch."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

    def __repr__(self) -> str:
        return self.table() if self.records else "History()"


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)
