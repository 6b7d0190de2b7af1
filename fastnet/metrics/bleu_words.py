"""How BLEU cuts a sentence into words: the rules of NIST's mteval-v13a, or characters, or spaces alone."""
from __future__ import annotations

import re
from collections.abc import Callable

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_RULES = (
    (re.compile(r"([!-&(-+:-@/\[-`{-~])"), r" \1 "),      # ASCII punctuation apart from ' , - . : a word of its own
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),           # full stop and comma, unless digits are on both sides
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),               # a hyphen after a digit
)


def words_13a(text: str) -> list[str]:
    """The words by the rules of mteval-v13a (international texts: the language-independent part), sacrebleu's default.

    >>> from fastnet.metrics.bleu_words import words_13a
    >>> words_13a("It's 3.5%, he said (twice).")
    ["It's", '3.5', '%', ',', 'he', 'said', '(', 'twice', ')', '.']
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, mark in _ENTITIES:
        text = text.replace(entity, mark)
    text = f" {text} "
    for pattern, spaced in _RULES:
        text = pattern.sub(spaced, text)
    return text.split()


def characters(text: str) -> list[str]:
    """Each character but spaces is a word: for Chinese and Japanese."""
    return [c for c in text if not c.isspace()]


WORDS: dict[str, Callable[[str], list[str]]] = {"13a": words_13a, "char": characters, "none": str.split}
