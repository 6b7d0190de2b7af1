"""What the doctor has seen: for each layer activations and gradients, for each parameter gradients and updates, losses, and data."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnet.doctor.sample import rms

RELU = {"Relu", "Hardtanh", "Threshold", "ClampMin"}       # their zeros pass no gradient
SATURATING = {"Sigmoid": 0.25, "Tanh": 1.0}               # their largest derivative


@dataclass
class Layer:
    """One layer: an op with parameters, or an activation.

    Attributes:
        name: path of the module that owns the parameters; of an activation ``"relu after fc1"``.
        op: the op's name on the tape, such as ``"Linear"``.
        activation: of the op, or fused with it: "Relu", "Tanh", "Sigmoid", another activation's name, or "".
        weight: whether it has a weight matrix or kernel, not only scales and offsets.
        last: whether no layer with a weight comes after it.
        normalised: whether a norm follows it.
        shape: of its output.
        mean, std: of its output, averages over what was sampled.
        zeros: fraction of zeros in the output.
        saturated: fraction of outputs where a sigmoid or tanh has less than 5 % of its largest slope.
        dead: fraction of units of a ReLU that were 0 in everything that was sampled.
        gates: of a recurrent layer, the fraction of each gate that is stuck, so; `saturated` is their mean.
        gradient: norm of dL/d(output); `gradient_rms` is that of one element.
        samples: how often it was measured.
    """

    name: str
    op: str
    activation: str = ""
    weight: bool = False
    last: bool = False
    normalised: bool = False
    shape: tuple[int, ...] = ()
    samples: int = 0
    rows: int = 0
    mean: float = 0.0
    std: float = 0.0
    zeros: float = 0.0
    saturated: float = 0.0
    gradients: list[float] = field(default_factory=list)
    alive: np.ndarray | None = field(default=None, repr=False)
    elements: int = 0
    gates: dict[str, float] = field(default_factory=dict)
    gate_samples: int = 0

    def see(self, sample: np.ndarray, shape: tuple[int, ...]) -> None:
        """Take in a sample (rows, units) of the output."""
        if not sample.size:
            return
        self.samples += 1
        new = 1 / self.samples
        size = sample.size
        with np.errstate(over="ignore", invalid="ignore"):
            mean, square = float(sample.mean()), rms(sample)
        self.shape, self.elements = shape, int(np.prod(shape))
        self.rows += len(sample)
        self.mean += (mean - self.mean) * new
        self.std += (max(square * square - mean * mean, 0.0) ** 0.5 - self.std) * new
        nonzero = np.count_nonzero(sample)
        self.zeros += (1 - nonzero / size - self.zeros) * new
        if self.activation in RELU:
            alive = sample.max(axis=0) > 0
            self.alive = alive if self.alive is None or self.alive.shape != alive.shape else self.alive | alive
        elif self.activation in SATURATING:
            slope = sample * (1 - sample) if self.activation == "Sigmoid" else 1 - sample * sample
            part = np.count_nonzero(slope < 0.05 * SATURATING[self.activation]) / size
            self.saturated += (part - self.saturated) * new

    def see_gates(self, stuck: dict[str, float]) -> None:
        """Take in the fractions of a recurrence's gates that are stuck."""
        if stuck:
            self.gate_samples += 1
            for name, value in stuck.items():
                before = self.gates.get(name, 0.0)
                self.gates[name] = before + (value - before) / self.gate_samples
            self.saturated = sum(self.gates.values()) / len(self.gates)

    def see_gradient(self, value: float) -> None:
        """Take in the rms of dL/d(output)."""
        self.gradients.append(value * self.elements ** 0.5)

    @property
    def dead(self) -> float:
        return 0.0 if self.alive is None else float(1 - self.alive.mean())

    @property
    def gradient(self) -> float:
        """The median norm of dL/d(output); NaN where none was seen."""
        return float(np.median(self.gradients)) if self.gradients else float("nan")

    @property
    def gradient_rms(self) -> float:
        return self.gradient / max(self.elements, 1) ** 0.5


@dataclass
class Weight:
    """One parameter: its size, gradients and updates, one number for each sampled step.

    Attributes:
        name: path; `layer` is that of the module it belongs to.
        rms: of its values, at the last sample.
        gradients: rms of the gradients.
        updates: ||change|| / ||weight|| of a step.
        missing: samples without a gradient.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    optimized: bool = True
    rms: float = 0.0
    gradients: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    missing: int = 0

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def gradient(self) -> float:
        """The median rms of the gradient; NaN where none was seen."""
        return float(np.median(self.gradients)) if self.gradients else float("nan")

    @property
    def update(self) -> float:
        """The median update/weight ratio, the first step left out where there are more; NaN where none was seen."""
        values = self.updates[1:] if len(self.updates) > 2 else self.updates
        return float(np.median(values)) if values else float("nan")


@dataclass
class Evidence:
    """All that was seen; `rules` judges it."""

    layers: dict[str, Layer] = field(default_factory=dict)
    weights: dict[str, Weight] = field(default_factory=dict)
    losses: list[tuple[int, float]] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)      # of all parameter gradients together
    samples: int = 0
    steps: int = 0
    learning_rate: float | None = None
    optimizer: str = ""
    classes: int | None = None
    labels: dict[int, int] = field(default_factory=dict)
    label_batches: int = 0
    bad_label: int | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    constant_output: float | None = None
    first_loss: float | None = None
    nonfinite: Any = None
