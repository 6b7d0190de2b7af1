"""export: a model as an ONNX file."""
from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np

from fastnet import nn
from fastnet._core.tensor import Tensor
from fastnet.onnx.graph import Graph
from fastnet.onnx.model import finished, merged, values_of, write
from fastnet.onnx.runs import traces_of
from fastnet.onnx.trace import tensors
from fastnet.training.evaluate import evaluating

OPSETS = range(18, 24)
Axes = Mapping[str, Mapping[int, str] | Sequence[int]]


def export(model: nn.Module, args: Any = (), f: str | os.PathLike | IO[bytes] | None = None, *, kwargs: Mapping[str, Any] | None = None,
           input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None, dynamic_axes: Axes | None = None,
           opset_version: int = 18) -> Any:
    """Write what a model does in evaluation as an ONNX graph, with its parameters under their names in the `state_dict`.

    The model runs on the example and on variations of it, and the ops that it calls are noted: the graph has the same ops for inputs of
    every value, so a Python `if` on values is fixed to the way it went (with a warning). The model is put into evaluation mode
    meanwhile; its parameters and modes are as before afterwards.

    Args:
        model: a Module.
        args: its example inputs: a tensor, or a tuple of tensors and of other values, which are fixed.
        f: path or binary file to write; None: only return the model.
        kwargs: further inputs by the names of `forward`'s arguments.
        input_names: of the tensors; default "input", or the names of `forward`'s arguments where there are several.
        output_names: of the tensors in the result; default "output", or "output_0", "output_1", ...
        dynamic_axes: axes that may have other sizes when the graph runs: ``{"input": {0: "batch"}}``, or ``{"input": [0]}`` without names.
            Axes of one name have one size. Sizes of outputs follow, and need not be named.
        opset_version: of ONNX's operators, 18 to 23.

    Returns:
        The `onnx.ModelProto`, checked by `onnx.checker`.

    Raises:
        TypeError, ValueError: arguments that do not fit.
        RuntimeError: an op that ONNX cannot express, with the module that called it; or a result that depends on a dynamic axis in a way
            that no graph can follow.
        ImportError: the package onnx is not installed.

    >>> import fastnet as fn
    >>> made = fn.onnx.export(fn.nn.Linear(4, 2), fn.zeros(1, 4), "linear.onnx", dynamic_axes={"input": {0: "batch"}})
    >>> [node.op_type for node in made.graph.node]
    ['Gemm']
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("onnx.export needs the package onnx: pip install 'fastnet[onnx]'") from None
    if not isinstance(model, nn.Module):
        raise TypeError(f"onnx.export: model must be a Module, got {type(model).__name__}")
    if opset_version not in OPSETS:
        raise ValueError(f"onnx.export: opset_version must be from {OPSETS[0]} to {OPSETS[-1]}, got {opset_version!r}")
    given: tuple[tuple, dict[str, Any]] = args if isinstance(args, tuple) else (args,), dict(kwargs or {})
    examples = list(tensors(given))
    if not examples:
        raise ValueError("onnx.export: args must hold a tensor for each input of the model, got none")
    names = _names("input_names", input_names, len(examples), _argument_names(model, given, len(examples)))
    axes = _axes(dynamic_axes, names, examples, output_names)
    with evaluating(model):
        traces, results, structure = traces_of(model, given, examples, axes)
        events = merged(traces)
    wanted = list(tensors(structure))
    default = ["output"] if len(wanted) == 1 else [f"output_{k}" for k in range(len(wanted))]
    outputs = _names("output_names", output_names, len(wanted), default)
    named = {(p.data_ptr(), tuple(p.shape), tuple(s * p.element_size() for s in p.stride()), np.dtype(p.dtype.numpy).str): name
             for name, p in reversed(model.state_dict().items())}
    g = Graph(onnx.helper, opset_version, named)
    values = values_of(traces, events, results)
    labels = {tuple(t.shapes[k][axis] for t in traces): name for name, where in axes.items() for k, axis in where}
    for n, name in enumerate(names):
        g.has(values[n], name)
    write(g, events, values, results)
    made = finished(onnx, g, [values[n] for n in range(len(names))], [values[n] for n in results], outputs, labels, dynamic_axes or {})
    if f is not None:
        onnx.save_model(made, os.fspath(f) if isinstance(f, (str, os.PathLike)) else f)
    return made


def _argument_names(model: nn.Module, given: tuple[tuple, dict], count: int) -> list[str]:
    """ "input", or the names of forward's arguments where there are several."""
    if count == 1:
        return ["input"]
    try:
        bound = inspect.signature(model.forward).bind(*given[0], **given[1])
    except (TypeError, ValueError):
        return [f"input_{k}" for k in range(count)]
    found = []
    for name, value in bound.arguments.items():
        several = list(tensors(value))
        found += [name] if len(several) == 1 else [f"{name}_{k}" for k in range(len(several))]
    return found


def _names(what: str, given: Sequence[str] | None, count: int, default: list[str]) -> list[str]:
    if given is None:
        return default
    if isinstance(given, str) or len(given) != count or len(set(given)) != count:
        raise ValueError(f"onnx.export: {what} must be {count} different names, got {given!r}")
    return list(given)


def _axes(given: Axes | None, names: list[str], examples: list[Tensor], outputs: Sequence[str] | None) -> dict[str, list[tuple[int, int]]]:
    """Name of each dynamic size -> (number of the input, axis) of the axes that have it."""
    found: dict[str, list[tuple[int, int]]] = {}
    for name, axes in (given or {}).items():
        if name not in names:
            if name in (outputs or ()) or (outputs is None and name.startswith("output")):
                continue
            raise ValueError(f"onnx.export: dynamic_axes names {name!r}, which is neither an input ({', '.join(names)}) nor an output")
        k = names.index(name)
        for axis, label in (axes.items() if isinstance(axes, Mapping) else [(axis, f"{name}_{axis}") for axis in axes]):
            ndim = examples[k].ndim
            if not isinstance(axis, int) or not -ndim <= axis < ndim:
                raise ValueError(f"onnx.export: dynamic_axes: {name} of shape {tuple(examples[k].shape)} has no axis {axis!r}")
            found.setdefault(label, []).append((k, axis % ndim))
    for label, where in found.items():
        sizes = {examples[k].shape[axis] for k, axis in where}
        if len(sizes) > 1 or 0 in sizes:
            raise ValueError(f"onnx.export: dynamic_axes: the axes {label!r} must have one size above 0, got {sorted(sizes)}")
    return found
