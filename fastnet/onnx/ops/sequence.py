"""Exporters of attention and recurrent layers."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.arithmetic import operand
from fastnet.onnx.ops.table import exporter
from fastnet.onnx.sizes import Dim, Repeated

# ONNX's order of the gates, by PyTorch's
GATES = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN_TANH": (0,), "RNN_RELU": (0,)}


@exporter("scaled_dot_product_attention")
def attention(g: Graph, query: Value, key: Value, value: Value, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
              scale: Any = None, enable_gqa: bool = False) -> str:
    if dropout_p:
        raise g.refuse("dropout_p must be 0 in evaluation")
    order = list(range(key.ndim))
    order[-1], order[-2] = order[-2], order[-1]
    k, v = (_heads(g, x, query.shape[-3]) if enable_gqa else x for x in (key, value))
    return _attend(g, query, g.transpose(k, order), v, query.shape, key.shape[-2], attn_mask, is_causal, scale)


def _heads(g: Graph, x: Value, heads: int) -> str:
    """Each head of keys or values as often as queries share it."""
    *lead, own, length, size = x.shape
    return g.reshape(g.broadcast(g.op("Unsqueeze", x, g.const([-3], np.int64)), [*lead, own, heads // own, length, size],
                                 [*lead, own, 1, length, size]), [*lead, heads, length, size], [*lead, own, heads // own, length, size])


@exporter("packed_attention")
def packed_attention(g: Graph, packed: Value, dropout_p: float = 0.0, is_causal: bool = False) -> str:
    if dropout_p:
        raise g.refuse("dropout_p must be 0 in evaluation")
    parts = [g.op("Gather", packed, g.const(k, np.int64), axis=2) for k in range(3)]       # (N, L, heads, size)
    q, k, v = (g.transpose(x, order) for x, order in zip(parts, ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3))))
    n, length, _, heads, size = packed.shape
    return _attend(g, q, k, v, [n, heads, length, size], length, None, is_causal, None)


def _attend(g: Graph, q: Any, k: Any, v: Any, shape: list[Any], keys: Any, mask: Any, causal: bool, scale: Any) -> str:
    """k comes with its last axes turned; shape: that of q."""
    dtype = g.y.dtype
    scale = g.const(shape[-1] ** -0.5 if scale is None else scale, dtype)
    scores = g.op("MatMul", g.op("Mul", q, scale), k)
    if causal:
        length = shape[-2]
        if isinstance(length, Dim) or isinstance(keys, Dim):
            seen = g.op("Trilu", g.op("Expand", g.const(1, np.float32), g.sizes([length, keys])), upper=0)
            scores = g.op("Where", g.op("Greater", seen, g.const(0, np.float32)), scores, g.const(-np.inf, dtype))
        else:
            scores = g.op("Add", scores, g.const(np.where(np.tri(length, keys, dtype=bool), 0, -np.inf).astype(dtype)))
    if mask is not None:
        scores = g.op("Where", mask, scores, g.const(-np.inf, dtype)) if mask.dtype == np.bool_ else \
            g.op("Add", scores, operand(g, mask, dtype))
    return g.op("MatMul", g.op("Softmax", scores, axis=-1), v)


@exporter("recurrent")
def recurrent(g: Graph, kind: str, input: Value, counts: Any, h_0: Value, c_0: Any, w_ih: Value, w_hh: Value, b_ih: Any = None,
              b_hh: Any = None, w_hr: Any = None, reverse: bool = False) -> list[str]:
    if w_hr is not None:
        raise g.refuse("proj_size: ONNX's LSTM has no projection")
    n: Any
    length: Any
    if isinstance(counts, Repeated):
        n, length = counts.element, counts.count
    else:
        n, length = counts[0], len(counts)
        if any(c != n for c in counts):
            raise g.refuse("packed sequences of several lengths")
    if any(w.array is None for w in (w_ih, w_hh)):
        raise g.refuse("its weights must be constants")
    hidden = w_hh.shape[1]

    def gates(w: Any) -> np.ndarray:
        return w.array.reshape(-1, hidden, *w.shape[1:])[list(GATES[kind])].reshape(w.shape)

    x = g.reshape(input, [length, n, input.shape[1]])
    bias = None if b_ih is None else g.const(np.concatenate([gates(b_ih), gates(b_hh)])[None])
    zero = [h is None or h.name in g.zeros or h.array is not None and not h.array.any() for h in (h_0, c_0)]
    first = [None if z else g.op("Unsqueeze", h, g.const([0], np.int64)) for h, z in zip((h_0, c_0), zero)]
    more: dict[str, Any] = {"linear_before_reset": 1} if kind == "GRU" else {}
    if kind == "RNN_RELU":
        more["activations"] = ["Relu"]
    out = g.op(kind[:3] if kind.startswith("RNN") else kind, x, g.const(gates(w_ih)[None]), g.const(gates(w_hh)[None]), bias, None,
               *first[:2 if kind == "LSTM" else 1], outputs=3 if kind == "LSTM" else 2,
               hidden_size=hidden, direction="reverse" if reverse else "forward", **more)
    y, *last = out
    rows = g.reshape(g.op("Squeeze", y, g.const([1], np.int64)), g.ys[0].shape, [length, n, hidden])
    return [rows, *(g.op("Squeeze", h, g.const([0], np.int64)) for h in last)]
