"""Matrix products: the three forms of a dense layer, few rows, small, one row, float64, and the AVX2 table."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target

# y = x w^T, gx = gy w, gw = gy^T x: how a dense layer reads its operands, forward and backward
FORMS = {"NT": lambda a, b: (a, b.T), "NN": lambda a, b: (a, b), "TN": lambda a, b: (a.T, b)}


@dataclass
class Gemm(Case):
    """One product of m x k by k x n, with the operands stored as the form says."""

    def inputs(self) -> Arrays:
        m, n, k, form = (self.extra[s] for s in ("m", "n", "k", "form"))
        rng = np.random.default_rng(0)
        a = rng.standard_normal((k, m) if form == "TN" else (m, k)).astype(self.dtype)
        b = rng.standard_normal((n, k) if form == "NT" else (k, n)).astype(self.dtype)
        return {"a": a, "b": b}

    def views(self, a, b):
        return FORMS[self.extra["form"]](a, b)

    def reference(self, x: Arrays) -> list[np.ndarray]:
        a, b = self.views(x["a"].astype(np.float64), x["b"].astype(np.float64))
        return [a @ b]

    def numpy(self, x: Arrays, tuned: bool) -> Run:
        a, b = self.views(x["a"], x["b"])
        return Run("a @ b", {"a": a, "b": b}, lambda: [a @ b])

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        a, b = self.views(lib.tensor(x["a"]), lib.tensor(x["b"]))
        return Run("a @ b", {"a": a, "b": b}, lambda: [(a @ b).numpy()])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        a, b = jnp.asarray(x["a"]), jnp.asarray(x["b"])
        f = jax.jit(lambda a, b: jnp.matmul(*self.views(a, b)))
        return Run("f(a, b).block_until_ready()", {"f": f, "a": a, "b": b}, lambda: [np.asarray(f(a, b))])


def gemm(form, m, n, k, group, targets, dtype="float32", pattern="read", **more):
    size = np.dtype(dtype).itemsize
    return Gemm(f"{form} {m}x{n}x{k}" + " float64" * (dtype == "float64"), group, flop=2.0 * m * n * k,
                bytes=size * (m * k + n * k + m * n), pattern=pattern,
                dtype=dtype, targets=targets, tolerance=1e-5 if dtype == "float32" else 1e-13,
                extra={"form": form, "m": m, "n": n, "k": k}, **more)


LARGE = (Target("peak", 0.88), Target("ratio", 1.0, "jax"), Target("ratio", 0.5, "torch"), Target("ratio", 1 / 0.95, "torch-tuned"))
ROWS = (Target("peak", 0.75), Target("ratio", 1.0, "jax"), Target("ratio", 1.0, "torch"))
SMALL = (Target("ratio", 1.0, "numpy"), Target("ratio", 1.0, "torch"), Target("ratio", 1.0, "jax"))
SHAPES = [(256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 1024, 768)]
SCALING = Target("scaling", 1.8, threads="all")

CASES = [
    *(gemm(form, *s, "GEMM float32", (*LARGE, *([SCALING] if s[0] >= 1024 else [])), quick=s[0] == 512,
           isas=("avx2",) if s[0] in (512, 1024) else ()) for form in FORMS for s in SHAPES),
    *(gemm(form, *s, "GEMM float32, few rows", ROWS, quick=form == "NT" and s[0] == 64)
      for s in [(32, 1024, 768), (64, 128, 784), (64, 1024, 1024), (128, 512, 784)] for form in ("NT", "NN")),
    *(gemm("NT", *s, "GEMM float32, small", SMALL, threads=("one",), quick=s[0] == 32) for s in [(32, 64, 64), (16, 32, 32), (8, 8, 8)]),
    gemm("NT", 1, 1024, 1024, "GEMV float32", (Target("ratio", 1.0, "torch"),)),
    gemm("NT", 1, 4096, 4096, "GEMV float32", (Target("ratio", 1.0, "torch"), Target("bandwidth", 0.85)), quick=True),
    *(gemm(form, n, n, n, "GEMM float64", (Target("peak", 0.85),), dtype="float64", quick=n == 512, peers=("numpy", "torch", "fastnet"))
      for form in FORMS for n in (512, 1024)),
]
