"""Pooling of the kinds and sizes that networks have, forward and backward together, beside those of images.py."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target


@dataclass
class Pool(Case):
    """y = pool(x) and the gradient for gy; extra: kind (max, avg, global), kernel, stride, pad, shape."""

    def window(self) -> tuple[int, int, int]:
        side = self.extra["shape"][2]
        return (side, side, 0) if self.extra["kind"] == "global" else (self.extra["kernel"], self.extra["stride"], self.extra["pad"])

    def inputs(self) -> Arrays:
        rng, (n, c, h, w), (k, s, p) = np.random.default_rng(8), self.extra["shape"], self.window()
        out = tuple((m + 2 * p - k) // s + 1 for m in (h, w))
        return {"x": rng.standard_normal((n, c, h, w), np.float32), "gy": rng.standard_normal((n, c, *out), np.float32)}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        v, g, (k, s, p) = x["x"].astype(np.float64), x["gy"].astype(np.float64), self.window()
        most = self.extra["kind"] == "max"
        padded = np.pad(v, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf if most else 0)
        h, w = g.shape[2:]
        taps = [np.s_[:, :, i:i + s * (h - 1) + 1:s, j:j + s * (w - 1) + 1:s] for i in range(k) for j in range(k)]
        y = np.full(g.shape, -np.inf) if most else np.zeros(g.shape)
        for at in taps:
            y = np.maximum(y, padded[at]) if most else y + padded[at] / k ** 2
        gx = np.zeros_like(padded)
        for at in taps:                                   # the values differ, so a window has one maximum
            gx[at] += g * (padded[at] == y) if most else g / k ** 2
        return [y, gx[:, :, p:p + v.shape[2], p:p + v.shape[3]]]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        f, (k, s, p), kind = lib.nn.functional, self.window(), self.extra["kind"]
        t = {name: lib.tensor(v) for name, v in x.items()}
        if lib.__name__ == "fastnet" or self.channels_last:
            t = {name: v.contiguous(memory_format=lib.channels_last) for name, v in t.items()}
        t["x"].requires_grad_(True)
        kept = []

        def step():
            y = f.max_pool2d(t["x"], k, s, p) if kind == "max" else f.avg_pool2d(t["x"], k, s, p) if kind == "avg" else \
                f.adaptive_avg_pool2d(t["x"], 1)
            kept[:] = [y, lib.autograd.grad(y, [t["x"]], t["gy"])[0]]
        step()
        return Run("step()", {"step": step}, lambda: [v.detach().numpy() for v in kept])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        (k, s, p), most = self.window(), self.extra["kind"] == "max"
        arrays = {name: jnp.asarray(v.transpose(0, 2, 3, 1)) for name, v in x.items()}

        def pool(x):
            begin, add = (-jnp.inf, jax.lax.max) if most else (0.0, jax.lax.add)
            y = jax.lax.reduce_window(x, begin, add, (1, k, k, 1), (1, s, s, 1), [(0, 0), (p, p), (p, p), (0, 0)])
            return y if most else y / k ** 2

        def both(x, gy):
            y, back = jax.vjp(pool, x)
            return y, back(gy)[0]
        f = jax.jit(both)
        return Run("jax.block_until_ready(f(**x))", {"jax": jax, "f": f, "x": arrays},
                   lambda: [np.asarray(v).transpose(0, 3, 1, 2) for v in f(**arrays)])


def pool(name: str, kind: str, shape: tuple[int, ...], kernel: int = 0, stride: int = 0, pad: int = 0, quick: bool = False) -> Pool:
    """A case: x is read, its gradient written, and both of y as well."""
    outputs = 1 / shape[2] ** 2 if kind == "global" else 1 / stride ** 2
    return Pool(f"{name} {'x'.join(map(str, shape))}", "Pooling", bytes=4.0 * np.prod(shape) * 2 * (1 + outputs), pattern="update",
                tolerance=1e-4, peers=("torch", "jax", "fastnet"), images=True, targets=(Target("ratio", 0.5, "torch/torch-cl"),),
                quick=quick,
                extra={"kind": kind, "shape": shape, "kernel": kernel, "stride": stride, "pad": pad})


CASES = [
    pool("max pool 2x2/2", "max", (128, 6, 28, 28), 2, 2, quick=True), pool("max pool 2x2/2", "max", (8, 64, 224, 224), 2, 2),
    pool("max pool 2x2/2", "max", (1, 16, 416, 416), 2, 2), pool("max pool 3x3/2", "max", (1, 64, 112, 112), 3, 2, 1),
    pool("max pool 5x5/1", "max", (1, 128, 20, 20), 5, 1, 2), pool("max pool 3x3/1", "max", (8, 256, 14, 14), 3, 1, 1),
    pool("average pool 3x3/1", "avg", (8, 256, 14, 14), 3, 1, 1), pool("average pool 3x3/2", "avg", (8, 64, 112, 112), 3, 2, 1),
    pool("global average pool", "global", (8, 2048, 7, 7), quick=True), pool("global average pool", "global", (32, 512, 4, 4)),
]
