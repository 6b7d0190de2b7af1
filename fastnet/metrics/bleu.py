"""BLEU: how much the word groups of translations are those of references."""
from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastnet.metrics.bleu_words import WORDS
from fastnet.metrics.metric import Metric

N = 4                                                     # word groups of one to four words
SMOOTHING = ("exp", "none")


class BLEUParts(NamedTuple):
    """What a BLEU score is made of: `score`, `precisions` of groups of 1 to 4 words in percent, `brevity_penalty`, words of the
    `hypothesis_length` and the `reference_length`."""

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    hypothesis_length: int
    reference_length: int


def _groups(words: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i:i + n]) for n in range(1, N + 1) for i in range(len(words) - n + 1))


class BLEU(Metric):
    """Corpus BLEU-4 (Papineni et al. 2002), from 0 to 100, with the defaults that make scores comparable (sacrebleu; Post 2018).

    ``BLEU = BP * exp(mean of log p_n, n = 1 to 4)``; p_n is the share of the hypotheses' groups of n words that are in their references,
    each group counted at most as often as in the one reference that has it most often; ``BP = min(1, exp(1 - r / c))`` for c words of
    hypotheses and r words of references (of several, the one whose length is closest; of two equally close, the shorter). All counts are
    summed over the corpus before they are divided.

    Args:
        tokenize: ``"13a"`` (the default) cuts words by the rules of mteval-v13a, ``"char"`` takes characters, ``"none"`` cuts at spaces.
        lowercase: compare in lower case; False by default.
        smoothing: ``"exp"`` (the default): the k-th p_n that is zero becomes 1 / (2**k * groups); ``"none"``: it makes the score 0. A
            corpus without any common word, or without any group of 4 words, has score 0 either way.

    Raises: ValueError for another word.

    >>> from fastnet.metrics import BLEU
    >>> bleu = BLEU()
    >>> bleu.update(["The dog bit the man."], ["The dog had bit the man."])
    >>> bleu.update(["It was not surprising."], [["No one was surprised.", "It was not unexpected."]])
    >>> round(bleu.compute(), 2)
    43.59
    """

    sums = ("matches", "totals", "hypothesis_length", "reference_length")
    options = ("tokenize", "lowercase", "smoothing")

    def __init__(self, tokenize: str = "13a", lowercase: bool = False, smoothing: str = "exp") -> None:
        if tokenize not in WORDS:
            raise ValueError(f"BLEU: tokenize must be one of {', '.join(WORDS)}, got {tokenize!r}")
        if smoothing not in SMOOTHING:
            raise ValueError(f"BLEU: smoothing must be one of {', '.join(SMOOTHING)}, got {smoothing!r}")
        self.tokenize, self.lowercase, self.smoothing = tokenize, bool(lowercase), smoothing
        self.reset()

    def reset(self) -> None:
        """Forget all sentences."""
        self.matches, self.totals = np.zeros(N, dtype=np.int64), np.zeros(N, dtype=np.int64)
        self.hypothesis_length = self.reference_length = 0

    def _words(self, text: str) -> list[str]:
        if not isinstance(text, str):
            raise TypeError(f"BLEU.update: sentences must be str, got {type(text).__name__}")
        return WORDS[self.tokenize](text.lower() if self.lowercase else text)

    def update(self, hypotheses: Sequence[str], references: Sequence[str | Sequence[str]]) -> None:  # type: ignore[override]
        """Add sentences.

        Args:
            hypotheses: the translations.
            references: for each of them one sentence, or a list of sentences.

        Raises: TypeError for what is no text; ValueError for unequal numbers, or a hypothesis without a reference. Then nothing is added.
        """
        if isinstance(hypotheses, str) or isinstance(references, str):
            raise TypeError("BLEU.update: hypotheses and references must be lists of sentences, not str")
        if len(hypotheses) != len(references):
            raise ValueError(f"BLEU.update: {len(hypotheses)} hypotheses, but references for {len(references)}")
        matches, totals = np.zeros(N, dtype=np.int64), np.zeros(N, dtype=np.int64)
        said = wanted = 0
        for hypothesis, given in zip(hypotheses, references):
            words = self._words(hypothesis)
            options = [self._words(r) for r in ([given] if isinstance(given, str) else given)]
            if not options:
                raise ValueError("BLEU.update: a hypothesis has no reference")
            allowed: Counter[tuple[str, ...]] = Counter()
            for option in options:
                allowed |= _groups(option)                # the greatest count in any one reference
            for group, count in _groups(words).items():
                totals[len(group) - 1] += count
                matches[len(group) - 1] += min(count, allowed[group])
            said += len(words)
            wanted += min((abs(len(option) - len(words)), len(option)) for option in options)[1]
        self.matches, self.totals = self.matches + matches, self.totals + totals
        self.hypothesis_length += said
        self.reference_length += wanted

    def parts(self) -> BLEUParts:
        """The score over all sentences so far, with what it is made of."""
        c, r = self.hypothesis_length, self.reference_length
        penalty = 1.0 if c >= r else math.exp(1 - r / c) if c else 0.0
        precisions, zeros = [], 0
        for match, total in zip(self.matches.tolist(), self.totals.tolist()):
            if total and not match and self.smoothing == "exp" and self.matches.any():
                zeros += 1
                precisions.append(100 / (2**zeros * total))
            else:
                precisions.append(100 * match / total if total else 0.0)
        score = penalty * math.exp(sum(map(math.log, precisions)) / N) if all(precisions) else 0.0
        return BLEUParts(score, tuple(precisions), penalty, c, r)

    def compute(self) -> float:
        """The score over all sentences so far, from 0 to 100; 0 before the first."""
        return self.parts().score


def bleu(hypotheses: Sequence[str], references: Sequence[str | Sequence[str]], tokenize: str = "13a", lowercase: bool = False,
         smoothing: str = "exp") -> float:
    """Corpus BLEU-4 of translations, from 0 to 100; see `BLEU`.

    Args:
        hypotheses: the translations.
        references: for each of them one sentence, or a list of sentences.
        tokenize, lowercase, smoothing: see `BLEU`.

    >>> from fastnet.metrics import bleu
    >>> round(bleu(["the cat sat on the mat"], ["the cat is on the mat"]), 2)
    37.99
    """
    metric = BLEU(tokenize, lowercase, smoothing)
    metric.update(hypotheses, references)
    return metric.compute()
