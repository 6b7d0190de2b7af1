"""The decoder of a Transformer a token at a time: keys and values of the target so far, and of the source, are kept."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F


def _heads(attention: Any, x: Tensor, first: int, count: int) -> tuple[Tensor, ...]:
    """Projections `first` to `first + count` of (queries, keys, values) of x (N, T, E): each (N, heads, T, E / heads)."""
    e = attention.embed_dim
    rows = slice(first * e, (first + count) * e)
    y = F.linear(x, attention.in_proj_weight[rows], attention.in_proj_bias[rows])
    parts = y.unflatten(-1, (count, attention.num_heads, attention.head_dim))
    return tuple(parts[:, :, i].transpose(1, 2) for i in range(count))


def _attend(attention: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    y = F.scaled_dot_product_attention(q, k, v, mask)
    return attention.out_proj(y.transpose(1, 2).flatten(2))


class CachedDecoder:
    """Logits of the next token for sequences that grow by a token a call; the layers are in evaluation mode.

    Args:
        model: a `Seq2Seq`.
        memory, padding: what its `encode` gave, a row for each sequence.
        max_length: calls at most.
    """

    def __init__(self, model: Any, memory: Tensor, padding: Tensor, max_length: int) -> None:
        self.model, self.length = model, 0
        self.visible = ~padding[:, None, None, :]
        self.layers = list(model.transformer.decoder.layers)
        self.source = [_heads(layer.multihead_attn, memory, 1, 2) for layer in self.layers]
        first = self.layers[0].self_attn
        shape = (2, memory.shape[0], first.num_heads, max_length, first.head_dim)
        self.kept = [fn.zeros(*shape, dtype=memory.dtype) for _ in self.layers]

    def __call__(self, ids: Tensor, rows: Tensor | None) -> Tensor:
        """ids (N, T) -> logits (N, V) of the token after the last; row i goes on from what was row rows[i] (None: i) in the call before."""
        at = self.length
        self.length += 1
        if rows is not None and at:
            for kept in self.kept:
                kept[:, :, :, :at] = kept[:, :, :, :at].index_select(1, rows)
        model = self.model
        x = model.positions(model.target_embedding(ids[:, -1:]) * model.d_model ** 0.5, at)
        for layer, kept, (source_k, source_v) in zip(self.layers, self.kept, self.source):
            x = self._layer(layer, kept, source_k, source_v, x)
        norm = model.transformer.decoder.norm
        return model.generator((x if norm is None else norm(x))[:, -1])

    def _layer(self, layer: Any, kept: Tensor, source_k: Tensor, source_v: Tensor, x: Tensor) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            q, k, v = _heads(layer.self_attn, x, 0, 3)
            kept[0, :, :, self.length - 1:self.length] = k
            kept[1, :, :, self.length - 1:self.length] = v
            return _attend(layer.self_attn, q, kept[0, :, :, :self.length], kept[1, :, :, :self.length])

        def look(x: Tensor) -> Tensor:
            q, = _heads(layer.multihead_attn, x, 0, 1)
            return _attend(layer.multihead_attn, q, source_k, source_v, self.visible)

        def network(x: Tensor) -> Tensor:
            return layer.linear2(layer.activation(layer.linear1(x)))
        for part, norm in ((attend, layer.norm1), (look, layer.norm2), (network, layer.norm3)):
            x = x + part(norm(x)) if layer.norm_first else norm(x + part(x))
        return x
