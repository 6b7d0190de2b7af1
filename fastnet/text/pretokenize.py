"""GPT-2's cut of a text into pieces that byte-pair merges never cross, with Python's own regular expressions."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"   # Unicode's White_Space

_NUMBERS_END = 0x20000                                    # the planes beyond have ideographs, tags and private use, no numbers


def _ranges(codes: list[int]) -> str:
    """Sorted code points as the inside of a character class."""
    parts: list[list[int]] = []
    for code in codes:
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(rf"\U{a:08x}-\U{b:08x}" for a, b in parts)


@cache
def pieces() -> Callable[[str], list[str]]:
    r"""The function that cuts a text; the pieces put together are the text.

    The pattern of GPT-2 (Radford et al. 2019): ``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+``. The `re` of
    Python has no ``\p``, but its ``\w`` is letters, numbers and the underscore, and its ``\d`` the numbers of category Nd; the other
    numbers are looked up in its tables.

    >>> from fastnet.text.pretokenize import pieces
    >>> pieces()("It's 2  o'clock")
    ['It', "'s", ' 2', ' ', ' o', "'", 'clock']
    """
    other = _ranges([i for i in range(_NUMBERS_END) if unicodedata.category(chr(i)) in ("Nl", "No")])
    letter, number, mark = rf"[^\W\d_{other}]", rf"[\d{other}]", rf"(?:[^{_SPACE}\w]|_)"
    return re.compile(rf"'(?:[stmd]|re|ve|ll)| ?{letter}+| ?{number}+| ?{mark}+|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+").findall
