"""CSV files as columns of text."""
from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

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
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"read_csv: {name} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    delimiter = delimiter or max(DELIMITERS, key=text.partition("\n")[0].count)
    plain = '"' not in text and " " not in text           # then lines are rows, and values need no trimming
    read = plain_rows(text, delimiter) if plain else quoted_rows(text, delimiter, name)
    header = [word.strip() for word in next(read, (1, []))[1]]
    if not header or "" in header or len(set(header)) != len(header):
        raise ValueError(f"read_csv: {name}, line 1: expected the names of the columns, all different, got {header or 'nothing'}")
    rows, lines, width = [], [], len(header)
    for number, row in read:
        if len(row) != width:
            raise ValueError(f"read_csv: {name}, line {number}: {len(row)} values for {width} columns")
        rows.append(row)
        lines.append(number)
    if not rows:
        raise ValueError(f"read_csv: {name} has no rows below the names of its columns")
    columns = zip(*rows)
    return {key: np.array(c if plain else [v.strip() for v in c], object) for key, c in zip(header, columns)}, lines


def plain_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and rows of a file without quotes."""
    for number, line in enumerate(text.split("\n"), 1):
        if line or number == 1:
            yield number, line.split(delimiter) if line else []


def quoted_rows(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and rows of any file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row or reader.line_num == 1:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"read_csv: {name}, line {reader.line_num}: {error}") from None
