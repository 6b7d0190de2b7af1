"""CharTokenizer: each character is a token."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastnet.text.tokenizer import Tokenizer, each_text


class CharTokenizer(Tokenizer):
    """Each character (Unicode code point) is a token; decoding gives the text back exactly.

    Ids: the special tokens first, in the order given, then the characters in the order given.

    Args:
        characters: the characters of the vocabulary, each once.
        special_tokens: names of tokens that stand for no character, such as ``"<pad>"``; none by default.
        unk_token: the one of them that a character outside the vocabulary becomes; None (the default) refuses such characters.

    Raises: ValueError for characters that come twice or are no single characters, or an unk_token that is no special token.

    >>> from fastnet.text import CharTokenizer
    >>> tokenizer = CharTokenizer.train("hello world", special_tokens=["<pad>"])
    >>> tokenizer.encode("hero")
    [4, 3, 7, 6]
    >>> tokenizer.decode([4, 3, 7, 6, 0]), tokenizer.vocab_size
    ('hero<pad>', 9)
    """

    kind = "char"

    def __init__(self, characters: Iterable[str], special_tokens: Iterable[str] = (), unk_token: str | None = None) -> None:
        characters = list(characters)
        for c in characters:
            if not isinstance(c, str) or len(c) != 1:
                raise ValueError(f"CharTokenizer: characters must be single characters, got {c!r}")
        self._set_special(special_tokens, 0)
        first = len(self.special_tokens)
        self._ids = {c: first + i for i, c in enumerate(characters)}
        if len(self._ids) < len(characters):
            raise ValueError(f"CharTokenizer: character {next(c for c in characters if characters.count(c) > 1)!r} is given twice")
        clash = next((name for name in self.special_tokens if name in self._ids), None)
        if clash is not None:
            raise ValueError(f"CharTokenizer: {clash!r} is a character and a special token")
        if unk_token is not None and unk_token not in self.special_tokens:
            raise ValueError(f"CharTokenizer: unk_token {unk_token!r} is none of the special tokens {list(self.special_tokens)}")
        self.unk_token = unk_token
        self._tokens = [*self.special_tokens, *characters]

    @classmethod
    def train(cls, texts: str | Iterable[str], special_tokens: Iterable[str] = (), unk_token: str | None = None) -> CharTokenizer:
        """The tokenizer of the characters that occur in texts, in the order of their code points.

        Args:
            texts: a text, or an iterable of texts.
            special_tokens, unk_token: see the class.
        """
        found: set[str] = set()
        for text in each_text(texts, "CharTokenizer.train"):
            found.update(text)
        special_tokens = [special_tokens] if isinstance(special_tokens, str) else list(special_tokens)
        return cls(sorted(found - set(special_tokens)), special_tokens, unk_token)

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        return len(self._tokens)

    def _encode(self, text: str) -> list[int]:
        if self.unk_token is not None:
            unknown, get = self.special_tokens[self.unk_token], self._ids.get
            return [get(c, unknown) for c in text]
        try:
            return list(map(self._ids.__getitem__, text))
        except KeyError as error:
            c = error.args[0]
            raise ValueError(f"CharTokenizer.encode: character {c!r} (U+{ord(c):04X}) at position {text.index(c)} is not in the "
                             "vocabulary; train with it, or give an unk_token") from None

    def _decode(self, ids: list[int]) -> str:
        return "".join(map(self._tokens.__getitem__, ids))

    def _state(self) -> dict[str, Any]:
        return {"special_tokens": list(self.special_tokens), "unk_token": self.unk_token, "characters": list(self._ids)}

    @classmethod
    def _restore(cls, state: dict[str, Any]) -> CharTokenizer:
        return cls(state["characters"], state["special_tokens"], state["unk_token"])
