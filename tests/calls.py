"""Runs a spec's op on NumPy arrays and brings values and gradients back as NumPy arrays."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from fastnet._core.engine import backward as run_backward
from fastnet._core.tensor import Tensor, from_numpy
from specs import Case, OpSpec


def tensors(inputs: Sequence[np.ndarray | None], wrt: Sequence[int] = ()) -> list[Any]:
    """Tensors over the arrays' own memory."""
    out = [None if x is None else from_numpy(x) for x in inputs]
    for i in wrt:
        out[i].requires_grad_()
    return out


def flat(result: Any) -> list[Any]:
    """The results of an op as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def array(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def forward(spec: OpSpec, inputs: Sequence[np.ndarray | None], args: dict[str, Any]) -> list[np.ndarray]:
    return [array(y) for y in flat(spec.run(tensors(inputs), args))]


def output_gradients(ys: Sequence[np.ndarray], seed: int = 1) -> list[np.ndarray | None]:
    """A random gradient for each float result."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(y.shape)).astype(y.dtype) if y.dtype.kind == "f" else None for y in ys]


def backward(spec: OpSpec, case: Case, inputs: Sequence[np.ndarray | None]) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
    """Values, and the gradients of the differentiable inputs for the gradients of `output_gradients`."""
    wrt = spec.differentiable(inputs)
    xs = tensors(inputs, wrt)
    ys = flat(spec.run(xs, case.args))
    values = [array(y) for y in ys]
    roots = [(y, g) for y, g in zip(ys, output_gradients(values), strict=True) if g is not None and y.requires_grad]
    if wrt:
        assert roots, f"{spec.name} {case}: no result requires gradients although inputs {wrt} do"
        run_backward([y for y, _ in roots], [from_numpy(g) for _, g in roots])
    for i in wrt:
        assert xs[i].grad is not None, f"{spec.name} {case}: input {i} got no gradient"
    return values, {i: array(xs[i].grad) for i in wrt}


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal in every bit, except that any NaN equals any NaN."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    if a.dtype.kind == "f":
        nan = np.isnan(a)
        if not np.array_equal(nan, np.isnan(b)):
            return False
        a, b = np.where(nan, 0, a), np.where(nan, 0, b)
    return a.tobytes() == b.tobytes()
