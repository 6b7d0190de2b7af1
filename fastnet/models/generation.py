"""Token by token: how a language model goes on with a text."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.text import TokenSampler


def prompt_ids(op: str, prompt: Any, vocab_size: int) -> tuple[np.ndarray, bool]:
    """A prompt as ids (N, T), and whether it was one row without a batch.

    Raises: ValueError for a prompt that is empty or has another shape; IndexError for ids outside the vocabulary.
    """
    ids = prompt.numpy() if isinstance(prompt, Tensor) else np.asarray(prompt)
    if ids.ndim not in (1, 2) or ids.size == 0 or ids.dtype.kind not in "iu":
        raise ValueError(f"{op}: prompt must be ints (T,) or (N, T), at least one, got shape {ids.shape} of {ids.dtype}")
    if ids.min() < 0 or ids.max() >= vocab_size:
        wrong = int(ids.min() if ids.min() < 0 else ids.max())
        raise IndexError(f"{op}: the prompt has token {wrong}, outside the vocabulary of {vocab_size}")
    return np.atleast_2d(ids).astype(np.int64), ids.ndim == 1


class LanguageModel(nn.Module):
    """What models of the next token share: a subclass gives `vocab_size` and `_next`.

    `_next(use_cache)` returns a function that takes all ids so far (N, T) and gives the logits of the next token (N, V); it is called with
    the prompt, and then each time with one more column.
    """

    vocab_size: int

    def _next(self, use_cache: bool) -> Any:
        raise TypeError(f"{type(self).__name__}: a language model defines _next")

    def stream(self, prompt: Any, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
               seed: int = 0, use_cache: bool = True) -> Iterator[np.ndarray]:
        """The tokens of `generate`, step by step: ids (N,) as soon as they are known."""
        ids, _ = prompt_ids(f"{type(self).__name__}.generate", prompt, self.vocab_size)
        if max_new_tokens < 0:
            raise ValueError(f"{type(self).__name__}.generate: max_new_tokens must not be negative, got {max_new_tokens}")
        return self._tokens(ids, max_new_tokens, TokenSampler(temperature, top_k, top_p, seed), use_cache)

    def _tokens(self, ids: np.ndarray, count: int, sampler: TokenSampler, use_cache: bool) -> Iterator[np.ndarray]:
        text = np.empty((ids.shape[0], ids.shape[1] + count), np.int64)
        text[:, :ids.shape[1]] = ids
        step = self._next(use_cache)
        for at in range(ids.shape[1], text.shape[1]):
            training = self.training
            if training:
                self.eval()
            try:
                with fn.no_grad():
                    logits = step(text[:, :at])
            finally:                                      # between two tokens the model is as its owner left it
                if training:
                    self.train()
            text[:, at] = sampler(logits.numpy())
            yield text[:, at].copy()

    def generate(self, prompt: Any, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
                 seed: int = 0, use_cache: bool = True) -> Tensor:
        """Go on with a prompt.

        Args:
            prompt: ids, a list, array or tensor (T,) or (N, T).
            max_new_tokens: how many are added.
            temperature, top_k, top_p: see `fastnet.text.TokenSampler`; temperature 0 takes the most likely token.
            seed: of the draws.
            use_cache: keep what was computed for earlier tokens; False computes everything anew for each token.

        Returns: int64 (T + max_new_tokens,) or (N, T + max_new_tokens): the prompt and what comes after.

        Raises: ValueError or IndexError for a prompt that is empty or outside the vocabulary, and for options out of range.
        """
        rows, single = prompt_ids(f"{type(self).__name__}.generate", prompt, self.vocab_size)
        new = list(self.stream(rows, max_new_tokens, temperature, top_k, top_p, seed, use_cache))
        text = np.concatenate([rows, np.stack(new, 1)], 1) if new else rows
        return fn.from_numpy(np.ascontiguousarray(text[0] if single else text))
