"""Work that memory bounds: elementwise ops and reductions on 64 MB."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target

N = 64 * 2**20 // 4
ROWS = 4096


@dataclass
class Stream(Case):
    """One statement over `x` and `y`, float32 matrices of 64 MB, without the tape."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(3)
        block = rng.standard_normal(N // 64, dtype=np.float32)        # repeated: drawing 16 M numbers would take longer than the case
        arrays = {"x": np.tile(block, 64).reshape(ROWS, -1)}
        return arrays | ({"y": arrays["x"][::-1].copy()} if self.extra.get("two") else {})

    def reference(self, x: Arrays) -> list[np.ndarray]:
        with np.errstate(over="ignore"):
            return [np.asarray(eval(self.extra["numpy"], {"np": np, **{k: v.astype(np.float64) for k, v in x.items()}}))]

    def numpy(self, x: Arrays, tuned: bool) -> Run:
        names = {"np": np, **x}
        return Run(self.extra["numpy"], names, lambda: [np.asarray(eval(self.extra["numpy"], names))])

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        names = {"lib": lib, **{k: lib.tensor(v) for k, v in x.items()}}
        return Run(self.extra["torch"], names, lambda: [eval(self.extra["torch"], names).numpy()])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        code = compile(self.extra["jax"], "case", "eval")
        f = jax.jit(lambda **arrays: eval(code, {"np": jnp, "jax": jax, **arrays}))
        arrays = {k: jnp.asarray(v) for k, v in x.items()}
        return Run("f(**x).block_until_ready()", {"f": f, "x": arrays}, lambda: [np.asarray(f(**arrays))])


def stream(name, pattern, passes, torch, numpy, jax=None, bound=0.85, two=False, **more):
    return Stream(name, "64 MB", bytes=4.0 * N * passes, pattern=pattern, tolerance=1e-5,
                  targets=(Target("bandwidth", bound), Target("faults", 0)),
                  extra={"torch": torch, "numpy": numpy, "jax": jax or numpy, "two": two}, **more)


CASES = [
    stream("x + y", "triad", 3, "x + y", "x + y", two=True, quick=True),
    stream("x * y", "triad", 3, "x * y", "x * y", two=True),
    stream("relu(x)", "copy", 2, "x.relu()", "np.maximum(x, 0)"),
    stream("x * 2", "copy", 2, "x * 2", "x * 2"),
    stream("exp(x)", "copy", 2, "x.exp()", "np.exp(x)"),
    stream("sigmoid(x)", "copy", 2, "x.sigmoid()", "1 / (1 + np.exp(-x))"),
    stream("tanh(x)", "copy", 2, "x.tanh()", "np.tanh(x)"),
    stream("sum(x)", "read", 1, "x.sum()", "x.sum()", quick=True),
    stream("sum(x, dim=0)", "read", 1, "x.sum(0)", "x.sum(0)"),
    stream("sum(x, dim=1)", "read", 1, "x.sum(1)", "x.sum(1)"),
    stream("amax(x)", "read", 1, "x.amax()", "x.max()"),
]
