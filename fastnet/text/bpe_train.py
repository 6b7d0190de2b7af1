"""Training byte-pair merges: counts of pairs kept up to date merge by merge, the most frequent one from a heap."""
from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping

Pair = tuple[int, int]


def learn(pieces: Mapping[bytes, int], merges: int, min_count: int) -> list[Pair]:
    """The merges of byte-pair encoding (Gage 1994; Sennrich, Haddow, Birch 2016): again and again, the most frequent pair of neighbours.

    Among equally frequent pairs the one with the smaller ids is taken, so the result depends on the counts alone. A merge touches only
    the pieces in which its pair occurs: the time is about that of the changes, not merges times text.

    Args:
        pieces: how often each piece of text occurs.
        merges: stop after so many.
        min_count: stop when no pair occurs so often.

    Returns: pairs of ids; 0 to 255 are the bytes, 256 + i is what merge i makes.
    """
    words = [list(piece) for piece in pieces]
    weights = list(pieces.values())
    counts: defaultdict[Pair, int] = defaultdict(int)
    places: defaultdict[Pair, set[int]] = defaultdict(set)       # pieces that have or once had the pair
    for at, (word, weight) in enumerate(zip(words, weights)):
        for pair in zip(word, word[1:]):
            counts[pair] += weight
            places[pair].add(at)
    heap = [(-n, pair) for pair, n in counts.items()]
    heapq.heapify(heap)

    learned: list[Pair] = []
    while heap and len(learned) < merges:
        n, pair = heapq.heappop(heap)
        now = counts.get(pair, 0)
        if now != -n:                                     # counts only fall after a pair was pushed
            if now > 0:
                heapq.heappush(heap, (-now, pair))
            continue
        if now < min_count:
            break
        made = 256 + len(learned)
        learned.append(pair)
        born: set[Pair] = set()
        for at in places.pop(pair):
            words[at] = _merge(words[at], pair, made, at, weights[at], counts, places, born)
        del counts[pair]
        for new in born:
            if counts[new] > 0:
                heapq.heappush(heap, (-counts[new], new))
    return learned


def _merge(word: list[int], pair: Pair, made: int, at: int, weight: int, counts: defaultdict[Pair, int],
           places: defaultdict[Pair, set[int]], born: set[Pair]) -> list[int]:
    """The word after the merge; counts follow. Where two merges touch, the second takes back what the first one counted."""
    a, b = pair
    out: list[int] = []
    i, last = 0, len(word) - 1
    while i <= last:
        if i < last and word[i] == a and word[i + 1] == b:
            if out:
                counts[out[-1], a] -= weight
                new = (out[-1], made)
                counts[new] += weight
                places[new].add(at)
                born.add(new)
            i += 2
            if i <= last:
                counts[b, word[i]] -= weight
                new = (made, word[i])
                counts[new] += weight
                places[new].add(at)
                born.add(new)
            out.append(made)
        else:
            out.append(word[i])
            i += 1
    return out
