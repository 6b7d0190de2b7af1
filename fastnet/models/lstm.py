"""A language model of LSTM layers (Zaremba, Sutskever, Vinyals: Recurrent neural network regularization, 2014)."""
from __future__ import annotations

from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.models.blocks import at_least
from fastnet.models.generation import LanguageModel
from fastnet.nn import functional as F

State = tuple[Tensor, Tensor]


class LSTMLanguageModel(LanguageModel):
    """Embedding (`encoder`), LSTM layers (`rnn`), a linear layer over the vocabulary (`decoder`).

    Args:
        vocab_size: tokens.
        embedding_dim: size of a token's vector.
        hidden_size: size of h and c.
        num_layers: LSTM layers.
        dropout: probability of a zero in the embeddings, between the layers, and before the decoder.
        tie_weights: the decoder's weight is the embedding; embedding_dim must be hidden_size.

    Attributes:
        config: the arguments, as a dict.

    Raises: ValueError for sizes that make no sense.

    >>> import fastnet as fn
    >>> model = fn.models.LSTMLanguageModel(vocab_size=65, embedding_dim=16, hidden_size=16, tie_weights=True)
    >>> logits, state = model(fn.tensor([[1, 2, 3]]))
    >>> tuple(logits.shape), tuple(state[0].shape), tuple(model.generate([1, 2], 5).shape)
    ((1, 3, 65), (2, 1, 16), (7,))
    """

    def __init__(self, vocab_size: int, embedding_dim: int = 256, hidden_size: int = 256, num_layers: int = 2, dropout: float = 0.0,
                 tie_weights: bool = False) -> None:
        super().__init__()
        at_least("LSTMLanguageModel", vocab_size=vocab_size, embedding_dim=embedding_dim, hidden_size=hidden_size, num_layers=num_layers)
        if tie_weights and embedding_dim != hidden_size:
            raise ValueError(f"LSTMLanguageModel: tie_weights needs embedding_dim {embedding_dim} to be hidden_size {hidden_size}")
        self.config: dict[str, Any] = {"vocab_size": vocab_size, "embedding_dim": embedding_dim, "hidden_size": hidden_size,
                                       "num_layers": num_layers, "dropout": dropout, "tie_weights": tie_weights}
        self.vocab_size = vocab_size
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(vocab_size, embedding_dim)
        self.rnn = nn.LSTM(embedding_dim, hidden_size, num_layers, dropout=dropout, batch_first=True)
        self.decoder = nn.Linear(hidden_size, vocab_size)
        if tie_weights:
            self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        if not tie_weights:
            nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def features(self, idx: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """What the decoder reads: ids (N, T) to (N, T, hidden_size), and the state after them."""
        if idx.ndim != 2:
            raise ValueError(f"LSTMLanguageModel: ids must be (N, T), got {tuple(idx.shape)}")
        y, state = self.rnn(self.drop(self.encoder(idx)), state)
        return self.drop(y), state  # type: ignore[return-value]

    def forward(self, idx: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """ids (N, T) to logits (N, T, vocab_size), those at t for the token after t, and the state (num_layers, N, hidden_size) twice."""
        y, state = self.features(idx, state)
        return self.decoder(y), state

    def loss(self, idx: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
        """Mean cross-entropy of targets (N, T) in nats, by `linear_cross_entropy`."""
        if tuple(idx.shape) != tuple(targets.shape):
            raise ValueError(f"LSTMLanguageModel.loss: idx {tuple(idx.shape)} and targets {tuple(targets.shape)} must have the same shape")
        rows = self.features(idx)[0].flatten(0, 1)
        return F.linear_cross_entropy(rows, self.decoder.weight, targets.flatten(), linear_bias=self.decoder.bias,
                                      ignore_index=ignore_index)

    def _next(self, use_cache: bool) -> Any:
        state, seen = None, 0

        def step(ids: np.ndarray) -> Tensor:
            nonlocal state, seen
            y, state = self.features(fn.from_numpy(np.ascontiguousarray(ids[:, seen:])), state)
            if use_cache:
                seen = ids.shape[1]
            else:
                state = None
            return self.decoder(y[:, -1])
        return step
