"""WordTokenizer: words and punctuation marks are tokens; the rest of the world is unknown."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from fastnet.text.tokenizer import Tokenizer, each_text

# letters, digits and underscores, with apostrophes and hyphens inside; or any other mark alone
_WORDS = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]").findall
_TIGHT_BEFORE = re.compile(r"\s+([.,;:!?%)\]}’”»…])")     # decoding puts no space before these
_TIGHT_AFTER = re.compile(r"([(\[{‘“«])\s+")              # nor after these


class WordTokenizer(Tokenizer):
    """The most frequent words are tokens; what is not among them becomes the unknown token.

    Text is cut into words (letters, digits and underscores; apostrophes and hyphens inside belong to the word) and single punctuation
    marks. Decoding joins them with spaces and sets punctuation as English does: it gives a readable text, not always the same spaces.
    Ids: the special tokens first, in the order given, then the words in the order given.

    Args:
        words: the words of the vocabulary, each once.
        special_tokens: names of special tokens; ``["<unk>"]`` by default.
        unk_token: the one of them that other words become, ``"<unk>"`` by default; None refuses other words.
        lowercase: turn texts into lower case first.

    Raises: ValueError for words that come twice, or an unk_token that is no special token.

    >>> from fastnet.text import WordTokenizer
    >>> tokenizer = WordTokenizer.train("The cat sat on the mat. The end.", lowercase=True)
    >>> tokenizer.encode("the dog sat.")
    [1, 0, 7, 2]
    >>> tokenizer.decode([1, 0, 7, 2])
    'the <unk> sat.'
    """

    kind = "word"

    def __init__(self, words: Iterable[str], special_tokens: Iterable[str] = ("<unk>",), unk_token: str | None = "<unk>",
                 lowercase: bool = False) -> None:
        self._set_special(special_tokens, 0)
        if unk_token is not None and unk_token not in self.special_tokens:
            raise ValueError(f"WordTokenizer: unk_token {unk_token!r} is none of the special tokens {list(self.special_tokens)}")
        self.unk_token, self.lowercase = unk_token, bool(lowercase)
        words = list(words)
        self._ids: dict[str, int] = {}
        for i, word in enumerate(words, len(self.special_tokens)):
            if not isinstance(word, str) or not word:
                raise ValueError(f"WordTokenizer: words must be text that is not empty, got {word!r}")
            if word in self.special_tokens or self._ids.setdefault(word, i) != i:
                raise ValueError(f"WordTokenizer: {word!r} is given twice")
        self._tokens = [*self.special_tokens, *words]

    @classmethod
    def train(cls, texts: str | Iterable[str], vocab_size: int | None = None, min_count: int = 1,
              special_tokens: Iterable[str] = ("<unk>",), unk_token: str | None = "<unk>", lowercase: bool = False) -> WordTokenizer:
        """The tokenizer of the most frequent words of texts; among equally frequent ones, those first in the alphabet.

        Args:
            texts: a text, or an iterable of texts.
            vocab_size: at most so many ids, special tokens included; None takes all words.
            min_count: leave out words that occur less often.
            special_tokens, unk_token, lowercase: see the class.
        """
        special_tokens = [special_tokens] if isinstance(special_tokens, str) else list(special_tokens)
        counts: Counter[str] = Counter()
        for text in each_text(texts, "WordTokenizer.train"):
            counts.update(_WORDS(text.lower() if lowercase else text))
        for name in special_tokens:
            counts.pop(name, None)
        words = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        if vocab_size is not None:
            if vocab_size < len(special_tokens):
                raise ValueError(f"WordTokenizer.train: vocab_size {vocab_size} has no room for {len(special_tokens)} special tokens")
            words = words[:vocab_size - len(special_tokens)]
        return cls(words, special_tokens, unk_token, lowercase)

    @property
    def vocab_size(self) -> int:
        """How many ids there are, special tokens included."""
        return len(self._tokens)

    def _encode(self, text: str) -> list[int]:
        words = _WORDS(text.lower() if self.lowercase else text)
        if self.unk_token is not None:
            unknown, get = self.special_tokens[self.unk_token], self._ids.get
            return [get(word, unknown) for word in words]
        try:
            return list(map(self._ids.__getitem__, words))
        except KeyError as error:
            raise ValueError(f"WordTokenizer.encode: {error.args[0]!r} is not in the vocabulary, and there is no unk_token") from None

    def _decode(self, ids: list[int]) -> str:
        text = " ".join(map(self._tokens.__getitem__, ids))
        return _TIGHT_AFTER.sub(r"\1", _TIGHT_BEFORE.sub(r"\1", text))

    def _state(self) -> dict[str, Any]:
        return {"special_tokens": list(self.special_tokens), "unk_token": self.unk_token, "lowercase": self.lowercase,
                "words": list(self._ids)}

    @classmethod
    def _restore(cls, state: dict[str, Any]) -> WordTokenizer:
        return cls(state["words"], state["special_tokens"], state["unk_token"], state["lowercase"])
