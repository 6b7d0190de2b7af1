"""Text and audio: TokenDropout, TokenMasking, TimeMasking, FrequencyMasking."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import fastnet as fn
from fastnet.transforms.base import probability
from fastnet.transforms.draws import Draws, Key


def _like(array: np.ndarray, given: Any) -> Any:
    return fn.from_numpy(array) if isinstance(given, fn.Tensor) else array


def _tokens(ids: Any, name: str) -> np.ndarray:
    x = ids.detach().numpy() if isinstance(ids, fn.Tensor) else np.asarray(ids)
    if x.ndim not in (1, 2) or x.dtype.kind not in "iu" and x.size:
        raise ValueError(f"{name}: tokens must be integers, (T,) or a batch (N, T), got {x.dtype} {x.shape}")
    return x


class TokenDropout:
    """Drop tokens, each with probability p, or put another in their place.

    Args:
        p: the probability.
        value: what is put in place of a dropped token, such as the number of "unknown"; None: a sequence (T,) becomes shorter, and keeps at
            least one token.
        special_tokens: numbers that are never dropped.

    >>> import numpy as np
    >>> from fastnet.transforms import TokenDropout
    >>> TokenDropout(0.5, value=0, special_tokens=[1])(np.array([1, 7, 8, 9]), key=(0, 0, 2)).tolist()
    [1, 0, 8, 9]
    """
    takes_key = True

    def __init__(self, p: float = 0.1, value: int | None = None, special_tokens: Sequence[int] = ()) -> None:
        self.p, self.value, self.special_tokens = probability("TokenDropout", p), value, tuple(special_tokens)

    def __call__(self, ids: Any, key: Key | None = None) -> Any:
        """The tokens, (T,) or, where value is given, also (N, T); key as for transforms."""
        x = _tokens(ids, "TokenDropout")
        if self.value is None and x.ndim == 2:
            raise ValueError("TokenDropout: without a value sequences of a batch would get different lengths: give them one by one")
        rows = np.atleast_2d(x)
        drop = (Draws(key, len(rows)).uniforms(x.shape[-1]) < self.p) & ~np.isin(rows, self.special_tokens)
        if self.value is not None:
            return _like(np.where(drop, np.asarray(self.value, x.dtype), rows).reshape(x.shape), ids)
        if drop.all() and x.size:
            drop[0, 0] = False
        return _like(x[~drop[0]], ids)


class TokenMasking:
    """Choose tokens to be predicted, as BERT is trained (Devlin, Chang, Lee, Toutanova, 2018).

    Of the chosen tokens 80 % become the mask, 10 % any token, 10 % stay; the labels are the tokens that were there.

    Args:
        mask_token: the number of the mask.
        vocab_size: any token is one of so many.
        p: the probability of a token to be chosen.
        special_tokens: numbers that are never chosen.
        mask_probability, random_probability: of a chosen token to become the mask, and any token.
        ignore_index: the label of tokens that are not chosen, as of `cross_entropy`.
    """
    takes_key = True

    def __init__(self, mask_token: int, vocab_size: int, p: float = 0.15, special_tokens: Sequence[int] = (), mask_probability: float = 0.8,
                 random_probability: float = 0.1, ignore_index: int = -100) -> None:
        self.mask_token, self.vocab_size, self.p = int(mask_token), int(vocab_size), probability("TokenMasking", p)
        if vocab_size < 1 or not 0 <= mask_token < vocab_size:
            raise ValueError(f"TokenMasking: mask_token must be below vocab_size, got {mask_token} and {vocab_size}")
        self.special_tokens, self.ignore_index = tuple(special_tokens), int(ignore_index)
        self.mask_probability = probability("TokenMasking", mask_probability, "mask_probability")
        self.random_probability = probability("TokenMasking", random_probability, "random_probability")
        probability("TokenMasking", mask_probability + random_probability, "mask_probability + random_probability")

    def __call__(self, ids: Any, key: Key | None = None) -> tuple[Any, Any]:
        """(tokens, labels), both as ids, (T,) or (N, T); key as for transforms."""
        x = _tokens(ids, "TokenMasking")
        rows = np.atleast_2d(x)
        draws = Draws(key, len(rows))
        chosen = (draws.uniforms(x.shape[-1]) < self.p) & ~np.isin(rows, self.special_tokens)
        what, any_token = draws.uniforms(x.shape[-1]), (draws.uniforms(x.shape[-1]) * self.vocab_size).astype(x.dtype)
        made = np.where(chosen & (what < self.mask_probability), np.asarray(self.mask_token, x.dtype), rows)
        other = (what >= self.mask_probability) & (what < self.mask_probability + self.random_probability)
        made = np.where(chosen & other, any_token, made)
        labels = np.where(chosen, rows, self.ignore_index).astype(np.int64)
        return _like(made.reshape(x.shape), ids), _like(labels.reshape(x.shape), ids)


class _AxisMasking:
    """Bands of a spectrogram are covered; `axis` counts from the end."""

    axis = -1

    def __init__(self, mask_param: int, num_masks: int = 1, p: float = 1.0, mask_value: float = 0.0) -> None:
        name = type(self).__name__
        if mask_param < 0 or num_masks < 0:
            raise ValueError(f"{name}: mask_param and num_masks must not be negative, got {mask_param} and {num_masks}")
        self.mask_param, self.num_masks, self.mask_value, self.p = mask_param, int(num_masks), float(mask_value), probability(name, p)

    def __call__(self, specgram: Any, key: Key | None = None) -> Any:
        """The spectrogram, (F, T), (C, F, T) or a batch (N, C, F, T), of which each gets its own bands; key as for transforms."""
        name = type(self).__name__
        x = specgram.detach().numpy() if isinstance(specgram, fn.Tensor) else np.asarray(specgram)
        if x.ndim not in (2, 3, 4) or x.dtype.kind != "f":
            raise ValueError(f"{name}: a spectrogram must be floats, (F, T), (C, F, T) or (N, C, F, T), got {x.dtype} {x.shape}")
        rows = x.copy().reshape(len(x) if x.ndim == 4 else 1, -1, *x.shape[-2:])
        size = x.shape[self.axis]
        most = min(self.mask_param, int(size * self.p))
        draws = Draws(key, len(rows))
        for _ in range(self.num_masks):
            u = draws.uniforms(2)
            for row, (a, b) in zip(rows, u):
                wide = int(a * (most + 1))
                start = int(b * (size - wide + 1))
                np.moveaxis(row, self.axis, 0)[start:start + wide] = self.mask_value
        return _like(rows.reshape(x.shape), specgram)


class TimeMasking(_AxisMasking):
    """Cover some stretch of time in a spectrogram (SpecAugment: Park et al., 2019).

    Args:
        mask_param: steps at most; the number is drawn from 0 to it.
        num_masks: how many stretches.
        p: no stretch is longer than this part of the whole.
        mask_value: what they are covered with.

    >>> import numpy as np
    >>> from fastnet.transforms import TimeMasking
    >>> y = TimeMasking(3)(np.ones((2, 8), np.float32), key=(0, 0, 2))
    >>> bool((y[0] == y[1]).all()), bool(5 <= y[0].sum() <= 8)
    (True, True)
    """


class FrequencyMasking(_AxisMasking):
    """Cover some band of frequencies in a spectrogram (SpecAugment: Park et al., 2019).

    Args:
        mask_param: bins at most; the number is drawn from 0 to it.
        num_masks: how many bands.
        p: no band is wider than this part of the whole.
        mask_value: what they are covered with.
    """

    axis = -2
