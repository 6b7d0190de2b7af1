"""Exporters of matrix products."""
from __future__ import annotations

from typing import Any

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.normalization import activated
from fastnet.onnx.ops.table import exporter


@exporter("matmul", "mm", "bmm", "mv", "dot")
def matmul(g: Graph, input: Value, other: Any = None, **options: Any) -> str:
    return g.op("MatMul", input, next(iter(options.values()), other))


@exporter("linear", "linear_act")
def linear(g: Graph, input: Value, weight: Value, bias: Any = None, activation: Any = None) -> str:
    if input.ndim == 2 and bias is not None:
        y = g.op("Gemm", input, weight, bias, transB=1)
    else:
        y = g.op("MatMul", input, transposed(g, weight))
        y = y if bias is None else g.op("Add", y, bias)
    return activated(g, y, activation)


def transposed(g: Graph, weight: Value) -> str:
    """A matrix turned. A parameter stays as it is under its name, and runtimes turn it when they load the graph."""
    if weight.array is not None and g.parameter(weight.array.T):
        return g.const(weight.array.T)                    # the model has turned it, too
    return g.transpose(weight, [1, 0])
