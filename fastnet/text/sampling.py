"""Choosing the next token from logits: temperature, top-k, top-p (nucleus), with a seed."""
from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.text.draws import uniform

Array = TypeVar("Array", np.ndarray, Tensor)


def _rows(op: str, logits: Any) -> np.ndarray:
    """Logits as rows (N, V), float32 or float64; refused unless each row has a greatest finite number."""
    array = logits.detach().numpy() if isinstance(logits, Tensor) else np.asarray(logits)
    if array.ndim < 1 or array.shape[-1] == 0 or array.dtype.kind != "f":
        raise ValueError(f"{op}: logits must be floats of shape (..., V) with V > 0, got shape {array.shape} of {array.dtype}")
    rows = array.reshape(-1, array.shape[-1])
    rows = rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
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


def _greatest(row: np.ndarray, k: int) -> np.ndarray:
    """Where the k greatest of a row are, rising, and those that equal the k-th."""
    return np.flatnonzero(row >= np.partition(row, -k)[-k]) if k < len(row) else np.arange(len(row))


def _nucleus(weights: np.ndarray, p: float) -> np.ndarray:
    """Where the fewest weights are that together reach p of all, rising; of equal ones the first."""
    if p >= 1:
        return np.arange(len(weights))
    goal = p * weights.sum(dtype=np.float64)
    head = np.partition(weights, -512)[-512:] if len(weights) > 512 else weights
    if head.sum(dtype=np.float64) < goal:                 # a flat row
        head = weights
    falling = np.sort(head)[::-1]                         # values only: much quicker than places
    count = min(int(np.searchsorted(np.cumsum(falling, dtype=np.float64), goal)) + 1, len(falling))
    least = falling[count - 1]
    above = np.flatnonzero(weights > least)
    return np.sort(np.concatenate([above, np.flatnonzero(weights == least)[:count - len(above)]]))


def _keep(rows: np.ndarray, kept: list[np.ndarray], logits: Any) -> Any:
    """Rows with -inf but where `kept` says, in the form of the logits."""
    cut = np.full(rows.shape, -np.inf)
    for row, to, where in zip(rows, cut, kept):
        to[where] = row[where]
    shaped = cut.reshape(np.shape(logits))
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
    return _keep(rows, [_greatest(row, k) for row in rows], logits)


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
    return _keep(rows, [_nucleus(np.exp(row - row.max(), dtype=np.float64), p) for row in rows], logits)


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
            draws = uniform(self.seed, step, len(rows))
            ids = np.array([self._draw(row, draw) for row, draw in zip(rows, draws)], dtype=np.int64)
        shape = tuple(logits.shape[:-1]) if hasattr(logits, "shape") else np.asarray(logits).shape[:-1]
        ids = ids.astype(np.int64).reshape(shape)
        return fn.tensor(ids) if isinstance(logits, Tensor) else ids

    def _draw(self, row: np.ndarray, draw: float) -> int:
        """The token of one row to which a number from [0, 1) points."""
        kept = None if self.top_k is None else _greatest(row, self.top_k)
        left = row if kept is None else row[kept]
        if self.temperature < 1e-6:
            left = left.astype(np.float64)
        weights = left - left.max()                       # before the division: a small temperature must not overflow
        weights /= self.temperature
        np.exp(weights, out=weights)
        if self.top_p is not None:
            nucleus = _nucleus(weights, self.top_p)
            weights, kept = weights[nucleus], nucleus if kept is None else kept[nucleus]
        sums = np.cumsum(weights, dtype=np.float64)
        at = int(np.searchsorted(sums, draw * sums[-1], side="right"))
        return at if kept is None else int(kept[at])


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
