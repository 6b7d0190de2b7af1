"""Attention, GELU and the gradient of an embedding, forward and backward: what a Transformer has besides matrix products and norms."""
import math
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target
from cases.norm import step_of


@dataclass
class Attention(Case):
    """`scaled_dot_product_attention` of (batch, heads, length, size), forward and backward; `causal`: of the keys before it only."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(11)
        return {k: rng.standard_normal(self.extra["shape"], np.float32) for k in ("q", "k", "v", "gy")}

    def mask(self, n: int) -> np.ndarray:
        return np.triu(np.full((n, n), -np.inf), 1) if self.extra["causal"] else np.zeros((n, n))

    def reference(self, x: Arrays) -> list[np.ndarray]:
        q, k, v, gy = (x[name].astype(np.float64) for name in ("q", "k", "v", "gy"))
        scale = q.shape[-1] ** -0.5
        p = np.exp((s := q @ k.swapaxes(2, 3) * scale + self.mask(q.shape[2])) - s.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        gp = gy @ v.swapaxes(2, 3)
        gs = p * (gp - (gp * p).sum(-1, keepdims=True)) * scale
        return [p @ v, gs @ k, gs.swapaxes(2, 3) @ q, p.swapaxes(2, 3) @ gy]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        t = {k: lib.tensor(v) for k, v in x.items()}
        leaves = [t[k].requires_grad_(True) for k in "qkv"]
        call, causal = lib.nn.functional.scaled_dot_product_attention, self.extra["causal"]
        return step_of(lib, lambda: call(*leaves, is_causal=causal), leaves, t["gy"])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        mask = jnp.asarray(self.mask(self.extra["shape"][2]), jnp.float32)

        def attend(q, k, v):
            return jax.nn.softmax(q @ k.swapaxes(2, 3) * q.shape[-1] ** -0.5 + mask) @ v

        def both(q, k, v, gy):
            y, back = jax.vjp(attend, q, k, v)
            return y, *back(gy)
        f, a = jax.jit(both), [jnp.asarray(x[k]) for k in ("q", "k", "v", "gy")]
        return Run("jax.block_until_ready(f(*a))", {"jax": jax, "f": f, "a": a}, lambda: [np.asarray(y) for y in f(*a)])


@dataclass
class Gelu(Case):
    """`gelu`, exact or in its tanh form."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(12)
        return {k: rng.standard_normal(self.extra["shape"], np.float32) for k in ("x", "gy")}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        v, gy = x["x"].astype(np.float64), x["gy"].astype(np.float64)
        if self.extra["approximate"] == "none":
            cdf = 0.5 * (1 + np.vectorize(math.erf)(v / 2 ** 0.5))
            return [v * cdf, gy * (cdf + v * np.exp(-v * v / 2) / (2 * np.pi) ** 0.5)]
        a, b = (2 / np.pi) ** 0.5, 0.044715
        t = np.tanh(a * (v + b * v ** 3))
        return [0.5 * v * (1 + t), gy * 0.5 * (1 + t + v * (1 - t * t) * a * (1 + 3 * b * v * v))]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        t, call, approximate = {k: lib.tensor(v) for k, v in x.items()}, lib.nn.functional.gelu, self.extra["approximate"]
        t["x"].requires_grad_(True)
        return step_of(lib, lambda: call(t["x"], approximate=approximate), [t["x"]], t["gy"])


@dataclass
class EmbeddingStep(Case):
    """Forward, backward and SGD step of an embedding: dense, or with a sparse gradient of the rows that the batch has."""

    def inputs(self) -> Arrays:
        rng, (rows, size, tokens) = np.random.default_rng(13), self.extra["shape"]
        return {"w": rng.standard_normal((rows, size), np.float32), "i": rng.integers(0, rows, tokens),
                "gy": rng.standard_normal((tokens, size), np.float32)}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        w = x["w"].astype(np.float64)
        np.add.at(w, x["i"], -0.5 * x["gy"].astype(np.float64))
        return [w[np.unique(x["i"])]]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        table = lib.nn.Embedding(*x["w"].shape, sparse=self.extra["sparse"])
        with lib.no_grad():
            table.weight.copy_(lib.tensor(x["w"]))
        optimizer, i, gy = lib.optim.SGD(table.parameters(), lr=0.5), lib.tensor(x["i"]), lib.tensor(x["gy"])

        def step():
            optimizer.zero_grad()
            table(i).backward(gy)
            optimizer.step()
        return Run("step()", {"step": step}, lambda: [table.weight.detach().numpy()[np.unique(x["i"])]])


def attention(length: int, size: int, causal: bool = True, **more) -> Attention:
    """A case with 4096 tokens over all heads, at any length; the operations of a causal mask are counted as half."""
    heads = 4096 // length
    shape = (max(1, heads // 8), min(8, heads), length, size)
    flop = 14.0 * shape[0] * shape[1] * length * length * size / (2 if causal else 1)
    name = f"attention {'x'.join(map(str, shape))}{', causal' if causal else ''}"
    targets = (Target("peak", 0.65), Target("ratio", 0.5, "torch"), *([Target("memory", 1.0, "torch")] if length >= 1024 else []))
    return Attention(name, "sequences", flop=flop, targets=targets if length >= 256 else targets[1:],tolerance=1e-4,
                     peers=("torch", "jax", "fastnet"), extra={"shape": shape, "causal": causal}, fresh=length >= 1024, **more)


def gelu(rows: int, n: int, approximate: str, **more) -> Gelu:
    return Gelu(f"gelu {rows}x{n}, {approximate}", "sequences", bytes=20.0 * rows * n, targets=(Target("ratio", 0.5, "torch"),),
                peers=("torch", "fastnet"), extra={"shape": (rows, n), "approximate": approximate}, **more)


def embedding(rows: int, size: int, tokens: int, sparse: bool, **more) -> EmbeddingStep:
    return EmbeddingStep(f"embedding {rows}x{size}, {tokens} tokens, {'sparse' if sparse else 'dense'}, SGD", "sequences",
                         targets=(Target("ratio", 0.5, "torch"),), peers=("torch", "fastnet"), tolerance=1e-5,
                         extra={"shape": (rows, size, tokens), "sparse": sparse}, **more)


CASES = [
    attention(64, 32), *(attention(length, size, quick=(length, size) == (512, 64)) for length in (256, 512, 1024, 2048)
                         for size in (32, 64, 128)),
    attention(512, 64, causal=False),
    gelu(768, 512, "tanh", quick=True), gelu(768, 512, "none"), gelu(4096, 3072, "tanh"),
    embedding(50_000, 512, 768, False), embedding(50_000, 512, 768, True), embedding(65, 128, 768, False, quick=True),
]
