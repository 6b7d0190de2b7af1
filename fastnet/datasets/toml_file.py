"""TOML files: the standard library's reader, or the package tomli on Python 3.10."""
from __future__ import annotations

import os
from typing import Any


def loads(text: str, path: str | os.PathLike) -> dict[str, Any]:
    """The table in a text.

    Args:
        text: what the file holds.
        path: of the file, for errors.

    Raises: ValueError with the path and the line; ModuleNotFoundError on Python 3.10 without tomli.

    >>> from fastnet.datasets.toml_file import loads
    >>> loads("a = [1, 2]", "recipe.toml")
    {'a': [1, 2]}
    """
    try:
        import tomllib
    except ModuleNotFoundError:
        try:
            import tomli as tomllib  # type: ignore[import-not-found, no-redef]
        except ModuleNotFoundError:
            raise ModuleNotFoundError("TOML files need Python 3.11, or on Python 3.10 the package tomli: "
                                      "pip install 'fastnet[recipes]'") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{os.fspath(path)} is no TOML: {error}") from None
