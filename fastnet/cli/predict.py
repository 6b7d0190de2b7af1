"""`fastnet predict`: what a trained network says of pictures, rows of a CSV file, or arrays."""
from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastnet.cli.options import positive, share
from fastnet.cli.refused import Refused

TABLES = (".csv", ".tsv", ".npy")                         # files of many samples; all others are pictures
BOX = ("file", "label", "score", "x1", "y1", "x2", "y2")  # what is told of a box


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("predict", help="print what a trained network says of pictures, rows or arrays",
                                  description="Predictions of a run for pictures (through Pillow), CSV files with the columns of the "
                                  "training file, or .npy files of samples.")
    command.add_argument("run_folder", metavar="RUN", help="folder of a run, or one of its files (best.fnet, checkpoints/step-*.fnet)")
    command.add_argument("files", metavar="FILE", nargs="+", help="pictures, .csv or .npy")
    command.add_argument("--out", metavar="FILE", help="write to this file, CSV or, where its name ends in .jsonl, JSON lines (default: "
                         "CSV, printed)")
    command.add_argument("--top", type=positive(int), default=1, metavar="K", help="the K likeliest classes (default: 1)")
    command.add_argument("--score", type=share, default=0.25, metavar="X", help="a detector's boxes with smaller scores are left out "
                         "(default: 0.25)")
    command.add_argument("--draw", metavar="DIR", help="of a detector: a folder for the pictures with what was found, as NAME.svg")
    command.add_argument("--batch-size", type=positive(int), default=256, metavar="N", help="samples at a time (default: 256)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print or write the predictions, file by file, in order."""
    from fastnet.cli.recipe.trained import open_run
    trained = open_run(args.run_folder)
    missing = [name for name in args.files if not Path(name).is_file()]
    if missing:
        if Path(missing[0]).is_dir():
            raise Refused(f"{missing[0]} is a folder; name the files in it, such as {missing[0]}/*")
        raise Refused(f"there is no file {missing[0]}")
    rows, head = predictions(trained, args), BOX if trained.facts["kind"] == "boxes" else ()
    if args.out is None:
        write(rows, sys.stdout, False, head)
        return
    found = list(rows)                                    # all, before an earlier file is replaced
    try:
        with open(args.out, "w", newline="", encoding="utf-8") as file:
            write(iter(found), file, args.out.endswith(".jsonl"), head)
    except OSError as error:
        raise Refused(f"--out {args.out}: {error.strerror}") from None
    print(f"wrote {len(found)} predictions to {args.out}")


def write(rows: Iterator[dict[str, Any]], file: Any, lines: bool, head: Sequence[str] = ()) -> None:
    """Rows as CSV, or as lines of JSON; head: the columns where there may be no row to tell them."""
    table = None
    for row in rows:
        if lines:
            print(json.dumps(row), file=file)
            continue
        if table is None:
            table = csv.DictWriter(file, row.keys(), lineterminator="\n")
            table.writeheader()
        table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    if table is None and head and not lines:
        print(",".join(head), file=file)
    file.flush()


def predictions(trained: Any, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each sample: where it is from, and what the network says."""
    import fastnet
    if trained.facts["kind"] == "text":
        raise Refused(f"{args.run_folder}: a language model writes text: fastnet generate {trained.out / 'model.fnet'} --prompt TEXT")
    if trained.facts["kind"] == "boxes":
        yield from boxes(trained, args)
        return
    if args.draw is not None:
        raise Refused(f"--draw {args.draw}: the run finds no boxes to draw")
    for names, inputs in batches(trained, args.files, args.batch_size):
        with fastnet.no_grad():
            output = trained.model(*(fastnet.from_numpy(np.ascontiguousarray(x)) for x in inputs))
        yield from (name | said for name, said in zip(names, told(output, trained.facts["classes"], args.top)))


def boxes(trained: Any, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each box that a detector finds, in pixels of the picture."""
    from fastnet.cli.drawing import drawing
    from fastnet.cli.recipe.folder import writable
    from fastnet.datasets import read_image
    channels, size = trained.facts["shape"][:2]
    stems: dict[str, str] = {}
    for name in args.files if args.draw is not None else ():
        if stems.setdefault(Path(name).stem, name) != name:
            raise Refused(f"--draw {args.draw}: {stems[Path(name).stem]} and {name} would both be {Path(name).stem}.svg")
    names, drawn = trained.facts["classes"], None if args.draw is None else writable(args.draw, "--draw")
    for name in args.files:
        try:
            image = read_image(name, "L" if channels == 1 else "RGB")
        except (OSError, ValueError, ImportError) as error:
            raise Refused(str(error) if name in str(error) else f"{name}: {error}") from None
        found = trained.model.predict(image, size, args.score)
        if drawn is not None:
            (drawn / (Path(name).stem + ".svg")).write_text(drawing(image, found, names), encoding="utf-8")
        for box, score, label in zip(*(found[key].tolist() for key in ("boxes", "scores", "labels"))):
            yield dict(zip(BOX, (name, names[label], score, *box)))


def told(output: Any, classes: list[str], top: int) -> Iterator[dict[str, Any]]:
    """Classes with their probabilities, or numbers."""
    if output.ndim != 2:
        raise Refused(f"the network gives {tuple(output.shape)} for a batch: fastnet predict knows classes and numbers only")
    if not classes:
        for values in output.numpy().tolist():
            yield {"prediction" if len(values) == 1 else f"prediction_{i}": v for i, v in enumerate(values)}
        return
    shares = output.softmax(1).numpy()
    for row in shares:
        best = np.argsort(-row, kind="stable")[:top]
        said: dict[str, Any] = {}
        for place, at in enumerate(best):
            end = "" if place == 0 else f"_{place + 1}"
            said |= {f"prediction{end}": classes[at], f"probability{end}": float(row[at])}
        yield said


def batches(trained: Any, files: list[str], size: int) -> Iterator[tuple[list[dict[str, Any]], tuple[np.ndarray, ...]]]:
    """Names of samples, and the inputs of the network, batch by batch; pictures of several files make a batch together."""
    pictures: list[tuple[dict[str, Any], np.ndarray]] = []
    rows = {"row": ""} if any(Path(name).suffix.lower() in TABLES for name in files) else {}      # all lines have the same columns
    for name in files:
        end = Path(name).suffix.lower()
        try:
            if end in TABLES:
                if pictures:
                    yield [n for n, _ in pictures], (np.stack([x for _, x in pictures]),)
                    pictures = []
                numbers, arrays = table(trained, name) if end != ".npy" else array(trained, name)
                for at in range(0, len(numbers), size):
                    yield [{"file": name, "row": n} for n in numbers[at:at + size]], tuple(a[at:at + size] for a in arrays)
                continue
            pictures.append(({"file": name, **rows}, picture(trained, name)))
        except (OSError, ValueError, ImportError) as error:
            raise Refused(str(error) if name in str(error) else f"{name}: {error}") from None
        if len(pictures) == size:
            yield [n for n, _ in pictures], (np.stack([x for _, x in pictures]),)
            pictures = []
    if pictures:
        yield [n for n, _ in pictures], (np.stack([x for _, x in pictures]),)


def table(trained: Any, name: str) -> tuple[list[int], tuple[np.ndarray, ...]]:
    """The rows of a CSV file, counted from 1 below the names of the columns."""
    from fastnet.datasets import CSVTable, TableEncoder
    if trained.facts["kind"] != "table":
        raise Refused(f"{name}: the run learned from {trained.tree['data']['name']}, not from a CSV file")
    tree = trained.facts["encoder"]
    tree["settings"]["target"] = None                     # a column of answers is not looked at
    rows = CSVTable(name, like=TableEncoder.from_dict(tree), delimiter=trained.tree["data"].get("delimiter"))
    return [int(r) + 1 for r in rows.rows], rows.arrays


def array(trained: Any, name: str) -> tuple[list[int], tuple[np.ndarray, ...]]:
    """The samples in a .npy file, counted from 0."""
    from fastnet.cli.recipe.scaled import scaled
    from fastnet.datasets import NumpyTable, TableEncoder
    x = np.load(name, allow_pickle=False)
    facts = trained.facts
    if facts["kind"] == "table":
        raise Refused(f"{name}: the run learned from a CSV file, whose columns have names; give one")
    if facts["kind"] == "array" and "encoder" in facts:
        tree = facts["encoder"]
        tree["settings"]["target"] = None
        rows = NumpyTable(x, like=TableEncoder.from_dict(tree))
        return rows.rows.tolist(), rows.arrays
    if list(x.shape[1:]) != facts["shape"]:
        raise Refused(f"{name}: has shape {x.shape}; the network takes (N, {', '.join(map(str, facts['shape']))})")
    return list(range(len(x))), (scaled(x).astype(np.float32),)


def picture(trained: Any, name: str) -> np.ndarray:
    """A picture as the network takes it: the recipe's transforms for validation, then bytes to numbers from 0 to 1."""
    from fastnet.cli.recipe import build
    from fastnet.cli.recipe.scaled import scaled
    from fastnet.datasets import read_image
    facts = trained.facts
    if facts["kind"] != "image":
        raise Refused(f"{name}: the run learned from {trained.tree['data']['name']}, not from pictures; give a "
                      f"{'.csv' if facts['kind'] == 'table' else '.npy'} file")
    image: Any = read_image(name, "L" if facts["shape"][0] == 1 else "RGB")
    transform = build.transforms(trained.tree)[1]
    image = np.asarray(scaled(np.asarray(image if transform is None else transform(image))), np.float32)
    if list(image.shape) != facts["shape"]:
        got, wanted = ("x".join(map(str, shape)) for shape in (image.shape, facts["shape"]))
        raise Refused(f"{name}: channels, height and width are {got}, the network takes {wanted}; resize the picture, or train with a "
                      "Resize in both lists of [transforms]")
    return image
