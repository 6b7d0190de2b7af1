"""YOLO26-n: boxes of a picture by the network for inference, and whole training steps; the same source runs on PyTorch."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cases.case import Arrays, Run, Target, trained
from cases.conv_nets import LR, Network

BETTER = "torch/torch-cl"
MACS_A_PIXEL = 2.74e9 / 640 ** 2                          # one head, norms folded


@dataclass
class Detector(Network):
    """Of pictures x; `losses` are what PyTorch's network gave in float64: losses of the first steps, or means of its answer."""

    def inputs(self) -> Arrays:
        return {"x": np.random.default_rng(9).random(self.extra["shape"], np.float32)}

    def torchlike(self, lib: Any, x: Arrays, tuned: bool, dtype: str = "float32") -> Run:
        model, xs = self.model(lib), lib.tensor(x["x"])
        if dtype == "float64":
            model, xs = model.double(), xs.double()
        if self.channels_last:
            model, xs = model.to(memory_format=lib.channels_last), xs.contiguous(memory_format=lib.channels_last)
        return self.training(lib, model, xs) if self.extra["training"] else self.inference(lib, model, xs)

    def inference(self, lib: Any, model: Any, xs: Any) -> Run:
        model, seen = model.eval().fuse(), []

        def step():
            with lib.no_grad():
                return model(xs)

        def checked():
            with lib.no_grad():
                _, raw, _ = model.raw(xs)
                seen[:] = [raw.distances.abs().mean().item(), raw.logits.abs().mean().item(), step()[:, :, 4].sum().item()]
        return Run("step()", {"step": step, "checked": checked}, lambda: [np.asarray(seen)])

    def training(self, lib: Any, model: Any, xs: Any) -> Run:
        """A loss that reads everything that both heads say."""
        optimizer = lib.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
        softplus = lib.nn.functional.softplus

        def step():
            optimizer.zero_grad()
            many, one, _ = model(xs)
            loss = sum((raw.distances - 1).square().mean() + softplus(raw.logits).mean() for raw in (many, one))
            loss.backward()
            optimizer.step()
            return loss
        return trained(step)


def detector(name: str, side: int, batch: int, training: bool, bound: float, losses: list[float], **more) -> Detector:
    """YOLO26-n with 80 classes on pictures of side x side."""
    flop = (3 * 3.05 / 2.74 if training else 1) * 2 * MACS_A_PIXEL * side ** 2 * batch        # two heads in training
    return Detector(name, "YOLO26-n", flop=flop, checks=3 if training else 1, tolerance=1e-2 if training else 1e-3, fresh=True, images=True,
                    targets=(Target("ratio", bound, BETTER),), peers=("torch", "fastnet"),
                    extra={"model": "yolo26n()", "shape": (batch, 3, side, side), "losses": losses, "training": training,
                           "gain": 0.3 if training else 0.85}, **more)


CASES = [
    detector("fused, 320x320, batch 1", 320, 1, False, 0.7, [0.001765006, 0.0005940158, 150.1967]),
    detector("fused, 640x640, batch 1", 640, 1, False, 0.7, [0.00183847, 0.0006102869, 150.2146]),
    detector("training step, 320x320, batch 4", 320, 4, True, 0.65, [3.460384, 3.458561, 3.455102]),
]
