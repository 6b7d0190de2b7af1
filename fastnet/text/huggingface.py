"""HuggingFaceTokenizer: a `tokenizer.json` of Hugging Face, read by their package `tokenizers` (an extra)."""
from __future__ import annotations

import os
from typing import Any

from fastnet.text.tokenizer import Tokenizer


def _library() -> Any:
    try:
        import tokenizers  # type: ignore[import-not-found]
    except ImportError:
        raise ImportError("HuggingFaceTokenizer needs the package tokenizers: pip install tokenizers") from None
    return tokenizers


class HuggingFaceTokenizer(Tokenizer):
    """A tokenizer of Hugging Face behind the interface of fastnet's own.

    Args:
        path: a `tokenizer.json`.

    Raises: ImportError if the package `tokenizers` is not installed; FileNotFoundError; ValueError for a file that it cannot read.
    """

    kind = "huggingface"

    def __init__(self, path: str | os.PathLike) -> None:
        library = _library()
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        self._begin(library, text, os.fspath(path))

    def _begin(self, library: Any, text: str, source: str) -> None:
        try:
            self._tokenizer = library.Tokenizer.from_str(text)
        except Exception as error:                        # the library raises plain Exception
            raise ValueError(f"HuggingFaceTokenizer: {source} cannot be read: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        added = sorted(self._tokenizer.get_added_tokens_decoder().items())
        self.special_tokens = {token.content: i for i, token in added if token.special}
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        self._size = max(vocabulary.values(), default=-1) + 1
        self._split = None

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id."""
        return self._size

    def encode(self, text: str, *, parse_special: bool = True, add_special_tokens: bool = False) -> list[int]:
        """The ids of a text.

        Args:
            text: any text.
            parse_special: must be True: the package always looks for special tokens in a text.
            add_special_tokens: also put those around it that the file's post-processor names, such as ``[CLS]`` and ``[SEP]``.

        Raises: TypeError if text is no str; ValueError for parse_special=False.
        """
        if not isinstance(text, str):
            raise TypeError(f"HuggingFaceTokenizer.encode: text must be str, got {type(text).__name__}")
        if not parse_special:
            raise ValueError("HuggingFaceTokenizer.encode: parse_special=False is not supported by the package tokenizers")
        return self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def _decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=False)

    def _state(self) -> dict[str, Any]:
        return {"json": self._tokenizer.to_str()}

    @classmethod
    def _restore(cls, state: dict[str, Any]) -> HuggingFaceTokenizer:
        made = cls.__new__(cls)
        made._begin(_library(), state["json"], "the description")
        return made
