"""What a recipe for a language model has more than others: windows of tokens, masked ones for Bert, and what the Trainer is given."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.cli.recipe.kinds import COUNT, SHARE, TEXTS, one_of
from fastnet.cli.refused import Refused
from fastnet.utils.data import Dataset

MODELS = ("GPT", "LSTMLanguageModel", "Bert")
KEYS = {"text": {"files": TEXTS, "tokenizer": one_of("char", "bpe"), "vocab_size": COUNT, "block": COUNT, "validation": SHARE}}
DEFAULTS: dict[str, dict[str, Any]] = {"text": {"files": [], "tokenizer": "char", "vocab_size": 1000, "block": 128, "validation": 0.1}}
MASK = "<mask>"


class OnWindows(Dataset[tuple[Any, Any]]):
    """Windows of tokens side by side, which begin elsewhere in each epoch: (tokens, the next ones), or masked ones and what was there.

    Args:
        tokens: `fastnet.text.Tokens`.
        block: tokens in a window.
        seed: of the beginnings and the masks.
        mask: the number of the mask and of all tokens; None: nothing is masked.
        moving: whether the beginning changes with the epoch.
    """

    def __init__(self, tokens: Any, block: int, seed: int = 0, mask: tuple[int, int] | None = None, moving: bool = False) -> None:
        from fastnet.transforms import TokenMasking
        self.tokens, self.block, self.seed, self.moving, self.epoch, self.offset = tokens, block, seed, moving, 0, 0
        self.mask = None if mask is None else TokenMasking(*mask)
        self.count = (len(tokens) - 1) // block - moving
        if self.count < 1:
            raise Refused(f"[data] block: a text of {len(tokens)} tokens has too few windows of {block}; shorter ones, or a longer text")

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0 on, whose windows are given from now on."""
        from fastnet.transforms.draws import Draws
        self.epoch, self.offset = epoch, int(Draws((self.seed, epoch, 0), 1).below(self.block)[0]) if self.moving else 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -self.count <= index < self.count:
            raise IndexError(f"OnWindows: index {index} is out of range for {self.count} windows")
        x, y = self.getbatch([index])
        return x[0], y[0]

    def getbatch(self, indices: Any) -> list[Any]:
        """Windows as two tensors, int64 (N, block)."""
        at = np.asarray(indices, np.int64) % self.count
        x, y = self.tokens._gather(at * self.block + self.offset, self.block)
        if self.mask is None:
            return [x, y]
        return list(self.mask(x, key=(self.seed, self.epoch, at)))


class LanguageStep:
    """A batch loss for `Trainer`: fused with the last layer in training, with logits for the metrics elsewhere."""

    def __call__(self, model: Any, batch: Any) -> tuple[Any, Any, Any]:
        """The mean loss over the tokens, logits (N, T, V) and targets (N, T)."""
        x, y = batch
        if model.training and hasattr(model, "loss"):
            return model.loss(x, y), None, None
        logits = model(x)
        logits = logits[0] if isinstance(logits, tuple) else logits
        return fn.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten()), logits, y


def is_text(tree: dict[str, Any]) -> bool:
    """Whether [data] is a text."""
    return tree["data"]["name"] in KEYS


def check(tree: dict[str, Any]) -> None:
    """Refuse a language model for other data, a text for other models, and sections that have no meaning for it."""
    name = tree["model"]["name"]
    if ":" not in name and (name in MODELS) != is_text(tree) and ":" not in tree["data"]["name"]:
        which = f"is a text: {', '.join(MODELS)} learn from it" if is_text(tree) else "is no text; [data] name = \"text\" is one"
        raise Refused(f"[model] name: {name} does not go with [data] {tree['data']['name']}, which {which}")
    if is_text(tree):
        if tree.get("transforms"):
            raise Refused("[transforms]: a text has none")
        if tree.get("loss", {}).get("name", "CrossEntropyLoss") != "CrossEntropyLoss" or len(tree.get("loss", {})) > 1:
            raise Refused("[loss]: that of a language model is CrossEntropyLoss, without arguments")


def load(data: dict[str, Any], seed: int) -> Any:
    """The tokens of the files, or without files of Python's help topics, to train on and to validate."""
    from fastnet.cli.chars import read
    from fastnet.cli.recipe.sources import Data
    text = read(data["files"])
    if not text:
        raise Refused("[data] files: the text is empty")
    return Data(text, None, [], {"kind": "text"})


def prepared(tree: dict[str, Any], found: Any, measured: bool) -> None:
    """The text of `found` as windows of tokens; the tokenizer goes into the facts."""
    from fastnet.text import BPETokenizer, CharTokenizer, Tokens
    data, special = tree["data"], [MASK] if tree["model"]["name"] == "Bert" else []
    tokenizer: Any = (CharTokenizer.train(found.train, special_tokens=special) if data["tokenizer"] == "char" else
                      BPETokenizer.train(found.train, data["vocab_size"], special_tokens=special))
    ids = np.array(tokenizer.encode(found.train, parse_special=False), np.int32)
    mask = (tokenizer.special_tokens[MASK], tokenizer.vocab_size) if special else None
    train, held = Tokens(ids).split(data["validation"])
    found.train = OnWindows(train, data["block"], tree["seed"], mask, moving=not measured)
    found.validation = OnWindows(held, data["block"], tree["seed"], mask)
    found.facts = {**found.facts, "shape": [data["block"]], "classes": [], "tokenizer": tokenizer.to_dict(),
                   "vocab_size": tokenizer.vocab_size}


def other(trained: Any, path: str) -> OnWindows:
    """The windows of another text, in the tokens of a run."""
    from fastnet.cli.chars import read
    from fastnet.text import Tokenizer, Tokens
    tokenizer, tree = Tokenizer.from_dict(trained.facts["tokenizer"]), trained.tree
    try:
        ids = tokenizer.encode(read([path]), parse_special=False)
    except ValueError as error:
        raise Refused(f"--data {path}: {error}") from None
    special = getattr(tokenizer, "special_tokens", {})
    mask = (special[MASK], tokenizer.vocab_size) if MASK in special else None
    return OnWindows(Tokens(np.array(ids, np.int32)), tree["data"]["block"], tree["seed"], mask)


def told(facts: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a model that the text tells."""
    return {"vocab_size": facts["vocab_size"], "block_size": facts["shape"][0], "max_position_embeddings": facts["shape"][0]}


def fill(tree: dict[str, Any]) -> None:
    """The usual loss and metric."""
    tree.setdefault("loss", {"name": "CrossEntropyLoss"})
    tree.setdefault("metrics", {"perplexity": {"name": "Perplexity"}})


def save(tree: dict[str, Any], model: Any, facts: dict[str, Any], out: Path) -> bool:
    """Write model.fnet, which `fastnet generate` reads; False for a model that it could not read."""
    from fastnet.models import save_checkpoint
    from fastnet.text import Tokenizer
    if tree["model"]["name"] not in MODELS:
        return False
    save_checkpoint(out / "model.fnet", model, Tokenizer.from_dict(facts["tokenizer"]))
    return True
