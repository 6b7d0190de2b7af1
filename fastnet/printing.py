"""How tensors are printed: PyTorch's format."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

if TYPE_CHECKING:
    from fastnet._core.tensor import Tensor


class _Options(TypedDict):
    precision: int
    threshold: int
    edgeitems: int
    linewidth: int
    sci_mode: bool | None


_options: _Options = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}

PROFILES: dict[str, dict[str, Any]] = {"default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
                                       "short": {"precision": 2, "edgeitems": 2}, "full": {"threshold": math.inf}}


def set_printoptions(precision: int | None = None, threshold: int | None = None, edgeitems: int | None = None,
                     linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None) -> None:
    """Change how tensors are printed.

    Args:
        precision: digits after the point; default 4.
        threshold: more elements than this are summarised; default 1000.
        edgeitems: elements shown at each end of a summarised axis; default 3.
        linewidth: characters in a line; default 80.
        profile: "default", "short" (precision 2, edgeitems 2) or "full" (nothing is summarised): where to begin; None: what there is.
        sci_mode: True or False forces scientific notation on or off; None: as the values need.

    Raises:
        ValueError: another profile.

    >>> import fastnet
    >>> fastnet.set_printoptions(precision=4)
    """
    if profile not in (None, *PROFILES):
        raise ValueError(f"set_printoptions: profile must be one of {', '.join(map(repr, PROFILES))}, got {profile!r}")
    given: Any = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    start: Any = PROFILES["default"] | PROFILES[profile] if profile else {}
    _options.update(start | {name: value for name, value in given.items() if value is not None} | {"sci_mode": sci_mode})


class _Formatter:
    """One width for every element that is shown."""

    def __init__(self, shown: np.ndarray) -> None:
        self.kind, self.sci, self.whole = shown.dtype.kind, False, False
        precision = _options["precision"]
        if self.kind != "f":
            self.width = max((len(str(v)) for v in shown.ravel().tolist()), default=1)
            return
        values = shown.astype(np.float64).ravel()
        counted = values[np.isfinite(values) & (values != 0)]            # zeros, nan and inf do not widen the columns, as in PyTorch
        low, high = (float(np.abs(counted).min()), float(np.abs(counted).max())) if counted.size else (1.0, 1.0)
        self.whole = bool(np.all(counted == np.ceil(counted)))
        self.sci = high / low > 1000 or high > 1e8 or (low < 1e-4 and not self.whole)
        if _options["sci_mode"] is not None:
            self.sci = _options["sci_mode"]
        self.precision = precision
        self.width = max((len(self.text(v)) for v in counted), default=1)

    def text(self, value: float) -> str:
        if self.kind != "f":
            return str(value)
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        if self.sci:
            return f"{value:.{self.precision}e}"
        return f"{value:.0f}." if self.whole else f"{value:.{self.precision}f}"

    def __call__(self, value: float) -> str:
        return self.text(value).rjust(self.width)


def _summarised(a: np.ndarray) -> np.ndarray:
    """The elements that will be shown, whatever their places."""
    edge = _options["edgeitems"]
    for axis in range(a.ndim):
        if a.shape[axis] > 2 * edge:
            a = np.concatenate([a.take(range(edge), axis), a.take(range(-edge, 0), axis)], axis)
    return a


def _block(a: np.ndarray, indent: int, summarise: bool, show: _Formatter) -> str:
    edge = _options["edgeitems"]
    if a.ndim == 0:
        return show(a.item())
    cut = summarise and a.shape[0] > 2 * edge
    rows = [*range(edge), *range(a.shape[0] - edge, a.shape[0])] if cut else range(a.shape[0])
    if a.ndim == 1:
        items = [show(a[i].item()) for i in rows]
        if cut:
            items.insert(edge, " ...")
        per_line = max(1, (_options["linewidth"] - indent) // (show.width + 2))
        lines = [", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_block(a[i], indent + 1, summarise, show) for i in rows]
    if cut:
        parts.insert(edge, "...")
    return "[" + ("," + "\n" * (a.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def format_tensor(x: Tensor) -> str:
    """What ``repr(x)`` shows."""
    values = x.detach().numpy()
    prefix = "Parameter containing:\ntensor(" if type(x).__name__ == "Parameter" else "tensor("
    notes = []
    if values.size == 0:
        body = "[]"
        if values.ndim != 1:
            notes.append(f"size={tuple(values.shape)}")
        if values.dtype != np.float32:
            notes.append(f"dtype={x.dtype!r}")
    else:
        summarise = values.size > _options["threshold"]
        shown = _summarised(values) if summarise else values
        body = _block(values, len("tensor("), summarise, _Formatter(shown)).lstrip(" " if values.ndim == 0 else "")
        if values.dtype not in (np.float32, np.int64, np.bool_):
            notes.append(f"dtype={x.dtype!r}")
    if x.grad_fn is not None:
        notes.append(f"grad_fn=<{x.grad_fn.name()}>")
    elif x.requires_grad:
        notes.append("requires_grad=True")
    return prefix + ", ".join([body, *notes]) + ")"
