"""A language model and its tokenizers in one file."""
from __future__ import annotations

import os
from typing import Any

import fastnet as fn
from fastnet.models.bert import Bert
from fastnet.models.gpt import GPT
from fastnet.models.lstm import LSTMLanguageModel
from fastnet.models.seq2seq import Seq2Seq
from fastnet.text import Tokenizer

KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Bert, GPT, LSTMLanguageModel, Seq2Seq)}


def save_checkpoint(path: str | os.PathLike, model: Any, tokenizer: Tokenizer) -> None:
    """Write a model of `fastnet.models` for text, with its tokenizer, so that `load_checkpoint` and `fastnet generate` can read it.

    Args:
        path: of the file, which is replaced in one step.
        model: a Bert, GPT, LSTMLanguageModel or Seq2Seq.
        tokenizer: of its texts.

    Raises: TypeError for another model.

    >>> import fastnet as fn
    >>> from fastnet.text import CharTokenizer
    >>> tokenizer = CharTokenizer("abc")
    >>> model = fn.models.GPT(tokenizer.vocab_size, block_size=8, n_layer=1, n_head=1, n_embd=8)
    >>> fn.models.save_checkpoint("abc.fnet", model, tokenizer)
    >>> model, tokenizer = fn.models.load_checkpoint("abc.fnet")
    >>> tokenizer.decode(model.generate(tokenizer.encode("ab"), 0))
    'ab'
    """
    name = type(model).__name__
    if KINDS.get(name) is not type(model):
        raise TypeError(f"save_checkpoint: model must be one of {', '.join(KINDS)}, got {name}")
    fn.save({"fastnet_model": name, "config": model.config, "tokenizer": tokenizer.to_dict(), "state": model.state_dict()}, path)


def load_checkpoint(path: str | os.PathLike) -> tuple[Any, Tokenizer]:
    """The model, in evaluation mode, and the tokenizer that `save_checkpoint` wrote.

    Raises: FileNotFoundError; RuntimeError for a damaged file; ValueError, with the path, for a file of something else.
    """
    tree = fn.load(path)
    if not isinstance(tree, dict) or tree.get("fastnet_model") not in KINDS:
        raise ValueError(f"{os.fspath(path)}: not a checkpoint of a language model, as fastnet.models.save_checkpoint writes them")
    model = KINDS[tree["fastnet_model"]](**tree["config"])
    model.load_state_dict(tree["state"])
    return model.eval(), Tokenizer.from_dict(tree["tokenizer"])
