"""Sizes that change with the input: several traces of a model become one, in which they are a `Dim`."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from fastnet.onnx.trace import Event, Ref, Trace


@dataclass(frozen=True)
class Dim:
    """A number with another value in each trace."""
    values: tuple


@dataclass(frozen=True)
class Repeated:
    """A tuple of equal elements, whose length is a `Dim`."""
    element: Any
    count: Dim


class Differs(Exception):
    """Two traces are not of one program."""


def merge(values: tuple) -> Any:
    """What several traces have at one place, as one value.

    Raises: Differs.
    """
    first = values[0]
    if isinstance(first, Ref) or first is None or isinstance(first, (bool, str)):
        if any(v != first or type(v) is not type(first) for v in values):
            raise Differs
        return first
    if isinstance(first, (tuple, list)):
        if any(type(v) is not type(first) for v in values):
            raise Differs
        if len({len(v) for v in values}) == 1:
            return type(first)(map(merge, zip(*values))) if type(first) in (tuple, list) else tuple(map(merge, zip(*values)))
        if any(not v or any(x != v[0] for x in v) for v in values):
            raise Differs
        return Repeated(merge(tuple(v[0] for v in values)), Dim(tuple(map(len, values))))
    if isinstance(first, dict):
        if any(v.keys() != first.keys() for v in values):
            raise Differs
        return {key: merge(tuple(v[key] for v in values)) for key in first}
    if isinstance(first, slice):
        return slice(*(merge(tuple(getattr(v, part) for v in values)) for part in ("start", "stop", "step")))
    if isinstance(first, (int, float, np.number)):
        if any(not isinstance(v, (int, float, np.number)) or isinstance(v, bool) for v in values):
            raise Differs
        return first if all(v == first or v != v and first != first for v in values) else Dim(values)
    if isinstance(first, np.ndarray):
        if not all(isinstance(v, np.ndarray) and np.array_equal(v, first) for v in values):
            raise Differs
    return first


def together(traces: list[Trace]) -> list[Event]:
    """The events of the first trace, with a `Dim` wherever a number differs between traces.

    Raises: Differs, with the op at which they part.
    """
    made = []
    for same in zip(*(t.events for t in traces)):
        first = same[0]
        try:
            if any(e.name != first.name or e.outs != first.outs for e in same):
                raise Differs
            args, options = merge(tuple(e.args for e in same)), merge(tuple(e.options for e in same))
        except Differs:
            raise Differs(f"{first.name}{first.where}") from None
        made.append(Event(first.name, args, options, first.outs, first.where))
    if len({len(t.events) for t in traces}) > 1:
        raise Differs("the end")
    return made


def candidates(n: int) -> Iterator[int]:
    """Other sizes for an axis of size n that a model is likely to take: multiples of the power of two in n first, never 1."""
    step = min(n & -n, 64) or 1
    tried = {n, 1, 0}
    for c in (n - step, n - 2 * step, n + step, n + 2 * step, 2 * n, n + 1, n + 2, n - 1, n - 2, n + 32, n - 32, n + 64, n // 2):
        if c > 0 and c not in tried:
            tried.add(c)
            yield c


def resized(array: np.ndarray, sizes: dict[int, int], turn: int) -> np.ndarray:
    """An input of other sizes: its own values, in another order, so that what depends on them is not taken for a constant."""
    flat = array.reshape(-1)
    if flat.size and turn:
        if array.dtype.kind == "f" and (flat == flat[0]).all():
            flat = flat + (0.01 * turn * np.cos(np.arange(flat.size))).astype(array.dtype)
        array = np.roll(flat, turn).reshape(array.shape)
    for axis, size in sizes.items():
        array = np.take(array, range(size), axis, mode="wrap")
    return np.ascontiguousarray(array)


def formula(wanted: Dim, known: list[tuple]) -> tuple[list[int], int, int, int] | None:
    """How a number follows from sizes that a graph can ask for: (k, p, c, q) with wanted = (p * known[k] ... + c) // q.

    Args:
        wanted: an integer in each trace.
        known: sizes of tensors in each trace.

    Returns: one or two places k in known, whose sizes are multiplied, and the numbers; None where none fits.
    """
    v = wanted.values
    if v in known:
        return [known.index(v)], 1, 0, 1
    for terms in _terms(known):
        u = tuple(map(prod, zip(*(known[k] for k in terms))))
        pair = next(((i, j) for i in range(len(u)) for j in range(i) if u[i] != u[j]), None)
        if pair is None:
            continue
        i, j = pair
        slope = Fraction(int(v[i] - v[j]), int(u[i] - u[j]))
        p, q = slope.numerator, slope.denominator
        least = v[0] * q - p * u[0]
        for c in range(least, least + q):
            if all((p * a + c) // q == b for a, b in zip(u, v)):
                return terms, p, c, q
    return None


def _terms(known: list[tuple]) -> Iterator[list[int]]:
    yield from ([k] for k in range(len(known)))
    yield from ([k, m] for k in range(min(len(known), 12)) for m in range(k, min(len(known), 12)))
