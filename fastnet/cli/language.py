"""The options of the commands for text: `fastnet train chars`, `fastnet train translate`, `fastnet generate`."""
from __future__ import annotations

import argparse
from typing import Any

from fastnet.cli.options import natural, positive, seed, share

JOBS = {"chars": "a small GPT on any text", "translate": "an encoder-decoder Transformer on sentence pairs"}


def parser(job: str) -> argparse.ArgumentParser:
    """The parser for the words after `fastnet train JOB`."""
    top = argparse.ArgumentParser(f"fastnet train {job}", description=f"Train {JOBS[job]}.",
                                  formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = top.add_argument
    if job == "chars":
        add("files", metavar="FILE", nargs="*", help="texts in UTF-8; without any, Python's help topics, 0.5 MB of English")
        add("--tokenizer", choices=("char", "bpe"), default="char", help="a token is a character, or a group of bytes")
        add("--vocab-size", type=positive(int), default=1024, metavar="N", help="kinds of tokens of bpe")
        add("--block", type=positive(int), default=64, metavar="N", help="tokens that the model sees at once")
        add("--batch-size", type=positive(int), default=12, metavar="N", help="windows in one step")
        add("--position", choices=("learned", "rotary"), default="learned", help="how positions are told")
        add("--prompt", default="", metavar="TEXT", help="what samples begin with (default: the text's first token)")
        add("--sample", type=natural, default=200, metavar="N", help="tokens of the samples; 0: none")
        own: dict[str, Any] = {"steps": 3000, "every": 500, "lr": 2e-3, "layers": 4, "heads": 4, "width": 128, "dropout": 0.0}
    else:
        add("pairs", metavar="PAIRS.tsv", help="a pair a line: source, tab, target; UTF-8")
        add("--vocab-size", type=positive(int), default=4000, metavar="N", help="kinds of tokens, of both languages together")
        add("--max-length", type=positive(int), default=64, metavar="N", help="pairs with more tokens on a side are left out")
        add("--batch-tokens", type=positive(int), default=1500, metavar="N", help="tokens in one step, source and target together")
        add("--validation", type=positive(int), default=500, metavar="N", help="pairs to validate on, at most a tenth")
        add("--label-smoothing", type=share, default=0.1, metavar="X", help="share of probability that is not asked of the right token")
        add("--beam", type=positive(int), default=4, metavar="N", help="beginnings that the final search follows")
        add("--sample", type=natural, default=3, metavar="N", help="translations that are shown as it learns; 0: none")
        own = {"steps": 3000, "every": 500, "lr": 2e-3, "layers": 2, "heads": 4, "width": 128, "dropout": 0.1}
    add("--layers", type=positive(int), default=own["layers"], metavar="N", help="layers" + (" of each side" if job == "translate" else ""))
    add("--heads", type=positive(int), default=own["heads"], metavar="N", help="heads of attention")
    add("--width", type=positive(int), default=own["width"], metavar="N", help="size of the vectors")
    add("--dropout", type=share, default=own["dropout"], metavar="X", help="probability of a zero")
    add("--steps", type=positive(int), default=own["steps"], metavar="N", help="batches that are learned from")
    add("--every", type=positive(int), default=own["every"], metavar="N", help="steps between two looks at the validation data")
    add("--lr", type=positive(float), default=own["lr"], metavar="X", help="highest learning rate; it rises to it and falls")
    add("--weight-decay", type=share, default=0.1, metavar="X", help="of AdamW, for matrices")
    add("--seed", type=seed, default=0, metavar="N", help="same seed, same weights, on any number of threads")
    add("--threads", type=positive(int), metavar="N", help="threads (default: all)")
    add("--out", metavar="DIR", help=f"folder for model.fnet, log.json, curve.csv and loss.svg (default: runs/{job})")
    top.set_defaults(command=f"train {job}", run=run_chars if job == "chars" else run_translate)
    return top


def add_generate(commands: Any) -> None:
    """Add the command `generate`."""
    about = "go on with a prompt, or translate it, with what `train chars` or `train translate` wrote"
    command = commands.add_parser("generate", help=about, description=f"{about[0].upper()}{about[1:]}.",
                                  formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = command.add_argument
    add("checkpoint", metavar="CHECKPOINT", help="such as runs/chars/model.fnet")
    add("--prompt", default="\n", metavar="TEXT", help="what it goes on with; - reads standard input")
    add("--max-new-tokens", type=natural, default=300, metavar="N", help="tokens that are added, or of a translation at most")
    add("--temperature", type=float, default=0.8, metavar="X", help="less makes likely tokens likelier; 0 always takes the likeliest")
    add("--top-k", type=positive(int), metavar="N", help="choose from the N likeliest tokens")
    add("--top-p", type=positive(float), metavar="X", help="choose from the likeliest tokens that together have probability X")
    add("--seed", type=seed, default=0, metavar="N", help="same seed, same text")
    command.set_defaults(run=run_generate)


def run_chars(args: argparse.Namespace) -> None:
    """`fastnet train chars`; what it needs is imported when it runs, as for the others."""
    from fastnet.cli import chars
    chars.run(args)


def run_translate(args: argparse.Namespace) -> None:
    """`fastnet train translate`."""
    from fastnet.cli import translate
    translate.run(args)


def run_generate(args: argparse.Namespace) -> None:
    """`fastnet generate`."""
    from fastnet.cli import generate
    generate.run(args)
