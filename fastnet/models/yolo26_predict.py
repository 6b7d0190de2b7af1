"""From what a YOLO26 detector gives to boxes in the user's pictures: thresholds, suppression of doubles, letterboxes undone."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet.models.yolo26_head import MOST
from fastnet.ops.boxes import batched_nms

CANDIDATES = 30_000                                       # of one-to-many boxes of an image, the best of which are compared
SLACK = 0.1                                               # by which a resized image may leave 0 to 1


def detections(output: Any, score: float = 0.001, iou: float = 0.7, most: int = MOST) -> list[dict[str, Any]]:
    """The detections in what a `YOLO26` in evaluation gives, as `MeanAveragePrecision` takes them.

    Args:
        output: (N, m, 6) of the one-to-one head, or (N, 4 + classes, A) of the one-to-many head, whose doubles are suppressed.
        score: detections with smaller scores are left out.
        iou: of one-to-many boxes of one class that overlap more than this the better stays.
        most: detections of an image at most.

    Returns: for each image a dict of "boxes" (n, 4), "scores" (n,) and "labels" (n,), best first.

    >>> import fastnet as fn
    >>> from fastnet.models import detections
    >>> detections(fn.tensor([[[0.0, 0.0, 4.0, 4.0, 0.9, 2.0], [1.0, 1.0, 2.0, 2.0, 0.1, 0.0]]]), score=0.5)[0]["labels"]
    tensor([2])
    """
    made = []
    for rows in output.detach().numpy():
        if output.shape[2] == 6:
            rows = rows[rows[:, 4] >= score][:most]
            boxes, scores, labels = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)
        else:
            label, cell = np.nonzero(rows[4:] >= score)
            scores = rows[4:][label, cell]
            order = np.argsort(-scores, kind="stable")[:CANDIDATES]
            boxes, scores, labels = rows[:4, cell[order]].T, scores[order], label[order]
            box, value, kind = (fn.from_numpy(np.ascontiguousarray(v)) for v in (boxes, scores, labels))
            kept = batched_nms(box, value, kind, iou).numpy()[:most]
            boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        parts = {"boxes": boxes, "scores": scores, "labels": labels}
        made.append({name: fn.from_numpy(np.ascontiguousarray(v)) for name, v in parts.items()})
    return made


def predict(model: Any, images: Any, size: int, score: float, iou: float, most: int) -> Any:
    """See `YOLO26.predict`."""
    from fastnet.training.evaluate import evaluating
    from fastnet.transforms.functional import letterbox
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"YOLO26.predict: size must be a whole number of at least 1, got {size!r}")
    if not isinstance(most, int) or most < 0:
        raise ValueError(f"YOLO26.predict: most must be a whole number of at least 0, got {most!r}")
    several = isinstance(images, (list, tuple))
    pictures = [picture(x, model.in_channels) for x in (images if several else [images])]
    if not pictures:
        return []
    side = rounded(size)
    shares = [side / max(x.shape[1:]) for x in pictures]
    height, width = (rounded(max(max(1, round(x.shape[axis] * r)) for x, r in zip(pictures, shares))) for axis in (1, 2))
    placed = np.stack([as_floats(letterbox(x, (height, width), 114 if x.dtype == np.uint8 else 114 / 255)) for x in pictures])
    with evaluating(model):
        found = detections(model(fn.from_numpy(placed).to(next(model.parameters()).dtype)), score, iou, most)
    for x, one in zip(pictures, found):
        one["boxes"] = fn.from_numpy(restored(one["boxes"].numpy(), x.shape[1:], (height, width)))
    return found if several else found[0]


def rounded(pixels: float) -> int:
    """The next multiple of 32."""
    return -(-int(pixels) // 32) * 32


def as_floats(x: np.ndarray) -> np.ndarray:
    """Bytes as numbers from 0 to 1."""
    return x.astype(np.float32) / 255 if x.dtype == np.uint8 else x


def picture(image: Any, channels: int) -> np.ndarray:
    """An image as an array (C, H, W), uint8 or float32.

    Raises: ValueError or TypeError for what is no image of so many channels.
    """
    if isinstance(image, fn.Tensor):
        x = image.detach().numpy()
    elif hasattr(image, "convert"):                       # a Pillow image
        x = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    else:
        x = np.asarray(image)
    if x.ndim == 2 and channels == 1:
        x = x[None]
    if x.ndim == 3 and x.shape[0] != channels and x.shape[2] == channels:
        x = x.transpose(2, 0, 1)
    if x.ndim != 3 or x.shape[0] != channels or not x.size:
        raise ValueError(f"YOLO26.predict: an image must be ({channels}, H, W) or (H, W, {channels}), got {x.shape}")
    if x.dtype.kind == "f":
        if not (x.min() >= -SLACK and x.max() <= 1 + SLACK):
            raise ValueError(f"YOLO26.predict: a floating-point image must have values from 0 to 1, got {x.min():g} to {x.max():g}")
        return np.ascontiguousarray(x, np.float32)
    if x.dtype != np.uint8:
        raise TypeError(f"YOLO26.predict: an image must be uint8, or floating-point from 0 to 1, got {x.dtype}")
    return np.ascontiguousarray(x)


def restored(boxes: np.ndarray, size: Any, canvas: tuple[int, int]) -> np.ndarray:
    """Boxes (n, 4) on a letterboxed canvas (height, width) in pixels of the picture (height, width) that lies on it, cut off at its sides.

    >>> import numpy as np
    >>> from fastnet.models.yolo26_predict import restored
    >>> restored(np.array([[0.0, 16.0, 64.0, 48.0]]), (10, 20), (64, 64)).tolist()
    [[0.0, 0.0, 20.0, 10.0]]
    """
    (h, w), (tall, wide) = size, canvas
    r = min(tall / h, wide / w)
    nh, nw = max(1, min(tall, round(h * r))), max(1, min(wide, round(w * r)))          # as letterbox has it
    shift = np.array([(wide - nw) // 2, (tall - nh) // 2] * 2)
    made = (boxes - shift) * np.array([w / nw, h / nh] * 2)
    return np.clip(made, 0, [w, h, w, h]).astype(boxes.dtype)
