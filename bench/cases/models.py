"""Whole training steps of perceptrons: forward, cross-entropy, backward, Adam."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target, trained
from cases.optim import LR, adam


@dataclass
class Perceptron(Case):
    """`sizes` layers with an activation between them, trained on one batch; the losses of the first steps are compared."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(6)
        sizes, batch = self.extra["sizes"], self.extra["batch"]
        x = {"x": rng.standard_normal((batch, sizes[0])).astype("float32"), "y": rng.integers(0, sizes[-1], batch)}
        for i, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False)):
            bound = n ** -0.5
            x[f"w{i}"] = rng.uniform(-bound, bound, (m, n)).astype("float32")
            x[f"b{i}"] = rng.uniform(-bound, bound, m).astype("float32")
        return x

    @property
    def depth(self) -> int:
        return len(self.extra["sizes"]) - 1

    def reference(self, x: Arrays) -> list[np.ndarray]:
        p = {k: v.astype(np.float64) for k, v in x.items() if k not in "xy"}
        state = {k: (np.zeros_like(v), np.zeros_like(v)) for k, v in p.items()}
        rows, losses, relu = np.arange(len(x["y"])), [], self.extra["activation"] == "relu"
        for t in range(1, self.checks + 1):
            acts = [x["x"].astype(np.float64)]
            for i in range(self.depth):
                z = acts[-1] @ p[f"w{i}"].T + p[f"b{i}"]
                acts.append(z if i == self.depth - 1 else np.maximum(z, 0) if relu else np.tanh(z))
            q = np.exp(acts[-1] - acts[-1].max(1, keepdims=True))
            q /= q.sum(1, keepdims=True)
            losses.append(-np.log(q[rows, x["y"]]).mean())
            q[rows, x["y"]] -= 1
            g, grads = q / len(rows), {}
            for i in reversed(range(self.depth)):
                grads[f"w{i}"], grads[f"b{i}"] = g.T @ acts[i], g.sum(0)
                g = (g @ p[f"w{i}"]) * ((acts[i] > 0) if relu else 1 - acts[i] ** 2)
            for k in p:
                p[k], *state[k] = adam(p[k], grads[k], *state[k], t)
        return [np.asarray(losses)]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        nn, layers, weights = lib.nn, [], {}
        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[self.extra["activation"]]
        for i, (n, m) in enumerate(zip(self.extra["sizes"], self.extra["sizes"][1:], strict=False)):
            weights |= {f"{len(layers)}.weight": lib.tensor(x[f"w{i}"]), f"{len(layers)}.bias": lib.tensor(x[f"b{i}"])}
            layers += [nn.Linear(n, m), act()]
        model = nn.Sequential(*layers[:-1])
        model.load_state_dict(weights)
        optimizer = lib.optim.Adam(model.parameters(), lr=LR, **({"fused": True} if tuned else {}))
        cross_entropy, xs, ys = nn.functional.cross_entropy, lib.tensor(x["x"]), lib.tensor(x["y"])

        def step():
            optimizer.zero_grad()
            loss = cross_entropy(model(xs), ys)
            loss.backward()
            optimizer.step()
            return loss
        return trained(step)

    def jax(self, x: Arrays, tuned: bool) -> Run:
        import jax
        import jax.numpy as jnp
        act = {"relu": jax.nn.relu, "tanh": jnp.tanh}[self.extra["activation"]]

        def loss(p, xs, ys):
            for i in range(self.depth):
                xs = xs @ p[f"w{i}"].T + p[f"b{i}"]
                xs = act(xs) if i < self.depth - 1 else xs
            return -jnp.take_along_axis(jax.nn.log_softmax(xs), ys[:, None], 1).mean()

        def update(p, m, v, t, xs, ys):
            value, g = jax.value_and_grad(loss)(p, xs, ys)
            new = {k: adam(p[k], g[k], m[k], v[k], t) for k in p}
            return value, *({k: new[k][i] for k in p} for i in range(3)), t + 1
        f = jax.jit(update, donate_argnums=(0, 1, 2, 3))
        p = {k: jnp.array(v) for k, v in x.items() if k not in "xy"}
        state = [p, {k: jnp.zeros_like(v) for k, v in p.items()}, {k: jnp.zeros_like(v) for k, v in p.items()}, jnp.float32(1)]
        xs, ys, losses = jnp.asarray(x["x"]), jnp.asarray(x["y"], jnp.int32), []

        def step():
            value, *state[:] = f(*state, xs, ys)
            return value

        def checked():
            losses.append(float(step()))
        return Run("step()", {"step": step, "checked": checked}, lambda: [np.asarray(losses)],
                   finish=lambda: jax.block_until_ready(state))


def perceptron(name, sizes, batch, activation, targets, **more):
    weights = [n * m for n, m in zip(sizes, sizes[1:], strict=False)]
    flop = 2.0 * batch * (3 * sum(weights) - weights[0])      # the first layer needs no gradient of its input
    return Perceptron(name, "training steps", flop=flop, checks=4, tolerance=1e-4, targets=targets, fresh=True,
                      peers=("torch", "jax", "fastnet"), quick=True,
                      extra={"sizes": sizes, "batch": batch, "activation": activation}, **more)


CASES = [
    perceptron("MLP 784-512-512-10, batch 128, Adam", (784, 512, 512, 10), 128, "relu",
               (Target("ratio", 0.4, "torch"), Target("ratio", 0.95, "jax"), Target("memory", 1.0, "torch"), Target("faults", 0))),
    perceptron("MLP 8-64-64-4, batch 32, Adam", (8, 64, 64, 4), 32, "tanh",
               (Target("ratio", 0.06, "torch"), Target("ratio", 0.35, "jax"), Target("faults", 0)), threads=("one",)),
]
