"""Which cells learn which object: task-aligned assignment (Feng et al., TOOD, 2021), for all images of a batch at once."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import fastnet as fn
from fastnet.ops.boxes import complete_box_iou_loss

SCORE_POWER, OVERLAP_POWER = 0.5, 6.0


class Objects(NamedTuple):
    """All objects of a batch: `image` (G,) ints, `box` (G, 4) x1, y1, x2, y2 in pixels, `label` (G,) ints."""
    image: np.ndarray
    box: np.ndarray
    label: np.ndarray


class Assigned(NamedTuple):
    """The cells that learn a box: `cell` (P,), counted through all images, their `object` (P,), and how much each counts, `weight` (P,)."""
    cell: np.ndarray
    object: np.ndarray
    weight: np.ndarray


def objects_of(targets: Any, classes: int, like: Any) -> Objects:
    """The objects in a batch of `collate_boxes`.

    Args:
        targets: a dict with "boxes", a list of (n, 4), and "labels", a list of (n,).
        classes: how many there are.
        like: a tensor whose dtype the boxes get.

    Raises: ValueError for lists of other lengths, boxes and labels that do not belong together, boxes that are not finite or whose left
        or upper side comes last, and labels that are no classes; TypeError for no such dict.
    """
    if not isinstance(targets, dict) or not {"boxes", "labels"} <= targets.keys():
        what = f"keys {sorted(map(str, targets))}" if isinstance(targets, dict) else type(targets).__name__
        raise TypeError(f"DetectionLoss: targets must be a dict with 'boxes' and 'labels', as collate_boxes makes it, got {what}")
    arrays = {key: [np.asarray(v.detach().numpy() if isinstance(v, fn.Tensor) else v) for v in targets[key]] for key in ("boxes", "labels")}
    boxes, labels = arrays["boxes"], arrays["labels"]
    if len(boxes) != len(labels) or any(b.size != 4 * v.size for b, v in zip(boxes, labels)):
        raise ValueError("DetectionLoss: boxes must be (n, 4) and labels (n,) for each image, got "
                         f"{[b.shape for b in boxes]} and {[v.shape for v in labels]}")
    image = np.repeat(np.arange(len(boxes)), [v.size for v in labels])
    label = np.concatenate([v.reshape(-1) for v in labels] or [np.zeros(0)])
    if label.dtype.kind == "f" and (label != np.rint(label)).any():
        raise ValueError("DetectionLoss: labels must be whole numbers")
    label = label.astype(np.int64)
    if label.size and not 0 <= label.min() <= label.max() < classes:
        raise ValueError(f"DetectionLoss: labels go from {label.min()} to {label.max()}, there are {classes} classes")
    box = np.concatenate([b.reshape(-1, 4) for b in boxes] or [np.zeros((0, 4))])
    broken = ~np.isfinite(box).all(1) | (box[:, 2:] < box[:, :2]).any(1)
    if broken.any():
        raise ValueError(f"DetectionLoss: a box must be x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, got {box[broken][0].tolist()}")
    return Objects(image, box.astype(like.dtype.numpy), label)


def first_of_each(group: np.ndarray, value: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` largest values of each group, of equal ones the first.

    >>> import numpy as np
    >>> from fastnet.models.yolo26_assign import first_of_each
    >>> first_of_each(np.array([7, 7, 7, 2]), np.array([1.0, 3.0, 2.0, 0.0]), 2).tolist()
    [3, 1, 2]
    """
    order = np.lexsort((-value, group))
    sorted_group = group[order]
    starts = np.flatnonzero(np.r_[True, sorted_group[1:] != sorted_group[:-1]]) if len(order) else np.zeros(0, np.int64)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return order[rank < count]


def assign(boxes: np.ndarray, logits: np.ndarray, centres: np.ndarray, objects: Objects, most: int, kept: int, smallest: float) -> Assigned:
    """The cells that learn each object, and the weight of each.

    A cell may learn an object whose box holds its centre; sides below `smallest` count as that long, about the box's middle. Of these the
    `most` cells with the best alignment, ``score^0.5 overlap^6`` (overlap: the complete IoU, not below 0), are taken. A cell that several
    objects took is left to the one that it overlaps most. Of what an object has then, the `kept` best aligned stay.

    A cell's weight is its alignment, in units of the object's best, times the object's best overlap.

    Args:
        boxes: predictions (N, A, 4) in pixels.
        logits: of the classes (N, A, classes).
        centres: of the cells (A, 2) in pixels.
        objects: what is there.
        most, kept, smallest: see above.
    """
    a = len(centres)
    middle, side = (objects.box[:, :2] + objects.box[:, 2:]) / 2, objects.box[:, 2:] - objects.box[:, :2]
    half = np.where(side < smallest, smallest, side) / 2
    near = np.abs(centres[None] - middle[:, None]) < half[:, None]
    owner, cell = np.nonzero(near[..., 0] & near[..., 1])
    image = objects.image[owner]
    with fn.no_grad():
        pairs = fn.from_numpy(boxes[image, cell]), fn.from_numpy(objects.box[owner])
        overlap = np.maximum(1 - complete_box_iou_loss(*pairs).numpy(), 0)
        score = fn.from_numpy(logits[image, cell, objects.label[owner]]).sigmoid().numpy()
    align = score ** SCORE_POWER * overlap ** OVERLAP_POWER
    cell = cell + image * a
    chosen = first_of_each(owner, align, most)
    chosen = chosen[first_of_each(cell[chosen], overlap[chosen], 1)]
    if kept < most:
        chosen = chosen[first_of_each(owner[chosen], align[chosen], kept)]
    owner, cell, align, overlap = owner[chosen], cell[chosen], align[chosen], overlap[chosen]
    best_align, best_overlap = np.zeros((2, len(objects.box)), align.dtype)
    np.maximum.at(best_align, owner, align)
    np.maximum.at(best_overlap, owner, overlap)
    return Assigned(cell, owner, align * best_overlap[owner] / (best_align[owner] + 1e-9))
