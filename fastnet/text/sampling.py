"""Choosing the next token from logits: temperature, top-k, top-p (nucleus), with a seed."""
from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.text.draws import uniform

Array = TypeVar("Array", np.ndarray, Tensor)


def _rows(op: str, logits: Any) -> np.ndarray:
    """Logits as float64 rows (N, V), a copy; refused unless each row has a greatest finite number."""
    array = logits.detach().numpy() if isinstance(logits, Tensor) else np.asarray(logits)
    if array.ndim < 1 or array.shape[-1] == 0 or array.dtype.kind != "f":
        raise ValueError(f"{op}: logits must be floats of shape (..., V) with V > 0, got shape {array.shape} of {array.dtype}")
    rows = array.reshape(-1, array.shape[-1]).astype(np.float64)
    if not np.isfinite(rows.max(1)).all():                # NaN and inf show in the maximum; -inf alone leaves nothing to choose
        raise ValueError(f"{op}: each row of logits must have a finite number, and no NaN or inf")
    return rows


def _check(op: str, temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"{op}: temperature must be a finite number from 0 on, got {temperature}")
    if top_k is not None and (not isinstance(top_k, (int, np.integer)) or top_k < 1):
        raise ValueError(f"{op}: top_k must be an int from 1 on, or None, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"{op}: top_p must lie in (0, 1], or be None, got {top_p}")


def _cut_k(rows: np.ndarray, k: int) -> None:
    """Set to -inf what is less than the k-th greatest of its row."""
    if k < rows.shape[1]:
        least = np.partition(rows, -k, axis=1)[:, -k, None]
        rows[rows < least] = -np.inf


def _cut_p(rows: np.ndarray, p: float) -> None:
    """Set to -inf what is outside the nucleus of its row."""
    if p >= 1:
        return
    weights = np.exp(rows - rows.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    for row, weight in zip(rows, weights):
        # All that lies below (1 - p) / V together has less than 1 - p: the nucleus is above, and only that is sorted.
        likely = np.flatnonzero(weight >= (1 - p) / len(weight))
        order = likely[np.argsort(-weight[likely], kind="stable")]
        kept = order[:int(np.searchsorted(np.cumsum(weight[order]), p)) + 1]
        outside = np.ones(len(row), dtype=bool)
        outside[kept] = False
        row[outside] = -np.inf


def _like(rows: np.ndarray, logits: Any) -> Any:
    shaped = rows.reshape(np.shape(logits))
    if isinstance(logits, Tensor):
        return fn.tensor(shaped, dtype=logits.dtype)
    return shaped.astype(np.asarray(logits).dtype)


def keep_top_k(logits: Array, k: int) -> Array:
    """Logits in which only the k greatest of each row are left, the others -inf (Fan, Lewis, Dauphin 2018).

    Args:
        logits: floats of shape (..., V).
        k: how many are kept; more where several equal the k-th. All, if k is at least V.

    >>> import numpy as np
    >>> from fastnet.text import keep_top_k
    >>> keep_top_k(np.array([1.0, 3.0, 2.0]), 2).tolist()
    [-inf, 3.0, 2.0]
    """
    _check("keep_top_k", 1, k, None)
    rows = _rows("keep_top_k", logits)
    _cut_k(rows, k)
    return _like(rows, logits)


def keep_top_p(logits: Array, p: float) -> Array:
    """Logits in which only the nucleus of each row is left, the others -inf (Holtzman et al. 2020).

    The nucleus is the fewest tokens, most likely first, whose softmax probabilities together reach p.

    Args:
        logits: floats of shape (..., V).
        p: in (0, 1]; 1 keeps all. The most likely token is always kept; of equal ones, those with smaller ids come first.

    >>> import numpy as np
    >>> from fastnet.text import keep_top_p
    >>> keep_top_p(np.log([0.1, 0.5, 0.4]), 0.8).round(2).tolist()
    [-inf, -0.69, -0.92]
    """
    _check("keep_top_p", 1, None, p)
    rows = _rows("keep_top_p", logits)
    _cut_p(rows, p)
    return _like(rows, logits)


class TokenSampler:
    """Chooses tokens from logits, call by call; a seed gives the same choices again.

    Logits are divided by temperature, then cut to the top_k, then to the nucleus of top_p; from what is left a token is drawn with its
    softmax probability.

    Args:
        temperature: 1 (the default) takes the model's probabilities, less makes likely tokens likelier; 0 always takes the most likely.
        top_k: see `keep_top_k`; None: no limit.
        top_p: see `keep_top_p`; None: no limit.
        seed: of the draws.

    Raises: ValueError for a number out of its range.

    >>> import numpy as np
    >>> from fastnet.text import TokenSampler
    >>> logits = np.log(np.array([[0.5, 0.3, 0.2]] * 3))
    >>> sampler = TokenSampler(temperature=0.8, top_k=2, seed=7)
    >>> sampler(logits).tolist(), sampler(logits).tolist()
    ([1, 0, 0], [0, 0, 1])
    """

    def __init__(self, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None, seed: int = 0) -> None:
        _check("TokenSampler", temperature, top_k, top_p)
        uniform(seed, 0, 0)                               # refuses a seed out of range now
        self.temperature, self.top_k, self.top_p, self.seed, self.step = temperature, top_k, top_p, seed, 0

    def __call__(self, logits: Array) -> Array:
        """Draw one token a row.

        Args:
            logits: floats of shape (..., V), a tensor or an array.

        Returns: ids, int64 of shape (...), a tensor or an array like logits.

        Raises: ValueError for logits with NaN or inf, or a row that is -inf throughout.
        """
        rows = _rows("TokenSampler", logits)
        step, self.step = self.step, self.step + 1
        if self.temperature == 0:
            ids = rows.argmax(1)
        else:
            rows -= rows.max(1, keepdims=True)            # before the division: a small temperature must not overflow
            rows /= self.temperature
            if self.top_k is not None:
                _cut_k(rows, self.top_k)
            if self.top_p is not None:
                _cut_p(rows, self.top_p)
            sums = np.cumsum(np.exp(rows), axis=1)
            draws = uniform(self.seed, step, len(rows)) * sums[:, -1]
            ids = np.array([np.searchsorted(row, draw, side="right") for row, draw in zip(sums, draws)], dtype=np.int64)
        shape = tuple(logits.shape[:-1]) if hasattr(logits, "shape") else np.asarray(logits).shape[:-1]
        ids = ids.astype(np.int64).reshape(shape)
        return fn.tensor(ids) if isinstance(logits, Tensor) else ids


def sample(logits: Array, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None, seed: int = 0) -> Array:
    """Draw one token a row of logits, once; `TokenSampler` draws again and again.

    Args:
        logits: floats of shape (..., V), a tensor or an array.
        temperature, top_k, top_p, seed: see `TokenSampler`.

    Returns: ids, int64 of shape (...).

    >>> import fastnet as fn
    >>> from fastnet.text import sample
    >>> sample(fn.tensor([[0.0, 5.0, 1.0], [9.0, 0.0, 0.0]]), temperature=0).tolist()
    [1, 0]
    """
    return TokenSampler(temperature, top_k, top_p, seed)(logits)
