"""Refused: the error of the command line that is told in one line, without a traceback."""
from __future__ import annotations


class Refused(Exception):
    """A request that cannot be carried out; the message says what to change."""
