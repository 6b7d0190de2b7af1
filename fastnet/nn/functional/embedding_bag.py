"""embedding_bag: sums, means or maxima of rows of a table, without keeping the rows."""
from __future__ import annotations

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.ops.index_select import embedding


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, list[int]]:
    """All indices in one row, and how many each bag has."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(f"embedding_bag: offsets must be None for an input of two axes, {tuple(input.shape)}")
        return input.reshape(-1), [input.shape[1]] * input.shape[0]
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ValueError(f"embedding_bag: input must be (bags, N), or (N,) with offsets (bags,), got input {tuple(input.shape)} and "
                         f"offsets {None if offsets is None else tuple(offsets.shape)}")
    starts = [int(i) for i in offsets.tolist()]
    if include_last_offset and not starts:
        raise ValueError("embedding_bag: with include_last_offset, offsets must have at least one element")
    ends = starts[1:] if include_last_offset else [*starts[1:], input.shape[0]]
    sizes = [end - start for start, end in zip(starts, ends)]
    if starts and (starts[0] != 0 or min(sizes, default=0) < 0 or sum(sizes) > input.shape[0]):
        raise ValueError(f"embedding_bag: offsets must begin with 0 and not fall or pass {input.shape[0]}, got {starts}")
    return input[:sum(sizes)], sizes


def embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
                  scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, per_sample_weights: Tensor | None = None,
                  include_last_offset: bool = False, padding_idx: int | None = None) -> Tensor:
    """Sums, means or maxima of rows of a table: one result for each bag of indices.

    Args:
        input: (bags, N) indices, or (N,) with offsets.
        weight: the table, (rows, features).
        offsets: (bags,): where each bag begins in input.
        max_norm: rows with a larger norm are scaled down to it, in the table, when they are used.
        norm_type: p of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times that input holds it; not with mode "max".
        sparse: weight's ``.grad`` is a `SparseTensor` of the rows that input holds; not with mode "max" or scale_grad_by_freq.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors of the rows, shaped as input; only for "sum".
        include_last_offset: offsets has one more element, the end.
        padding_idx: indices that are left out.

    Returns:
        (bags, features); zeros for an empty bag.

    Raises:
        ValueError: arguments do not fit.

    >>> import fastnet as fn
    >>> table = fn.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> fn.nn.functional.embedding_bag(fn.tensor([0, 1, 2, 2]), table, fn.tensor([0, 2]), mode="sum")
    tensor([[ 4.,  6.],
            [10., 12.]])
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        raise ValueError("embedding_bag: mode 'max' is not supported with scale_grad_by_freq or sparse")
    if per_sample_weights is not None and (mode != "sum" or per_sample_weights.shape != input.shape):
        raise ValueError(f"embedding_bag: per_sample_weights are for mode 'sum' and shaped as input {tuple(input.shape)}, got mode "
                         f"{mode!r} and {tuple(per_sample_weights.shape)}")
    rows, sizes = _bags(input, offsets, include_last_offset)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    bag = fn.arange(len(sizes)).repeat_interleave(fn.tensor(sizes, dtype=fn.int64)) if sizes else fn.zeros(0, dtype=fn.int64)
    if padding_idx is not None:
        kept = rows != (padding_idx + weight.shape[0] if padding_idx < 0 else padding_idx)
        rows, bag, factors = rows[kept], bag[kept], None if factors is None else factors[kept]
    taken = embedding(rows, weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    if factors is not None:
        taken = taken * factors.unsqueeze(1)
    features, counts = weight.shape[1], fn.zeros(len(sizes), dtype=weight.dtype).index_add(0, bag, fn.ones(bag.shape, dtype=weight.dtype))
    if mode == "max":
        if not sizes or not bag.numel():
            return fn.zeros(len(sizes), features, dtype=weight.dtype)
        place = fn.arange(bag.shape[0]) - (counts.cumsum(0) - counts).long()[bag]
        padded = fn.full((len(sizes), int(counts.max().item()), features), -float("inf"), dtype=weight.dtype)
        padded[bag, place] = taken
        return fn.where((counts > 0).unsqueeze(1), padded.max(1).values, 0.0)
    total = fn.zeros(len(sizes), features, dtype=weight.dtype).index_add(0, bag, taken)
    return total if mode == "sum" else total / counts.clamp(min=1).unsqueeze(1)
