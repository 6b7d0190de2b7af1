"""The command line: `fastnet train`, `evaluate`, `predict`, `resume`, `generate`, `export`, `summary`, `bench` and `info`."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fastnet.cli import benchmark, detect, evaluate, export, info, language, predict, summarize
from fastnet.cli.jobs import DATASETS
from fastnet.cli.options import positive, seed
from fastnet.cli.recipe import command as recipe
from fastnet.cli.refused import Refused
from fastnet.serialization import DamagedFile
from fastnet.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `fastnet`.

    Args:
        argv: the words after `fastnet`; None takes those of the process.

    Returns: the exit code: 0, or 1 for an error that is told on standard error, or 130 after Ctrl-C.

    >>> from fastnet.cli import main
    >>> main(["info"])  # doctest: +ELLIPSIS
    fastnet ...
    0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    # What learns from text has options of its own: its parser takes over after `train NAME`.
    first = words[1] if words[:1] == ["train"] and words[1:2] else ""
    if first == "detect":
        args = detect.parser().parse_args(words[2:])
    elif first in language.JOBS:
        args = language.parser(first).parse_args(words[2:])
    elif first not in DATASETS and words[:1] == ["train"] and any(word.endswith(".toml") for word in words):
        args = recipe.parser().parse_args(words[1:])
    elif not words:
        parser().print_help(sys.stderr)
        return 2
    else:
        args = parser().parse_args(words)
    try:
        args.run(args)
    except BrokenPipeError:                               # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Refused, DamagedFile, OSError, ImportError) as error:
        print(f"fastnet {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print(str(stopped) or "\nstopped", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser("fastnet", description="Neural networks on CPUs.")
    top.add_argument("--version", action="version", version=f"fastnet {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("info", help="print version, instruction set, threads and OpenMP runtimes")
    command.set_defaults(run=info.run)
    command = commands.add_parser("train", help="train by a recipe, or on real pictures, a text, or sentence pairs", epilog=jobs_in_words(),
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("dataset", metavar="DATASET|RECIPE.toml", help=f"one of: {', '.join([*DATASETS, *language.JOBS, 'detect'])}; or a "
                         "RECIPE.toml, which has options of its own: fastnet train RECIPE.toml --help")
    command.add_argument("--model", dest="network", metavar="NAME", help="which network (default: the data set's first below)")
    command.add_argument("--data", metavar="DIR", help="folder of the data set's files, where they are not installed with the system")
    command.add_argument("--epochs", type=positive(int), metavar="N", help="passes over the training images (default: below)")
    command.add_argument("--batch-size", type=positive(int), metavar="N", help="images in one step (default: below)")
    command.add_argument("--lr", type=positive(float), metavar="X", help="highest learning rate (default: below); it rises to it and falls")
    command.add_argument("--seed", type=seed, default=0, metavar="N", help="same seed, same weights, on any number of threads (default: 0)")
    command.add_argument("--threads", type=positive(int), metavar="N", help="threads (default: 1 for digits, whose steps gain nothing from "
                         "more; all for fashion-mnist)")
    command.add_argument("--out", metavar="DIR", help="folder for weights.fnet, log.json, curve.csv and loss.svg, made if it is not "
                         "there; an earlier run's are replaced (default: runs/DATASET-MODEL)")
    command.set_defaults(run=train_job)
    for module in (evaluate, predict):
        module.add(commands)
    recipe.add_resume(commands)
    language.add_generate(commands)
    for module in (export, summarize, benchmark):
        module.add(commands)
    return top


def train_job(args: argparse.Namespace) -> None:
    """`fastnet train digits` and its like; what training needs is imported here, so that other commands begin sooner."""
    from fastnet.cli.train import run
    run(args)


def jobs_in_words() -> str:
    """The networks and their settings, a line each."""
    lines = ["networks, and their settings unless others are given:"]
    for name, data in DATASETS.items():
        for network, job in data.jobs.items():
            settings = f"{job.epochs} epochs, batches of {job.batch_size}, {job.optimizer['name']}, lr {job.lr:g}"
            lines.append(f"  {name:13} --model {network:8}  {job.about}: {settings}")
    lines += ["what learns from text, or finds objects, has options of its own:"]
    lines += [f"  {'fastnet train ' + name + ' --help':35} {about}" for name, about in {**language.JOBS, "detect": detect.ABOUT}.items()]
    return "\n".join(lines)
