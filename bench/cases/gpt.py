"""GPT: whole training steps with AdamW, and one token of generation with a key-value cache."""
from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cases.case import Arrays, Case, Run, Target, trained

LR = 3e-4


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A parameter of GPT-2, (in, out) as GPT-2 has it: it depends on its name and shape alone."""
    if len(shape) > 1:
        return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, np.float32) * np.float32(0.02)
    return np.full(shape, float(name.endswith("weight")), np.float32)


def torch_gpt(torch: Any, vocab: int, block: int, layers: int, heads: int, size: int) -> Any:
    """The same network as a user of PyTorch writes it, with fastnet's names; linear weights are (out, in)."""
    nn, F = torch.nn, torch.nn.functional

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.c_attn, self.c_proj = nn.Linear(size, 3 * size), nn.Linear(size, size)

        def forward(self, x, kept=None, at=0):
            n, length, _ = x.shape
            q, k, v = (t.view(n, length, heads, size // heads).transpose(1, 2) for t in self.c_attn(x).split(size, 2))
            if kept is not None:
                kept[0][:, :, at:at + length], kept[1][:, :, at:at + length] = k, v
                k, v = kept[0][:, :, :at + length], kept[1][:, :, :at + length]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
            return self.c_proj(y.transpose(1, 2).reshape(n, length, size))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2, self.attn, self.mlp = nn.LayerNorm(size), nn.LayerNorm(size), Attention(), nn.Module()
            self.mlp.c_fc, self.mlp.c_proj = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

        def forward(self, x, kept=None, at=0):
            x = x + self.attn(self.ln_1(x), kept, at)
            return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(vocab, size), nn.Embedding(block, size)
            self.h, self.ln_f = nn.ModuleList(Block() for _ in range(layers)), nn.LayerNorm(size)

        def forward(self, ids, kept=None, at=0):
            x = self.wte(ids) + self.wpe.weight[at:at + ids.shape[1]]
            for i, layer in enumerate(self.h):
                x = layer(x, None if kept is None else kept[i], at)
            x = self.ln_f(x)
            return F.linear(x if kept is None else x[:, -1], self.wte.weight)

        def loss(self, ids, targets):
            return F.cross_entropy(self(ids).flatten(0, 1), targets.flatten())
    return GPT()


@dataclass
class Network(Case):
    """`fastnet.models.GPT`; PyTorch runs `torch_gpt`."""

    def model(self, lib: Any, dtype: str = "float32") -> Any:
        e = self.extra
        sizes = [e[k] for k in ("vocab", "block", "layers", "heads", "size")]
        fast = lib.__name__ == "fastnet"
        model = lib.models.GPT(*sizes) if fast else torch_gpt(lib, *sizes)
        for name, p in model.named_parameters():
            turned = not fast and p.ndim > 1 and name.startswith("h.")
            value = weight(name, tuple(p.shape)[::-1] if turned else tuple(p.shape))
            with lib.no_grad():
                p.copy_(lib.from_numpy(np.ascontiguousarray(value.T if turned else value)))
        return model.double() if dtype == "float64" else model


@dataclass
class Training(Network):
    """Steps on one batch. The losses of the first ones are held against PyTorch's in float64, which `python bench/record.py` printed."""

    def inputs(self) -> Arrays:
        rng, e = np.random.default_rng(15), self.extra
        ids = rng.integers(0, e["vocab"], (e["batch"], e["block"] + 1))
        return {"x": np.ascontiguousarray(ids[:, :-1]), "y": np.ascontiguousarray(ids[:, 1:])}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        return [np.asarray(self.extra["losses"])]

    def torchlike(self, lib: Any, x: Arrays, tuned: bool, dtype: str = "float32") -> Run:
        model, xs, ys = self.model(lib, dtype), lib.tensor(x["x"]), lib.tensor(x["y"])
        optimizer = lib.optim.AdamW(model.parameters(), lr=LR, **({"fused": True} if tuned else {}))

        def step():
            optimizer.zero_grad()
            loss = model.loss(xs, ys)
            loss.backward()
            optimizer.step()
            return loss
        return trained(step)


@dataclass
class Token(Network):
    """Logits of the next token after `filled` tokens whose keys and values are kept: every weight is read once."""

    def inputs(self) -> Arrays:
        return {"ids": np.random.default_rng(16).integers(0, self.extra["vocab"], (1, self.extra["filled"] + 1))}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        e, (_, n) = self.extra, x["ids"].shape
        size, heads = e["size"], e["heads"]

        def norm(v):
            return (v - v.mean(-1, keepdims=True)) / np.sqrt(v.var(-1, keepdims=True) + 1e-5)
        table = weight("wte.weight", (e["vocab"], size))
        v = (table[x["ids"][0]] + weight("wpe.weight", (e["block"], size))[:n]).astype(np.float64)
        for i in range(e["layers"]):
            w = {k: weight(f"h.{i}.{k}.weight", shape) for k, shape in (("attn.c_attn", (size, 3 * size)), ("attn.c_proj", (size, size)),
                                                                        ("mlp.c_fc", (size, 4 * size)), ("mlp.c_proj", (4 * size, size)))}
            q, k, u = (norm(v) @ w["attn.c_attn"]).reshape(n, 3, heads, -1).transpose(1, 2, 0, 3)
            s = np.exp(q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5) * np.tri(n)
            v = v + (s / s.sum(-1, keepdims=True) @ u).swapaxes(0, 1).reshape(n, size) @ w["attn.c_proj"]
            z = norm(v) @ w["mlp.c_fc"]
            v = v + 0.5 * z * (1 + np.tanh((2 / np.pi) ** 0.5 * (z + 0.044715 * z ** 3))) @ w["mlp.c_proj"]
        return [(norm(v[-1]) @ table.T)[None]]

    def fastnet(self, x: Arrays, tuned: bool) -> Run:
        import fastnet
        model = self.model(fastnet).eval()
        ids, cache, filled, kept = fastnet.tensor(x["ids"]), model.cache(), self.extra["filled"], []
        with fastnet.no_grad():
            model.features(ids[:, :filled], cache)

        def step():
            with fastnet.no_grad():
                cache.filled = filled
                kept[:] = [model.lm_head(model.features(ids[:, filled:], cache)[:, -1])]
        step()
        return Run("step()", {"step": step}, lambda: [kept[0].numpy()])

    def torch(self, x: Arrays, tuned: bool) -> Run:
        import torch
        e, model = self.extra, self.model(torch).eval()
        ids, filled, kept = torch.tensor(x["ids"]), e["filled"], []
        cache = [torch.zeros(2, 1, e["heads"], e["block"], e["size"] // e["heads"]) for _ in range(e["layers"])]
        with torch.inference_mode():
            model(ids[:, :filled], cache)

        def step():
            with torch.inference_mode():
                kept[:] = [model(ids[:, filled:], cache, filled)]
        step()
        return Run("step()", {"step": step}, lambda: [kept[0].numpy()])


def training(name: str, layers: int, size: int, block: int, batch: int, ratios: tuple[float, float], losses: list[float],
             **more) -> Training:
    vocab, heads = 65, size // 64 if size > 128 else 4
    weights = layers * 12 * size * size + vocab * size
    flop = 6.0 * batch * block * weights + 7.0 * layers * batch * block * block * size      # causal: half of the 14 of all scores
    return Training(name, "training steps of language models", flop=flop, checks=3, tolerance=1e-3, fresh=True, peers=("torch", "fastnet"),
                    targets=(Target("ratio", ratios[0], "torch"), Target("ratio", ratios[1], "torch-tuned"), Target("memory", 1.0, "torch"),
                             Target("faults", 0)),
                    extra={"vocab": vocab, "block": block, "layers": layers, "heads": heads, "size": size, "batch": batch,
                           "losses": losses}, **more)


GPT2 = {"vocab": 50257, "block": 1024, "layers": 12, "heads": 12, "size": 768}
WEIGHTS = 50257 * 768 + 12 * (12 * 768 * 768 + 13 * 768)
CASES = [
    training("GPT 4 layers of 128, block 64, batch 12, AdamW", 4, 128, 64, 12, (0.40, 0.75), [4.190151, 4.069889, 3.96941], quick=True),
    training("GPT 6 layers of 384, block 256, batch 8, AdamW", 6, 384, 256, 8, (0.42, 0.85), [4.286952, 4.171008, 4.083719]),
    Token("GPT-2 small, a token after 64", "generation", bytes=4.0 * WEIGHTS, pattern="read", tolerance=1e-3, peers=("torch", "fastnet"),
          targets=(Target("bandwidth", 0.85), Target("ratio", 1.0, "torch")), extra={**GPT2, "filled": 64}, fresh=True),
]
