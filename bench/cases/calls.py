"""What a call costs: ops on ten elements with the tape on, and a layer of eight units forward and backward."""
from dataclasses import dataclass

import numpy as np

from cases.case import Arrays, Case, Run, Target


@dataclass
class Call(Case):
    """A statement over `a` and `b`, two vectors that require gradients."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(1)
        shape = self.extra.get("shape", (10,))
        return {"a": rng.standard_normal(shape).astype("float32"), "b": rng.standard_normal(shape).astype("float32")}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        return [np.asarray(eval(self.extra["numpy"], {"np": np, "a": x["a"].astype(np.float64), "b": x["b"].astype(np.float64)}))]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        names = {"lib": lib, **{k: lib.tensor(v) for k, v in x.items()}}
        for k in x:
            names[k].requires_grad_(True)
        return Run(self.extra["torch"], names, lambda: [eval(self.extra["torch"], names).detach().numpy()])

    def numpy(self, x: Arrays, tuned: bool) -> Run:
        return Run(self.extra["numpy"], {"np": np, **x}, lambda: [np.asarray(eval(self.extra["numpy"], {"np": np, **x}))])


def call(name, torch, numpy, bound, **more):
    return Call(name, "calls, tape on", targets=(Target("time", bound),), threads=("one",), tolerance=1e-6,
                peers=("numpy", "torch", "fastnet"), extra={"torch": torch, "numpy": numpy, **more.pop("extra", {})}, **more)


@dataclass
class Linear8(Case):
    """`layer(x).sum().backward()` of a Linear(8, 8), gradients cleared."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(2)
        return {"x": rng.standard_normal((1, 8)).astype("float32"), "w": rng.standard_normal((8, 8)).astype("float32"),
                "b": rng.standard_normal(8).astype("float32")}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        return [np.tile(x["x"].astype(np.float64), (8, 1)), np.ones(8)]

    def torchlike(self, lib, x: Arrays, tuned: bool) -> Run:
        layer = lib.nn.Linear(8, 8)
        layer.load_state_dict({"weight": lib.tensor(x["w"]), "bias": lib.tensor(x["b"])})
        statement = "layer.zero_grad(); layer(x).sum().backward()"
        names = {"layer": layer, "x": lib.tensor(x["x"])}
        exec(statement, names)
        return Run(statement, names, lambda: [layer.weight.grad.numpy(), layer.bias.grad.numpy()])


M = {"shape": (4, 4)}
CASES = [
    call("add 10", "a + b", "a + b", 0.1, quick=True),
    call("mul 10", "a * b", "a * b", 0.1, quick=True),
    call("relu 10", "a.relu()", "np.maximum(a, 0)", 0.1, quick=True),
    call("add scalar 10", "a + 1.0", "a + 1", 0.5),
    call("broadcast add 4x4", "a + b[0]", "a + b[0]", 1.0, extra=M),
    call("sum 10", "a.sum()", "a.sum()", 0.5),
    call("mean 10", "a.mean()", "a.mean()", 0.5),
    call("exp 10", "a.exp()", "np.exp(a)", 0.5),
    call("softmax 10", "lib.softmax(a, dim=0)", "np.exp(a) / np.exp(a).sum()", 0.5),
    call("transpose 4x4", "a.t()", "a.T", 0.5, extra=M),
    call("reshape 4x4", "a.reshape(2, 8)", "a.reshape(2, 8)", 0.5, extra=M),
    call("slice 10", "a[2:7]", "a[2:7]", 0.5),
    call("cat 10 10", "lib.cat((a, b))", "np.concatenate((a, b))", 0.5),
    call("matmul 4x4", "a @ b", "a @ b", 0.5, extra=M),
    Linear8("Linear(8, 8): forward, sum, backward", "calls, tape on", targets=(Target("time", 1.0),), threads=("one",),
            peers=("torch", "fastnet"), quick=True),
]
