"""Perplexity: between how many equally likely tokens a language model hesitates."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.metrics.metric import Metric


class Perplexity(Metric):
    """``exp(mean of -log p(token))`` over all tokens; the mean is over tokens, however they were cut into batches.

    Args:
        ignore_index: targets of this value do not count, such as padding; -100 by default.

    >>> import fastnet as fn
    >>> from fastnet.metrics import Perplexity
    >>> metric = Perplexity(ignore_index=0)
    >>> metric.update(fn.zeros(2, 3, 10), fn.tensor([[5, 2, 0], [1, 0, 0]]))
    >>> round(metric.compute(), 4), metric.count
    (10.0, 3)
    """

    sums = ("total", "count")
    options = ("ignore_index",)

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        self.reset()

    def reset(self) -> None:
        """Forget all tokens."""
        self.total, self.count = 0.0, 0

    def update(self, logits: Any, targets: Any) -> None:  # type: ignore[override]
        """Add tokens.

        Args:
            logits: floats of shape (..., V), a tensor or an array: what a model gives, before the softmax.
            targets: ints of shape (...): the tokens that came.

        Raises: ValueError for other shapes; IndexError for targets outside [0, V).
        """
        x, y = (t.detach() if isinstance(t, Tensor) else fn.tensor(np.asarray(t)) for t in (logits, targets))
        if x.ndim < 1 or tuple(x.shape[:-1]) != tuple(y.shape):
            raise ValueError(f"Perplexity.update: logits {tuple(x.shape)} must be targets {tuple(y.shape)} and one more axis")
        counted = int((y.numpy() != self.ignore_index).sum())
        if counted:
            rows = x.reshape(-1, x.shape[-1])
            loss = fn.nn.functional.cross_entropy(rows, y.reshape(-1), ignore_index=self.ignore_index, reduction="sum")
            self.total += loss.item()
            self.count += counted

    def update_loss(self, loss: float | Tensor, tokens: int) -> None:
        """Add tokens whose mean loss is known, in nats: what `cross_entropy` gave for them.

        Args:
            loss: the mean over the tokens.
            tokens: how many.
        """
        if tokens < 0:
            raise ValueError(f"Perplexity.update_loss: tokens must not be negative, got {tokens}")
        if tokens:
            self.total += float(loss) * tokens
            self.count += tokens

    def compute(self) -> float:
        """The perplexity over all tokens so far; inf where it is beyond what a float holds, nan before the first."""
        if not self.count:
            return math.nan
        try:
            return math.exp(self.total / self.count)
        except OverflowError:
            return math.inf


def perplexity(logits: Any, targets: Any, ignore_index: int = -100) -> float:
    """``exp`` of the mean cross-entropy of tokens; see `Perplexity`.

    Args:
        logits: floats of shape (..., V).
        targets: ints of shape (...).
        ignore_index: targets of this value do not count; -100 by default.

    >>> import numpy as np
    >>> from fastnet.metrics import perplexity
    >>> round(perplexity(np.log([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]), [1, 1]), 4)
    2.2361
    """
    metric = Perplexity(ignore_index)
    metric.update(logits, targets)
    return metric.compute()
