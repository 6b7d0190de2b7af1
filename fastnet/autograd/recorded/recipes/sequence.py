"""Recipes of attention and of recurrent layers: the scores made at once, the steps one by one."""
from __future__ import annotations

import math

import numpy as np

from fastnet._core.engine import node_backward
from fastnet._core.tensor import Tensor, from_numpy
from fastnet.autograd.recorded.kinds import RECIPES, pull, replay
from fastnet.autograd.recorded.op import Op
from fastnet.ops.join import cat, stack
from fastnet.ops.linear import linear
from fastnet.ops.softmax import softmax
from fastnet.ops.where import where

# The ends of fn_attention_args that say what was computed; its pointers come first.
ATTENTION = [("pointers", "i8", 11), ("scratch_size", "i8"), ("batch", "i8"), ("heads", "i8"), ("kv_heads", "i8"), ("l", "i8"), ("s", "i8"),
             ("e", "i8"), ("ev", "i8"), ("strides", "i8", 28), ("mask_kind", "i4"), ("causal", "i4"), ("scale", "f8"), ("dropout", "f8")]


def _dropped(op: Op, a: np.void) -> Tensor:
    """1 / (1 - p) where dropout kept a weight, else 0: read off the gradient of the values, which is the weights' product with gy."""
    heads, kv, length, ev = int(a["heads"]), int(a["kv_heads"]), int(a["l"]), int(a["ev"])
    found = np.zeros((int(a["batch"]), heads, length, int(a["s"])))
    for h in range(heads // kv):                         # one query head of each key head at a time
        for at in range(0, length, ev):
            rows = min(ev, length - at)
            gy = np.zeros(op.shape, op.like(0).dtype.numpy)
            gy[:, h::heads // kv, at:at + rows, :rows] = np.eye(rows)
            made = node_backward(op.node, from_numpy(gy))
            gv = made[0][:, :, 2].transpose(1, 2) if len(made) == 1 else made[2]  # type: ignore[index]
            found[:, h::heads // kv, at:at + rows] = gv.numpy()[..., :rows].swapaxes(-1, -2)  # type: ignore[union-attr]
    return from_numpy(((found != 0) / (1 - float(a["dropout"]))).astype(op.like(0).dtype.numpy))


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, a: np.void, kept: Tensor | None) -> Tensor:
    shared = int(a["heads"]) // int(a["kv_heads"])
    if shared != 1:
        k, v = k.repeat_interleave(shared, -3), v.repeat_interleave(shared, -3)
    scores = (q * float(a["scale"])) @ k.transpose(-2, -1)
    blind = None
    if a["causal"]:
        blind = from_numpy(np.triu(np.ones((int(a["l"]), int(a["s"])), bool), 1))
    elif mask is not None and "bool" in str(mask.dtype):
        blind = ~mask
    elif mask is not None:
        blind = mask == -math.inf
        scores = scores + where(blind, 0.0, mask)
    if blind is not None:
        weights = softmax(where(blind, -1e30, scores), -1)
        weights = where(blind, 0.0, weights)
    else:
        weights = softmax(scores, -1)
    return (weights if kept is None else weights * kept) @ v


def attention(op: Op, gy: Tensor) -> list[Tensor | None]:
    a, mask = op.block(ATTENTION), op.saved[5]
    packed = len(op.sources) == 1
    if not packed and a["dropout"] and op.sources[2] is None:
        raise RuntimeError(f"backward: create_graph=True cannot go through {op.name} with dropout where value needs no gradient")
    kept = _dropped(op, a) if a["dropout"] else None
    if not packed:
        got = dict(zip(op.wanted, pull(lambda q, k, v: attend(q, k, v, mask, a, kept), [op.input(k) for k in range(3)], op.wanted, gy)))
        return [got.get(k) for k in range(3)]
    op.saved[0] = stack(op.saved[:3]).permute(1, 3, 0, 2, 4)

    def apart(x: Tensor) -> Tensor:
        q, k, v = (x[:, :, at].transpose(1, 2) for at in range(3))
        return attend(q, k, v, mask, a, kept)

    return pull(apart, [op.input(0)], [0], gy)


RECIPES["ScaledDotProductAttentionBackward0"] = attention


def _step(kind: int, x: Tensor, h: Tensor, c: Tensor | None, w_hh: Tensor, b_hh: Tensor | None, w_hr: Tensor | None) -> tuple:
    """The next states; x: the input's share of the gates.  kind: 0 RNN with tanh, 1 with relu, 2 LSTM, 3 GRU."""
    z = linear(h, w_hh, b_hh)
    if kind < 2:
        return (x + z).tanh() if kind == 0 else (x + z).relu(), None
    if kind == 2:
        i, f, g, o = (x + z).chunk(4, 1)
        assert c is not None
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h if w_hr is None else linear(h, w_hr), c
    (xr, xu, xn), (hr, hu, hn) = x.chunk(3, 1), z.chunk(3, 1)
    u = (xu + hu).sigmoid()
    n = (xn + (xr + hr).sigmoid() * hn).tanh()
    return n + u * (h - n), None


@replay("RecurrentBackward0")
def recurrent(op: Op, x: Tensor, h: Tensor, c: Tensor | None, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None,
              w_hr: Tensor | None) -> Tensor:
    kind, reverse, steps = op.integers[:3]
    table = op.block("i8", 2 * steps) if steps else np.zeros(0, np.int64)
    gates = linear(x, w_ih, b_ih)
    rows: list[Tensor | None] = [None] * steps
    for t in range(steps - 1, -1, -1) if reverse else range(steps):
        at, n = int(table[t]), int(table[steps + t])
        new, state = _step(kind, gates[at:at + n], h[:n], None if c is None else c[:n], w_hh, b_hh, w_hr)
        rows[t] = new
        h = cat([new, h[n:]])
        c = c if state is None or c is None else cat([state, c[n:]])
    parts = [y.reshape(-1) for y in rows if y is not None] + [h.reshape(-1)]
    return cat(parts if c is None else [*parts, c.reshape(-1)])
