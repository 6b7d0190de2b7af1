"""What is noted of a batch: its inputs, its labels, and how far the outputs differ."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet._core.tensor import Tensor
from fastnet.doctor.evidence import Evidence
from fastnet.doctor.sample import rows


def note_input(e: Evidence, model: Any, x: Tensor) -> None:
    """Mean, standard deviation and range of the inputs, of features too."""
    a, first = x.detach().numpy(), model
    while len(getattr(first, "_modules", {})) and type(first).__name__ == "Sequential":
        first = next(iter(first._modules.values()))
    facts: dict[str, Any] = {"floating": x.is_floating_point(), "shape": tuple(a.shape), "normalised": "Norm" in type(first).__name__}
    if x.is_floating_point() and a.size:
        sample = rows(a, a.ndim > 2)
        with np.errstate(invalid="ignore", over="ignore"):
            facts |= {"mean": float(sample.mean()), "std": float(sample.std()), "low": float(sample.min()), "high": float(sample.max()),
                      "whole": bool((sample == np.floor(sample)).all())}
            if a.ndim == 2 and len(sample) > 1:
                facts |= {"means": sample.mean(0), "stds": sample.std(0)}
    e.inputs.append(facts)


def note_output(e: Evidence, output: Any) -> None:
    """How far the outputs of a batch differ, as a part of their size."""
    shown = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(shown, Tensor) or shown.ndim < 2 or shown.shape[0] < 2 or not shown.is_floating_point():
        return
    sample = rows(shown.detach().numpy(), False)
    scale = float(np.abs(sample).max()) if sample.size else 0.0
    if scale > 0:
        spread = float(sample.std(axis=0).max()) / scale
        e.constant_output = spread if e.constant_output is None else max(e.constant_output, spread)


def note_labels(e: Evidence, target: Any) -> None:
    """Count the labels (N,) of a batch: integers, or floating-point zeros and ones."""
    if not isinstance(target, Tensor) or target.ndim != 1 or not target.numel():
        return
    a = target.detach().numpy()
    if target.is_floating_point() and not ((a == 0) | (a == 1)).all():
        return
    e.label_batches += 1
    for value, count in zip(*np.unique(a.astype(np.int64), return_counts=True)):
        e.labels[int(value)] = e.labels.get(int(value), 0) + int(count)
