"""Normalisation and resizing, forward and backward: batch norm with what follows it in a network, layer norm, interpolate, grid_sample."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target


def step_of(lib, call, leaves, gy):
    """A function that runs a call and its backward with cleared gradients, and what reads its results."""
    results = []

    def step():
        for leaf in leaves:
            leaf.grad = None
        y = call()
        y.backward(gy)
        results[:] = [y]
    step()
    return Run("step()", {"step": step}, lambda: [results[0].detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])


def image(lib, array, last):
    x = lib.tensor(array)
    return x.contiguous(memory_format=lib.channels_last) if last else x


@dataclass
class BatchNorm(Case):
    """`Sequential(BatchNorm2d, ReLU)` in training; with a residual, relu(batch_norm(x) + r) as the blocks of a ResNet have it."""

    def inputs(self) -> Arrays:
        shape, rng = self.extra["shape"], np.random.default_rng(8)
        arrays = {k: rng.standard_normal(shape, np.float32) for k in ("x", "gy", *(["r"] if self.extra["residual"] else []))}
        arrays |= {k: rng.uniform(0.5, 1.5, shape[1]).astype("float32") for k in ("w", "b")}
        arrays["gy"][np.abs(self.before_relu(arrays)[0]) < 1e-4] = 0          # where rounding decides on which side of 0 it is
        return arrays

    def before_relu(self, x: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the ReLU is given, the normalised x, and the standard deviations."""
        v, axes = x["x"].astype(np.float64), (0, 2, 3)
        std = np.sqrt(v.var(axes, keepdims=True) + 1e-5)
        h = (v - v.mean(axes, keepdims=True)) / std
        return h * x["w"][:, None, None] + x["b"][:, None, None] + x.get("r", 0), h, std

    def reference(self, x: Arrays) -> list[np.ndarray]:
        axes, n, (z, h, std) = (0, 2, 3), x["x"].size // x["x"].shape[1], self.before_relu(x)
        y, g, w = np.maximum(z, 0), x["gy"].astype(np.float64) * (z > 0), x["w"][:, None, None]
        gw, gb = (g * h).sum(axes, keepdims=True), g.sum(axes, keepdims=True)
        gx = w / std * (g - gb / n - h * gw / n)
        return [y, gx, gw.ravel(), gb.ravel(), *([g] if "r" in x else [])]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        last = lib.__name__ == "fastnet" or self.channels_last
        t = {k: image(lib, v, last and v.ndim == 4) for k, v in x.items()}
        norm, relu = lib.nn.BatchNorm2d(self.extra["shape"][1]), lib.nn.ReLU(inplace=True)
        norm.load_state_dict({"weight": t["w"], "bias": t["b"]}, strict=False)
        net, leaves = lib.nn.Sequential(norm, relu), [t["x"], norm.weight, norm.bias]
        t["x"].requires_grad_(True)
        if "r" not in t:
            return step_of(lib, lambda: net(t["x"]), leaves, t["gy"])
        t["r"].requires_grad_(True)
        if lib.__name__ == "fastnet":
            from fastnet.nn.normalization import norm_act
            return step_of(lib, lambda: norm_act(norm, relu, t["x"], t["r"]), [*leaves, t["r"]], t["gy"])
        return step_of(lib, lambda: relu(norm(t["x"]) + t["r"]), [*leaves, t["r"]], t["gy"])


@dataclass
class LayerNorm(Case):
    """`layer_norm` over the last axis with weight and bias."""

    def inputs(self) -> Arrays:
        (rows, n), rng = self.extra["shape"], np.random.default_rng(9)
        shapes = {"x": (rows, n), "gy": (rows, n), "w": (n,), "b": (n,)}
        return {k: rng.standard_normal(s, np.float32) for k, s in shapes.items()}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        x = {k: v.astype(np.float64) for k, v in x.items()}
        std = np.sqrt(x["x"].var(1, keepdims=True) + 1e-5)
        h, g = (x["x"] - x["x"].mean(1, keepdims=True)) / std, x["gy"] * x["w"]
        gx = (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True)) / std
        return [h * x["w"] + x["b"], gx, (x["gy"] * h).sum(0), x["gy"].sum(0)]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        t = {k: lib.tensor(v) for k, v in x.items()}
        for k in "xwb":
            t[k].requires_grad_(True)
        call = lib.nn.functional.layer_norm
        return step_of(lib, lambda: call(t["x"], (t["x"].shape[1],), t["w"], t["b"]), [t["x"], t["w"], t["b"]], t["gy"])


@dataclass
class Resize(Case):
    """`interpolate` to twice the size, bilinear."""

    def inputs(self) -> Arrays:
        (n, c, h, w), rng = self.extra["shape"], np.random.default_rng(10)
        return {"x": rng.standard_normal((n, c, h, w), np.float32), "gy": rng.standard_normal((n, c, 2 * h, 2 * w), np.float32)}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        axes = []
        for n in x["x"].shape[2:]:
            at = np.clip((np.arange(2 * n) + 0.5) / 2 - 0.5, 0, n - 1)
            axes.append(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n))))
        y = axes[0] @ x["x"].astype(np.float64) @ axes[1].T
        return [y, axes[0].T @ x["gy"].astype(np.float64) @ axes[1]]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        last = lib.__name__ == "fastnet" or self.channels_last
        t, call = {k: image(lib, v, last) for k, v in x.items()}, lib.nn.functional.interpolate
        t["x"].requires_grad_(True)
        return step_of(lib, lambda: call(t["x"], scale_factor=2, mode="bilinear"), [t["x"]], t["gy"])


TWICE, EITHER = (Target("ratio", 0.5, "torch"),), (Target("ratio", 0.5, "torch/torch-cl"),)


def batch_norm(shape, residual=False, **more):
    name = f"BatchNorm2d{', add' if residual else ''}, ReLU as modules, {'x'.join(map(str, shape))}"
    moved = (5 + 3 + 2 * residual) * 4.0 * np.prod(shape)  # x, x, y; x, gy, x, gy, gx; r and its gradient
    return BatchNorm(name, "normalisation", bytes=float(moved), targets=EITHER, tolerance=2e-4, peers=("torch", "fastnet"), images=True,
                     extra={"shape": shape, "residual": residual}, **more)


def layer_norm(rows, n, **more):
    return LayerNorm(f"layer norm {rows}x{n}", "normalisation", bytes=20.0 * rows * n, targets=TWICE, tolerance=1e-4,
                     peers=("torch", "fastnet"), extra={"shape": (rows, n)}, **more)


CASES = [
    batch_norm((32, 16, 32, 32), quick=True), batch_norm((32, 64, 32, 32)), batch_norm((32, 512, 4, 4)), batch_norm((8, 256, 56, 56)),
    batch_norm((8, 2048, 7, 7)), batch_norm((128, 6, 24, 24)), batch_norm((32, 64, 32, 32), residual=True),
    layer_norm(512, 64, quick=True), layer_norm(4096, 768), layer_norm(256, 4096),
    Resize("interpolate bilinear 2x, 8x64x32x32", "normalisation", bytes=40.0 * 8 * 64 * 32 * 32, tolerance=1e-5,
           targets=(Target("ratio", 1.0, "torch/torch-cl"),), peers=("torch", "fastnet"), images=True,
           extra={"shape": (8, 64, 32, 32)}),
]
