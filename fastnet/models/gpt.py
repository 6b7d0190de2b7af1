"""GPT: the decoder-only Transformer of GPT-2 with a key-value cache (Radford et al., Language models are unsupervised learners, 2019)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.models.blocks import at_least
from fastnet.models.generation import LanguageModel
from fastnet.models.positions import RotaryEmbedding
from fastnet.nn import functional as F
from fastnet.ops.attention import packed_attention


class Conv1D(nn.Module):
    """y = x W + b with W (in_features, out_features): GPT-2's linear layer, whose weight is the transpose of `nn.Linear`'s.

    >>> import fastnet as fn
    >>> from fastnet.models.gpt import Conv1D
    >>> layer = Conv1D(3, 5)
    >>> tuple(layer(fn.ones(2, 3)).shape), tuple(layer.weight.shape)
    ((2, 5), (3, 5))
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(fn.empty(in_features, out_features))
        self.bias = nn.Parameter(fn.zeros(out_features)) if bias else None
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in_features) to (..., out_features)."""
        return F.linear(x, self.weight.t(), self.bias)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}" + (", bias=False" if self.bias is None else "")


class KeyValueCache:
    """Keys and values of the tokens so far, of every layer, in memory that is made once.

    Args:
        layers, batch, heads, length, head_size: what it holds: tensors (batch, heads, length, head_size), two a layer.

    Attributes:
        filled: how many tokens are in it.
    """

    def __init__(self, layers: int, batch: int, heads: int, length: int, head_size: int, dtype: Any = None) -> None:
        self.pairs = [tuple(fn.zeros(batch, heads, length, head_size, dtype=dtype) for _ in range(2)) for _ in range(layers)]
        self.filled = 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write k and v (batch, heads, T, head_size) after what is filled; keys and values of all tokens, as views."""
        end = self.filled + k.shape[2]
        for kept, new in zip(self.pairs[layer], (k, v)):
            kept[:, :, self.filled:end] = new
        keys, values = self.pairs[layer]
        return keys[:, :, :end], values[:, :, :end]


class SelfAttention(nn.Module):
    """Causal attention with GPT-2's parameters: c_attn makes queries, keys and values, c_proj the result."""

    def __init__(self, n_embd: int, n_head: int, dropout: float, bias: bool, rotary: bool) -> None:
        super().__init__()
        self.n_head, self.dropout = n_head, dropout
        self.c_attn = Conv1D(n_embd, 3 * n_embd, bias)
        self.c_proj = Conv1D(n_embd, n_embd, bias)
        self.resid_dropout = nn.Dropout(dropout)
        self.rotary = RotaryEmbedding(n_embd // n_head) if rotary else None

    def forward(self, x: Tensor, cache: KeyValueCache | None = None, layer: int = 0) -> Tensor:
        """x (N, T, n_embd) to the same shape; with a cache, x is what comes after the tokens in it."""
        n, length, size = x.shape
        parts = self.c_attn(x).unflatten(-1, (3, self.n_head, size // self.n_head))
        if cache is None and self.rotary is None:
            y = packed_attention(parts, self.dropout if self.training else 0.0, True)
            return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(n, length, size)))
        q, k, v = (parts[:, :, i].transpose(1, 2) for i in range(3))
        start = 0 if cache is None else cache.filled
        if self.rotary is not None:
            q, k = self.rotary(q, start), self.rotary(k, start)
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        mask = None
        if start and length > 1:                          # several new tokens after old ones: the causal mask is not square
            mask = fn.ones(length, start + length, dtype=fn.bool).tril(start)
        y = F.scaled_dot_product_attention(q, k, v, mask, self.dropout if self.training else 0.0, is_causal=not start and length > 1)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape(n, length, size)))


class FeedForward(nn.Module):
    """Two layers with GELU (its tanh form) between them, four times as wide inside."""

    def __init__(self, n_embd: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.c_fc = Conv1D(n_embd, 4 * n_embd, bias)
        self.c_proj = Conv1D(4 * n_embd, n_embd, bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., n_embd) to the same shape."""
        return self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))


class Block(nn.Module):
    """Attention and feed-forward network, each after a layer norm, each added to its input."""

    def __init__(self, n_embd: int, n_head: int, dropout: float, bias: bool, rotary: bool) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(n_embd, bias=bias)
        self.attn = SelfAttention(n_embd, n_head, dropout, bias, rotary)
        self.ln_2 = nn.LayerNorm(n_embd, bias=bias)
        self.mlp = FeedForward(n_embd, dropout, bias)

    def forward(self, x: Tensor, cache: KeyValueCache | None = None, layer: int = 0) -> Tensor:
        """x (N, T, n_embd) to the same shape."""
        x = x + self.attn(self.ln_1(x), cache, layer)
        return x + self.mlp(self.ln_2(x))


class GPT(LanguageModel):
    """GPT-2 with its parameter names: `wte`, `wpe`, `h.N.ln_1`, `h.N.attn.c_attn` (in, out), ..., `ln_f`; `lm_head` is `wte`.

    Args:
        vocab_size: tokens.
        block_size: the longest text it sees at once.
        n_layer, n_head, n_embd: layers, heads of attention, size of the vectors; the defaults are GPT-2 small's, 124 million parameters.
        dropout: probability of a zero, in all its places.
        bias: whether linear layers and norms have biases.
        position: "learned", as GPT-2, or "rotary" (`RotaryEmbedding`), which has no `wpe`.

    Attributes:
        config: the arguments, as a dict: `GPT(**model.config)` makes another one.

    `load_state_dict` takes GPT-2's checkpoints as Hugging Face has them, with or without the prefix `transformer.`, with or without
    `lm_head`; their masks are passed over.

    Raises: ValueError for sizes that make no sense.

    >>> import fastnet as fn
    >>> model = fn.models.GPT(vocab_size=65, block_size=32, n_layer=2, n_head=2, n_embd=16)
    >>> ids = fn.tensor([[1, 2, 3, 4]])
    >>> tuple(model(ids).shape), model.loss(ids[:, :-1], ids[:, 1:]).ndim
    ((1, 4, 65), 0)
    >>> tuple(model.generate([1, 2, 3], max_new_tokens=5, top_k=10, seed=1).shape)
    (8,)
    """

    def __init__(self, vocab_size: int = 50257, block_size: int = 1024, n_layer: int = 12, n_head: int = 12, n_embd: int = 768,
                 dropout: float = 0.0, bias: bool = True, position: str = "learned") -> None:
        super().__init__()
        at_least("GPT", vocab_size=vocab_size, block_size=block_size, n_layer=n_layer, n_head=n_head, n_embd=n_embd)
        if n_embd % n_head:
            raise ValueError(f"GPT: n_embd {n_embd} must be a multiple of n_head {n_head}")
        if position not in ("learned", "rotary"):
            raise ValueError(f"GPT: position must be 'learned' or 'rotary', got {position!r}")
        self.config: dict[str, Any] = {"vocab_size": vocab_size, "block_size": block_size, "n_layer": n_layer, "n_head": n_head,
                                       "n_embd": n_embd, "dropout": dropout, "bias": bias, "position": position}
        self.vocab_size, self.block_size = vocab_size, block_size
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd) if position == "learned" else None
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList([Block(n_embd, n_head, dropout, bias, position == "rotary") for _ in range(n_layer)])
        self.ln_f = nn.LayerNorm(n_embd, bias=bias)
        self.lm_head = nn.Linear(n_embd, 1, bias=False)   # never a second table of that size in memory
        self.lm_head.weight, self.lm_head.out_features = self.wte.weight, vocab_size
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, as GPT-2's began: normal with 0.02, and 0.02 / sqrt(2 n_layer) where a block's result is added."""
        for name, p in self.named_parameters():
            if p.ndim > 1:
                nn.init.normal_(p, std=0.02 / (2 * len(self.h)) ** 0.5 if name.endswith("c_proj.weight") else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.ones_(p)

    def features(self, idx: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        """What the head reads: ids (N, T) to (N, T, n_embd); with a cache, idx comes after the tokens in it and is added to it.

        Raises: ValueError for another shape, or more tokens than block_size.
        """
        start = 0 if cache is None else cache.filled
        if idx.ndim != 2 or start + idx.shape[1] > self.block_size:
            raise ValueError(f"GPT: ids must be (N, T) with T up to block_size {self.block_size}, got {tuple(idx.shape)}"
                             + (f" after {start} tokens" if start else ""))
        x = self.wte(idx)
        if self.wpe is not None:
            x = x + self.wpe.weight[start:start + idx.shape[1]]
        x = self.drop(x)
        for i, block in enumerate(self.h):
            x = block(x, cache, i)
        if cache is not None:
            cache.filled += idx.shape[1]
        return self.ln_f(x)

    def forward(self, idx: Tensor) -> Tensor:
        """ids (N, T) to logits (N, T, vocab_size); those at t are for the token after t."""
        return self.lm_head(self.features(idx))

    def loss(self, idx: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
        """Mean cross-entropy of targets (N, T) in nats, by `linear_cross_entropy`: the logits are never all in memory."""
        if tuple(idx.shape) != tuple(targets.shape):
            raise ValueError(f"GPT.loss: idx {tuple(idx.shape)} and targets {tuple(targets.shape)} must have the same shape")
        rows = self.features(idx).flatten(0, 1)
        return F.linear_cross_entropy(rows, self.lm_head.weight, targets.flatten(), ignore_index=ignore_index)

    def cache(self, batch: int = 1) -> KeyValueCache:
        """An empty cache for `features`, for `batch` texts of up to block_size tokens."""
        c = self.config
        return KeyValueCache(c["n_layer"], batch, c["n_head"], self.block_size, c["n_embd"] // c["n_head"], self.wte.weight.dtype)

    def _next(self, use_cache: bool) -> Any:
        """A text beyond block_size is seen through a window that moves on by half of it at a time; in between, the cache holds."""
        hop, cache, seen = max(1, self.block_size // 2), None, 0

        def step(ids: np.ndarray) -> Tensor:
            nonlocal cache, seen
            length = ids.shape[1]
            begin = 0 if length <= self.block_size else -(-(length - self.block_size) // hop) * hop
            if not use_cache:
                return self.lm_head(self.features(fn.from_numpy(np.ascontiguousarray(ids[:, begin:])))[:, -1])
            if cache is None:
                cache = self.cache(len(ids))
            if begin != seen - cache.filled:              # the window has moved
                cache.filled, seen = 0, begin
            new = fn.from_numpy(np.ascontiguousarray(ids[:, seen:]))
            seen = length
            return self.lm_head(self.features(new, cache)[:, -1])
        return step

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As of `Module`, and GPT-2's checkpoints as Hugging Face has them."""
        known = self.state_dict()
        state = {}
        for name, value in state_dict.items():
            short = name.removeprefix("transformer.")
            if short in known or not short.endswith((".attn.bias", ".attn.masked_bias")):
                state[short if short in known else name] = value
        if "lm_head.weight" not in state and "wte.weight" in state:
            state["lm_head.weight"] = state["wte.weight"]
        report = super().load_state_dict(state, strict, assign)
        self.lm_head.weight = self.wte.weight             # with assign they came as two
        return report
