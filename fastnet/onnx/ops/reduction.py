"""Exporters of sums, means, extremes and order along axes."""
from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.arithmetic import maximum
from fastnet.onnx.ops.table import axis_of, exporter
from fastnet.onnx.sizes import Dim

REDUCE = {"sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd", "amax": "ReduceMax", "amin": "ReduceMin",
          "logsumexp": "ReduceLogSumExp"}


def reduced(g: Graph, kind: str, x: Any, dim: Any, keepdim: Any) -> str:
    """A Reduce operator over axes; all of them if dim is None or ()."""
    axes = None if dim is None or dim == () else g.const(list(dim) if isinstance(dim, (tuple, list)) else [dim], np.int64)
    return g.op(kind, x, axes, keepdims=int(bool(keepdim)))


@exporter(*REDUCE)
def reduce(g: Graph, input: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
           keepdims: Any = None) -> str:
    return reduced(g, REDUCE[g.event.name], g.cast(input, g.y.dtype), dim if axis is None else axis, keepdim or keepdims)


@exporter("any", "all")
def any_all(g: Graph, input: Value, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: Any = None) -> str:
    x = g.cast(g.cast(input, np.bool_), np.int32)
    return g.cast(reduced(g, "ReduceMax" if g.event.name == "any" else "ReduceMin", x, dim if axis is None else axis, keepdim or keepdims),
                  np.bool_)


@exporter("argmax", "argmin")
def argmax(g: Graph, input: Value, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: Any = None) -> str:
    dim = dim if axis is None else axis
    kind = "ArgMax" if g.event.name == "argmax" else "ArgMin"
    if dim is None:
        whole = g.op("Reshape", input, g.const([-1], np.int64))
        y = g.op(kind, whole, axis=0, keepdims=0)
        return g.reshape(y, g.y.shape, []) if g.y.shape else y
    return g.op(kind, input, axis=dim, keepdims=int(bool(keepdim or keepdims)))


@exporter("max", "min")
def extreme(g: Graph, input: Value, dim: Any = None, keepdim: bool = False, *, other: Any = None, axis: Any = None,
            keepdims: Any = None) -> Any:
    kind, dim = g.event.name, dim if axis is None else axis
    if other is not None or isinstance(dim, Value):
        g.event.name = "maximum" if kind == "max" else "minimum"
        return maximum(g, input, dim if other is None else other)
    word, keep = kind.title(), keepdim or keepdims
    values = reduced(g, f"Reduce{word}", input, dim, keep)
    return values if dim is None else (values, g.op(f"Arg{word}", input, axis=dim, keepdims=int(bool(keep))))


@exporter("var", "std")
def var(g: Graph, input: Value, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None, axis: Any = None,
        keepdims: Any = None) -> str:
    return _var(g, input, dim if axis is None else axis, unbiased, keepdim or keepdims, correction)[0]


@exporter("var_mean", "std_mean")
def var_mean(g: Graph, input: Value, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *,
             correction: Any = None) -> tuple[str, str]:
    return _var(g, input, dim, unbiased, keepdim, correction)


def _var(g: Graph, x: Value, dim: Any, unbiased: Any, keepdim: Any, correction: Any) -> tuple[str, str]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    less = correction if correction is not None else int(unbiased is not False)
    dims = list(range(x.ndim)) if dim is None or dim == () else list(dim) if isinstance(dim, (tuple, list)) else [dim]
    sizes = [x.shape[d] for d in dims]
    mean = reduced(g, "ReduceMean", x, dims, True)
    total = reduced(g, "ReduceSumSquare", g.op("Sub", x, mean), dims, keepdim)
    varied = next((n for n in sizes if isinstance(n, Dim)), None)
    if varied is None:
        count: Any = float(prod(sizes) - less)
    else:
        turns = range(len(varied.values))
        count = Dim(tuple(prod(n.values[t] if isinstance(n, Dim) else n for n in sizes) - less for t in turns))
    y = g.op("Div", total, g.number(count, x.dtype))
    return g.op("Sqrt", y) if g.event.name.startswith("std") else y, mean if keepdim else reduced(g, "ReduceMean", x, dims, False)


@exporter("norm", "vector_norm")
def norm(g: Graph, input: Value, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None, *, ord: Any = None) -> str:
    p = p if ord is None else ord
    kind = {1: "ReduceL1", 2: "ReduceL2", "fro": "ReduceL2", float("inf"): "ReduceMax"}.get(p)
    if kind is None:
        raise g.refuse(f"norms of order 1, 2 and inf can be exported, not {p!r}")
    x: Any = g.cast(input, g.y.dtype)
    x = g.op("Abs", x) if kind == "ReduceMax" else x
    return reduced(g, kind, x, dim, keepdim)


@exporter("cumsum")
def cumsum(g: Graph, input: Value, dim: int, *, dtype: Any = None) -> str:
    return g.op("CumSum", g.cast(input, g.y.dtype), g.const(dim, np.int64))


@exporter("softmax", "log_softmax", "softmin")
def softmax(g: Graph, input: Value, dim: Any = None, dtype: Any = None) -> str:
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
    x = g.cast(input, g.y.dtype)
    return g.op("LogSoftmax" if g.event.name == "log_softmax" else "Softmax", g.op("Neg", x) if g.event.name == "softmin" else x, axis=dim)


@exporter("topk")
def topk(g: Graph, input: Value, k: Any, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    size = input.shape[axis_of(dim, input.ndim)]
    if isinstance(k, Dim) and isinstance(size, Dim) and k.values == tuple(min(n, max(k.values)) for n in size.values):
        count = g.op("Min", g.size(size), g.const([max(k.values)], np.int64))
    else:
        count = g.size(k)
    return g.op("TopK", input, count, outputs=2, axis=dim, largest=int(largest), sorted=1)


@exporter("sort", "argsort")
def sort(g: Graph, input: Value, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    made = g.op("TopK", input, g.size(input.shape[axis_of(dim, input.ndim)]), outputs=2, axis=dim, largest=int(descending), sorted=1)
    return made if g.event.name == "sort" else made[1]
