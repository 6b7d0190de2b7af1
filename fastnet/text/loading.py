"""load_tokenizer: the tokenizer in a JSON file, whichever class wrote it."""
from __future__ import annotations

import os

from fastnet.text.huggingface import HuggingFaceTokenizer
from fastnet.text.tokenizer import Tokenizer, read_json


def load_tokenizer(path: str | os.PathLike) -> Tokenizer:
    """The tokenizer in a file that `save` wrote, or in a `tokenizer.json` of Hugging Face.

    Raises: FileNotFoundError; ImportError if the file is Hugging Face's and the package `tokenizers` is not installed; ValueError, with the
    path, for another file.

    >>> from fastnet.text import CharTokenizer, load_tokenizer
    >>> CharTokenizer("abc").save("abc.json")
    >>> load_tokenizer("abc.json")
    CharTokenizer(vocab_size=3, special_tokens=[])
    """
    try:
        tree = read_json(path, "load_tokenizer")
        if isinstance(tree, dict) and "model" in tree and "fastnet_tokenizer" not in tree:
            return HuggingFaceTokenizer(path)
        return Tokenizer.from_dict(tree)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if os.fspath(path) in message else f"{os.fspath(path)}: {message}") from None
