"""`fastnet evaluate`: the loss and the metrics of a trained network."""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fastnet.cli.options import positive
from fastnet.cli.refused import Refused


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("evaluate", help="print the loss and the metrics of a run", description="Measure a trained network on "
                                  "its validation data, or on other data.")
    command.add_argument("run_folder", metavar="RUN", help="folder of a run, or one of its files (best.fnet, checkpoints/step-*.fnet), or "
                         "the model.fnet of train chars or translate")
    command.add_argument("--data", metavar="PATH", help="other data: a CSV file, a folder of classes, a text, sentence pairs, or the "
                         "folder of the data set's files")
    command.add_argument("--split", choices=("validation", "train"), default="validation", help="which part of the run's data; neither "
                         "is augmented")
    command.add_argument("--batch-size", type=positive(int), metavar="N", help="samples at a time (default: the recipe's)")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print what is measured."""
    if Path(args.run_folder).name == "model.fnet":
        told = text_model(args)
    else:
        told = network(args)
    if args.json:
        print(json.dumps(told))
    else:
        print("  ".join(f"{key} {value:.5g}" if isinstance(value, float) else f"{key} {value}" for key, value in told.items()))


def network(args: argparse.Namespace) -> dict[str, Any]:
    """Loss and metrics of a run of a recipe."""
    from fastnet.cli.recipe import build
    from fastnet.cli.recipe.trained import open_run
    from fastnet.utils.data import DataLoader
    trained = open_run(args.run_folder)
    part = other_data(trained, args.data) if args.data else None
    if part is None:
        data = build.data(trained.tree, measured=True)
        part = data.train if args.split == "train" else data.validation
    if part is None:
        raise Refused(f"{trained.out}: the run has no validation data; --data PATH names some, --split train takes the training data")
    trained.tree["trainer"] = {"steps": 1}
    trainer = build.trainer({**trained.tree, "scheduler": {"name": "ConstantLR"}}, trained.model, 1, None, progress=False)
    loader = DataLoader(part, args.batch_size or trained.tree["data"]["batch_size"], num_workers=trained.tree["data"]["workers"],
                        collate_fn=build.collate(trained.tree))
    try:
        return {"weights": str(trained.weights), "samples": len(part), **trainer.validate(loader)}
    except ValueError as error:                           # outputs that are NaN, for one
        raise Refused(f"{trained.weights}: {error}") from None


def other_data(trained: Any, path: str) -> Any:
    """The data at a path, treated as the run's data are; None where the path only says where the run's own data set lies."""
    from fastnet.cli.recipe import build
    from fastnet.datasets import CSVTable, ImageFolder, TableEncoder
    name, facts = trained.tree["data"]["name"], trained.facts
    if not Path(path).exists():
        raise Refused(f"--data {path}: there is no such file or folder")
    part: Any
    try:
        if facts["kind"] == "table":
            part = CSVTable(path, like=TableEncoder.from_dict(facts["encoder"]), delimiter=trained.tree["data"].get("delimiter"))
            if not part.has_target:
                target = trained.tree["data"]["target"]
                raise Refused(f"--data {path}: there is no column {target!r} to compare with; fastnet predict needs none")
            if not part.classes:
                part.arrays = (*part.arrays[:-1], part.arrays[-1][:, None])
            return part
        if facts["kind"] == "text":
            from fastnet.cli.recipe import text
            return text.other(trained, path)
        if name == "image-folder":
            part = ImageFolder(path)
            if part.classes != facts["classes"]:
                raise Refused(f"--data {path}: has the classes {', '.join(part.classes)}, the run {', '.join(facts['classes'])}")
            return build.prepared(part, build.transforms(trained.tree)[1], trained.tree["seed"])
    except (OSError, ValueError) as error:
        raise Refused(f"--data {path}: {error}") from None
    if "folder" not in build.source_of(name).kinds:
        raise Refused(f"--data {path}: the data set {name} takes no other data")
    trained.tree["data"]["folder"] = path
    return None


def text_model(args: argparse.Namespace) -> dict[str, Any]:
    """Perplexity of a language model on a text, or BLEU of a translator on sentence pairs."""
    from fastnet.models import Bert, Seq2Seq, load_checkpoint
    from fastnet.serialization import DamagedFile
    if args.data is None:
        raise Refused("--data PATH is needed: a text in UTF-8 for a language model, lines of source, tab, target for a translator")
    try:
        model, tokenizer = load_checkpoint(args.run_folder)
    except (OSError, ValueError, DamagedFile) as error:
        raise Refused(str(error)) from None
    if isinstance(model, Bert):
        raise Refused(f"{args.run_folder} holds a Bert; what it was trained for cannot be told from the file")
    if isinstance(model, Seq2Seq):
        from fastnet.cli.translate import bleu
        from fastnet.text import read_pairs
        try:
            pairs = read_pairs(args.data)
        except (OSError, ValueError) as error:
            raise Refused(f"--data {args.data}: {error}") from None
        score = bleu(model, tokenizer, pairs, argparse.Namespace(max_length=64, beam=4))
        return {"weights": args.run_folder, "pairs": len(pairs), "bleu": score}
    return {"weights": args.run_folder, **perplexity(model, tokenizer, args.data)}


def perplexity(model: Any, tokenizer: Any, path: str) -> dict[str, Any]:
    """Loss and perplexity of a language model on a text."""
    import numpy as np

    import fastnet
    from fastnet.cli.chars import read
    from fastnet.metrics import Perplexity
    from fastnet.text import Tokens
    try:
        ids = tokenizer.encode(read([path]), parse_special=False)
    except ValueError as error:
        raise Refused(f"--data {path}: {error}") from None
    if len(ids) < 2:
        raise Refused(f"--data {path}: the text has {len(ids)} tokens, too few to predict one from another")
    metric, block = Perplexity(), min(getattr(model, "config", {}).get("block_size", 256), len(ids) - 1)
    with fastnet.no_grad():
        for x, y in Tokens(np.array(ids, np.int32)).sequential(block, 16):
            metric.update_loss(model.loss(x, y).item(), y.numel())
    return {"tokens": metric.count, "loss": metric.total / metric.count, "perplexity": metric.compute()}
