"""Report: what the doctor found, as a table, as verdicts and as a picture."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from fastnet.doctor import data, rules
from fastnet.doctor.evidence import Evidence, Layer, Weight
from fastnet.doctor.picture import gradient_flow
from fastnet.doctor.verdict import Verdict

SEVERITY = {"error": 0, "warning": 1}


def judge(e: Evidence) -> list[Verdict]:
    """All verdicts on the evidence, errors first."""
    gradients = rules.gradients(e)
    explodes = any(v.name == "exploding" and v.severity == "error" for v in gradients)
    rate = [] if explodes else rules.updates(e)           # large steps would follow from it
    found = [*rules.finite(e), *gradients, *rules.activations(e), *rate, *rules.unused(e), *data.labels(e), *data.inputs(e),
             *data.first_loss(e)]
    return sorted(found, key=lambda v: SEVERITY[v.severity])


class Report:
    """What the doctor found; `print` shows a table of the layers and the verdicts.

    Attributes:
        verdicts: `Verdict` objects, errors first; empty for a healthy network.
        layers: name -> `Layer`: statistics of outputs and of their gradients, first layer first.
        parameters: name -> `Weight`: gradients and updates.
        steps, samples: steps made, and how many of them were looked at.
        depth_ratio: norm of the gradient at the first weight layer over that at the last; NaN with fewer than three.
        losses: (step, loss) of the steps that were looked at.

    >>> import fastnet as fn
    >>> model = fn.nn.Sequential(fn.nn.Linear(8, 16), fn.nn.ReLU(), fn.nn.Linear(16, 2))
    >>> report = fn.diagnose(model, fn.nn.CrossEntropyLoss(), [(fn.randn(64, 8), fn.randint(0, 2, (64,)))])
    >>> report.verdicts, list(report.layers)
    ([], ['0', '2'])
    """

    def __init__(self, evidence: Evidence) -> None:
        self.layers: dict[str, Layer] = evidence.layers
        self.parameters: dict[str, Weight] = evidence.weights
        self.steps, self.samples, self.losses = evidence.steps, evidence.samples, list(evidence.losses)
        self.depth_ratio = rules.depth_ratio(evidence)
        self.verdicts = judge(evidence)

    @property
    def healthy(self) -> bool:
        """Whether there is no verdict."""
        return not self.verdicts

    def named(self, name: str) -> list[Verdict]:
        """The verdicts with this name.

        Args:
            name: such as "vanishing"; see `Verdict`.
        """
        return [v for v in self.verdicts if v.name == name]

    def rows(self) -> list[dict[str, Any]]:
        """One dict for each layer: layer, op, shape, mean, std, zeros, dead, saturated, gradient, weight_gradient, update."""
        result = []
        for layer in self.layers.values():
            mine = [w for w in self.parameters.values() if w.layer == layer.name and len(w.shape) > 1]
            mine = mine or [w for w in self.parameters.values() if w.layer == layer.name]
            top = max(mine, key=lambda w: w.size, default=None)
            result.append({"layer": layer.name, "op": layer.op + (f"+{layer.activation}" if layer.activation not in ("", layer.op) else ""),
                           "shape": layer.shape, "mean": layer.mean, "std": layer.std, "zeros": layer.zeros, "dead": layer.dead,
                           "saturated": layer.saturated, "gradient": layer.gradient,
                           "weight_gradient": math.nan if top is None else top.gradient, "update": math.nan if top is None else top.update})
        return result

    def table(self) -> str:
        """The layers as lines of text."""
        head = ("layer", "op", "output", "mean", "std", "zeros", "dead", "satur.", "|gradient|", "g(weight)", "upd/weight")
        lines = [head]
        for row in self.rows():
            lines.append((row["layer"], row["op"], "x".join(map(str, row["shape"])), _number(row["mean"]), _number(row["std"]),
                          f"{row['zeros']:.0%}", f"{row['dead']:.0%}", f"{row['saturated']:.0%}", _number(row["gradient"]),
                          _number(row["weight_gradient"]), _number(row["update"])))
        widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
        return "\n".join("  ".join(cell.ljust(w) if k < 3 else cell.rjust(w) for k, (cell, w) in enumerate(zip(line, widths))).rstrip()
                         for line in lines)

    def __repr__(self) -> str:
        depth = f"; gradient of the first over that of the last weight layer: {self.depth_ratio:.2g}"
        depth = "" if math.isnan(self.depth_ratio) else depth
        first = f"{self.samples} of {self.steps} step{'s' * (self.steps != 1)} looked at{depth}"
        said = "\n".join(map(str, self.verdicts)) if self.verdicts else "No complaint."
        return f"{first}\n\n{self.table()}\n\n{said}"

    def flow(self) -> dict[str, float]:
        """Weight layer -> norm of dL/d(output), first layer first."""
        return {layer.name: layer.gradient for layer in self.layers.values() if layer.weight and layer.gradients}

    def svg(self, title: str = "gradient flow") -> str:
        """The picture of gradient flow by layer, as the text of an SVG file; ValueError where no gradient was seen."""
        flow = self.flow()
        return gradient_flow({"gradient": list(flow.values())}, list(flow), title)

    def save_svg(self, path: Any, title: str = "gradient flow") -> None:
        """Write that picture to a file."""
        Path(path).write_text(self.svg(title), encoding="utf-8")

    def plot(self, axes: Any = None) -> Any:
        """The same picture with matplotlib.

        Args:
            axes: of matplotlib, to draw into; None: new ones.

        Returns: the axes.
        Raises: ImportError without matplotlib.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise ImportError("plot needs matplotlib: pip install 'fastnet[plot]'; save_svg needs nothing") from None
        axes = plt.subplots()[1] if axes is None else axes
        flow = self.flow()
        axes.semilogy(range(len(flow)), list(flow.values()), marker="o")
        axes.set_xticks(range(len(flow)), list(flow), rotation=60, ha="right")
        axes.set_ylabel("norm of dL/d(output)")
        return axes


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2g}"
