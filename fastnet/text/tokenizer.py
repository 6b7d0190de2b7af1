"""Tokenizer: what all tokenizers have in common: special tokens, checks, and saving as JSON."""
from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any, ClassVar

FORMAT = 1                                                # of the JSON files; a reader refuses what is newer


class Tokenizer:
    """Text to numbers and back. The base of all tokenizers; use one of them, or `load_tokenizer` for a file of any of them.

    Attributes:
        special_tokens: name of each special token, such as ``"<pad>"``, to its id, in the order of the ids.
        vocab_size: how many ids there are, special tokens included; all ids lie in [0, vocab_size).
    """

    kind: ClassVar[str] = ""                              # the word for the class in files
    special_tokens: dict[str, int]
    _kinds: ClassVar[dict[str, type[Tokenizer]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Tokenizer._kinds[cls.kind] = cls

    def _set_special(self, names: Iterable[str], first: int) -> None:
        """Number the special tokens from `first` on."""
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            if not isinstance(name, str) or not name:
                raise ValueError(f"{type(self).__name__}: special tokens must be text that is not empty, got {name!r}")
            if names.count(name) > 1:
                raise ValueError(f"{type(self).__name__}: special token {name!r} is given twice")
        self.special_tokens = {name: first + i for i, name in enumerate(names)}
        longest_first = sorted(names, key=len, reverse=True)
        self._split = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")").split if names else None

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        raise TypeError(f"{type(self).__name__} does not define vocab_size")

    def __len__(self) -> int:
        return self.vocab_size

    def encode(self, text: str, *, parse_special: bool = True) -> list[int]:
        """The ids of a text.

        Args:
            text: any text, also empty.
            parse_special: where the name of a special token stands in the text, give its id. False treats it as other text, which
                is the safe way with text from strangers.

        Raises: TypeError if text is no str; ValueError for what the vocabulary lacks, if there is no token for the unknown.
        """
        if not isinstance(text, str):
            raise TypeError(f"{type(self).__name__}.encode: text must be str, got {type(text).__name__}")
        if not parse_special or self._split is None:
            return self._encode(text)
        ids: list[int] = []
        for i, piece in enumerate(self._split(text)):     # ordinary text and special tokens in turn
            if i % 2:
                ids.append(self.special_tokens[piece])
            elif piece:
                ids += self._encode(piece)
        return ids

    def decode(self, ids: Any, *, skip_special_tokens: bool = False) -> str:
        """The text of ids.

        Args:
            ids: ints in [0, vocab_size): a list, an array or a tensor with one axis.
            skip_special_tokens: leave special tokens out instead of writing their names.

        Raises: TypeError for what is no int; ValueError for an id outside the vocabulary, with its position.
        """
        return self._decode(self._checked(ids, skip_special_tokens))

    def _checked(self, ids: Any, skip: bool = False) -> list[int]:
        ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)
        n = self.vocab_size
        for i, value in enumerate(ids):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{type(self).__name__}.decode: ids must be a flat sequence of ints, got {value!r} at position {i}")
            if not 0 <= value < n:
                raise ValueError(f"{type(self).__name__}.decode: id {value} at position {i} is outside the vocabulary of {n}")
        if skip and self.special_tokens:
            left_out = set(self.special_tokens.values())
            return [value for value in ids if value not in left_out]
        return ids

    def _encode(self, text: str) -> list[int]:
        raise TypeError(f"{type(self).__name__} does not define _encode")

    def _decode(self, ids: list[int]) -> str:
        raise TypeError(f"{type(self).__name__} does not define _decode")

    def to_dict(self) -> dict[str, Any]:
        """The whole tokenizer as a tree of dicts, lists, text and numbers: for JSON, or to lie in a checkpoint beside its model."""
        return {"fastnet_tokenizer": FORMAT, "kind": self.kind, **self._state()}

    def _state(self) -> dict[str, Any]:
        raise TypeError(f"{type(self).__name__} does not define _state")

    @classmethod
    def _restore(cls, state: dict[str, Any]) -> Tokenizer:
        raise TypeError(f"{cls.__name__} does not define _restore")

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> Tokenizer:
        """The tokenizer that `to_dict` described.

        Raises: ValueError if the tree describes none, or one of another class than this one.
        """
        kind = tree.get("kind") if isinstance(tree, dict) else None
        if not isinstance(tree, dict) or "fastnet_tokenizer" not in tree or kind not in Tokenizer._kinds:
            raise ValueError(f"{cls.__name__}.from_dict: this is no tokenizer of fastnet")
        written = tree["fastnet_tokenizer"]
        if written != FORMAT:
            raise ValueError(f"{cls.__name__}.from_dict: format {written} is not known; this fastnet reads format {FORMAT}")
        owner = Tokenizer._kinds[kind]
        if not issubclass(owner, cls):
            raise ValueError(f"{cls.__name__}.from_dict: this is a {owner.__name__}")
        try:
            return owner._restore(tree)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{owner.__name__}.from_dict: the description is damaged: {error!r}") from None

    def save(self, path: str | os.PathLike) -> None:
        """Write the tokenizer to a JSON file; a file that is there is replaced in one step."""
        path = os.path.realpath(os.fspath(path))
        temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
        try:
            with open(temporary, "x", encoding="ascii") as file:
                json.dump(self.to_dict(), file)
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike) -> Tokenizer:
        """The tokenizer in a file that `save` wrote.

        Raises: FileNotFoundError; ValueError, with the path, for another file, or one of another class of tokenizers.
        """
        try:
            return cls.from_dict(read_json(path, cls.__name__))
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size}, special_tokens={list(self.special_tokens)})"


def read_json(path: str | os.PathLike, reader: str) -> Any:
    """The tree in a JSON file; ValueError if it holds none."""
    with open(path, encoding="utf-8") as file:
        try:
            return json.load(file)
        except ValueError as error:                       # also bytes that are no UTF-8
            raise ValueError(f"{reader}: this is no JSON file: {error}") from None


def each_text(texts: str | Iterable[str], reader: str) -> Iterable[str]:
    """The texts to train on: one str, or an iterable of them."""
    for text in [texts] if isinstance(texts, str) else texts:
        if not isinstance(text, str):
            raise TypeError(f"{reader}: texts must be str or an iterable of str, got an item of type {type(text).__name__}")
        yield text
