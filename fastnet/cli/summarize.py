"""`fastnet summary`: the layers of a network, with shapes, parameters, operations and memory."""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fastnet.cli.options import positive
from fastnet.cli.refused import Refused


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("summary", help="print the layers of a network: shapes, parameters, operations, memory")
    command.add_argument("model", metavar="MODEL", help="a name in fastnet.models, module:function of your own, or the folder of a run")
    command.add_argument("--input", metavar="N,C,H,W", help="shape of the input, N,T of a language model (default, for a run: two samples)")
    command.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE", help="an argument of the model")
    command.add_argument("--depth", type=positive(int), default=3, metavar="N", help="levels of modules that are shown (default: 3)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    import fastnet
    from fastnet.cli.recipe import build
    from fastnet.cli.recipe.arguments import call
    from fastnet.cli.recipe.trained import open_run
    shape = None if args.input is None else shape_of(args.input)
    if (Path(args.model) / "recipe.toml").is_file():
        if args.settings:
            raise Refused("--set: the network of a run is as it is")
        trained = open_run(args.model)
        model, shape = trained.model, shape or [2, *trained.facts["shape"]]
    else:
        model = build.model(checked(args.model, args.settings))
    if shape is None:
        raise Refused("--input: give the shape of the input, such as --input 1,3,224,224")
    mode = "train" if shape[0] > 1 else "eval"            # batch norm cannot train on one sample
    from fastnet.models import GPT, Bert, LSTMLanguageModel
    tokens = {"dtypes": fastnet.int64} if isinstance(model, (GPT, LSTMLanguageModel, Bert)) else {}
    print(call("summary", fastnet.summary, model, tuple(shape), depth=args.depth, mode=mode, **tokens))


def checked(name: str, settings: list[str]) -> dict[str, Any]:
    """A recipe's [model] made of a name and settings."""
    from fastnet.cli.recipe.arguments import check_arguments
    from fastnet.cli.recipe.check import model_of
    from fastnet.cli.recipe.toml import change
    table: dict[str, Any] = {"name": name}
    for setting in settings:
        change(table, setting)
    check_arguments("MODEL", model_of(name), {k: v for k, v in table.items() if k != "name"})
    return {"model": table}


def shape_of(text: str) -> list[int]:
    """Sizes between commas.

    >>> from fastnet.cli.summarize import shape_of
    >>> shape_of("1,3,224,224")
    [1, 3, 224, 224]
    """
    try:
        shape = json.loads(f"[{text}]")
    except ValueError:
        shape = []
    if not shape or any(type(n) is not int or n < 1 for n in shape):
        raise Refused(f"--input {text}: expected sizes above zero between commas, such as 1,3,224,224")
    return shape
