"""Detections and ground truth of many images as flat arrays, and how `MeanAveragePrecision.update` reads them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastnet.metrics.inputs import array

FORMATS = ("xyxy", "xywh", "cxcywh")


class Detections(NamedTuple):
    """Boxes that were found: `image` (D,) counts from 0, `box` (D, 4) as left, top, width, height in float64, `score`, `label` (D,)."""

    image: np.ndarray
    box: np.ndarray
    score: np.ndarray
    label: np.ndarray


class Truth(NamedTuple):
    """Boxes that are there: `image` (G,), `box` (G, 4) as in `Detections`, `label`, `crowd` (bool), `area` (G,)."""

    image: np.ndarray
    box: np.ndarray
    label: np.ndarray
    crowd: np.ndarray
    area: np.ndarray


class Piece(NamedTuple):
    """Some images: how many, what was found and what is there."""

    images: int
    found: Detections
    there: Truth


def to_xywh(box: np.ndarray, box_format: str) -> np.ndarray:
    """Boxes (n, 4) as left, top, width, height."""
    if box_format == "xywh":
        return box
    out = box.copy()
    if box_format == "xyxy":
        out[:, 2:] -= box[:, :2]
    else:
        out[:, :2] -= box[:, 2:] / 2
    return out


def _column(item: Mapping[str, Any], key: str, n: int, dtype: Any, where: str) -> np.ndarray:
    a = array(item[key])
    if a.shape != (n,):
        raise ValueError(f"MeanAveragePrecision.update: {where}[{key!r}] must be ({n},) for its boxes, got {a.shape}")
    if dtype is np.int64 and a.dtype.kind not in "iub" and n:
        raise TypeError(f"MeanAveragePrecision.update: {where}[{key!r}] must be integers, got {a.dtype}")
    return a


def _box(item: Any, keys: tuple[str, ...], where: str) -> np.ndarray:
    if not isinstance(item, Mapping) or not all(key in item for key in keys):
        have = sorted(item) if isinstance(item, Mapping) else type(item).__name__
        raise ValueError(f"MeanAveragePrecision.update: {where} must be a dict with {', '.join(keys)}, got {have}")
    a = array(item["boxes"])
    if not a.size:
        return np.zeros((0, 4))
    if a.ndim != 2 or a.shape[1] != 4:
        raise ValueError(f"MeanAveragePrecision.update: {where}['boxes'] must be (n, 4), got {a.shape}")
    return a


def _joined(parts: list[np.ndarray], dtype: Any, shape: tuple[int, ...] = (0,)) -> np.ndarray:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(shape, dtype)


def read(preds: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]], box_format: str) -> Piece:
    """The images of one update.

    Raises: ValueError for other lengths, keys, shapes, and for boxes or scores that are not finite; TypeError for labels that are not ints.
    """
    if isinstance(preds, Mapping) or isinstance(target, Mapping) or len(preds) != len(target):
        raise ValueError("MeanAveragePrecision.update: preds and target must be lists with a dict per image, of one length; "
                         f"got {type(preds).__name__} of {len(preds)} and {type(target).__name__} of {len(target)}")
    d_box, d_score, d_label, g_box, g_label, g_crowd, g_area = ([] for _ in range(7))  # type: ignore[var-annotated]
    for i, (p, t) in enumerate(zip(preds, target)):
        box = _box(p, ("boxes", "scores", "labels"), f"preds[{i}]")
        d_box.append(box)
        d_score.append(_column(p, "scores", len(box), None, f"preds[{i}]"))
        d_label.append(_column(p, "labels", len(box), np.int64, f"preds[{i}]"))
        box = _box(t, ("boxes", "labels"), f"target[{i}]")
        g_box.append(box)
        g_label.append(_column(t, "labels", len(box), np.int64, f"target[{i}]"))
        g_crowd.append(_column(t, "iscrowd", len(box), np.int64, f"target[{i}]") if "iscrowd" in t else np.zeros(len(box), bool))
        g_area.append(_column(t, "area", len(box), None, f"target[{i}]") if "area" in t else np.full(len(box), np.nan))
    d_all, g_all = (_joined(parts, np.float64, (0, 4)) for parts in (d_box, g_box))
    score, area = _joined(d_score, np.float64), _joined(g_area, np.float64)
    for name, values in (("preds' boxes", d_all), ("scores", score), ("target's boxes", g_all)):
        if not np.isfinite(values).all():
            raise ValueError(f"MeanAveragePrecision.update: {name} must be finite")
    d_all, g_all = to_xywh(d_all, box_format), to_xywh(g_all, box_format)
    area = np.where(np.isnan(area), g_all[:, 2] * g_all[:, 3], area)
    index = np.arange(len(preds))
    found = Detections(index.repeat([len(b) for b in d_box]), d_all, score, _joined(d_label, np.int64))
    there = Truth(index.repeat([len(b) for b in g_box]), g_all, _joined(g_label, np.int64), _joined(g_crowd, bool), area)
    return Piece(len(preds), found, there)


def join(pieces: Sequence[Piece]) -> Piece:
    """All pieces as one; images are counted on."""
    starts = np.cumsum([0, *(p.images for p in pieces)])
    if not pieces:
        return read([], [], "xywh")
    found = [p.found._replace(image=p.found.image + start) for p, start in zip(pieces, starts)]
    there = [p.there._replace(image=p.there.image + start) for p, start in zip(pieces, starts)]
    return Piece(int(starts[-1]), Detections(*map(np.concatenate, zip(*found))), Truth(*map(np.concatenate, zip(*there))))
