"""Transformer: encoder and decoder layers, their stacks, and both together."""
from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import fastnet as fn
from fastnet._core.tensor import Tensor
from fastnet.nn import functional as F
from fastnet.nn import init
from fastnet.nn.attention import MultiheadAttention
from fastnet.nn.containers import ModuleList
from fastnet.nn.dropout import Dropout
from fastnet.nn.linear import Linear
from fastnet.nn.module import Module
from fastnet.nn.normalization import LayerNorm

Activation = Callable[[Tensor], Tensor]


def _activation(op: str, activation: str | Activation) -> Activation:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"{op}: activation must be 'relu', 'gelu' or a function, got {activation!r}")
    return getattr(F, activation)


def _is_causal(mask: Tensor | None, is_causal: bool | None, size: int) -> bool:
    """The word of the caller, or whether the mask is the causal one."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    if tuple(mask.shape) != (size, size):
        return False
    causal = Transformer.generate_square_subsequent_mask(size, dtype=mask.dtype if mask.is_floating_point() else None)
    return bool((mask == causal).all() if mask.is_floating_point() else (mask == causal.isinf()).all())


class TransformerEncoderLayer(Module):
    """Self-attention and a two-layer network, each with a residual connection and layer norm.

    Args:
        d_model: size of the vectors.
        nhead: heads of attention.
        dim_feedforward: hidden size of the network.
        dropout: probability of a zero, in all its places.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: eps of the norms.
        batch_first: inputs are (N, L, E), not (L, N, E).
        norm_first: normalise before attention and network, not after.
        bias: whether linear layers and norms have biases.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Vaswani et al., Attention is all you need, 2017.

    >>> import fastnet as fn
    >>> tuple(fn.nn.TransformerEncoderLayer(8, 2, 16)(fn.ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: str | Activation = F.relu,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation("TransformerEncoderLayer", activation)

    def forward(self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool = False) -> Tensor:
        """src (L, N, E), (N, L, E) with batch_first, or (L, E) to the same shape; masks as `MultiheadAttention` takes them."""
        def attend(x: Tensor) -> Tensor:
            return self.dropout1(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0])

        def network(x: Tensor) -> Tensor:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        if self.norm_first:
            src = src + attend(self.norm1(src))
            return src + network(self.norm2(src))
        src = self.norm1(src + attend(src))
        return self.norm2(src + network(src))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to an encoder's result, and a two-layer network, each with a residual connection and layer norm.

    Args:
        d_model: size of the vectors.
        nhead: heads of attention.
        dim_feedforward: hidden size of the network.
        dropout: probability of a zero, in all its places.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: eps of the norms.
        batch_first: inputs are (N, L, E), not (L, N, E).
        norm_first: normalise before attention and network, not after.
        bias: whether linear layers and norms have biases.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.TransformerDecoderLayer(8, 2, 16)(fn.ones(5, 3, 8), fn.ones(7, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: str | Activation = F.relu,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        for i in (1, 2, 3):
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, **made))
        for i in (1, 2, 3):
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation("TransformerDecoderLayer", activation)

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False,
                memory_is_causal: bool = False) -> Tensor:
        """tgt (T, N, E), and memory (S, N, E) of the encoder, to tgt's shape; masks as `MultiheadAttention` takes them."""
        def attend(x: Tensor) -> Tensor:
            return self.dropout1(self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0])

        def look(x: Tensor) -> Tensor:
            return self.dropout2(self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask,
                                                     is_causal=memory_is_causal)[0])

        def network(x: Tensor) -> Tensor:
            return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
        if self.norm_first:
            tgt = tgt + attend(self.norm1(tgt))
            tgt = tgt + look(self.norm2(tgt))
            return tgt + network(self.norm3(tgt))
        tgt = self.norm1(tgt + attend(tgt))
        tgt = self.norm2(tgt + look(tgt))
        return self.norm3(tgt + network(tgt))


class TransformerEncoder(Module):
    """Layers one after the other.

    Args:
        encoder_layer: a layer, of which num_layers copies are made.
        num_layers: how many.
        norm: a module for the end, or None.
        enable_nested_tensor, mask_check: accepted as in PyTorch; padding is always masked, never cut out.

    >>> import fastnet as fn
    >>> tuple(fn.nn.TransformerEncoder(fn.nn.TransformerEncoderLayer(8, 2, 16), 2)(fn.ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
                 mask_check: bool = True) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool | None = None) -> Tensor:
        """src to the same shape.

        Args:
            src: (L, N, E), (N, L, E) with batch_first, or (L, E).
            mask: (L, L) or (N nhead, L, L).
            src_key_padding_mask: (N, L).
            is_causal: whether mask is the causal one; None: look.
        """
        first = self.layers[0].self_attn.batch_first if len(self.layers) and hasattr(self.layers[0], "self_attn") else False
        causal = _is_causal(mask, is_causal, src.shape[1 if first and src.ndim == 3 else 0])
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Layers one after the other, each with the encoder's result.

    Args:
        decoder_layer: a layer, of which num_layers copies are made.
        num_layers: how many.
        norm: a module for the end, or None.

    >>> import fastnet as fn
    >>> tuple(fn.nn.TransformerDecoder(fn.nn.TransformerDecoderLayer(8, 2, 16), 2)(fn.ones(5, 3, 8), fn.ones(7, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                tgt_is_causal: bool | None = None, memory_is_causal: bool = False) -> Tensor:
        """tgt (T, N, E) and memory (S, N, E) to tgt's shape; tgt_is_causal: whether tgt_mask is the causal one, None: look."""
        first = self.layers[0].self_attn.batch_first if len(self.layers) and hasattr(self.layers[0], "self_attn") else False
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt.shape[1 if first and tgt.ndim == 3 else 0])
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                        memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal, memory_is_causal=memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder.

    Args:
        d_model: size of the vectors.
        nhead: heads of attention.
        num_encoder_layers, num_decoder_layers: layers of each.
        dim_feedforward: hidden size of the networks.
        dropout: probability of a zero, in all its places.
        activation: "relu", "gelu" or a function.
        custom_encoder, custom_decoder: modules in place of these.
        layer_norm_eps: eps of the norms.
        batch_first: inputs are (N, L, E), not (L, N, E).
        norm_first: normalise before attention and network, not after.
        bias: whether linear layers and norms have biases.
        device: "cpu" or None.
        dtype: of the parameters; the default dtype if None.

    Vaswani et al., Attention is all you need, 2017.

    >>> import fastnet as fn
    >>> tuple(fn.nn.Transformer(8, 2, 1, 1, 16)(fn.ones(7, 3, 8), fn.ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: str | Activation = F.relu,
                 custom_encoder: Module | None = None, custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
                 batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*layer), num_encoder_layers, norm())
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*layer), num_decoder_layers, norm())
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)

    def forward(self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
                memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
                memory_key_padding_mask: Tensor | None = None, src_is_causal: bool | None = None, tgt_is_causal: bool | None = None,
                memory_is_causal: bool = False) -> Tensor:
        """src (S, N, E) and tgt (T, N, E), batch first where so made, to tgt's shape; masks as `MultiheadAttention` takes them."""
        if src.ndim != tgt.ndim or (src.ndim == 3 and src.shape[0 if self.batch_first else 1] != tgt.shape[0 if self.batch_first else 1]):
            raise RuntimeError(f"Transformer: src {tuple(src.shape)} and tgt {tuple(tgt.shape)} must have the same number of sequences")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(f"Transformer: the last axis of src {tuple(src.shape)} and tgt {tuple(tgt.shape)} must be {self.d_model}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): -inf above the diagonal, so that a query sees itself and what is before it, and 0 elsewhere.

        >>> import fastnet as fn
        >>> fn.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return fn.full((sz, sz), float("-inf"), dtype=dtype, device=device).triu(1)
