"""Adam on ten million parameters: read p, g, m, v and write p, m, v, 28 bytes a parameter."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target

SIZE = 10_000_000
LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def adam(p, g, m, v, t):
    """One step of Adam in NumPy or JAX, as Kingma and Ba wrote it; new p, m and v."""
    m = BETA1 * m + (1 - BETA1) * g
    v = BETA2 * v + (1 - BETA2) * g * g
    return p - LR / (1 - BETA1**t) * m / ((v / (1 - BETA2**t)) ** 0.5 + EPS), m, v


@dataclass
class Adam(Case):
    """`optimizer.step()` on one tensor with a constant gradient; the parameters after `checks` steps are compared."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(5)
        return {k: np.tile(rng.standard_normal(SIZE // 100, dtype=np.float32), 100) for k in "pg"}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        p, g = x["p"].astype(np.float64), x["g"].astype(np.float64)
        m = v = np.zeros_like(p)
        for t in range(1, self.checks + 1):
            p, m, v = adam(p, g, m, v, t)
        return [p]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        p = lib.nn.Parameter(lib.tensor(x["p"]))
        p.grad = lib.tensor(x["g"])
        optimizer = lib.optim.Adam([p], lr=LR, **({"fused": True} if tuned else {}))
        return Run("optimizer.step()", {"optimizer": optimizer}, lambda: [p.detach().numpy()])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        f = jax.jit(adam, donate_argnums=(0, 2, 3))
        p, g = jnp.asarray(x["p"].copy()), jnp.asarray(x["g"])
        state = [p, jnp.zeros_like(p), jnp.zeros_like(p), 0]

        def step():
            state[3] += 1
            state[:3] = f(state[0], g, state[1], state[2], float(state[3]))
            state[0].block_until_ready()
        return Run("step()", {"step": step}, lambda: [np.asarray(state[0])])


CASES = [Adam("Adam, 10 M parameters", "optimizers", bytes=28.0 * SIZE, pattern="update", checks=3, quick=True,
              targets=(Target("bandwidth", 0.85),), peers=("torch", "jax", "fastnet"))]
