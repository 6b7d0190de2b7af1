"""COCO's JSON files of annotations and of detections, as arrays."""
from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from fastnet.metrics.detections import Detections, Piece, Truth


def _loaded(source: Any) -> Any:
    if isinstance(source, (str, os.PathLike)):
        with open(source, encoding="utf-8") as file:
            return json.load(file)
    return source


def _boxes(items: list[dict[str, Any]], what: str) -> np.ndarray:
    box = np.array([item["bbox"] for item in items], np.float64) if items else np.zeros((0, 4))
    if box.shape != (len(items), 4) or not np.isfinite(box).all():
        raise ValueError(f"from_coco: bbox of {what} must be four finite numbers: left, top, width, height")
    return box


def read_coco(ground_truth: Any, detections: Any) -> Piece:
    """The images that the annotations list, in the order of their ids.

    Args:
        ground_truth: path or dict, with "images" and "annotations".
        detections: path or list of {"image_id", "category_id", "bbox", "score"}.
    """
    truth, found = _loaded(ground_truth), _loaded(detections)
    if not isinstance(truth, dict) or not {"images", "annotations"} <= truth.keys():
        raise ValueError("from_coco: ground_truth must be a dict with 'images' and 'annotations'")
    if not isinstance(found, list):
        raise ValueError(f"from_coco: detections must be a list of dicts, got {type(found).__name__}")
    images = np.unique(np.array([item["id"] for item in truth["images"]], np.int64))

    def image(items: list[dict[str, Any]], what: str) -> np.ndarray:
        ids = np.array([item["image_id"] for item in items], np.int64)
        place = np.searchsorted(images, ids)
        unknown = ids[(place == len(images)) | (images.take(place, mode="clip") != ids)] if len(images) else ids
        if len(unknown):
            raise ValueError(f"from_coco: {what} are in image {unknown[0]}, which ground_truth does not list")
        return place

    try:
        there = truth["annotations"]
        box = _boxes(there, "annotations")
        area = np.array([item.get("area", np.nan) for item in there], np.float64)
        area = np.where(np.isnan(area), box[:, 2] * box[:, 3], area)
        labels = np.array([item["category_id"] for item in there], np.int64)
        crowd = np.array([item.get("iscrowd", 0) for item in there], bool)
        known = Truth(image(there, "annotations"), box, labels, crowd, area)
        score = np.array([item["score"] for item in found], np.float64)
        labels = np.array([item["category_id"] for item in found], np.int64)
        return Piece(len(images), Detections(image(found, "detections"), _boxes(found, "detections"), score, labels), known)
    except KeyError as error:
        raise ValueError(f"from_coco: an annotation or detection has no {error}") from None
