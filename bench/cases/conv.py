"""One convolution layer: forward, input gradient and weight gradient, each for itself."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target

PARTS = {"forward": "x", "input gradient": "gx", "weight gradient": "gw"}


@dataclass(frozen=True)
class Layer:
    """A square convolution: n images of side `size`, c channels to k."""
    n: int
    c: int
    k: int
    kernel: int
    size: int
    stride: int = 1
    groups: int = 1

    @property
    def pad(self) -> int:
        return self.kernel // 2

    @property
    def out(self) -> int:
        return (self.size + 2 * self.pad - self.kernel) // self.stride + 1

    @property
    def flop(self) -> float:
        """Of one pass, counted as direct convolution."""
        return 2.0 * self.n * self.out ** 2 * self.k * (self.c // self.groups) * self.kernel ** 2

    @property
    def numbers(self) -> int:
        """That any of the three passes reads or writes at least."""
        return self.n * (self.c * self.size ** 2 + self.k * self.out ** 2) + self.k * (self.c // self.groups) * self.kernel ** 2

    def text(self) -> str:
        """The layer in words.

        >>> Layer(8, 64, 128, 3, 56, 2).text()
        '64>128 3x3/2 @56 b8'
        """
        stride = f"/{self.stride}" if self.stride > 1 else ""
        groups = "" if self.groups == 1 else "dw " if self.groups == self.c else f"g{self.groups} "
        return f"{groups}{self.c}>{self.k} {self.kernel}x{self.kernel}{stride} @{self.size} b{self.n}"

    def targets(self) -> tuple[Target, ...]:
        """What each pass must reach; the thinner side of a layer decides."""
        better, last, thin = "torch/torch-cl", "torch-cl", min(self.c, self.k)
        if self.groups > 1:
            return (Target("ratio", 1 / 1.7 if self.groups == self.c else 1.0, better),)
        if self.kernel == 3 and self.stride == 1 and thin >= 16:
            peak, times = (2.1, 2.2) if thin >= 64 else (1.8, 2.0) if thin >= 32 else (1.3, 1.5)
            return (Target("peak", peak), Target("ratio", 1 / times, last))
        if self.kernel == 7 or thin > 16:
            return (Target("peak", 0.85 if self.kernel == self.stride == 1 else 0.80), Target("ratio", 1 / 1.1, last))
        return (Target("ratio", 0.5, better),)


def one_group(s: Layer, part: str, x: Arrays) -> list[np.ndarray]:
    """A sum over the rows of the kernel, each a product of matrices; over its taps where the layer is depthwise."""
    w, p = x["w"].astype(np.float64), s.pad
    gy = x["gy"].astype(np.float64).transpose(0, 2, 3, 1)
    xs = np.pad(x["x"].astype(np.float64).transpose(0, 2, 3, 1), ((0, 0), (p, p), (p, p), (0, 0)))
    if part == "input gradient":
        xs = np.zeros_like(xs)
    y, gw, flat = np.zeros_like(gy), np.zeros_like(w), gy.reshape(-1, s.k)
    reach, side = s.stride * s.out, range(s.kernel)
    places = [np.s_[:, i:i + reach:s.stride, j:j + reach:s.stride] for i in side for j in side]
    for t, at in enumerate(places if s.groups > 1 else []):
        i, j = divmod(t, s.kernel)
        if part == "forward":
            y += xs[at] * w[:, 0, i, j]
        elif part == "input gradient":
            xs[at] += gy * w[:, 0, i, j]
        else:
            gw[:, 0, i, j] = (xs[at] * gy).sum((0, 1, 2))
    for i in side if s.groups == 1 else []:
        taps = w[:, :, i].transpose(0, 2, 1).reshape(s.k, -1)                  # (k, kernel * c)
        if part == "input gradient":
            columns = (flat @ taps).reshape(*gy.shape[:3], s.kernel, s.c)
            for j in side:
                xs[places[i * s.kernel + j]] += columns[..., j, :]
            continue
        row = xs[:, i:i + reach:s.stride]                                      # pixels of a row that follow each other are a window
        steps = (*row.strides[:2], s.stride * row.strides[2], row.strides[3])
        windows = np.lib.stride_tricks.as_strided(row, (*gy.shape[:3], s.kernel * s.c), steps).reshape(-1, s.kernel * s.c)
        if part == "forward":
            y += (windows @ taps.T).reshape(y.shape)
        else:
            gw[:, :, i] = (flat.T @ windows).reshape(s.k, s.kernel, s.c).transpose(0, 2, 1)
    result = {"forward": y, "input gradient": xs[:, p:p + s.size, p:p + s.size]}
    return [gw if part == "weight gradient" else result[part].transpose(0, 3, 1, 2)]


@dataclass
class Convolution(Case):
    """One pass of one layer. Gradients come from `autograd.grad` on a graph that is kept, so nothing else is computed."""

    @property
    def layer(self) -> Layer:
        return self.extra["layer"]

    def inputs(self) -> Arrays:
        s, rng = self.layer, np.random.default_rng(7)
        shapes = {"x": (s.n, s.c, s.size, s.size), "w": (s.k, s.c // s.groups, s.kernel, s.kernel), "gy": (s.n, s.k, s.out, s.out)}
        arrays = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
        arrays["w"] *= (s.c // s.groups * s.kernel ** 2) ** -0.5
        return arrays

    def reference(self, x: Arrays) -> list[np.ndarray]:
        s, part = self.layer, self.extra["part"]
        if s.groups in (1, s.c):
            return one_group(s, part, x)
        one = Layer(s.n, s.c // s.groups, s.k // s.groups, s.kernel, s.size, s.stride)
        shares = {name: np.split(v, s.groups, 0 if name == "w" else 1) for name, v in x.items()}
        parts = [one_group(one, part, {name: v[g] for name, v in shares.items()})[0] for g in range(s.groups)]
        return [np.concatenate(parts, 0 if part == "weight gradient" else 1)]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        s, t = self.layer, {name: lib.tensor(v) for name, v in x.items()}
        last = ["x", "gy"] if lib.__name__ == "fastnet" else ["x", "gy", "w"] if self.channels_last else []
        t |= {name: t[name].contiguous(memory_format=lib.channels_last) for name in last}       # fastnet's images lie so by themselves
        conv = lib.nn.functional.conv2d
        wanted = {"input gradient": t["x"], "weight gradient": t["w"]}.get(self.extra["part"])
        if wanted is None:
            names = {"conv": conv, **t}
            statement = f"conv(x, w, None, {s.stride}, {s.pad}, 1, {s.groups})"
        else:
            wanted.requires_grad_(True)
            y = conv(t["x"], t["w"], None, s.stride, s.pad, 1, s.groups)
            names = {"grad": lib.autograd.grad, "y": y, "wanted": wanted, "gy": t["gy"]}
            statement = "grad(y, wanted, gy, retain_graph=True)[0]"
        return Run(statement, names, lambda: [eval(statement, names).detach().numpy()])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        s = self.layer
        arrays = {"x": jnp.asarray(x["x"].transpose(0, 2, 3, 1)), "w": jnp.asarray(x["w"].transpose(2, 3, 1, 0)),
                  "gy": jnp.asarray(x["gy"].transpose(0, 2, 3, 1))}

        def conv(x, w):
            return jax.lax.conv_general_dilated(x, w, (s.stride, s.stride), [(s.pad, s.pad)] * 2, feature_group_count=s.groups,
                                                dimension_numbers=("NHWC", "HWIO", "NHWC"))
        parts = {"forward": lambda x, w, gy: conv(x, w), "input gradient": lambda x, w, gy: jax.vjp(lambda x: conv(x, w), x)[1](gy)[0],
                 "weight gradient": lambda x, w, gy: jax.vjp(lambda w: conv(x, w), w)[1](gy)[0]}
        f = jax.jit(parts[self.extra["part"]])
        back = (3, 2, 0, 1) if self.extra["part"] == "weight gradient" else (0, 3, 1, 2)
        return Run("f(x, w, gy).block_until_ready()", {"f": f, **arrays}, lambda: [np.asarray(f(**arrays)).transpose(back)])


def convolution(layer: Layer, part: str, group: str, peers: tuple[str, ...] = ("torch", "jax", "fastnet"), **more) -> Convolution:
    """The case of one pass of one layer."""
    return Convolution(f"{layer.text()}, {part}", group, flop=layer.flop, bytes=4.0 * layer.numbers, targets=layer.targets(),
                       tolerance=1e-3, peers=peers, images=True, extra={"layer": layer, "part": part}, **more)
