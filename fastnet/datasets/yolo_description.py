"""The description of a YOLO data set: data.toml, or the few forms of data.yaml that are read without a YAML package."""
from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMS = ("`key: value`, `key: [a, b]`, and below `key:` lines `- a` or `0: a`, are read of YAML; for anything else write the same "
         "as data.toml")


@dataclass
class Description:
    """Names of the classes, and the folders (or lists of pictures) of each split."""
    names: list[str]
    splits: dict[str, list[Path]]


def read_description(path: str | os.PathLike) -> Description:
    """Read `data.yaml` or `data.toml`.

    Keys: `names`, a list or a table from numbers to names; `nc`, their number, which may be left out; `path`, the folder that the
    others are relative to (the file's folder by default); `train`, `val`, `test`: a folder of pictures, a text file that lists pictures,
    or a list of those. Other keys are left alone.

    Raises: FileNotFoundError; ValueError with the file, and the line where there is one.

    >>> from fastnet.datasets import read_description
    >>> with open("data.yaml", "w") as file: _ = file.write("train: images/train\\nnames:\\n  0: cat  # purrs\\n  1: dog\\n")
    >>> read_description("data.yaml").names
    ['cat', 'dog']
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    tree = toml(text, path) if path.suffix.lower() == ".toml" else yaml_subset(text, path)
    names = tree.get("names")
    if isinstance(names, dict):
        keys = sorted(names, key=lambda k: int(k) if str(k).isdigit() else -1)
        if [str(k) for k in keys] != [str(i) for i in range(len(keys))]:
            raise ValueError(f"{path}: names must be numbered 0, 1, 2, ..., got {', '.join(map(str, names))}")
        names = [names[k] for k in keys]
    if not isinstance(names, list) or not names:
        raise ValueError(f"{path}: has no names of classes (names: [cat, dog])")
    if "nc" in tree and str(tree["nc"]) != str(len(names)):
        raise ValueError(f"{path}: nc is {tree['nc']}, but there are {len(names)} names")
    base, splits = path.parent / str(tree.get("path", ".")), {}
    for split in ("train", "val", "test"):
        if tree.get(split) not in (None, ""):
            places = tree[split] if isinstance(tree[split], list) else [tree[split]]
            splits[split] = [place_of(base, str(place)) for place in places]
    return Description([str(name) for name in names], splits)


def place_of(base: Path, place: str) -> Path:
    """A place below `base`; `../train/images`, as some exports write it, also where the folder lies beside the file."""
    found = base / place
    return base / place[3:] if place.startswith("../") and not found.exists() and (base / place[3:]).exists() else found


def toml(text: str, path: Path) -> dict[str, Any]:
    """The table of a TOML file."""
    from fastnet.datasets.toml_file import loads
    return loads(text, path)


def yaml_subset(text: str, path: Path) -> dict[str, Any]:
    """The table of a YAML file that keeps to the forms in `FORMS`."""
    tree: dict[str, Any] = {}
    key, joined = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        line = without_comment(line)
        if joined:                                        # a list in brackets goes on over lines
            line, joined = joined + " " + line.strip(), ""
        if not line.strip() or line.strip() == "---":
            continue
        if line.count("[") > line.count("]"):
            joined = line
            continue
        if not line[0].isspace() and not line.startswith("- "):
            m = re.fullmatch(r"([\w.-]+)\s*:(?:\s+(.*))?", line.rstrip())
            if not m:
                raise ValueError(f"{path}, line {number}: {FORMS}")
            key = m[1]
            tree[key] = value(m[2], path, number) if m[2] else None
        elif key is None or not isinstance(tree[key], (type(None), list, dict)):
            raise ValueError(f"{path}, line {number}: {FORMS}")
        elif m := re.fullmatch(r"-\s+(.+)", line.strip()):
            tree[key] = [] if tree[key] is None else tree[key]
            if not isinstance(tree[key], list):
                raise ValueError(f"{path}, line {number}: {FORMS}")
            tree[key].append(value(m[1], path, number))
        elif m := re.fullmatch(r"(\d+)\s*:\s+(.+)", line.strip()):
            tree[key] = {} if tree[key] is None else tree[key]
            if not isinstance(tree[key], dict) or m[1] in tree[key]:
                raise ValueError(f"{path}, line {number}: {FORMS}")
            tree[key][m[1]] = value(m[2], path, number)
        elif isinstance(tree[key], (list, type(None))) or not tree[key]:
            tree[key] = None                              # a table of another kind, such as where the data come from: left alone
    if joined:
        raise ValueError(f"{path}: a list has no closing bracket")
    return tree


def without_comment(line: str) -> str:
    """The line up to a # that stands outside of quotes, at the beginning or after a space."""
    return re.sub(r"""^((?:"[^"]*"|'[^']*'|[^"'])*?)(?:(?<=\s)|^)#.*$""", r"\1", line).rstrip()


def value(text: str, path: Path, number: int) -> Any:
    """A scalar as text, or a list of scalars in brackets."""
    text = text.strip()
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError(f"{path}, line {number}: {FORMS}")
        items = re.findall(r"""\s*("[^"]*"|'[^']*'|[^,"']+?)\s*(?:,|$)""", text[1:-1])
        return [scalar(item) for item in items]
    if text[:1] in "{&*!|>":
        raise ValueError(f"{path}, line {number}: {FORMS}")
    return scalar(text)


def scalar(text: str) -> str:
    """The text without its quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
