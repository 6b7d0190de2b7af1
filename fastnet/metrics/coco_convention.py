"""Average precision and recall of detections as COCO defines them: 101 recalls, three sizes, crowds; equal to pycocotools' COCOeval."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.metrics.box_matching import group, match, pairs
from fastnet.metrics.detections import Piece

AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
RECALLS = np.linspace(0.0, 1.0, 101)


def evaluate(piece: Piece, thresholds: np.ndarray, most: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision at the 101 recalls and greatest recall.

    Args:
        piece: all images.
        thresholds: T overlaps from which on a detection has found a box.
        most: M numbers of detections per image and class, rising.

    Returns: the classes (K,); precision (T, 101, K, 4) with the most detections; recall (T, K, 4, M); the fourth axis are `AREAS`. -1 for
    classes of which no box counts.
    """
    groups = group(piece, most[-1])
    crowd, area = piece.there.crowd[groups.there], piece.there.area[groups.there]
    low, high = np.array(list(AREAS.values())).T
    ignored = crowd[:, None] | (area[:, None] < low) | (area[:, None] > high)
    m = match(pairs(piece, groups, min(thresholds.min(), 1 - 1e-10), True), groups, thresholds, ignored, crowd)
    size = piece.found.box[groups.found]
    size = size[:, 2] * size[:, 3]
    outside = (size[:, None] < low) | (size[:, None] > high)

    k_count = len(groups.classes)
    order = np.lexsort((-piece.found.score[groups.found], groups.d_class))       # of all images together, by class and score
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    by_place = np.argsort(place[m.d], kind="stable")
    where, matched, hidden = place[m.d][by_place], m.matched[by_place], m.ignored[by_place]
    out, rank = outside[m.d][by_place], groups.rank[m.d][by_place]
    hit = matched & ~hidden
    shown_before = np.cumsum(~outside[order], axis=0, dtype=np.int32)            # detections that would count if none were matched
    changed = (hit & out[:, :, None]).astype(np.int8) - (matched & hidden & ~out[:, :, None])      # +1: counts after all; -1: does not
    wanted = np.zeros((k_count, len(AREAS)), np.int64)
    np.add.at(wanted, groups.g_class, ~ignored)
    starts = np.searchsorted(groups.d_class[order], np.arange(k_count + 1))
    parts = np.searchsorted(where, starts)

    precision = -np.ones((len(thresholds), len(RECALLS), k_count, len(AREAS)))
    recall = -np.ones((len(thresholds), k_count, len(AREAS), len(most)))
    for k in range(k_count):
        rows = slice(parts[k], parts[k + 1])
        earlier = shown_before[starts[k] - 1] if starts[k] else np.zeros(len(AREAS), np.int32)
        found = np.cumsum(hit[rows], axis=0, dtype=np.int32)
        shown = (shown_before[where[rows]] - earlier)[:, :, None] + np.cumsum(changed[rows], axis=0, dtype=np.int32)
        curve = np.zeros((wanted[k].max() + 1, *hit.shape[1:]))                  # by number of boxes found
        row, a, t = np.nonzero(hit[rows])
        curve[found[row, a, t], a, t] = found[row, a, t] / (shown[row, a, t] + np.spacing(1))
        curve = np.maximum.accumulate(curve[::-1], axis=0)[::-1]                 # the best precision at that recall or a greater one
        for span, n in enumerate(wanted[k]):
            if n:
                needed = np.searchsorted(np.arange(n + 1) / n, RECALLS)
                precision[:, :, k, span] = curve[needed, span].T
                for j, limit in enumerate(most):
                    recall[:, k, span, j] = hit[rows, span][rank[rows] < limit].sum(0) / n
    return groups.classes, precision, recall


def mean(values: np.ndarray) -> float:
    """The mean of what is defined, or -1."""
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0


def summary(piece: Piece, thresholds: np.ndarray, most: tuple[int, ...]) -> dict[str, Any]:
    """The twelve numbers of COCO and the values per class, by torchmetrics' names."""
    classes, precision, recall = evaluate(piece, thresholds, most)
    sizes = list(AREAS)
    result: dict[str, Any] = {"map": mean(precision[..., 0])}
    for name, at in (("map_50", 0.5), ("map_75", 0.75)):
        result[name] = mean(precision[np.isclose(thresholds, at), :, :, 0])
    result |= {f"map_{size}": mean(precision[..., a]) for a, size in enumerate(sizes) if a}
    result |= {f"mar_{n}": mean(recall[:, :, 0, j]) for j, n in enumerate(most)}
    result |= {f"mar_{size}": mean(recall[:, :, a, -1]) for a, size in enumerate(sizes) if a}
    result["classes"] = classes
    result["map_per_class"] = precision[..., 0].mean((0, 1))
    result["map_50_per_class"] = np.array([mean(p) for p in precision[np.isclose(thresholds, 0.5), :, :, 0].transpose(2, 0, 1)])
    result[f"mar_{most[-1]}_per_class"] = recall[:, :, 0, -1].mean(0)
    return result
