"""Beam search: the likeliest sequences of a model that gives the next token's logits."""
from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor

Step = Callable[[Tensor, Optional[Tensor]], Tensor]


def beam_search(step: Step, count: int, bos: int, eos: int, never: int | None, max_length: int, beam: int,
                length_penalty: float) -> list[list[int]]:
    """Follow the `beam` likeliest beginnings of each sequence, token by token.

    Args:
        step: called with all ids so far (count * beam, T) and, from the second call on, which row each of them was before; gives logits
            (count * beam, V) of the next token. The beams of a sequence are rows that follow each other.
        count: sequences.
        bos, eos: tokens at which a sequence begins and ends.
        never: a token that is never taken, such as padding, or None.
        max_length: tokens at most, eos not counted.
        beam: beginnings a sequence; 1 is greedy search.
        length_penalty: what ended is compared by log p / ((5 + length) / 6)**length_penalty, with eos in length; 0: by log p.

    Returns: the best ids of each sequence, without bos and eos. What has not ended at max_length is compared with the rest.

    >>> import fastnet as fn
    >>> from fastnet.models.beam import beam_search
    >>> follows = fn.tensor([[0.0, 0, 0, 0], [0, 0, 0, 9], [0, 0, 0, 0], [0, 0, 9, 1]])      # logits: after 1 comes 3, then 2
    >>> beam_search(lambda ids, rows: follows[ids[:, -1]], 1, bos=1, eos=2, never=0, max_length=5, beam=2, length_penalty=0.6)
    [[3]]
    """
    ids = np.full((count, beam, 1), bos, np.int64)
    scores = np.full((count, beam), -np.inf)
    scores[:, 0] = 0.0                                    # the beams begin alike: only the first one counts
    ended: list[list[tuple[float, list[int]]]] = [[] for _ in range(count)]
    rows: Tensor | None = None

    def final(score: float, length: int) -> float:
        return score / ((5 + length) / 6) ** length_penalty
    for length in range(1, max_length + 1):
        logits = step(fn.from_numpy(ids.reshape(count * beam, -1)), rows).numpy().astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        logp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        if never is not None:
            logp[:, never] = -np.inf
        v = logp.shape[1]
        total = (scores[:, :, None] + logp.reshape(count, beam, v)).reshape(count, beam * v)
        wide = min(2 * beam, beam * v)                    # eos ends at most one candidate a beam, so that `beam` others are left
        best = np.argpartition(-total, wide - 1, axis=1)[:, :wide]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(total, best, 1), axis=1, kind="stable"), 1)
        origin = np.tile(np.arange(beam), (count, 1))
        tokens = np.full((count, beam), eos, np.int64)
        after = np.full((count, beam), -np.inf)
        for i in range(count):
            place = 0
            for rank, candidate in enumerate(best[i]):
                score, (b, token) = total[i, candidate], divmod(int(candidate), v)
                if score == -np.inf or place == beam:
                    break
                if token != eos:
                    origin[i, place], tokens[i, place], after[i, place] = b, token, score
                    place += 1
                elif rank < beam:
                    ended[i].append((final(score, length), ids[i, b, 1:].tolist()))
            if len(ended[i]) >= beam:
                after[i] = -np.inf                        # done: nothing of it is followed on
        ids = np.concatenate([np.take_along_axis(ids, origin[:, :, None], 1), tokens[:, :, None]], 2)
        scores = after
        if (scores == -np.inf).all():
            break
        rows = fn.from_numpy((origin + np.arange(count)[:, None] * beam).reshape(-1))
    for i in range(count):
        ended[i] += [(final(s, max_length), ids[i, b, 1:].tolist()) for b, s in enumerate(scores[i]) if s > -np.inf]
    return [max(found, key=lambda e: e[0])[1] if found else [] for found in ended]
