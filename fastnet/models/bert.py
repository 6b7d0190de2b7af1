"""BERT: a Transformer encoder that learns to fill in masked tokens (Devlin, Chang, Lee, Toutanova: BERT, 2019)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import fastnet as fn
from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.models.blocks import at_least
from fastnet.nn import functional as F
from fastnet.text.draws import uniform


class Embeddings(nn.Module):
    """Sums of the embeddings of token, position and segment, normalised."""

    def __init__(self, vocab_size: int, max_position: int, type_vocab_size: int, size: int, dropout: float, eps: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, size, padding_idx=0)
        self.position_embeddings = nn.Embedding(max_position, size)
        self.token_type_embeddings = nn.Embedding(type_vocab_size, size)
        self.LayerNorm = nn.LayerNorm(size, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, types: Tensor | None) -> Tensor:
        """ids (N, T) and segments (N, T) (None: 0) to (N, T, size)."""
        kind = self.token_type_embeddings.weight[0] if types is None else self.token_type_embeddings(types)
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings.weight[:ids.shape[1]] + kind))


class Projections(nn.Module):
    """Attention with queries, keys and values of their own layers; its result is not yet projected."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, x: Tensor, visible: Tensor | None) -> Tensor:
        """x (N, T, size) to the same shape; visible: bool (N, 1, 1, T)."""
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(q, k, v, visible, self.dropout if self.training else 0.0)
        return y.transpose(1, 2).flatten(2)


class Output(nn.Module):
    """A linear layer, then the norm of its sum with what went around it."""

    def __init__(self, inputs: int, size: int, dropout: float, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, size)
        self.LayerNorm = nn.LayerNorm(size, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """y (..., inputs) and x (..., size) to x's shape."""
        return self.LayerNorm(self.dropout(self.dense(y)) + x)


class Layer(nn.Module):
    """Attention and a two-layer network with GELU, each followed by a layer norm."""

    def __init__(self, size: int, heads: int, hidden: int, dropout: float, eps: float) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({"self": Projections(size, heads, dropout), "output": Output(size, size, dropout, eps)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(size, hidden)})
        self.output = Output(hidden, size, dropout, eps)

    def forward(self, x: Tensor, visible: Tensor | None) -> Tensor:
        """x (N, T, size) to the same shape."""
        x = self.attention["output"](self.attention["self"](x, visible), x)
        return self.output(F.gelu(self.intermediate["dense"](x)), x)


class Head(nn.Module):
    """The masked-language head: a layer with GELU and norm, then the word embedding, transposed, and a bias."""

    def __init__(self, size: int, vocab_size: int, eps: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(fn.zeros(vocab_size))
        self.transform = nn.ModuleDict({"dense": nn.Linear(size, size), "LayerNorm": nn.LayerNorm(size, eps)})
        self.decoder = nn.Linear(size, vocab_size, bias=False)

    def features(self, x: Tensor) -> Tensor:
        """x (..., size) to what the decoder reads, of the same shape."""
        return self.transform["LayerNorm"](F.gelu(self.transform["dense"](x)))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., size) to logits (..., vocab_size)."""
        return F.linear(self.features(x), self.decoder.weight, self.bias)


class Bert(nn.Module):
    """BERT with its masked-language head; parameters have the names of Hugging Face's `BertForMaskedLM`.

    Args:
        vocab_size: tokens; token 0 is padding, whose embedding stays.
        hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: the defaults are BERT base's, 110 million parameters.
        max_position_embeddings: the longest text.
        type_vocab_size: segments.
        dropout: probability of a zero, in all its places.
        layer_norm_eps: eps of the norms.

    Attributes:
        config: the arguments, as a dict.

    `load_state_dict` takes checkpoints of BERT as Hugging Face has them: of the encoder, or of pre-training; what is not of this model
    (pooler, next sentence) is passed over, and the old names gamma and beta are read.

    Raises: ValueError for sizes that make no sense.

    >>> import fastnet as fn
    >>> model = fn.models.Bert(vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    >>> ids = fn.tensor([[5, 6, 7, 0]])
    >>> tuple(model.encode(ids, attention_mask=ids != 0).shape), tuple(model(ids).shape)
    ((1, 4, 16), (1, 4, 30))
    """

    def __init__(self, vocab_size: int = 30522, hidden_size: int = 768, num_hidden_layers: int = 12, num_attention_heads: int = 12,
                 intermediate_size: int = 3072, max_position_embeddings: int = 512, type_vocab_size: int = 2, dropout: float = 0.1,
                 layer_norm_eps: float = 1e-12) -> None:
        super().__init__()
        at_least("Bert", vocab_size=vocab_size, hidden_size=hidden_size, num_hidden_layers=num_hidden_layers,
                 num_attention_heads=num_attention_heads, intermediate_size=intermediate_size,
                 max_position_embeddings=max_position_embeddings, type_vocab_size=type_vocab_size)
        if hidden_size % num_attention_heads:
            raise ValueError(f"Bert: hidden_size {hidden_size} must be a multiple of num_attention_heads {num_attention_heads}")
        self.config: dict[str, Any] = {
            "vocab_size": vocab_size, "hidden_size": hidden_size, "num_hidden_layers": num_hidden_layers,
            "num_attention_heads": num_attention_heads, "intermediate_size": intermediate_size,
            "max_position_embeddings": max_position_embeddings, "type_vocab_size": type_vocab_size, "dropout": dropout,
            "layer_norm_eps": layer_norm_eps}
        self.vocab_size, self.longest = vocab_size, max_position_embeddings
        layers = nn.ModuleList([Layer(hidden_size, num_attention_heads, intermediate_size, dropout, layer_norm_eps)
                                for _ in range(num_hidden_layers)])
        self.bert = nn.ModuleDict({
            "embeddings": Embeddings(vocab_size, max_position_embeddings, type_vocab_size, hidden_size, dropout, layer_norm_eps),
            "encoder": nn.ModuleDict({"layer": layers})})
        self.cls = nn.ModuleDict({"predictions": Head(hidden_size, vocab_size, layer_norm_eps)})
        self.reset_parameters()
        self._tie()

    def _parts(self) -> tuple[Any, Any]:
        return self.cls["predictions"], self.bert["embeddings"]

    def _tie(self) -> None:
        head, embeddings = self._parts()
        head.decoder.weight = embeddings.word_embeddings.weight

    def reset_parameters(self) -> None:
        """Draw the parameters anew: normal with 0.02; biases 0, norms 1, and zeros for the padding token."""
        for name, p in self.named_parameters():
            if p.ndim > 1:
                nn.init.normal_(p, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
            else:
                nn.init.ones_(p)
        with fn.no_grad():
            self._parts()[1].word_embeddings.weight[0].fill_(0)

    def encode(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None) -> Tensor:
        """The last layer's vectors.

        Args:
            input_ids: (N, T), T up to max_position_embeddings.
            attention_mask: (N, T), bool or numbers: 0 hides a token, such as padding; None: all are seen.
            token_type_ids: segments (N, T); None: all 0.

        Returns: (N, T, hidden_size).

        Raises: ValueError where shapes do not fit.
        """
        if input_ids.ndim != 2 or input_ids.shape[1] > self.longest:
            raise ValueError(f"Bert: input_ids must be (N, T) with T up to {self.longest}, got {tuple(input_ids.shape)}")
        for name, given in (("attention_mask", attention_mask), ("token_type_ids", token_type_ids)):
            if given is not None and tuple(given.shape) != tuple(input_ids.shape):
                raise ValueError(f"Bert: {name} {tuple(given.shape)} must be shaped as input_ids {tuple(input_ids.shape)}")
        visible = None if attention_mask is None else (attention_mask != 0)[:, None, None, :]
        x = self.bert["embeddings"](input_ids, token_type_ids)
        encoder: Any = self.bert["encoder"]
        for layer in encoder["layer"]:
            x = layer(x, visible)
        return x

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None) -> Tensor:
        """Logits (N, T, vocab_size) of the token at each place; arguments as of `encode`."""
        return self.cls["predictions"](self.encode(input_ids, attention_mask, token_type_ids))

    def loss(self, input_ids: Tensor, targets: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None,
             ignore_index: int = -100) -> Tensor:
        """Mean cross-entropy, in nats, where targets (N, T) is not ignore_index; the head runs for these places only. See `mask_tokens`."""
        if tuple(input_ids.shape) != tuple(targets.shape):
            raise ValueError(f"Bert.loss: input_ids {tuple(input_ids.shape)} and targets {tuple(targets.shape)} must have the same shape")
        wanted = fn.from_numpy(np.flatnonzero(targets.numpy() != ignore_index))
        rows = self.encode(input_ids, attention_mask, token_type_ids).flatten(0, 1).index_select(0, wanted)
        head = self._parts()[0]
        return F.linear_cross_entropy(head.features(rows), head.decoder.weight, targets.flatten().index_select(0, wanted),
                                      linear_bias=head.bias)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As of `Module`, and checkpoints of BERT as Hugging Face has them."""
        known = self.state_dict()
        state = {}
        for name, value in state_dict.items():
            new = name if name.startswith(("bert.", "cls.")) else f"bert.{name}"
            new = new.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
            if new in known:
                state[new] = value
            elif not new.startswith(("bert.pooler.", "cls.seq_relationship.")) and not new.endswith(("position_ids", "decoder.bias")):
                state[name] = value
        if "bert.embeddings.word_embeddings.weight" in state:
            state.setdefault("cls.predictions.decoder.weight", state["bert.embeddings.word_embeddings.weight"])
        if not any(name.startswith("cls.") for name in state_dict):     # a checkpoint of the encoder alone leaves the head as it is
            state |= {name: value for name, value in known.items() if name.startswith("cls.") and name not in state}
        report = super().load_state_dict(state, strict, assign)
        self._tie()
        return report


def mask_tokens(ids: Tensor, mask_token: int, vocab_size: int, probability: float = 0.15, special: tuple[int, ...] = (0,), seed: int = 0,
                step: int = 0) -> tuple[Tensor, Tensor]:
    """What BERT learns from: some tokens are hidden, and they are the targets.

    Of the tokens that are chosen, 80 % become mask_token, 10 % a random token, and 10 % stay.

    Args:
        ids: (N, T).
        mask_token: the id that hides a token.
        vocab_size: random tokens are below it.
        probability: share of the tokens that are chosen.
        special: tokens that are never chosen, such as padding.
        seed, step: the same ones choose the same again.

    Returns: ids with masks, and targets: the tokens that were chosen, -100 elsewhere; both int64 (N, T).

    >>> import fastnet as fn
    >>> ids, targets = fn.models.mask_tokens(fn.tensor([[5, 6, 7, 8, 9, 0, 0, 0]]), mask_token=1, vocab_size=30, probability=0.5, seed=2)
    >>> bool(((targets == -100) | (targets == fn.tensor([5, 6, 7, 8, 9, 0, 0, 0]))).all())
    True
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"mask_tokens: probability must lie between 0 and 1, got {probability}")
    given = ids.numpy()
    draws = uniform(seed, step, 3 * given.size).reshape(3, *given.shape)
    chosen = (draws[0] < probability) & ~np.isin(given, special)
    hidden = given.astype(np.int64)
    hidden[chosen & (draws[1] < 0.8)] = mask_token
    randomly = chosen & (draws[1] >= 0.9)
    hidden[randomly] = (draws[2][randomly] * vocab_size).astype(np.int64)
    return fn.from_numpy(hidden), fn.from_numpy(np.where(chosen, given, -100).astype(np.int64))
