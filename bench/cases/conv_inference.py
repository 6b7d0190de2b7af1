"""Inference of convolutional networks whose batch norms are folded into their convolutions; the same source runs on PyTorch."""
from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cases.case import Arrays, Run, Target
from cases.conv_nets import Network

BETTER = "torch/torch-cl"


@dataclass
class Inference(Network):
    """`losses` are what PyTorch's network gave in float64: mean sizes of its logits, and of those of a quarter of the classes."""

    def torchlike(self, lib: Any, x: Arrays, tuned: bool, dtype: str = "float32") -> Run:
        model, xs = self.model(lib).eval(), lib.tensor(x["x"])
        if dtype == "float64":
            model, xs = model.double(), xs.double()
        folded(lib, model)
        if self.channels_last:
            model, xs = model.to(memory_format=lib.channels_last), xs.contiguous(memory_format=lib.channels_last)
        seen: list[float] = []

        def step():
            with lib.no_grad():
                return model(xs)

        def checked():
            y = step().abs()
            seen[:] = [y.mean().item(), y[:, :250].mean().item()]
        return Run("step()", {"step": step, "checked": checked}, lambda: [np.asarray(seen)])


def folded(lib: Any, model: Any) -> None:
    """Fold each batch norm into the convolution that was registered before it."""
    fuse = importlib.import_module(f"{lib.__name__}.nn.utils.fusion").fuse_conv_bn_eval
    for parent in list(model.modules()):
        before = None
        for name, child in list(parent.named_children()):
            if isinstance(child, lib.nn.BatchNorm2d) and before is not None:
                setattr(parent, before[0], fuse(before[1], child))
                setattr(parent, name, lib.nn.Identity())
            before = (name, child) if isinstance(child, lib.nn.Conv2d) else None


def inference(name: str, model: str, batch: int, flop: float, bound: float, means: list[float], **more) -> Inference:
    """One model on pictures of 224x224; `flop`: of one picture."""
    return Inference(f"{name}, batch {batch}", "Inference of convolutional networks", flop=flop * batch, checks=1, tolerance=1e-3,
                     fresh=True, images=True, targets=(Target("ratio", bound, BETTER), Target("faults", 0)), peers=("torch", "fastnet"),
                     extra={"model": model, "shape": (batch, 3, 224, 224), "classes": 1000, "losses": means, "gain": 0.85}, **more)


CASES = [
    inference("ResNet-50", "resnet50()", 1, 8.18e9, 0.7, [30.84603, 31.85685]),
    inference("ResNet-50", "resnet50()", 8, 8.18e9, 0.7, [31.00899, 32.019]),
    inference("MobileNetV2", "mobilenet_v2()", 1, 0.601e9, 0.7, [1.083611, 1.121965]),
    inference("MobileNetV2", "mobilenet_v2()", 8, 0.601e9, 0.7, [1.089654, 1.126552]),
]
