"""`fastnet train RECIPE.toml` and `fastnet resume RUN`."""
from __future__ import annotations

import argparse
from typing import Any

from fastnet.cli.options import positive
from fastnet.cli.refused import Refused


def parser() -> argparse.ArgumentParser:
    """The parser for the words after `fastnet train`, where the first is a recipe."""
    top = argparse.ArgumentParser("fastnet train", description="Train what a recipe describes; see docs/recipes.md.")
    top.add_argument("recipe", metavar="RECIPE.toml", help="data, transforms, model, loss, optimizer, scheduler, trainer, metrics")
    top.add_argument("--out", metavar="DIR", help="folder of the run (default: the recipe's out, or runs/NAME)")
    top.add_argument("--overwrite", action="store_true", help="replace another run in that folder")
    top.add_argument("--check", action="store_true", help="only check the recipe and print it with its defaults")
    settings(top)
    top.set_defaults(command="train", run=train)
    return top


def settings(command: Any) -> None:
    """--set and --threads."""
    command.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE",
                         help="change one value, such as optimizer.lr=0.01; may be given several times")
    command.add_argument("--threads", type=positive(int), metavar="N", help="threads (default: the recipe's, or all)")


def add_resume(commands: Any) -> None:
    """Add the command `resume`."""
    command = commands.add_parser("resume", help="go on with a run that was stopped, or killed, from its newest checkpoint",
                                  description="Go on with a run from its newest checkpoint; the weights become those of a run that was "
                                  "never stopped, bit by bit. --set trainer.epochs=N makes it longer.")
    command.add_argument("folder", metavar="RUN", help="folder of the run, such as runs/digits")
    settings(command)
    command.set_defaults(run=resume)


def with_threads(args: argparse.Namespace) -> list[str]:
    """The settings, --threads among them."""
    return [*args.settings, *([] if args.threads is None else [f"threads={args.threads}"])]


def train(args: argparse.Namespace) -> None:
    """A new run."""
    from fastnet.cli.recipe import run, toml
    tree = run.load(args.recipe, with_threads(args))
    if args.out is not None:
        tree["out"] = args.out
    if args.check:
        print(toml.dumps(tree), end="")
        return
    run.train(tree, args.overwrite)


def resume(args: argparse.Namespace) -> None:
    """A run that goes on."""
    from fastnet.cli.recipe import folder, run
    out = folder.run_of(args.folder)
    if not any((out / "checkpoints").glob("step-*.fnet")):
        raise Refused(f"{out} has no checkpoint to go on from; fastnet train {out / 'recipe.toml'} --out {out} --overwrite begins anew")
    run.resume(out, with_threads(args))
