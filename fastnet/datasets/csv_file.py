"""CSV files as columns of text."""
from __future__ import annotations

import csv
import os

import numpy as np

DELIMITERS = ",;\t"


def read_csv(path: str | os.PathLike, delimiter: str | None = None) -> tuple[dict[str, np.ndarray], list[int]]:
    """The columns of a CSV file, and the line in which each row ends.

    Args:
        path: a text file in UTF-8, with or without a byte order mark, whose first line names the columns.
        delimiter: between the columns; None takes whichever of comma, semicolon and tab the first line has most of.

    Returns: name -> array of text (dtype object, white space around values removed), and line numbers, from 2 on.

    Raises: FileNotFoundError; ValueError with file and line for a row of another length, or names that are empty or doubled.

    >>> from fastnet.datasets.csv_file import read_csv
    >>> with open("a.csv", "w") as file: _ = file.write("x;y\\n1;2\\n\\n3;4\\n")
    >>> columns, lines = read_csv("a.csv")
    >>> columns["y"].tolist(), lines
    (['2', '4'], [2, 4])
    """
    name = os.fspath(path)
    rows, lines = [], []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if delimiter is None:
                first = file.readline()
                delimiter = max(DELIMITERS, key=first.count)
                file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = [word.strip() for word in next(reader, [])]
            if not header or "" in header or len(set(header)) != len(header):
                raise ValueError(f"read_csv: {name}, line 1: expected the names of the columns, all different, got {header or 'nothing'}")
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise ValueError(f"read_csv: {name}, line {reader.line_num}: {len(row)} values for {len(header)} columns")
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"read_csv: {name}, line {reader.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"read_csv: {name} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    if not rows:
        raise ValueError(f"read_csv: {name} has no rows below the names of its columns")
    return {name: np.array([value.strip() for value in column], object) for name, column in zip(header, zip(*rows))}, lines
