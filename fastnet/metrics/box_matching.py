"""Which detection found which box: pairs of one image and class that overlap, and COCO's greedy matching, for all groups at once."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastnet.metrics.detections import Piece


class Groups(NamedTuple):
    """Detections and ground truth by group (image and class), best score first, and how they are numbered.

    `found` and `there` are orders into the piece; `rank` counts the detections of a group; `d_class` and `g_class` number `classes`.
    """

    classes: np.ndarray
    found: np.ndarray
    there: np.ndarray
    d_group: np.ndarray
    g_group: np.ndarray
    d_class: np.ndarray
    g_class: np.ndarray
    rank: np.ndarray


class Pairs(NamedTuple):
    """Detections and boxes of one group that overlap, by detection: positions in `Groups.found`, in `Groups.there`, and the overlap."""

    d: np.ndarray
    g: np.ndarray
    iou: np.ndarray


def group(piece: Piece, most: int | None) -> Groups:
    """Sort by image and class, then by score, ties in the order they came; the `most` best of a group are kept."""
    found, there = piece.found, piece.there
    classes = np.unique(np.concatenate((found.label, there.label)))
    k = max(len(classes), 1)
    d_class, g_class = np.searchsorted(classes, found.label), np.searchsorted(classes, there.label)
    d_group, g_group = found.image * k + d_class, there.image * k + g_class
    d_order, g_order = np.lexsort((-found.score, d_group)), np.argsort(g_group, kind="stable")
    d_group, g_group = d_group[d_order], g_group[g_order]
    first = np.flatnonzero(np.diff(d_group, prepend=-1))
    rank = np.arange(len(d_group)) - first.repeat(np.diff(first, append=len(d_group)))
    if most is not None:
        kept = rank < most
        d_order, d_group, rank = d_order[kept], d_group[kept], rank[kept]
    return Groups(classes, d_order, g_order, d_group, g_group, d_class[d_order], g_class[g_order], rank)


def pairs(piece: Piece, groups: Groups, least: float, crowds: bool) -> Pairs:
    """The pairs that overlap by `least` or more; with `crowds`, overlap with a crowd is the part of the detection inside it."""
    start = np.searchsorted(groups.g_group, groups.d_group, "left")
    count = np.searchsorted(groups.g_group, groups.d_group, "right") - start
    d = np.arange(len(count)).repeat(count)
    g = np.arange(len(d)) - (np.cumsum(count) - count - start).repeat(count)
    a, b = piece.found.box[groups.found], piece.there.box[groups.there]
    a_end, b_end = a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]
    w = np.minimum(a_end[d, 0], b_end[g, 0]) - np.maximum(a[d, 0], b[g, 0])
    h = np.minimum(a_end[d, 1], b_end[g, 1]) - np.maximum(a[d, 1], b[g, 1])
    near = np.flatnonzero((w > 0) & (h > 0))
    d, g, inside = d[near], g[near], w[near] * h[near]
    whole = (a[:, 2] * a[:, 3])[d]
    union = whole + (b[:, 2] * b[:, 3])[g] - inside
    if crowds:
        union = np.where(piece.there.crowd[groups.there][g], whole, union)
    iou = inside / union
    kept = iou >= least
    return Pairs(d[kept], g[kept], iou[kept])


class Matches(NamedTuple):
    """For the detections `d` that overlap anything, (n, areas, thresholds): whether matched, and whether with a box that is ignored."""

    d: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray


def match(p: Pairs, groups: Groups, thresholds: np.ndarray, ignored: np.ndarray, crowd: np.ndarray) -> Matches:
    """COCO's matching: best score first, each detection takes the box it overlaps most, of those that are free.

    A box that counts is preferred to one that is ignored; a crowd is never used up; of equal overlaps the later box is taken. Detections of
    different groups do not meet, so round r treats the r-th detection of all groups at once, for all areas and thresholds.

    Args:
        p: the pairs, `p.iou` at least the smallest threshold.
        groups: as `group` gives them.
        thresholds: of shape (T,).
        ignored: bools of shape (G, A): which boxes do not count, per range of areas.
        crowd: bools of shape (G,).
    """
    order = np.lexsort((p.iou, p.d))                          # the best pair of a detection is its last: a position is a rank
    pd, pg, iou = p.d[order], p.g[order], p.iou[order]
    first = np.flatnonzero(np.diff(pd, prepend=-1))           # of each detection's pairs
    size = np.diff(first, append=len(pd))
    d = pd[first]
    start = np.flatnonzero(np.diff(groups.d_group[d], prepend=-1))
    turn = np.arange(len(d)) - start.repeat(np.diff(start, append=len(d)))
    shape = (len(d), ignored.shape[1], len(thresholds))
    matched, hidden = np.zeros(shape, bool), np.zeros(shape, bool)
    taken = np.zeros((len(crowd), *shape[1:]), bool)
    by_turn = np.argsort(turn, kind="stable")
    ends = np.cumsum(np.bincount(turn))
    limits = np.minimum(thresholds, 1 - 1e-10)
    for begin, end in zip(np.append(0, ends[:-1]), ends):
        rows = by_turn[begin:end]
        n = size[rows]
        at = np.cumsum(n) - n
        pair = np.arange(n.sum()) - (at - first[rows]).repeat(n)
        g = pg[pair]
        free = (iou[pair, None] >= limits)[:, None, :] & ~taken[g]
        counts = np.int32(len(pair)) * ~ignored[g] + np.arange(len(pair), dtype=np.int32)[:, None]
        value = np.where(free, counts[:, :, None], np.int32(-1))
        best = np.maximum.reduceat(value, at, axis=0) if len(rows) < len(pair) else value
        row, a, t = np.nonzero(best >= 0)
        winner = g[best[row, a, t] % len(pair)]
        matched[rows[row], a, t] = True
        hidden[rows[row], a, t] = ignored[winner, a]
        alone = ~crowd[winner]
        taken[winner[alone], a[alone], t[alone]] = True
    return Matches(d, matched, hidden)
