"""MultiheadAttention."""
from __future__ import annotations

from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn import init
from fastnet.nn.linear import Linear
from fastnet.nn.module import Module
from fastnet.nn.parameter import Parameter


def _hides(mask: Tensor | None, name: str, like: Tensor) -> Tensor | None:
    """A mask as PyTorch's attention layers take it: bool (True hides) or numbers to add."""
    if mask is not None and mask.dtype not in (fn.bool, like.dtype):
        raise RuntimeError(f"MultiheadAttention: {name} must be bool or {like.dtype}, got {mask.dtype}")
    return mask


def _join(a: Tensor | None, b: Tensor | None, like: Tensor) -> Tensor | None:
    """One mask of two that broadcast: bool if both are."""
    if a is None or b is None:
        return b if a is None else a
    if a.dtype == b.dtype:
        return a | b if a.dtype == fn.bool else a + b
    return _numbers(a, like) + _numbers(b, like)


def _numbers(mask: Tensor, like: Tensor) -> Tensor:
    """A mask to add: -inf where a bool one hides."""
    return fn.zeros(mask.shape, dtype=like.dtype).masked_fill(mask, float("-inf")) if mask.dtype == fn.bool else mask


class MultiheadAttention(Module):
    """Attention with several heads, each on its own part of projected queries, keys and values.

    Args:
        embed_dim: size of queries and of the result; a multiple of num_heads.
        num_heads: heads, of embed_dim / num_heads each.
        dropout: probability with which a weight becomes 0 in training.
        bias: whether the projections have biases.
        add_bias_kv: append a learned key and value to each sequence.
        add_zero_attn: append a key and a value of zeros to each sequence.
        kdim, vdim: sizes of keys and values; default: embed_dim.
        batch_first: inputs are (N, L, E), not (L, N, E).
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Parameters have PyTorch's names and layout: `in_proj_weight` (3 E, E) or `q_proj_weight`, `k_proj_weight`, `v_proj_weight`;
    `in_proj_bias` (3 E); `bias_k` and `bias_v` (1, 1, E); `out_proj`.  Vaswani et al., Attention is all you need, 2017.

    >>> import fastnet as fn
    >>> y, weights = fn.nn.MultiheadAttention(8, 2, batch_first=True)(*[fn.ones(1, 3, 8)] * 3)
    >>> tuple(y.shape), tuple(weights.shape)
    ((1, 3, 8), (1, 3, 3))
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
                 add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim {embed_dim} must be a positive multiple of num_heads {num_heads}")
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"MultiheadAttention: dropout must be between 0 and 1, got {dropout}")
        self.embed_dim, self.num_heads, self.head_dim, self.dropout = embed_dim, num_heads, embed_dim // num_heads, dropout
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim

        def new(*shape: int) -> Parameter:
            return Parameter(fn.empty(*shape, device=device, dtype=dtype))
        same = self._qkv_same_embed_dim
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", None if same else new(embed_dim, size))
        self.register_parameter("in_proj_weight", new(3 * embed_dim, embed_dim) if same else None)
        self.register_parameter("in_proj_bias", new(3 * embed_dim) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, new(1, 1, embed_dim) if add_bias_kv else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: Xavier for the projections, zero biases."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
            init.xavier_normal_(self.bias_v)

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, heads, L, head_dim) of each; inputs are (N, L, E)."""
        e, bias = self.embed_dim, self.in_proj_bias
        if self._qkv_same_embed_dim and query is key and key is value:
            parts = F.linear(query, self.in_proj_weight, bias).unflatten(-1, (3, self.num_heads, self.head_dim))
            return tuple(parts[:, :, i].transpose(1, 2) for i in range(3))  # type: ignore[return-value]
        weights = self.in_proj_weight.split(e) if self._qkv_same_embed_dim else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None,) * 3 if bias is None else bias.split(e)
        made = [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]
        if self.bias_k is not None:
            made[1:] = [fn.cat((x, b.expand(x.shape[0], 1, e)), 1) for x, b in zip(made[1:], (self.bias_k, self.bias_v))]
        return tuple(x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for x in made)  # type: ignore[return-value]

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None, need_weights: bool = True,
                attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (L, N, E), with batch_first (N, L, E), or without a batch (L, E).
            key: (S, N, kdim), (N, S, kdim) or (S, kdim).
            value: (S, N, vdim), (N, S, vdim) or (S, vdim).
            key_padding_mask: (N, S) or (S,): True hides a key; or numbers that are added to its scores.
            need_weights: return the weights too, which takes memory for all of them.
            attn_mask: (L, S) or (N num_heads, L, S): True hides a key from a query; or numbers to add.
            average_attn_weights: weights are the mean over heads.
            is_causal: attn_mask is the causal mask, which then need not be read; it must be given.

        Returns:
            The result, shaped as query, and the weights (N, L, S), (N, num_heads, L, S) or None.

        Raises:
            RuntimeError: shapes or dtypes do not fit.
        """
        batched = query.ndim == 3
        if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
            raise RuntimeError(f"MultiheadAttention: query, key and value must have 2 or 3 axes alike, got {tuple(query.shape)}, "
                               f"{tuple(key.shape)}, {tuple(value.shape)}")
        if is_causal and attn_mask is None:
            raise RuntimeError("MultiheadAttention: is_causal needs attn_mask, the causal mask")
        if not batched or not self.batch_first:
            same, other = query is key, key is value
            query = query.unsqueeze(0) if not batched else query.transpose(0, 1)
            key = query if same else key.unsqueeze(0) if not batched else key.transpose(0, 1)
            value = key if other else value.unsqueeze(0) if not batched else value.transpose(0, 1)
        n, length, source = query.shape[0], query.shape[1], key.shape[1]
        if query.shape[2] != self.embed_dim or key.shape != (n, source, self.kdim) or value.shape != (n, source, self.vdim):
            raise RuntimeError(f"MultiheadAttention: with embed_dim={self.embed_dim}, kdim={self.kdim}, vdim={self.vdim}, query, key and "
                               f"value (batch first) are {tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}")
        causal = is_causal and key_padding_mask is None and not need_weights and self.bias_k is None and not self.add_zero_attn
        mask = None if causal else self._mask(key_padding_mask, attn_mask, n, length, source, query)
        if self.bias_k is not None and query is key:
            key = key.view(key.shape)                    # one object for all three would take the short way, without the learned key
        q, k, v = self._project(query, key, value)
        if self.add_zero_attn:
            k, v = (fn.cat((x, fn.zeros(n, self.num_heads, 1, self.head_dim, dtype=x.dtype)), 2) for x in (k, v))
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = (q * self.head_dim ** -0.5) @ k.transpose(-2, -1)
            weights = F.softmax(scores if mask is None else scores + _numbers(mask, scores), -1)
            y = F.dropout(weights, p) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, None if mask is None else ~mask if mask.dtype == fn.bool else mask, p, causal)
        y = self.out_proj(y.transpose(1, 2).reshape(n, length, self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if not batched:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _mask(self, padding: Tensor | None, mask: Tensor | None, n: int, length: int, source: int, like: Tensor) -> Tensor | None:
        """Both masks as one that broadcasts to (N, heads, L, S and what is appended)."""
        padding, mask = _hides(padding, "key_padding_mask", like), _hides(mask, "attn_mask", like)
        if padding is not None:
            if tuple(padding.shape) not in (((n, source), (source,)) if n == 1 else ((n, source),)):
                raise RuntimeError(f"MultiheadAttention: key_padding_mask must be {(n, source)}, got {tuple(padding.shape)}")
            padding = padding.reshape(n, 1, 1, source)
        if mask is not None:
            if tuple(mask.shape) not in ((length, source), (n * self.num_heads, length, source)):
                raise RuntimeError(f"MultiheadAttention: attn_mask must be {(length, source)} or {(n * self.num_heads, length, source)}, "
                                   f"got {tuple(mask.shape)}")
            mask = mask.reshape(n, self.num_heads, length, source) if mask.ndim == 3 else mask
        both = _join(padding, mask, like)
        more = (self.bias_k is not None) + self.add_zero_attn
        return both if both is None or not more else F.pad(both, (0, more))
