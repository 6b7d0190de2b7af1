"""What values of a recipe may be, and how a wrong key or value is told."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fastnet.cli.refused import Refused


@dataclass(frozen=True)
class Kind:
    """A kind of value: what it is in words, and whether a value is of it."""
    words: str
    fits: Callable[[Any], bool]


def number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


TEXT = Kind("a text", lambda v: isinstance(v, str) and bool(v))
FLAG = Kind("true or false", lambda v: isinstance(v, bool))
NATURAL = Kind("a whole number from 0 on", lambda v: type(v) is int and v >= 0)
SEED = Kind("a whole number from 0 to 2**62", lambda v: type(v) is int and 0 <= v <= 2**62)
COUNT = Kind("a whole number above 0", lambda v: type(v) is int and v > 0)
POSITIVE = Kind("a number above 0", lambda v: number(v) and v > 0)
SHARE = Kind("a number between 0 and 1", lambda v: number(v) and 0 < v < 1)
PART = Kind("a number from 0 to 1", lambda v: number(v) and 0 <= v <= 1)
DECAY = Kind("a number from 0 to 1, without 1", lambda v: number(v) and 0 <= v < 1)
DELTA = Kind("a number from 0 on", lambda v: number(v) and v >= 0)
TEXTS = Kind("a list of texts", lambda v: isinstance(v, list) and all(isinstance(x, str) for x in v))
SHARE_OR_PATH = Kind("a number between 0 and 1 (the share that is held back) or a path", lambda v: SHARE.fits(v) or TEXT.fits(v))
TABLE = Kind("a table", lambda v: isinstance(v, dict))


def one_of(*words: str) -> Kind:
    """One of some words."""
    return Kind(f"one of {', '.join(words)}", lambda v: v in words)


def shown(value: Any) -> str:
    """A value as TOML would have it, and what it is.

    >>> from fastnet.cli.recipe.kinds import shown
    >>> shown("3"), shown(True), shown([1])
    ("the text '3'", 'true', '[1]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"the text {value!r}" if isinstance(value, str) else "a table" if isinstance(value, dict) else repr(value)


def closest(word: str, words: Iterable[str]) -> str:
    """Advice for a word that there is not.

    >>> from fastnet.cli.recipe.kinds import closest
    >>> closest("epoch", ["epochs", "steps"])
    "did you mean 'epochs'?"
    """
    words = list(words)
    close = get_close_matches(word, words, 1, 0.5) or get_close_matches(word.lower(), [w.lower() for w in words], 1, 0.5)
    right = next((w for w in words if close and w.lower() == close[0].lower()), None)
    return f"did you mean {right!r}?" if right else f"there is {', '.join(words)}" if words else "there is none"


def check_table(where: str, table: Any, kinds: dict[str, Kind]) -> None:
    """Refuse a table with a key that is not in `kinds`, or a value that is not of its kind.

    >>> from fastnet.cli.recipe.kinds import COUNT, check_table
    >>> check_table("[trainer]", {"epochs": 0}, {"epochs": COUNT})
    Traceback (most recent call last):
    fastnet.cli.refused.Refused: [trainer] epochs: expected a whole number above 0, got 0
    """
    if not isinstance(table, dict):
        raise Refused(f"{where}: expected a table, got {shown(table)}")
    for key, value in table.items():
        if key not in kinds:
            raise Refused(f"{where} {key}: there is no such key; {closest(key, kinds)}")
        if not kinds[key].fits(value):
            raise Refused(f"{where} {key}: expected {kinds[key].words}, got {shown(value)}")
