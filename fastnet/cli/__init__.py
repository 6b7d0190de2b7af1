"""The command line: `fastnet info` and `fastnet train`."""
from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from fastnet.cli import info, train


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
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except train.Refused as error:
        print(f"fastnet {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser("fastnet", description="Neural networks on CPUs.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("info", help="print version, instruction set, threads and OpenMP runtimes")
    command.set_defaults(run=info.run)
    command = commands.add_parser("train", help="train a network on a data set that ships with fastnet",
                                  formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    command.add_argument("dataset", metavar="DATASET", help=f"one of: {', '.join(train.DATASETS)}")
    command.add_argument("--epochs", type=positive(int), default=30, metavar="N", help="passes over the training images")
    command.add_argument("--batch-size", type=positive(int), default=32, metavar="N", help="images in one step")
    command.add_argument("--lr", type=positive(float), default=2e-3, metavar="X", help="learning rate of Adam; it falls along a cosine")
    command.add_argument("--seed", type=seed, default=0, metavar="N", help="same seed, same weights, on any number of threads")
    command.add_argument("--threads", type=positive(int), default=1, metavar="N", help="threads; steps this small gain nothing from more")
    command.add_argument("--out", default="runs/digits", metavar="DIR",
                         help="folder for weights.fnet, log.json and loss.svg, made if it is not there; an earlier run's are replaced")
    command.set_defaults(run=train.run)
    return top


def positive(kind: type):
    """A converter for argparse: a finite number above zero."""
    def convert(text: str):
        value = kind(text)
        if not value > 0 or math.isinf(value):
            raise argparse.ArgumentTypeError(f"must be above zero, got {text}")
        return value
    convert.__name__ = kind.__name__                      # argparse names it where the text is no number at all
    return convert


def seed(text: str) -> int:
    """A converter for argparse: a whole number from 0 to 2**63 - 1."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 2**63 - 1, got {text}")
    return value
