"""Boxes in images: areas, overlaps, suppression of doubles.  torchvision.ops' names; compositions of ops, so that gradients flow."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnet._core.engine import no_grad
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.ops.arithmetic import maximum, minimum
from fastnet.ops.clamp import clamp
from fastnet.ops.join import stack

FORMATS = ("xyxy", "xywh", "cxcywh")


def _boxes(boxes: Any, op: str, name: str = "boxes") -> Tensor:
    if not isinstance(boxes, Tensor):
        raise TypeError(f"{op}: {name} must be a Tensor, got {type(boxes).__name__}")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{op}: {name} must be (N, 4), got {tuple(boxes.shape)}")
    return boxes


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes in another format.

    Args:
        boxes: of shape (N, 4).
        in_fmt, out_fmt: "xyxy" (left, top, right, bottom), "xywh" (left, top, width, height) or "cxcywh" (centre, width, height).

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import box_convert
    >>> box_convert(fn.tensor([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "cxcywh")
    tensor([[20., 40., 20., 40.]])
    """
    _boxes(boxes, "box_convert")
    for name, value in (("in_fmt", in_fmt), ("out_fmt", out_fmt)):
        if value not in FORMATS:
            raise ValueError(f"box_convert: {name} must be one of {', '.join(FORMATS)}, got {value!r}")
    if in_fmt == out_fmt:
        return boxes.clone()
    x1, y1, x2, y2 = boxes.unbind(1)
    if in_fmt == "xywh":
        x2, y2 = x1 + x2, y1 + y2
    elif in_fmt == "cxcywh":
        x1, y1, x2, y2 = x1 - 0.5 * x2, y1 - 0.5 * y2, x1 + 0.5 * x2, y1 + 0.5 * y2
    if out_fmt == "xyxy":
        return stack((x1, y1, x2, y2), 1)
    w, h = x2 - x1, y2 - y1
    return stack((x1, y1, w, h) if out_fmt == "xywh" else ((x1 + x2) / 2, (y1 + y2) / 2, w, h), 1)


def box_area(boxes: Tensor) -> Tensor:
    """Areas ``(x2 - x1) (y2 - y1)``.

    Args:
        boxes: of shape (N, 4), as x1, y1, x2, y2.

    Returns: shape (N,).

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import box_area
    >>> box_area(fn.tensor([[0.0, 0.0, 3.0, 2.0]]))
    tensor([6.])
    """
    x1, y1, x2, y2 = _boxes(boxes, "box_area").unbind(1)
    return (x2 - x1) * (y2 - y1)


def _overlap(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    a, b = boxes1[:, None], boxes2[None]
    sides = clamp(minimum(a[..., 2:], b[..., 2:]) - maximum(a[..., :2], b[..., :2]), min=0)
    inside = sides[..., 0] * sides[..., 1]
    return inside, box_area(boxes1)[:, None] + box_area(boxes2)[None] - inside


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Intersection over union of each box with each.

    Args:
        boxes1: of shape (N, 4), as x1, y1, x2, y2.
        boxes2: of shape (M, 4).

    Returns: shape (N, M), from 0 to 1; NaN for two boxes without area.

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import box_iou
    >>> box_iou(fn.tensor([[0.0, 0.0, 2.0, 2.0]]), fn.tensor([[0.0, 0.0, 2.0, 4.0], [5.0, 5.0, 6.0, 6.0]]))
    tensor([[0.5000, 0.0000]])
    """
    inside, union = _overlap(_boxes(boxes1, "box_iou", "boxes1"), _boxes(boxes2, "box_iou", "boxes2"))
    return inside / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Generalized IoU of each box with each: ``IoU - (C - U) / C``, C the smallest box around both; Rezatofighi et al., 2019.

    Args:
        boxes1: of shape (N, 4), as x1, y1, x2, y2.
        boxes2: of shape (M, 4).

    Returns: shape (N, M), from -1 to 1.

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import generalized_box_iou
    >>> generalized_box_iou(fn.tensor([[0.0, 0.0, 1.0, 1.0]]), fn.tensor([[0.0, 0.0, 1.0, 1.0], [3.0, 0.0, 4.0, 1.0]]))
    tensor([[ 1.0000, -0.5000]])
    """
    inside, union = _overlap(_boxes(boxes1, "generalized_box_iou", "boxes1"), _boxes(boxes2, "generalized_box_iou", "boxes2"))
    a, b = boxes1[:, None], boxes2[None]
    sides = clamp(maximum(a[..., 2:], b[..., 2:]) - minimum(a[..., :2], b[..., :2]), min=0)
    around = sides[..., 0] * sides[..., 1]
    return inside / union - (around - union) / around


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: the best box stays, those that overlap it go, and so on.

    Args:
        boxes: of shape (N, 4), as x1, y1, x2, y2.
        scores: of shape (N,); of equal ones the first comes first.
        iou_threshold: a box goes if its IoU with a better one that stays is above this.

    Returns: int64, the indices of the boxes that stay, best first. No gradient flows.

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import nms
    >>> boxes = fn.tensor([[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]])
    >>> nms(boxes, fn.tensor([0.8, 0.9, 0.1]), iou_threshold=0.5)
    tensor([1, 2])
    """
    box, score = _boxes(boxes, "nms").detach().numpy(), scores.detach().numpy() if isinstance(scores, Tensor) else None
    if score is None or score.shape != (len(box),):
        found = type(scores).__name__ if score is None else str(score.shape)
        raise ValueError(f"nms: scores must be a Tensor ({len(box)},) for boxes {box.shape}, got {found}")
    order = np.argsort(-score, kind="stable")
    x1, y1, x2, y2 = box[order].T
    area, kept = (x2 - x1) * (y2 - y1), []
    left = np.arange(len(order))
    while len(left):
        i, left = left[0], left[1:]
        kept.append(i)
        w = np.minimum(x2[i], x2[left]) - np.maximum(x1[i], x1[left])
        h = np.minimum(y2[i], y2[left]) - np.maximum(y1[i], y1[left])
        inside = w.clip(0) * h.clip(0)
        left = left[~(inside > iou_threshold * (area[i] + area[left] - inside))]
    return from_numpy(order[np.array(kept, np.int64)])


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression in which boxes of different classes leave each other alone; see `nms`.

    Args:
        boxes: of shape (N, 4), as x1, y1, x2, y2.
        scores: of shape (N,).
        idxs: ints of shape (N,): the class, or the image, of each box.
        iou_threshold: see `nms`.

    Returns: int64, the indices of the boxes that stay, best first.

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import batched_nms
    >>> boxes = fn.tensor([[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 10.0, 10.0]])
    >>> batched_nms(boxes, fn.tensor([0.8, 0.9]), fn.tensor([0, 1]), iou_threshold=0.5)
    tensor([1, 0])
    """
    _boxes(boxes, "batched_nms")
    if not isinstance(idxs, Tensor) or tuple(idxs.shape) != (boxes.shape[0],):
        raise ValueError(f"batched_nms: idxs must be a Tensor ({boxes.shape[0]},), got {getattr(idxs, 'shape', type(idxs).__name__)}")
    if not boxes.shape[0]:
        return nms(boxes, scores, iou_threshold)
    box, place = boxes.detach().numpy().astype(np.float64), idxs.detach().numpy()
    shift = place * (box.max() - min(box.min(), 0) + 1)                      # each class on ground of its own
    return nms(from_numpy(box + shift[:, None]), scores, iou_threshold)


def complete_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 minus the complete IoU of boxes, row by row: what is lost by overlap, distance of centres and shape; Zheng et al., 2020.

    ``1 - IoU + d^2 / c^2 + a v``, d the distance of the centres, c the diagonal of the box around both, ``v = (2 / pi (atan(w2 / h2) -
    atan(w1 / h1)))^2`` and ``a = v / (1 - IoU + v)``, which counts as a constant in backward.

    Args:
        boxes1: of shape (N, 4), as x1, y1, x2, y2.
        boxes2: of shape (N, 4).
        reduction: "none", "mean" or "sum".
        eps: added to what is divided by.

    Returns: shape (N,), or one number.

    >>> import fastnet as fn
    >>> from fastnet.ops.boxes import complete_box_iou_loss
    >>> complete_box_iou_loss(fn.tensor([[0.0, 0.0, 2.0, 2.0]]), fn.tensor([[0.0, 0.0, 2.0, 4.0]]))
    tensor([0.5532])
    """
    _boxes(boxes1, "complete_box_iou_loss", "boxes1")
    if _boxes(boxes2, "complete_box_iou_loss", "boxes2").shape != boxes1.shape:
        raise ValueError(f"complete_box_iou_loss: boxes1 {tuple(boxes1.shape)} and boxes2 {tuple(boxes2.shape)} must have one shape")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"complete_box_iou_loss: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    low1, high1, low2, high2 = boxes1[:, :2], boxes1[:, 2:], boxes2[:, :2], boxes2[:, 2:]
    (w1, h1), (w2, h2) = (high1 - low1).unbind(1), (high2 - low2).unbind(1)
    w, h = clamp(minimum(high1, high2) - maximum(low1, low2), min=0).unbind(1)
    inside = w * h
    iou = inside / (w1 * h1 + w2 * h2 - inside + eps)
    around = maximum(high1, high2) - minimum(low1, low2)
    apart = (low1 + high1 - low2 - high2) * 0.5
    loss = 1 - iou + (apart * apart).sum(1) / ((around * around).sum(1) + eps)
    angle = (w2 / (h2 + eps)).atan() - (w1 / (h1 + eps)).atan()
    v = angle * angle * (4 / math.pi ** 2)
    with no_grad():
        weight = v / (1 - iou + v + eps)
    loss = loss + weight * v
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.mean()
