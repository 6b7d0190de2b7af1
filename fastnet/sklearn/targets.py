"""What estimators have in common: checked input, labels as columns or indices, weighted losses, probabilities."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.metrics.scores import softmax
from fastnet.nn import functional as F


def check_fit_input(estimator: Any, X: Any, y: Any, sample_weight: Any, reset: bool,
                    allow_nd: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """X as floats (n, features), y as it is but an array, and the weights; what does not fit raises scikit-learn's own errors."""
    X, y = validate_data(estimator, X, y, reset=reset, multi_output=True, dtype=(np.float64, np.float32), order="C", allow_nd=allow_nd,
                         y_numeric=is_regressor(estimator))
    if sample_weight is not None:
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        if not sample_weight.any():
            raise ValueError("sample_weight must not be zero for all samples")
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return X, y, sample_weight


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The generator that initialises and drops out begins with a seed; afterwards it goes on as if nothing had been."""
    state = fn.get_rng_state()
    fn.manual_seed(seed)
    try:
        yield
    finally:
        fn.set_rng_state(state)


def draw(random_state: Any) -> np.random.RandomState:
    """scikit-learn's generator for a `random_state`; a generator that was given goes on."""
    return check_random_state(random_state)


def logistic(x: np.ndarray) -> np.ndarray:
    """``1 / (1 + exp(-x))`` without overflow, and small numbers with all their digits."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


class ClassTargets:
    """Labels of a classifier: one logit for two classes, a logit per class for more, a logit per label for a table of 0 and 1.

    `classes` are the labels in order; `kind` is "binary", "multiclass" or "multilabel"; `outputs` is the number of logits;
    ``binary=False`` gives two classes a logit each, and refuses tables.
    """

    def __init__(self, y: np.ndarray, classes: np.ndarray | None = None, binary: bool = True) -> None:
        check_classification_targets(y)
        self.kind = "multilabel" if type_of_target(y).startswith("multilabel") else "multiclass"
        self.classes = np.arange(y.shape[1]) if self.kind == "multilabel" else unique_labels(y if classes is None else classes)
        if y.ndim == 2 and (self.kind == "multiclass" or not binary):
            raise ValueError("y has several columns; labels must be (n,)" + (", or 0 and 1 in each column" if binary else ""))
        if self.kind == "multiclass" and len(self.classes) <= 2 and binary:
            self.kind = "binary"
        self.outputs = 1 if self.kind == "binary" else len(self.classes)

    def encode(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """Targets for the loss: floats (n, outputs), or indices (n,) for several classes."""
        if self.kind == "multilabel":
            if y.ndim != 2 or y.shape[1] != self.outputs:
                raise ValueError(f"y {y.shape} must have a column for each of {self.outputs} labels")
            return y.astype(dtype)
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(f"y has classes {unknown.tolist()[:5]} that are not among {self.classes.tolist()[:20]}")
        index = np.searchsorted(self.classes, y)
        return index.astype(dtype)[:, None] if self.kind == "binary" else index.astype(np.int64)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of the classes (n, classes), or of each label."""
        if self.kind == "multiclass":
            return softmax(logits)
        if self.kind == "multilabel":
            return logistic(logits)
        return logistic(np.hstack((-logits, logits))) if len(self.classes) == 2 else np.ones_like(logits)

    def decide(self, logits: np.ndarray) -> np.ndarray:
        """The most probable labels, in the form of y."""
        if self.kind == "multilabel":
            return (logits > 0).astype(int)
        index = logits.argmax(1) if self.kind == "multiclass" else (logits[:, 0] > 0).astype(int)
        return self.classes[index if len(self.classes) > 1 else np.zeros(len(logits), int)]

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Cross-entropy, mean over the samples, of the sum over the labels."""
        if self.kind == "multiclass":
            if weight is None:
                return F.cross_entropy(logits, target)
            return (F.cross_entropy(logits, target, reduction="none") * weight).sum() / weight.sum()
        if weight is None:
            loss = F.binary_cross_entropy_with_logits(logits, target)
            return loss if self.outputs == 1 else loss * self.outputs
        each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (each.sum(1) * weight).sum() / weight.sum()


def half_squared_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Half the squared error, mean over the samples, of the sum over the outputs."""
    if weight is None:
        return F.mse_loss(output, target) * (0.5 * output.shape[1])
    return (((output - target) ** 2).sum(1) * weight).sum() * 0.5 / weight.sum()


