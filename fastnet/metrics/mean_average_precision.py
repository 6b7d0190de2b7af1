"""MeanAveragePrecision: how well boxes were found, in COCO's convention or in that of the YOLO repositories."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastnet.metrics import coco_convention, yolo_convention
from fastnet.metrics.detections import FORMATS, Piece, join, read
from fastnet.metrics.metric import Metric

CONVENTIONS = ("coco", "yolo")
THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
MOST = (1, 10, 100)


class MAPResult(dict[str, Any]):
    """What `MeanAveragePrecision` computes: a dict that prints as a table naming its convention; as a float it is ``result["map"]``."""

    def __float__(self) -> float:
        return float(self["map"])

    def __repr__(self) -> str:
        numbers = {key: value for key, value in self.items() if isinstance(value, float)}
        lines = [f"mAP in the {self['convention'].upper()} convention, {len(self['classes'])} classes"]
        return "\n".join(lines + [f"  {key:<11}{value:8.4f}" for key, value in numbers.items()])


class MeanAveragePrecision(Metric):
    """Mean average precision (mAP) and recall of detected boxes.

    The two conventions give different numbers for the same boxes, by up to a few points; docs/metrics.md describes them.

    - ``convention="coco"`` is COCO's, equal to pycocotools: precision at 101 recalls, at most 100 detections per image and class, boxes
      that are crowds or of another size neither help nor harm.
    - ``convention="yolo"`` is what the YOLO repositories print: all detections, crowds are boxes like others, an area of trapezia.

    All boxes are kept until `reset`: 56 bytes a detection.

    Args:
        convention: "coco" or "yolo".
        box_format: "xyxy" (left, top, right, bottom), "xywh" (left, top, width, height) or "cxcywh" (centre, width, height), in pixels.
        iou_thresholds: overlaps from which on a box is found; 0.50, 0.55, ..., 0.95 by default.
        max_detection_thresholds: how many detections per image and class recall is given for, COCO only; (1, 10, 100) by default, of which
            the last is the limit for everything else.

    Returns of `compute`: a `MAPResult`, a dict with torchmetrics' keys: "map" (mAP50-95), "map_50", "map_75", "classes", "map_per_class",
        "map_50_per_class" and "convention"; in COCO's convention also "map_small", "map_medium", "map_large" (up to 32^2, 96^2 pixels, and
        beyond), "mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large" and "mar_100_per_class". -1 where no box is there.

    >>> from fastnet.metrics import MeanAveragePrecision
    >>> metric = MeanAveragePrecision()
    >>> metric.update([{"boxes": [[10, 10, 50, 50], [60, 60, 90, 90]], "scores": [0.9, 0.4], "labels": [0, 0]}],
    ...               [{"boxes": [[18, 10, 50, 50]], "labels": [0]}])
    >>> result = metric.compute()
    >>> round(result["map_50"], 2), round(result["map"], 2), result["convention"]
    (1.0, 0.7, 'coco')
    """

    sums = ("pieces",)
    options = ("convention", "box_format", "iou_thresholds", "max_detection_thresholds")

    def __init__(self, convention: str = "coco", box_format: str = "xyxy", iou_thresholds: Sequence[float] | None = None,
                 max_detection_thresholds: Sequence[int] | None = None) -> None:
        if convention not in CONVENTIONS:
            raise ValueError(f"MeanAveragePrecision: convention must be 'coco' or 'yolo', got {convention!r}")
        if box_format not in FORMATS:
            raise ValueError(f"MeanAveragePrecision: box_format must be one of {', '.join(FORMATS)}, got {box_format!r}")
        thresholds = THRESHOLDS if iou_thresholds is None else tuple(map(float, iou_thresholds))
        if not thresholds or not all(0 < t <= 1 for t in thresholds):
            raise ValueError(f"MeanAveragePrecision: iou_thresholds must be in (0, 1], got {thresholds}")
        if max_detection_thresholds is not None and convention != "coco":
            raise ValueError("MeanAveragePrecision: max_detection_thresholds is for convention='coco'; 'yolo' has no limit")
        most = MOST if max_detection_thresholds is None else tuple(map(int, max_detection_thresholds))
        if not most or most[0] < 1 or any(a >= b for a, b in zip(most, most[1:])):
            raise ValueError(f"MeanAveragePrecision: max_detection_thresholds must be positive and rising, got {most}")
        self.convention, self.box_format, self.iou_thresholds = convention, box_format, thresholds
        self.max_detection_thresholds = most if convention == "coco" else None
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self.pieces: list[Piece] = []

    def update(self, preds: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]) -> None:  # type: ignore[override]
        """Add images, a dict of arrays or tensors each; nothing found or nothing there is an empty array.

        Args:
            preds: "boxes" (n, 4), "scores" (n,) and "labels" (n,), ints.
            target: "boxes" (m, 4), "labels" (m,), and where known "iscrowd" (m,), zeros by default, and "area" (m,), which decides about
                small, medium and large; by default that of the box. COCO's files give the area of the object's outline.

        Raises: ValueError or TypeError, naming the image and key, for what does not fit together; then nothing is added.
        """
        self.pieces.append(read(preds, target, self.box_format))

    @classmethod
    def from_coco(cls, ground_truth: Any, detections: Any, convention: str = "coco", iou_thresholds: Sequence[float] | None = None,
                  max_detection_thresholds: Sequence[int] | None = None) -> MeanAveragePrecision:
        """A metric fed with files in COCO's formats.

        Args:
            ground_truth: path of the annotations ("instances_*.json"), or their dict.
            detections: path of the results, or their list: [{"image_id", "category_id", "bbox": [left, top, width, height], "score"}, ...].
            convention, iou_thresholds, max_detection_thresholds: see the class.

        Raises: ValueError for files of another form, and for detections in images that the annotations do not list.
        """
        from fastnet.metrics.coco_files import read_coco
        metric = cls(convention, "xywh", iou_thresholds, max_detection_thresholds)
        metric.pieces.append(read_coco(ground_truth, detections))
        return metric

    def compute(self) -> MAPResult:
        """The values over all images so far; see the class."""
        piece, thresholds = join(self.pieces), np.array(self.iou_thresholds)
        if self.max_detection_thresholds is not None:
            result = coco_convention.summary(piece, thresholds, self.max_detection_thresholds)
        else:
            result = yolo_convention.summary(piece, thresholds)
        return MAPResult(result, convention=self.convention)


