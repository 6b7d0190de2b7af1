"""An encoder-decoder Transformer for sentence pairs (Vaswani et al., Attention is all you need, 2017)."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.models.beam import Step, beam_search
from fastnet.models.blocks import at_least
from fastnet.models.decoding import CachedDecoder
from fastnet.models.positions import SinusoidalPositions
from fastnet.nn import functional as F


class Seq2Seq(nn.Module):
    """`nn.Transformer` with embeddings, sinusoidal positions and a head: source tokens to target tokens.

    Args:
        source_vocab: tokens of the source.
        target_vocab: tokens of the target; None: one vocabulary for both.
        d_model, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout: as of `nn.Transformer`.
        norm_first: normalise before attention and network, which trains without a long warm-up.
        padding_idx: the token that fills sequences up, in source and target.
        tied: the head's weight is the target embedding, and with one vocabulary the source embedding too.

    Attributes:
        config: the arguments, as a dict.

    Raises: ValueError for sizes that make no sense.

    >>> import fastnet as fn
    >>> model = fn.models.Seq2Seq(20, d_model=16, nhead=2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=32)
    >>> source, target = fn.tensor([[5, 6, 2], [7, 2, 0]]), fn.tensor([[1, 8, 2], [1, 9, 2]])
    >>> tuple(model(source, target).shape), model.loss(source, target).ndim
    ((2, 3, 20), 0)
    >>> len(model.translate(source, bos=1, eos=2, max_length=4, beam=3))
    2
    """

    def __init__(self, source_vocab: int, target_vocab: int | None = None, d_model: int = 256, nhead: int = 4, num_encoder_layers: int = 3,
                 num_decoder_layers: int = 3, dim_feedforward: int = 1024, dropout: float = 0.1, norm_first: bool = True,
                 padding_idx: int = 0, tied: bool = True) -> None:
        super().__init__()
        at_least("Seq2Seq", source_vocab=source_vocab, d_model=d_model, nhead=nhead, num_encoder_layers=num_encoder_layers,
                 num_decoder_layers=num_decoder_layers, dim_feedforward=dim_feedforward, **({} if target_vocab is None else
                                                                                            {"target_vocab": target_vocab}))
        targets = source_vocab if target_vocab is None else target_vocab
        if d_model % nhead or d_model % 2:
            raise ValueError(f"Seq2Seq: d_model {d_model} must be even and a multiple of nhead {nhead}")
        if not 0 <= padding_idx < min(source_vocab, targets):
            raise ValueError(f"Seq2Seq: padding_idx {padding_idx} is outside the vocabularies of {source_vocab} and {targets}")
        self.config: dict[str, Any] = {
            "source_vocab": source_vocab, "target_vocab": target_vocab, "d_model": d_model, "nhead": nhead,
            "num_encoder_layers": num_encoder_layers, "num_decoder_layers": num_decoder_layers, "dim_feedforward": dim_feedforward,
            "dropout": dropout, "norm_first": norm_first, "padding_idx": padding_idx, "tied": tied}
        self.d_model, self.padding_idx, self.target_vocab = d_model, padding_idx, targets
        self.source_embedding = nn.Embedding(source_vocab, d_model, padding_idx)
        self.target_embedding = nn.Embedding(targets, d_model, padding_idx)
        self.positions = SinusoidalPositions(d_model, dropout)
        self.transformer = nn.Transformer(d_model, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout,
                                          batch_first=True, norm_first=norm_first)
        self.generator = nn.Linear(d_model, targets)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=d_model ** -0.5)
            with fn.no_grad():
                embedding.weight[padding_idx].fill_(0)
        nn.init.zeros_(self.generator.bias)
        if tied:
            self.generator.weight = self.target_embedding.weight
            if target_vocab is None:
                self.source_embedding.weight = self.target_embedding.weight

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Source ids (N, S) to what the decoder looks at, (N, S, d_model), and where it is only padding: bool (N, S)."""
        if source.ndim != 2 or source.shape[1] == 0:
            raise ValueError(f"Seq2Seq: source must be ids (N, S), at least one each, got {tuple(source.shape)}")
        padding = source == self.padding_idx
        x = self.positions(self.source_embedding(source) * self.d_model ** 0.5)
        return self.transformer.encoder(x, src_key_padding_mask=padding), padding

    def decode(self, target: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        """Target ids (N, T), which begin with bos, and what `encode` gave, to what the head reads: (N, T, d_model)."""
        x = self.positions(self.target_embedding(target) * self.d_model ** 0.5)
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1], dtype=x.dtype)
        return self.transformer.decoder(x, memory, tgt_mask=mask, tgt_is_causal=True, memory_key_padding_mask=padding)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Source ids (N, S) and target ids (N, T) to logits (N, T, target_vocab); those at t are for the token after t."""
        return self.generator(self.decode(target, *self.encode(source)))

    def loss(self, source: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Mean cross-entropy, in nats, of each target token after the first, padding left out.

        Args:
            source: ids (N, S), filled up with padding_idx.
            target: ids (N, T): bos, the sentence, eos, padding.
            label_smoothing: as of `cross_entropy`.
        """
        if target.ndim != 2 or target.shape[0] != source.shape[0] or target.shape[1] < 2:
            raise ValueError(f"Seq2Seq.loss: target must be ids (N, T) with T > 1 for source {tuple(source.shape)}, "
                             f"got {tuple(target.shape)}")
        rows = self.decode(target[:, :-1], *self.encode(source)).flatten(0, 1)
        return F.linear_cross_entropy(rows, self.generator.weight, target[:, 1:].flatten(), linear_bias=self.generator.bias,
                                      ignore_index=self.padding_idx, label_smoothing=label_smoothing)

    def translate(self, source: Tensor, bos: int, eos: int, max_length: int = 128, beam: int = 1, length_penalty: float = 0.6,
                  use_cache: bool = True) -> list[list[int]]:
        """The likeliest targets that a greedy (beam 1) or beam search finds.

        Args:
            source: ids (N, S), filled up with padding_idx.
            bos, eos: the tokens at which a target begins and ends.
            max_length: tokens of a target at most.
            beam: how many beginnings are followed at a time.
            length_penalty: finished targets are compared by log p / ((5 + length) / 6)**length_penalty (Wu et al., 2016).
            use_cache: keep keys and values of earlier tokens; False computes everything anew for each token.

        Returns: N lists of ids, without bos and eos.

        Raises: ValueError for options out of range.
        """
        for name, value, least in (("max_length", max_length, 1), ("beam", beam, 1), ("length_penalty", length_penalty, 0)):
            if value < least:
                raise ValueError(f"Seq2Seq.translate: {name} must be at least {least}, got {value}")
        for name, token in (("bos", bos), ("eos", eos)):
            if not 0 <= token < self.target_vocab:
                raise ValueError(f"Seq2Seq.translate: {name} {token} is outside the vocabulary of {self.target_vocab}")
        was = self.training
        self.eval()
        try:
            with fn.no_grad():
                memory, padding = (x.repeat_interleave(beam, 0) for x in self.encode(source))
                step: Step = CachedDecoder(self, memory, padding, max_length) if use_cache else _Anew(self, memory, padding)
                return beam_search(step, source.shape[0], bos, eos, self.padding_idx, max_length, beam, length_penalty)
        finally:
            self.train(was)


class _Anew:
    """The decoder without a cache: everything is computed for each token."""

    def __init__(self, model: Seq2Seq, memory: Tensor, padding: Tensor) -> None:
        self.model, self.memory, self.padding = model, memory, padding

    def __call__(self, ids: Tensor, rows: Tensor | None) -> Tensor:
        return self.model.generator(self.model.decode(ids, self.memory, self.padding)[:, -1])
