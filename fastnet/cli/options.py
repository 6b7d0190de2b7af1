"""Converters for argparse: numbers in their ranges."""
from __future__ import annotations

import argparse
import math


def positive(kind: type):
    """A converter for argparse: a finite number above zero."""
    def convert(text: str):
        value = kind(text)
        if not value > 0 or math.isinf(value):
            raise argparse.ArgumentTypeError(f"must be above zero, got {text}")
        return value
    convert.__name__ = kind.__name__                      # argparse names it where the text is no number at all
    return convert


def seed(text: str) -> int:
    """A converter for argparse: a whole number from 0 to 2**63 - 1."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 2**63 - 1, got {text}")
    return value


def share(text: str) -> float:
    """A converter for argparse: a number from 0 to 1, without 1."""
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text}")
    return value


def natural(text: str) -> int:
    """A converter for argparse: a whole number from 0 on."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, got {text}")
    return value
