"""Sequences of different lengths: padded, packed, and back."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import fastnet as fn
from fastnet._core.tensor import Tensor


class PackedSequence(NamedTuple):
    """Sequences without padding, step by step; made by `pack_padded_sequence` and `pack_sequence`.

    data: (sum of lengths, ...): the first elements of all sequences, then the second ones of those that have one, ...
    batch_sizes: how many sequences have each step.
    sorted_indices, unsorted_indices: the order by length, and back; None: they came sorted.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


def _lengths(op: str, lengths: Tensor | Sequence[int]) -> list[int]:
    numbers = [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    if not numbers or min(numbers) <= 0:
        raise RuntimeError(f"{op}: lengths must be positive, got {numbers}")
    return numbers


def pack_padded_sequence(input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Leave the padding out.

    Args:
        input: (T, N, ...), or (N, T, ...) with batch_first.
        lengths: of the N sequences, at most T.
        batch_first: the order of input's axes.
        enforce_sorted: the lengths never grow; False: they are sorted here, and the result remembers the order.

    Raises:
        RuntimeError: lengths do not fit, or are not sorted.

    >>> import fastnet as fn
    >>> fn.nn.utils.rnn.pack_padded_sequence(fn.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    if input.ndim < 2:
        raise RuntimeError(f"pack_padded_sequence: input must have at least 2 axes, got {tuple(input.shape)}")
    steps = input.transpose(0, 1) if batch_first else input
    sizes = _lengths("pack_padded_sequence", lengths)
    if len(sizes) != steps.shape[1] or max(sizes) > steps.shape[0]:
        raise RuntimeError(f"pack_padded_sequence: lengths {sizes} do not fit {steps.shape[1]} sequences of at most {steps.shape[0]} steps")
    order = back = None
    if not enforce_sorted:
        by_length = sorted(range(len(sizes)), key=lambda i: -sizes[i])
        order = fn.tensor(by_length)
        back = fn.tensor(sorted(range(len(sizes)), key=by_length.__getitem__))
        sizes = [sizes[i] for i in by_length]
        steps = steps.index_select(1, order)
    elif any(a < b for a, b in zip(sizes, sizes[1:])):
        raise RuntimeError(f"pack_padded_sequence: lengths {sizes} must not grow where enforce_sorted is True")
    counts = [sum(n > t for n in sizes) for t in range(sizes[0])]
    data = fn.cat([steps[t, :n] for t, n in enumerate(counts)], 0)
    return PackedSequence(data, fn.tensor(counts), order, back)


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Tensor, Tensor]:
    """The inverse of `pack_padded_sequence`.

    Args:
        sequence: what to pad.
        batch_first: return (N, T, ...), not (T, N, ...).
        padding_value: what the padding holds.
        total_length: T; default: the longest length.

    Returns:
        The padded tensor, and the lengths.

    Raises:
        ValueError: total_length is too short.

    >>> import fastnet as fn
    >>> packed = fn.nn.utils.rnn.pack_sequence([fn.tensor([1, 2, 3]), fn.tensor([4])])
    >>> fn.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 0, 0]]), tensor([3, 1]))
    """
    counts = [int(n) for n in sequence.batch_sizes.tolist()]
    longest = len(counts) if total_length is None else total_length
    if longest < len(counts):
        raise ValueError(f"pad_packed_sequence: total_length {total_length} is shorter than the longest sequence, {len(counts)}")
    n, rest, steps, at = counts[0], sequence.data.shape[1:], [], 0
    for count in counts:
        step = sequence.data[at:at + count]
        if count < n:
            step = fn.cat((step, fn.full((n - count, *rest), padding_value, dtype=step.dtype)), 0)
        steps.append(step)
        at += count
    steps += [fn.full((n, *rest), padding_value, dtype=sequence.data.dtype)] * (longest - len(counts))
    padded = fn.stack(steps, 0)
    lengths = fn.tensor([sum(i < count for count in counts) for i in range(n)])
    if sequence.unsorted_indices is not None:
        padded, lengths = padded.index_select(1, sequence.unsorted_indices), lengths[sequence.unsorted_indices]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def pad_sequence(sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right") -> Tensor:
    """Sequences (T_i, ...) as one tensor (T, N, ...), or (N, T, ...) with batch_first.

    Args:
        sequences: tensors that agree in all axes but the first.
        batch_first: the order of axes of the result.
        padding_value: what the padding holds.
        padding_side: "right" or "left".

    >>> import fastnet as fn
    >>> fn.nn.utils.rnn.pad_sequence([fn.tensor([1, 2]), fn.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', got {padding_side!r}")
    rows = list(sequences)
    if not rows:
        raise RuntimeError("pad_sequence: there must be at least one sequence")
    longest = max(r.shape[0] for r in rows)
    padded = []
    for r in rows:
        parts = [r, fn.full((longest - r.shape[0], *r.shape[1:]), padding_value, dtype=r.dtype)]
        padded.append(fn.cat(parts if padding_side == "right" else parts[::-1], 0) if r.shape[0] < longest else r)
    return fn.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False) -> list[Tensor]:
    """The inverse of `pad_sequence`.

    >>> import fastnet as fn
    >>> fn.nn.utils.rnn.unpad_sequence(fn.tensor([[1, 2], [3, 0]]), [2, 1], batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:n] for row, n in zip(rows, _lengths("unpad_sequence", lengths))]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (T_i, ...) without padding.

    >>> import fastnet as fn
    >>> fn.nn.utils.rnn.pack_sequence([fn.tensor([1, 2, 3]), fn.tensor([4])]).batch_sizes
    tensor([2, 1, 1])
    """
    rows = list(sequences)
    return pack_padded_sequence(pad_sequence(rows), [r.shape[0] for r in rows], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The inverse of `pack_sequence`.

    >>> import fastnet as fn
    >>> fn.nn.utils.rnn.unpack_sequence(fn.nn.utils.rnn.pack_sequence([fn.tensor([1, 2, 3]), fn.tensor([4])]))
    [tensor([1, 2, 3]), tensor([4])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
