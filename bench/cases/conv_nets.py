"""Whole training steps of convolutional networks: forward, cross-entropy, backward, SGD with momentum."""
from __future__ import annotations

import importlib
import sys
import types
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cases.case import Arrays, Case, Run, Target, trained

MODELS = Path(__file__).resolve().parents[2] / "fastnet" / "models"
LR = 1e-3


def models_of(lib: Any) -> dict[str, Any]:
    """The names in the modules below of `fastnet.models`: fastnet's own, or the same sources over PyTorch, whose names they use."""
    if lib.__name__ != "fastnet" and "fastnet" not in sys.modules:
        alias, package, passes = (types.ModuleType(name) for name in ("fastnet", "fastnet.models", "fastnet.nn.conv"))
        alias.__getattr__ = lambda name: getattr(lib, name)
        package.__path__ = [str(MODELS)]
        passes.conv_norm_act = separate                 # one pass in fastnet, ops in PyTorch
        fusion = importlib.import_module(f"{lib.__name__}.nn.utils.fusion")
        sys.modules.update({module.__name__: module for module in (alias, package, passes)},
                           **{"fastnet.nn": lib.nn, "fastnet.nn.utils": lib.nn.utils, "fastnet.nn.utils.fusion": fusion})
    modules = [importlib.import_module(f"fastnet.models.{name}") for name in ("lenet", "mobilenet", "resnet", "vgg", "yolo26")]
    return {name: value for module in modules for name, value in vars(module).items()}


def separate(conv: Any, norm: Any, act: Any, x: Any, residual: Any = None, residual_last: bool = False) -> Any:
    """act(norm(conv(x)) + residual), or act(norm(conv(x))) + residual, each by itself."""
    y = norm(conv(x))
    if residual is not None and not residual_last:
        y = y + residual
    y = y if act is None else act(y)
    return y + residual if residual is not None and residual_last else y


@dataclass
class Network(Case):
    """A model from `fastnet.models` on one batch. The losses of the first steps are held against PyTorch's in float64, which
    `python bench/record.py` printed."""

    def inputs(self) -> Arrays:
        rng = np.random.default_rng(9)
        shape = self.extra["shape"]
        return {"x": rng.standard_normal(shape, np.float32), "y": rng.integers(0, self.extra["classes"], shape[0])}

    def reference(self, x: Arrays) -> list[np.ndarray]:
        return [np.asarray(self.extra["losses"])]

    def model(self, lib: Any) -> Any:
        """The model with weights that depend on their names and shapes alone: He's for kernels, 0.3 and 0 for batch norm,
        so that residual sums stay small and the losses do not multiply rounding errors."""
        model = eval(self.extra["model"], models_of(lib))
        for name, p in model.named_parameters():
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            value = np.full(tuple(p.shape), self.extra.get("gain", 0.3) * name.endswith("weight"), np.float32)
            if p.ndim > 1:
                value = rng.standard_normal(tuple(p.shape), np.float32) * np.float32((2 / np.prod(p.shape[1:])) ** 0.5)
            with lib.no_grad():
                p.copy_(lib.from_numpy(value))
        return model

    def torchlike(self, lib: Any, x: Arrays, tuned: bool, dtype: str = "float32") -> Run:
        model, xs, ys = self.model(lib), lib.tensor(x["x"]), lib.tensor(x["y"])
        if dtype == "float64":
            model, xs = model.double(), xs.double()
        if self.channels_last:
            model, xs = model.to(memory_format=lib.channels_last), xs.contiguous(memory_format=lib.channels_last)
        optimizer = lib.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
        cross_entropy = lib.nn.functional.cross_entropy

        def step():
            optimizer.zero_grad()
            loss = cross_entropy(model(xs), ys)
            loss.backward()
            optimizer.step()
            return loss
        return trained(step)


def network(name: str, model: str, shape: tuple[int, ...], classes: int, flop: float, bound: float, losses: list[float], **more) -> Network:
    """The case of one model; `flop`: of a forward pass of one image. The first layer has no input gradient, which is not counted out."""
    better = "torch/torch-cl"
    targets = (Target("ratio", bound, better), Target("memory", 0.9, better), Target("faults", 0))
    return Network(name, "Training steps of convolutional networks", flop=3 * flop * shape[0], checks=3, tolerance=1e-2, fresh=True,
                   images=True, targets=targets, peers=("torch", "fastnet"),
                   extra={"model": model, "shape": shape, "classes": classes, "losses": losses}, **more)


CASES = [
    network("LeNet-5 28x28, batch 128", "LeNet5()", (128, 1, 28, 28), 10, 0.83e6, 0.50, [5.212779, 4.438533, 3.907491], quick=True),
    network("ResNet-18 width 64 32x32, batch 32", "resnet18(10, stem='cifar')", (32, 3, 32, 32), 10, 1.11e9, 0.45,
            [2.404611, 2.387341, 2.355231]),
    network("ResNet-18 width 16 32x32, batch 32", "resnet18(10, width=16, stem='cifar')", (32, 3, 32, 32), 10, 0.0702e9, 0.50,
            [2.255409, 2.25073, 2.241984], quick=True),
    network("ResNet-50 224x224, batch 8", "resnet50()", (8, 3, 224, 224), 1000, 8.18e9, 0.65, [6.947241, 6.447696, 6.253907]),
    network("VGG-16 32x32, batch 32", "vgg16(10, dropout=0.0, hidden=512, pool=1)", (32, 3, 32, 32), 10, 0.627e9, 0.40,
            [3.636273, 2.931752, 2.483036]),
    network("MobileNetV2 224x224, batch 8", "mobilenet_v2(dropout=0.0)", (8, 3, 224, 224), 1000, 0.601e9, 0.50,
            [6.817053, 6.72872, 6.634869]),
]
