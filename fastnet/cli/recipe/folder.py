"""The folder of a run: what is written there, and what is refused."""
from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastnet
from fastnet.cli.recipe.toml import dumps
from fastnet.cli.refused import Refused
from fastnet.training.lock import FolderInUse, FolderLock

DESCRIPTION = ("recipe.toml", "environment.json", "data.json")
RESULTS = (*DESCRIPTION, "log.jsonl", "curve.csv", "loss.svg", "weights.fnet", "best.fnet", "model.fnet", "doctor.txt")


def writable(name: str | os.PathLike, option: str = "--out") -> Path:
    """A folder for results, made and tried."""
    out = Path(name)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise Refused(f"{option} {name}: a file stands in the way; give the name of a folder") from None
    except OSError as error:
        raise Refused(f"{option} {name}: cannot make this folder ({error.strerror}); give one that you may write to") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise Refused(f"{option} {name}: you may not write to this folder; give another one")
    return out


@contextmanager
def held(name: str | os.PathLike) -> Iterator[Path]:
    """A folder for results into which nobody else trains meanwhile."""
    out = writable(name)
    try:
        with FolderLock([out], "--out"):
            yield out
    except FolderInUse as error:
        raise Refused(str(error)) from None


def new(name: str, overwrite: bool) -> Path:
    """The folder of a new run; that of another run is refused, or emptied of what a run writes."""
    with held(name) as out:
        _empty(out, overwrite)
    return out


def _empty(out: Path, overwrite: bool) -> None:
    if any((out / file).exists() for file in (*RESULTS, "checkpoints")):
        if not overwrite and not came_to_nothing(out):
            raise Refused(f"{out} holds another run: fastnet resume {out} goes on with it, --overwrite replaces it, --out DIR takes "
                          "another folder")
        for file in RESULTS:
            (out / file).unlink(missing_ok=True)
        shutil.rmtree(out / "checkpoints", ignore_errors=True)


def came_to_nothing(out: Path) -> bool:
    """Whether a run ended before its first record: it is described, and there is nothing to lose."""
    described = all((out / file).exists() for file in DESCRIPTION)
    results = [out / file for file in RESULTS if file not in DESCRIPTION]
    return described and not any(file.exists() and file.stat().st_size for file in results) and not any(out.glob("checkpoints/*"))


def describe(out: Path, tree: dict[str, Any], facts: dict[str, Any]) -> None:
    """recipe.toml as resolved, environment.json, and data.json: what predictions need to know of the data."""
    (out / "recipe.toml").write_text(dumps(tree), encoding="utf-8")
    (out / "environment.json").write_text(json.dumps(environment(), indent=1) + "\n")
    (out / "data.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def environment() -> dict[str, Any]:
    """What the numbers of a run may depend on."""
    import numpy
    return {"fastnet": fastnet.__version__, "isa": fastnet.get_isa(), "threads": fastnet.get_num_threads(),
            "python": sys.version.split()[0], "numpy": numpy.__version__,
            "platform": platform.platform(), "cpu": cpu(), "command": sys.argv}


def cpu() -> str:
    """The CPU's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def run_of(path: str) -> Path:
    """The folder of a run that is there."""
    out = Path(path)
    if not (out / "recipe.toml").is_file():
        why = "there is no such folder" if not out.is_dir() else "it has no recipe.toml"
        raise Refused(f"{path} is no run of fastnet train RECIPE.toml: {why}")
    return out
