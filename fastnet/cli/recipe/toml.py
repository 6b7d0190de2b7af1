"""Recipes as text: read from TOML, changed by --set, written again."""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from fastnet.cli.refused import Refused
from fastnet.datasets.toml_file import loads

SECTIONS = ("data", "transforms", "model", "loss", "optimizer", "scheduler", "trainer", "metrics")


def read(path: str | Path) -> dict[str, Any]:
    """The tree in a TOML file."""
    try:
        return loads(Path(path).read_text(encoding="utf-8"), path)
    except UnicodeDecodeError:
        raise Refused(f"{path} is not text in UTF-8") from None
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except (ValueError, ModuleNotFoundError) as error:
        raise Refused(str(error)) from None


def normalised(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with its short forms written out: a section, metric or transform that is a text is a table with that `name`."""
    tree = {key: dict(value) if isinstance(value, dict) else value for key, value in tree.items()}
    for section in SECTIONS:
        if isinstance(tree.get(section), str):
            tree[section] = {"name": tree[section]}
    if isinstance(tree.get("metrics"), dict):
        tree["metrics"] = {key: {"name": value} if isinstance(value, str) else value for key, value in tree["metrics"].items()}
    if isinstance(tree.get("transforms"), dict) and isinstance(tree["transforms"].get("mix"), str):
        tree["transforms"]["mix"] = {"name": tree["transforms"]["mix"]}
    if isinstance(tree.get("transforms"), dict):
        tree["transforms"] = {key: [{"name": v} if isinstance(v, str) else v for v in items] if isinstance(items, list) else items
                              for key, items in tree["transforms"].items()}
    return tree


def change(tree: dict[str, Any], setting: str) -> None:
    """Carry out one `--set section.key=value`.

    The value is read as TOML has it; what is no TOML is a text.

    >>> from fastnet.cli.recipe.toml import change
    >>> tree = {"model": {"name": "LeNet5"}}
    >>> change(tree, "model.width=4"), change(tree, "data.folder=pets")
    (None, None)
    >>> tree
    {'model': {'name': 'LeNet5', 'width': 4}, 'data': {'folder': 'pets'}}
    """
    place, equals, text = setting.partition("=")
    keys = [key.strip() for key in place.split(".")]
    if not equals or not all(keys):
        raise Refused(f"--set {setting}: expected KEY=VALUE, such as optimizer.lr=0.01")
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise Refused(f"--set {setting}: {key} is no table")
    tree[keys[-1]] = value_of(text.strip())


def value_of(text: str) -> Any:
    """A value as TOML has it, or else a text."""
    try:
        return loads(f"value = {text}", "")["value"]
    except (ValueError, ModuleNotFoundError):
        pass
    try:
        return json.loads(text)                           # numbers, true, false and lists, where there is no reader of TOML
    except ValueError:
        return text


def dumps(tree: dict[str, Any]) -> str:
    """A recipe as TOML.

    >>> from fastnet.cli.recipe.toml import dumps
    >>> print(dumps({"seed": 0, "model": {"name": "LeNet5", "width": 4}}))
    seed = 0
    <BLANKLINE>
    [model]
    name = "LeNet5"
    width = 4
    <BLANKLINE>
    """
    lines = [f"{name(key)} = {value(v)}" for key, v in tree.items() if not isinstance(v, dict)]
    for key, table in tree.items():
        if isinstance(table, dict):
            lines += ["", f"[{name(key)}]", *(f"{name(k)} = {value(v)}" for k, v in table.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def name(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key) else value(key)


def value(v: Any) -> str:
    """A value; tables within values are inline."""
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, float):
        return repr(v) if math.isfinite(v) else {math.inf: "inf", -math.inf: "-inf"}.get(v, "nan")
    if isinstance(v, int):
        return str(v)
    if isinstance(v, str):
        return json.dumps(v, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(map(value, v)) + "]"
    if isinstance(v, dict):
        return "{" + ", ".join(f"{name(k)} = {value(x)}" for k, x in v.items()) + "}"
    return value(str(v))                                  # dates
