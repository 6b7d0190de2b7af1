"""Average precision of detections as the YOLO repositories report it: no crowds, no sizes, an area under the interpolated curve."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.metrics.box_matching import group, pairs
from fastnet.metrics.detections import Piece

GRID = np.linspace(0.0, 1.0, 101)


def average_precision(hit: np.ndarray, boxes: int) -> float:
    """Area under precision over recall of one class at one threshold.

    Precision is made falling from the right, joined by straight lines, read at 101 recalls, and integrated by trapezia; beyond the greatest
    recall it is 0.

    Args:
        hit: bools, one per detection, best score first.
        boxes: how many there are to find.
    """
    if not len(hit):
        return 0.0
    found = np.cumsum(hit)
    recall, precision = found / boxes, found / np.arange(1, len(hit) + 1)
    x = np.concatenate(([0.0], recall, [recall[-1], 1.0]))
    y = np.maximum.accumulate(np.concatenate(([1.0], precision, [0.0, 0.0]))[::-1])[::-1]
    values = np.interp(GRID, x, y)
    return float((values[1:] + values[:-1]).sum() / (2 * (len(GRID) - 1)))


def evaluate(piece: Piece, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision per class.

    A detection stands for the box of its image and class that it overlaps most; at each threshold a box goes to the best score of those
    that stand for it, and the others are wrong, even where they overlap a second box.

    Returns: the classes (K,), and precision (K, T); -1 for classes of which there is no box.
    """
    groups = group(piece, None)
    p = pairs(piece, groups, float(thresholds.min()), False)
    order = np.lexsort((-p.g, p.iou, p.d))
    last = order[np.flatnonzero(np.diff(p.d[order], append=-1))]     # of each detection: its greatest overlap; of equal ones the first
    d, g, iou = p.d[last], p.g[last], p.iou[last]
    hit = np.zeros((len(groups.found), len(thresholds)), bool)
    first = np.zeros(len(groups.there), np.int64)
    for t, threshold in enumerate(thresholds):
        over = np.flatnonzero(iou >= threshold)[::-1]
        first[g[over]] = d[over]                                                 # the last assignment stays: the best score
        hit[d[over], t] = first[g[over]] == d[over]
    ranked = np.lexsort((-piece.found.score[groups.found], groups.d_class))
    hit = hit[ranked]
    starts = np.searchsorted(groups.d_class[ranked], np.arange(len(groups.classes) + 1))
    boxes = np.bincount(groups.g_class, minlength=len(groups.classes))
    precision = -np.ones((len(groups.classes), len(thresholds)))
    for k in np.flatnonzero(boxes):
        for t in range(len(thresholds)):
            precision[k, t] = average_precision(hit[starts[k]:starts[k + 1], t], int(boxes[k]))
    return groups.classes, precision


def summary(piece: Piece, thresholds: np.ndarray) -> dict[str, Any]:
    """The means over the classes that have boxes, and the values per class."""
    classes, precision = evaluate(piece, thresholds)
    defined = precision[:, 0] > -1 if len(classes) else np.zeros(0, bool)

    def mean(values: np.ndarray) -> float:
        return float(values.mean()) if values.size else -1.0

    result: dict[str, Any] = {"map": mean(precision[defined])}
    for name, at in (("map_50", 0.5), ("map_75", 0.75)):
        result[name] = mean(precision[defined][:, np.isclose(thresholds, at)])
    result["classes"] = classes
    result["map_per_class"] = precision.mean(1)
    result["map_50_per_class"] = np.array([mean(row) for row in precision[:, np.isclose(thresholds, 0.5)]])
    return result
