"""LSTM and GRU, forward and backward of whole sequences."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(x: np.ndarray, w: np.ndarray, r: np.ndarray, gates: np.ndarray, bias: np.ndarray):
    """One layer over x (T, N, I): outputs (T, N, H), and a function from their gradients to those of x, w, r, bias."""
    h = c = np.zeros((x.shape[1], r.shape[1]))
    kept = []
    for z in gates:
        i, f, g, o = np.split(z + h @ r.T + bias, 4, 1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        new = f * c + i * g
        kept.append((h, c, i, f, g, o, np.tanh(new)))
        h, c = o * np.tanh(new), new

    def backward(gy: np.ndarray) -> list[np.ndarray]:
        gh = gc = np.zeros_like(h)
        gz, gr = np.zeros_like(gates), np.zeros_like(r)
        for t in reversed(range(len(kept))):
            before, c, i, f, g, o, th = kept[t]
            gh = gh + gy[t]
            gc = gc + gh * o * (1 - th * th)
            gz[t] = np.concatenate([gc * g * i * (1 - i), gc * c * f * (1 - f), gc * i * (1 - g * g), gh * th * o * (1 - o)], 1)
            gr += gz[t].T @ before
            gh, gc = gz[t] @ r, gc * f
        return [gz @ w, np.einsum("tng,tni->gi", gz, x, optimize=True), gr, gz.sum((0, 1))]
    return np.stack([k[5] * k[6] for k in kept]), backward


def gru(x: np.ndarray, w: np.ndarray, r: np.ndarray, gates: np.ndarray, bias: np.ndarray):
    """As `lstm`; `bias` is that of the recurrent product."""
    h = np.zeros((x.shape[1], r.shape[1]))
    kept = []
    for z in gates:
        (a, b, n), (ra, rb, rn) = np.split(z, 3, 1), np.split(h @ r.T + bias, 3, 1)
        a, b = sigmoid(a + ra), sigmoid(b + rb)
        n = np.tanh(n + a * rn)
        kept.append((h, a, b, n, rn))
        h = (1 - b) * n + b * h
    last = h

    def backward(gy: np.ndarray) -> list[np.ndarray]:
        gh, gz, gr, gb = np.zeros_like(last), np.zeros_like(gates), np.zeros_like(r), np.zeros_like(bias)
        for t in reversed(range(len(kept))):
            h, a, b, n, rn = kept[t]
            gh = gh + gy[t]
            gn = gh * (1 - b) * (1 - n * n)
            parts = [gn * rn * a * (1 - a), gh * (h - n) * b * (1 - b), gn]
            gz[t] = np.concatenate(parts, 1)
            inner = np.concatenate([*parts[:2], gn * a], 1)
            gr, gb, gh = gr + inner.T @ h, gb + inner.sum(0), gh * b + inner @ r
        return [gz @ w, np.einsum("tng,tni->gi", gz, x, optimize=True), gr, gb]
    return np.stack([*(k[0] for k in kept[1:]), last]), backward


@dataclass
class Recurrent(Case):
    """`nn.LSTM` or `nn.GRU` on (T, N, I): output, and the gradients of the input and of the first layer's weights."""

    def inputs(self) -> Arrays:
        rng, e = np.random.default_rng(14), self.extra
        size, gates = e["hidden"], {"LSTM": 4, "GRU": 3}[e["kind"]] * e["hidden"]
        x = {"x": rng.standard_normal((e["steps"], e["batch"], size), np.float32),
             "gy": rng.standard_normal((e["steps"], e["batch"], size), np.float32)}
        for layer in range(e["layers"]):
            for name, shape in (("weight_ih", (gates, size)), ("weight_hh", (gates, size)), ("bias_ih", (gates,)), ("bias_hh", (gates,))):
                x[f"{name}_l{layer}"] = rng.uniform(-size ** -0.5, size ** -0.5, shape).astype("float32")
        return x

    def reference(self, x: Arrays) -> list[np.ndarray]:
        x = {k: v.astype(np.float64) for k, v in x.items()}
        layer, y, back = {"LSTM": lstm, "GRU": gru}[self.extra["kind"]], x["x"], []
        for i in range(self.extra["layers"]):
            w = x[f"weight_ih_l{i}"]
            y, backward = layer(y, w, x[f"weight_hh_l{i}"], y @ w.T + x[f"bias_ih_l{i}"], x[f"bias_hh_l{i}"])
            back.append(backward)
        g = x["gy"]
        for backward in reversed(back):
            g, *rest = backward(g)
        return [y, g, *rest]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        e = self.extra
        net = getattr(lib.nn, e["kind"])(e["hidden"], e["hidden"], e["layers"])
        net.load_state_dict({k: lib.tensor(v) for k, v in x.items() if k not in ("x", "gy")})
        xs, gy, kept = lib.tensor(x["x"]).requires_grad_(True), lib.tensor(x["gy"]), []

        def step():
            net.zero_grad()
            xs.grad = None
            y, _ = net(xs)
            y.backward(gy)
            kept[:] = [y]
        grads = [net.weight_ih_l0, net.weight_hh_l0, net.bias_hh_l0]
        return Run("step()", {"step": step}, lambda: [kept[0].detach().numpy(), xs.grad.numpy(), *(p.grad.numpy() for p in grads)])


def recurrent(kind: str, layers: int, hidden: int, **more) -> Recurrent:
    steps, batch = 100, 32
    flop = 6.0 * steps * batch * layers * {"LSTM": 4, "GRU": 3}[kind] * hidden * 2 * hidden
    return Recurrent(f"{kind} {layers} layer{'s' * (layers > 1)} of {hidden}, 100 steps, batch 32", "sequences", flop=flop, tolerance=1e-4,
                     targets=(Target("ratio", 0.5, "torch"), Target("faults", 0)), peers=("torch", "fastnet"),
                     extra={"kind": kind, "layers": layers, "hidden": hidden, "steps": steps, "batch": batch}, **more)


CASES = [recurrent(kind, layers, hidden, quick=(layers, hidden) == (1, 128)) for kind in ("LSTM", "GRU") for layers in (1, 2)
         for hidden in (128, 256, 512)]
