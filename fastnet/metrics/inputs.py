"""What a classifier said and what was right, as arrays of labels: how `update(output, target)` is read."""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastnet._core.tensor import Tensor

TASKS = ("binary", "multiclass", "multilabel")


class Labels(NamedTuple):
    """A piece as labels: the task, what was said and what was right (flat, or (n, L) for multilabel), and the number of classes."""

    task: str
    said: np.ndarray
    right: np.ndarray
    classes: int | None


def array(value: Any) -> np.ndarray:
    """The array behind a tensor, without its gradient; or any array-like as an array."""
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def infer_task(output: np.ndarray, target: np.ndarray, name: str) -> str:
    """The task that the shapes and dtypes speak of; see `ClassificationMetric`."""
    same = output.shape == target.shape
    if output.ndim == target.ndim + 1 and output.shape[:1] + output.shape[2:] == target.shape:
        return "binary" if output.shape[1] == 1 else "multiclass"
    if same and output.dtype.kind == "f":
        return "binary" if output.ndim == 1 or output.ndim == 2 and output.shape[1] == 1 else "multilabel"
    if same and output.dtype.kind == "b":
        return "binary"
    if same:
        return "multiclass"
    raise mismatch(name, output, target)


def mismatch(name: str, output: np.ndarray, target: np.ndarray) -> ValueError:
    """The error for shapes that do not belong together."""
    return ValueError(f"{name}.update: output {output.shape} must be (N, C, ...) for target (N, ...) = {target.shape}, or have its shape")


def integers(labels: np.ndarray, name: str, what: str) -> np.ndarray:
    """Labels as int64; booleans and floats that are whole numbers are accepted."""
    if labels.dtype.kind in "iu":
        return labels
    if labels.dtype.kind == "b":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f" and (labels == np.floor(labels)).all() and np.isfinite(labels).all():
        return labels.astype(np.int64)
    raise TypeError(f"{name}.update: {what} must be class labels (integers), got {labels.dtype}")


def check_range(labels: np.ndarray, classes: int | None, name: str, what: str) -> None:
    """Labels lie in [0, classes); IndexError otherwise."""
    if labels.size and (labels.min() < 0 or classes is not None and labels.max() >= classes):
        bound = f"[0, {classes})" if classes is not None else "0, 1, 2, ..."
        raise IndexError(f"{name}.update: {what} must be in {bound}, got {labels.min()} to {labels.max()}")


def outside(output: np.ndarray) -> bool:
    """Whether a value is outside [0, 1], so that they are no probabilities."""
    return bool(output.size) and not (np.fmin.reduce(output, axis=None) >= 0 and np.fmax.reduce(output, axis=None) <= 1)


def refuse_nan(broken: np.ndarray, target: np.ndarray, ignore_index: int | None, name: str) -> None:
    """ValueError where a score that decides is NaN and its target counts; `broken` has the shape of `target`."""
    if broken.any():
        n = int(np.count_nonzero(broken if ignore_index is None else broken & (target != ignore_index)))
        if n:
            raise ValueError(f"{name}.update: output is NaN for {n} of {target.size} targets, so that it says nothing; the model has "
                             "diverged, or its input has NaN")


def decide(output: np.ndarray, threshold: float, logits: bool | None) -> np.ndarray:
    """0 or 1 for probabilities above the threshold, or logits above that of the threshold."""
    if logits is None:
        logits = outside(output)
    if logits:
        threshold = math.log(threshold / (1 - threshold)) if 0 < threshold < 1 else (math.inf if threshold >= 1 else -math.inf)
    return (output > threshold).astype(np.int64)


def read(output: Any, target: Any, name: str, task: str | None, classes: int | None, threshold: float, logits: bool | None,
         ignore_index: int | None) -> Labels:
    """The labels of a piece.

    Raises: ValueError for shapes that do not belong together, and for NaN whose target counts; TypeError for labels that are not integers;
    IndexError for labels that are not classes.
    """
    x, y = array(output), array(target)
    task = task or infer_task(x, y, name)
    y = integers(y, name, "target")
    said: np.ndarray
    right: np.ndarray
    if task == "multiclass":
        if x.ndim == y.ndim + 1 and x.shape[:1] + x.shape[2:] == y.shape:
            if classes is not None and x.shape[1] != classes:
                raise ValueError(f"{name}.update: output {x.shape} has {x.shape[1]} classes, not {classes}")
            classes = x.shape[1]
            said = x.argmax(1) if x.size else np.zeros(y.shape, np.int64)                 # NaN counts as the largest
            if x.size and x.dtype.kind == "f":
                refuse_nan(np.isnan(np.take_along_axis(x, said[:, None], 1))[:, 0], y, ignore_index, name)
        elif x.shape == y.shape:
            said = integers(x, name, "output")
        else:
            raise mismatch(name, x, y)
        said, right = said.reshape(-1), y.reshape(-1)
    else:
        if task == "binary" and x.size == y.size and x.ndim == y.ndim + 1 and x.shape[1] == 1:
            x = x.reshape(y.shape)
        if x.shape != y.shape or task == "multilabel" and x.ndim < 2:
            raise mismatch(name, x, y) if task == "binary" else ValueError(
                f"{name}.update: output {x.shape} and target {y.shape} must both be (N, L, ...): a column per label")
        classes_here = x.shape[1] if task == "multilabel" else 2
        if classes is not None and classes_here != classes:
            what = "labels" if task == "multilabel" else "classes"
            raise ValueError(f"{name}.update: output {x.shape} has {classes_here} {what}, not {classes}")
        classes = classes_here
        if x.dtype.kind == "f":
            refuse_nan(np.isnan(x), y, ignore_index, name)
        said = decide(x, threshold, logits) if x.dtype.kind == "f" else integers(x, name, "output")
        if task == "multilabel":
            said = np.moveaxis(said, 1, -1).reshape(-1, classes)
            right = np.moveaxis(y, 1, -1).reshape(-1, classes)
        else:
            said, right = said.reshape(-1), y.reshape(-1)
    bound = 2 if task == "multilabel" else classes
    if ignore_index is not None and task != "multilabel":
        kept = right != ignore_index
        said, right = said[kept], right[kept]
    elif ignore_index is not None:
        check_range(right[right != ignore_index], bound, name, "target")
        check_range(said, bound, name, "output")
        return Labels(task, said, right, classes)
    check_range(right, bound, name, "target")
    check_range(said, bound, name, "output")
    return Labels(task, said, right, classes)
