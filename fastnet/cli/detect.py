"""`fastnet train detect`: a YOLO26 on pictures with boxes, or on scenes of handwritten digits; a recipe is made of the options."""
from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from fastnet.cli.options import natural, positive, seed
from fastnet.cli.refused import Refused

ABOUT = "a YOLO26 that finds objects, on your pictures or on scenes of digits"
SCALES = ("n", "s", "m", "l", "x")
SHOWN = 4                                                 # pictures in found.svg


def parser() -> argparse.ArgumentParser:
    """The parser for the words after `fastnet train detect`."""
    top = argparse.ArgumentParser("fastnet train detect", description="Train a YOLO26 detector. Without --data it learns to find "
                                  "handwritten digits in made-up scenes.", epilog="It makes a recipe and carries it out: fastnet resume, "
                                  "evaluate and predict go on from the run, as from every run of a recipe. See docs/detection.md.")
    add = top.add_argument
    add("--data", metavar="PATH", help="data.yaml or data.toml of a data set in YOLO's format, or its folder")
    add("--scale", default="n", metavar="S", help="n, s, m, l, x, or a width: 0.125 is half of n's 0.25 (default: n)")
    add("--size", type=positive(int), metavar="N", help="side of the square in pixels, a multiple of 32 (default: 640; scenes: 128)")
    add("--epochs", type=positive(int), metavar="N", help="passes over the pictures (default: 100; scenes: 20)")
    add("--batch-size", type=positive(int), default=16, metavar="N", help="pictures in one batch (default: 16)")
    add("--accumulate", type=positive(int), default=1, metavar="N", help="batches in one step (default: 1)")
    add("--lr", type=positive(float), metavar="X", help="highest rate of MuSGD; it rises to it and falls (default: 0.01; scenes: 0.02)")
    add("--val", metavar="NAME|X", help="split of --data to validate on, or the share of the pictures to hold back (default: val)")
    add("--workers", type=natural, default=0, metavar="N", help="threads that make pictures ready in advance (default: 0)")
    add("--seed", type=seed, default=0, metavar="N", help="same seed, same weights, on any number of threads (default: 0)")
    add("--threads", type=positive(int), metavar="N", help="threads (default: all)")
    add("--out", default="runs/detect", metavar="DIR", help="folder of the run (default: runs/detect)")
    add("--overwrite", action="store_true", help="replace another run in that folder")
    add("--check", action="store_true", help="only print the recipe")
    top.set_defaults(command="train detect", run=run)
    return top


def run(args: argparse.Namespace) -> None:
    """Make the recipe, carry it out, draw what is found."""
    from fastnet.cli.recipe import run as recipes
    from fastnet.cli.recipe.check import check
    from fastnet.cli.recipe.toml import dumps
    tree = check(recipe(args))
    if args.check:
        print(dumps(tree), end="")
        return
    tree["out"] = args.out
    recipes.train(tree, args.overwrite)
    print(f"drew {draw(args.out, Path(args.out) / 'found.svg')}")


def recipe(args: argparse.Namespace) -> dict[str, Any]:
    """The recipe of the options."""
    scenes, epochs = args.data is None, args.epochs or (20 if args.data is None else 100)
    size = args.size or (128 if scenes else 640)
    off = min(10, epochs // 5)
    data: dict[str, Any] = {"batch_size": args.batch_size, "workers": args.workers, "size": size, "mosaic_off": off}
    affine = {"name": "RandomAffine", "translate": [0.1, 0.1], "interpolation": "bilinear", "fill": 114}
    if scenes and args.val is not None:
        raise Refused(f"--val {args.val}: scenes of digits have scenes to test on; it is for --data")
    if scenes:
        data |= {"name": "digit-scenes", "mosaic": 0.25}
        moves = [affine | {"degrees": 5, "scale": [0.8, 1.25]}, {"name": "RandomHSV"}]               # a mirrored 2 is no digit
    else:
        data |= {"name": "yolo", "folder": args.data, "val": share(args.val or "val"), "mosaic": 1.0}
        moves = [affine | {"degrees": 0, "scale": [0.5, 1.5]}, {"name": "RandomHSV"}, {"name": "RandomHorizontalFlip"}]
    model = {"name": "YOLO26", "scale": args.scale}
    if args.scale not in SCALES:
        model["scale"] = [0.5, share(args.scale), 1024]
        if not isinstance(model["scale"][1], float) or not 0 < model["scale"][1] < math.inf:
            raise Refused(f"--scale {args.scale}: expected one of {', '.join(SCALES)}, or a width such as 0.125")
    return {"name": "detect", "seed": args.seed, **({"threads": args.threads} if args.threads else {}), "data": data,
            "transforms": {"train": moves, "validation": []}, "model": model,
            "loss": {"name": "DetectionLoss", "reduction": "sum"},
            "optimizer": {"name": "MuSGD", "lr": args.lr or (0.02 if scenes else 0.01), "momentum": 0.9, "weight_decay": 5e-4},
            "scheduler": {"name": "OneCycleLR", "pct_start": 0.1, "div_factor": 25.0, "cycle_momentum": False},
            "trainer": {"epochs": epochs, "accumulate": args.accumulate, "clip_norm": 10.0, "ema": 0.999, "monitor": "val_map",
                        "mode": "max"},
            "metrics": {"map": {"name": "MeanAveragePrecision", "convention": "yolo"}}}


def share(text: str) -> Any:
    """A number, or else the text."""
    try:
        return float(text)
    except ValueError:
        return text


def draw(run_folder: str, path: Path, count: int = SHOWN) -> Path:
    """Write a picture of the first validation pictures with what the run's best weights find in them."""
    from fastnet.cli.drawing import sheet
    from fastnet.cli.recipe import build
    from fastnet.cli.recipe.trained import open_run
    best = Path(run_folder) / "best.fnet"
    trained = open_run(str(best) if best.is_file() else run_folder)
    data = build.data(trained.tree, measured=True)
    part = data.train if data.validation is None else data.validation
    pictures = [part[i]["image"] for i in range(min(count, len(part)))]
    found = trained.model.predict(pictures, trained.tree["data"]["size"])
    path.write_text(sheet(pictures, found, trained.facts["classes"]), encoding="utf-8")
    return path
