"""`fastnet train chars`: a small GPT on any text, that says what it has learned as it learns."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import fastnet
from fastnet.cli.steps import StepProgress, fit, write_records
from fastnet.cli.recipe.folder import held
from fastnet.cli.refused import Refused

LOOK = 100_000                                            # tokens of the validation text that are looked at each time


def run(args: argparse.Namespace) -> None:
    """Train, show samples, write the checkpoint."""
    with held(args.out or "runs/chars") as out:
        learn(args, out)


def learn(args: argparse.Namespace, out: Path) -> None:
    """The same, into a folder that is held."""
    from fastnet.metrics import Perplexity
    from fastnet.models import GPT, save_checkpoint
    text = read(args.files)
    tokenizer = tokenizer_for(text, args)
    train, validation = tokens_of(text, tokenizer, args)
    fastnet.set_num_threads(args.threads or fastnet.get_num_threads())
    fastnet.manual_seed(args.seed)
    try:
        model = GPT(tokenizer.vocab_size, args.block, args.layers, args.heads, args.width, args.dropout, position=args.position)
    except ValueError as error:
        raise Refused(f"{error}; --width, --heads, --layers and --block set them") from None
    prompt = tokenizer.encode(args.prompt) if args.prompt else train.ids[:1].tolist()
    print(f"{len(text):,} characters, {len(train):,} tokens to train on and {len(validation):,} to validate, of {tokenizer.vocab_size:,} "
          f"kinds; {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)

    def look(progress: StepProgress, record: dict[str, float]) -> None:
        metric = Perplexity()
        for x, y in validation.sequential(args.block, 64):
            metric.update_loss(model.loss(x, y).item(), y.numel())
            if metric.count >= LOOK:
                break
        record["validation_loss"] = metric.total / metric.count
        record["perplexity"] = metric.compute()
        lines = [f"step {record['step']:{len(str(args.steps))}}/{args.steps}  loss {record['train_loss']:.4f}  "
                 f"validation loss {record['validation_loss']:.4f}  perplexity {record['perplexity']:.2f}  "
                 f"{record['tokens_per_second']:,.0f} tokens/s"]
        if args.sample:
            ids = model.generate(prompt, args.sample, temperature=0.8, seed=args.seed)
            lines += ["  | " + line for line in tokenizer.decode(ids).strip("\n").split("\n")]
        progress.tell("\n".join(lines))
        save_checkpoint(out / "model.fnet", model, tokenizer)
    records = fit(model, model.loss, train.batches(args.block, args.batch_size, args.seed), args, look)
    last = records[-1]
    write_records(out, args, records, f"chars: validation loss {last['validation_loss']:.3f}")
    print(f"validation loss {last['validation_loss']:.4f}, perplexity {last['perplexity']:.2f} after {args.steps} steps in "
          f"{last['seconds']:.1f} s")
    print(f"wrote model.fnet, log.json, curve.csv and loss.svg to {out}; fastnet generate {out / 'model.fnet'} goes on with a prompt")


def read(files: list[str]) -> str:
    """The texts of the files, one after the other; without files, the help topics of Python."""
    try:
        if not files:
            from fastnet.datasets import python_topics
            return python_topics()
        return "\n".join(open(name, encoding="utf-8").read() for name in files)
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None)
        raise Refused(str(error) if name else f"a file is not UTF-8 text: {error}") from None


def tokenizer_for(text: str, args: argparse.Namespace) -> Any:
    """A tokenizer that knows the text."""
    from fastnet.text import BPETokenizer, CharTokenizer
    if not text:
        raise Refused("the text is empty")
    try:
        tokenizer = CharTokenizer.train(text) if args.tokenizer == "char" else BPETokenizer.train(text, args.vocab_size)
        tokenizer.encode(args.prompt)
    except ValueError as error:
        raise Refused(str(error)) from None
    return tokenizer


def tokens_of(text: str, tokenizer: Any, args: argparse.Namespace) -> tuple[Any, Any]:
    """The tokens of the first nine tenths of the text, and of the rest."""
    from fastnet.text import Tokens
    train, validation = Tokens(np.array(tokenizer.encode(text, parse_special=False), np.int32)).split(0.1)
    if len(train) <= args.block or len(validation) < 2:
        raise Refused(f"the text has {len(train) + len(validation)} tokens, too few for windows of --block {args.block}")
    return train, validation
