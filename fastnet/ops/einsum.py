"""einsum: any sum of products, named by its indices; pairs of operands become batched matrix products."""
from __future__ import annotations

from typing import Any

from fastnet._core.tensor import Tensor
from fastnet.ops.matmul import matmul

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of the products of operands over the indices that the result does not have.

    Args:
        equation: indices of each operand, separated by commas, optionally ``->`` and those of the result; "..." stands for any number of
            axes, which broadcast. Without "->" the result has "..." and the indices that occur once, in alphabetical order.
            Or: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, numbers in place of letters.
        operands: the tensors, or one sequence of them.

    Raises:
        RuntimeError: indices and shapes do not fit.
        ValueError: the equation is malformed.

    >>> import fastnet
    >>> fastnet.einsum("ij,kj->ik", fastnet.ones(2, 3), fastnet.ones(4, 3)).shape
    fastnet.Size([2, 4])
    """
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    for i, x in enumerate(operands):
        if not isinstance(x, Tensor):
            raise TypeError(f"einsum: operand {i} must be a Tensor, got {type(x).__name__}")
    terms, result = _parse(equation, operands)
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands):
        for label, n in zip(term, x.shape):
            if sizes.setdefault(label, n) != n:
                if 1 not in (sizes[label], n):
                    raise RuntimeError(f"einsum: index {label!r} of {equation!r} is {sizes[label]} and {n}")
                sizes[label] = max(sizes[label], n) if 0 not in (sizes[label], n) else 0
    work = [_distinct(x, term) for x, term in zip(operands, terms)]
    x, term = work[0]
    for i, (y, other) in enumerate(work[1:], 1):
        later = set(result).union(*(t for _, t in work[i + 1:]))
        x, term = _pair(x, term, y, other, later)
    x, term = _sum_out(x, term, set(result))
    if term != result:
        x = x.permute([term.index(label) for label in result])
    return x


def _from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    def letters(indices: Any) -> str:
        return "".join("..." if i is Ellipsis else _LETTERS[i] for i in indices)
    operands, lists = args[0:len(args) - len(args) % 2:2], args[1::2]
    equation = ",".join(map(letters, lists))
    return (f"{equation}->{letters(args[-1])}" if len(args) % 2 else equation), operands


def _parse(equation: str, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result; the axes of "..." get digits, counted from the last."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, {len(operands)} were given")
    longest = 0
    for i, (term, x) in enumerate(zip(terms, operands)):
        named = term.replace("...", "", 1)
        if not all(c in _LETTERS for c in named):
            raise ValueError(f"einsum: {term!r} in {equation!r} has something else than letters and one '...'")
        extra = x.ndim - len(named)
        if extra < 0 or (extra and "..." not in term):
            raise RuntimeError(f"einsum: {term!r} in {equation!r} does not fit operand {i} of shape {tuple(x.shape)}")
        terms[i] = term.replace("...", "".join(map(str, range(extra - 1, -1, -1))), 1)
        longest = max(longest, extra)
    dots = "".join(map(str, range(longest - 1, -1, -1)))
    every = "".join(terms)
    once = "".join(sorted(c for c in set(every) if c.isalpha() and every.count(c) == 1))
    result = right.replace("...", dots, 1) if arrow else dots + once
    if len(set(result)) < len(result) or any(c not in every for c in result):
        raise ValueError(f"einsum: the result {right!r} of {equation!r} repeats an index or has one that no operand has")
    return terms, result


def _distinct(x: Tensor, term: str) -> tuple[Tensor, str]:
    """An index that occurs twice in one operand means its diagonal."""
    for label in term:
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            x = x.diagonal(0, first, second)
            term = term[:first] + term[first + 1:second] + term[second + 1:] + label
    return x, term


def _sum_out(x: Tensor, term: str, keep: set[str]) -> tuple[Tensor, str]:
    gone = [i for i, label in enumerate(term) if label not in keep]
    if not gone:
        return x, term
    return x.sum(gone), "".join(label for label in term if label in keep)


def _pair(a: Tensor, ta: str, b: Tensor, tb: str, keep: set[str]) -> tuple[Tensor, str]:
    """a.b over the indices that are not kept, as one batched matrix product."""
    b, tb = _drop_ones(b, tb, ta)
    a, ta = _drop_ones(a, ta, tb)
    a, ta = _sum_out(a, ta, keep | set(tb))
    b, tb = _sum_out(b, tb, keep | set(ta))
    batch = [c for c in ta if c in tb and c in keep]
    over = [c for c in ta if c in tb and c not in keep]
    rows, columns = [c for c in ta if c not in tb], [c for c in tb if c not in ta]

    def arrange(x: Tensor, term: str, *groups: list[str]) -> Tensor:
        x = x.permute([term.index(c) for group in groups for c in group])
        at = len(groups[0])
        shape = list(x.shape[:at])
        for group in groups[1:]:
            size = 1
            for n in x.shape[at:at + len(group)]:
                size *= n
            shape.append(size)
            at += len(group)
        return x.reshape(shape)

    y = matmul(arrange(a, ta, batch, rows, over), arrange(b, tb, batch, over, columns))
    size_a, size_b = dict(zip(ta, a.shape)), dict(zip(tb, b.shape))
    return y.reshape([size_a[c] for c in batch + rows] + [size_b[c] for c in columns]), "".join(batch + rows + columns)


def _drop_ones(x: Tensor, term: str, other: str) -> tuple[Tensor, str]:
    """An axis of 1 whose index the other operand has too adds nothing: it would only be broadcast."""
    for axis in range(len(term) - 1, -1, -1):
        if term[axis] in other and x.shape[axis] == 1:
            x, term = x.squeeze(axis), term[:axis] + term[axis + 1:]
    return x, term
