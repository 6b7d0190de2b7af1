"""`fastnet generate`: a trained model goes on with a prompt, or translates it."""
from __future__ import annotations

import argparse
import sys

from fastnet.cli.refused import Refused


def run(args: argparse.Namespace) -> None:
    """Print the prompt and what comes after it, token by token; a translator prints the translation."""
    from fastnet.models import GPT, LSTMLanguageModel, Seq2Seq, load_checkpoint
    from fastnet.serialization import DamagedFile
    try:
        model, tokenizer = load_checkpoint(args.checkpoint)
    except (OSError, ValueError, DamagedFile) as error:
        raise Refused(str(error)) from None
    prompt = sys.stdin.read() if args.prompt == "-" else args.prompt
    try:
        if isinstance(model, Seq2Seq):
            from fastnet.cli.translate import translate
            for found in translate(model, tokenizer, prompt.splitlines(), args.max_new_tokens, 4):
                print(found)
        elif isinstance(model, (GPT, LSTMLanguageModel)):
            going_on(model, tokenizer, prompt, args)
        else:
            raise Refused(f"{args.checkpoint} holds a {type(model).__name__}, which does not write text")
    except (ValueError, IndexError) as error:
        raise Refused(f"--prompt: {error}") from None


def going_on(model, tokenizer, prompt: str, args: argparse.Namespace) -> None:
    """Print tokens as they come; bytes that are not yet a character wait for the next token."""
    ids = tokenizer.encode(prompt)
    print(tokenizer.decode(ids), end="", flush=True)
    before, done = 0, len(ids)                            # what is printed ends at `done`; a decoder may need the token before it
    for token in model.stream(ids, args.max_new_tokens, args.temperature, args.top_k, args.top_p, args.seed):
        ids.append(int(token[0]))
        text = tokenizer.decode(ids[before:])
        if not text.endswith("\ufffd") or len(ids) - done > 3:
            print(text[len(tokenizer.decode(ids[before:done])):], end="", flush=True)
            before, done = done, len(ids)
    print(tokenizer.decode(ids[before:])[len(tokenizer.decode(ids[before:done])):])
