"""What stands between convolutions: batch norm with ReLU, pooling; forward and backward together."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target

EPS = 1e-5


@dataclass
class Between(Case):
    """y = layer(x) and the gradients for gy, on images that lie as the convolution before would leave them."""

    def inputs(self) -> Arrays:
        rng, shape = np.random.default_rng(8), self.extra["shape"]
        x = rng.standard_normal(shape, np.float32)
        x += np.copysign(np.float32(0.05), x)             # away from the kink of ReLU
        return {"x": x, "gy": rng.standard_normal((*shape[:2], *self.side()), np.float32)}

    def side(self) -> tuple[int, int]:
        h, w = self.extra["shape"][2:]
        return (h, w) if "pool" not in self.extra else tuple((n + 2 * self.extra["pad"] - self.extra["pool"]) // 2 + 1 for n in (h, w))

    def reference(self, x: Arrays) -> list[np.ndarray]:
        v, g = (x[k].astype(np.float64) for k in ("x", "gy"))
        if "pool" not in self.extra:
            std = np.sqrt(v.var((0, 2, 3), keepdims=True) + EPS)
            z = (v - v.mean((0, 2, 3), keepdims=True)) / std
            g = g * (z > 0)
            gx = (g - g.mean((0, 2, 3), keepdims=True) - z * (g * z).mean((0, 2, 3), keepdims=True)) / std
            return [np.maximum(z, 0), gx]
        k, p = self.extra["pool"], self.extra["pad"]
        padded = np.pad(v, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=-np.inf if self.extra["kind"] == "max" else 0)
        h, w = g.shape[2:]
        taps = [(i, j) for i in range(k) for j in range(k)]
        windows = np.stack([padded[:, :, i:i + 2 * h:2, j:j + 2 * w:2] for i, j in taps])
        winner = windows.argmax(0) == np.arange(k * k)[:, None, None, None, None]
        share = np.full(windows.shape, 1 / k ** 2) if self.extra["kind"] == "avg" else winner
        gx = np.zeros_like(padded)
        for (i, j), part in zip(taps, share, strict=True):
            gx[:, :, i:i + 2 * h:2, j:j + 2 * w:2] += part * g
        y = windows.mean(0) if self.extra["kind"] == "avg" else windows.max(0)
        return [y, gx[:, :, p:p + v.shape[2], p:p + v.shape[3]]]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        layer = eval(self.extra["layer"], {"nn": lib.nn})
        t = {name: lib.tensor(v) for name, v in x.items()}
        if lib.__name__ == "fastnet" or self.channels_last:
            t = {name: v.contiguous(memory_format=lib.channels_last) for name, v in t.items()}
        t["x"].requires_grad_(True)
        wanted, kept = [t["x"], *layer.parameters()], []

        def step():
            y = layer(t["x"])
            kept[:] = [y, lib.autograd.grad(y, wanted, t["gy"])[0]]
        step()
        return Run("step()", {"step": step}, lambda: [k.detach().numpy() for k in kept])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        arrays = {name: jnp.asarray(v.transpose(0, 2, 3, 1)) for name, v in x.items()}
        c = self.extra["shape"][1]

        def layer(x, scale, shift):
            if "pool" not in self.extra:
                z = (x - x.mean((0, 1, 2))) * jax.lax.rsqrt(x.var((0, 1, 2)) + EPS)
                return jax.nn.relu(z * scale + shift)
            k, p = self.extra["pool"], self.extra["pad"]
            begin, add = (-jnp.inf, jax.lax.max) if self.extra["kind"] == "max" else (0.0, jax.lax.add)
            y = jax.lax.reduce_window(x, begin, add, (1, k, k, 1), (1, 2, 2, 1), [(0, 0), (p, p), (p, p), (0, 0)])
            return y if self.extra["kind"] == "max" else y / k ** 2

        def both(x, gy, scale, shift):
            y, back = jax.vjp(layer, x, scale, shift)
            return y, back(gy)
        f = jax.jit(both)
        arrays |= {"scale": jnp.ones(c), "shift": jnp.zeros(c)}

        def read():
            y, (gx, *_) = f(**arrays)
            return [np.asarray(v).transpose(0, 3, 1, 2) for v in (y, gx)]
        return Run("jax.block_until_ready(f(**x))", {"jax": jax, "f": f, "x": arrays}, read)


def between(name: str, layer: str, shape: tuple[int, ...], passes: float, **more) -> Between:
    """The case of one layer; `passes`: how often its two passes move an array of the shape of x at least."""
    return Between(f"{name} {'x'.join(map(str, shape))}", "Between convolutions", bytes=4.0 * np.prod(shape) * passes, pattern="update",
                   tolerance=1e-4, peers=("torch", "jax", "fastnet"), images=True, targets=(Target("ratio", 0.5, "torch/torch-cl"),),
                   quick=more.pop("quick", False), extra={"layer": layer, "shape": shape, **more})


CASES = [
    *(between("batch norm + ReLU", f"nn.Sequential(nn.BatchNorm2d({s[1]}), nn.ReLU())", s, 8, quick=s[1] == 64)
      for s in [(32, 64, 32, 32), (8, 256, 56, 56), (8, 64, 112, 112), (32, 16, 32, 32)]),
    between("max pool 2x2/2", "nn.MaxPool2d(2)", (32, 64, 32, 32), 2.5, pool=2, pad=0, kind="max", quick=True),
    between("max pool 3x3/2", "nn.MaxPool2d(3, 2, 1)", (8, 64, 112, 112), 2.5, pool=3, pad=1, kind="max"),
    between("average pool 2x2/2", "nn.AvgPool2d(2)", (32, 64, 32, 32), 2.5, pool=2, pad=0, kind="avg", quick=True),
]
