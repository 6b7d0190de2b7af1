"""Where data sets are looked for on this machine, and what is said when they are not there. Nothing is ever downloaded."""
from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path


def shared_folders(name: str) -> list[Path]:
    """Where a data set of this name may be installed: `datasets/NAME` in the user's, Python's and the system's shared data folders."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    system = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    roots = [home, str(Path(sysconfig.get_path("data")) / "share"), str(Path(sys.base_prefix) / "share"), *filter(None, system)]
    return [Path(root) / "datasets" / name for root in dict.fromkeys(roots)]


def find(name: str, root: str | os.PathLike | None, missing: Callable[[Path], str | None], below: Sequence[str], advice: str) -> Path:
    """The folder with a data set's files.

    Args:
        name: of the data set, and of its folder among the shared ones.
        root: the folder to look in; None looks in the shared ones.
        missing: tells of a folder which file it lacks; None if it has all.
        below: folders inside `root` where the files may lie too, such as ``"MNIST/raw"``.
        advice: what to get, and from where.

    Raises: FileNotFoundError that names the file which is missing, or the folders that were looked at, and gives the advice.
    """
    for folder in shared_folders(name) if root is None else [Path(root)]:
        for inner in (folder, *(folder / part for part in below)):
            if missing(inner) is None:
                return inner
    if root is not None:
        raise FileNotFoundError(f"{name}: the folder {os.fspath(root)} has no {missing(Path(root))}; {advice}")
    raise FileNotFoundError(f"{name}: not found in {', '.join(map(str, shared_folders(name)))}; {advice}")
