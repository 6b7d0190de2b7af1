"""Softmax and cross-entropy, forward and backward, on a wide batch of logits."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target


@dataclass
class CrossEntropy(Case):
    """The mean cross-entropy of logits (rows, classes), and its gradient."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(4)
        rows, classes = self.extra["rows"], self.extra["classes"]
        return {"x": rng.standard_normal((rows, classes)).astype("float32"), "y": rng.integers(0, classes, rows)}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        z, rows = x["x"].astype(np.float64), np.arange(len(x["y"]))
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(1, keepdims=True)
        loss = -np.log(p[rows, x["y"]]).mean()
        p[rows, x["y"]] -= 1
        return [np.asarray(loss), p / len(rows)]

    def numpy(self, x: Arrays, tuned: bool) -> Run:
        rows = np.arange(len(x["y"]))

        def step():
            z = x["x"] - x["x"].max(1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(1, keepdims=True)
            loss = -np.log(z[rows, x["y"]]).mean()
            z[rows, x["y"]] -= 1
            z /= len(rows)
            return [np.asarray(loss), z]
        return Run("step()", {"step": step}, step)

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        logits, labels = lib.tensor(x["x"]), lib.tensor(x["y"])
        logits.requires_grad_(True)
        losses = []

        def step():
            logits.grad = None
            loss = lib.nn.functional.cross_entropy(logits, labels)
            loss.backward()
            losses[:] = [loss]
        step()
        return Run("step()", {"step": step}, lambda: [losses[0].detach().numpy(), logits.grad.numpy()])

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp

        def loss(z, y):
            return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()
        f = jax.jit(jax.value_and_grad(loss))
        z, y = jnp.asarray(x["x"]), jnp.asarray(x["y"], jnp.int32)
        return Run("jax.block_until_ready(f(z, y))", {"jax": jax, "f": f, "z": z, "y": y}, lambda: [np.asarray(a) for a in f(z, y)])


CASES = [CrossEntropy("cross-entropy 4096x1000, forward and backward", "losses", bytes=4.0 * 4096 * 1000 * 3, quick=True,
                      targets=(Target("ratio", 0.5, "torch"),), extra={"rows": 4096, "classes": 1000})]
