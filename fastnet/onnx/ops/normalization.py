"""Exporters of norms."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.reduction import reduced
from fastnet.onnx.ops.table import EXPORTERS, exporter


def _ones(g: Graph, x: Any, n: Any, dtype: Any, value: float = 1.0) -> Any:
    return g.const(np.full(n, value, dtype)) if x is None else x


def _scaled(g: Graph, y: str, x: Value, weight: Any, bias: Any) -> str:
    """y times weight plus bias, for each channel."""
    shape = [x.shape[1], *[1] * (x.ndim - 2)]
    for kind, part in (("Mul", weight), ("Add", bias)):
        if part is not None:
            y = g.op(kind, y, g.reshape(part, shape) if part.array is None else g.const(part.array.reshape(shape)))
    return y


@exporter("batch_norm")
def batch_norm(g: Graph, input: Value, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
               momentum: float = 0.1, eps: float = 1e-5, *, activation: Any = None, negative_slope: float = 0.01,
               residual: Any = None) -> str:
    c = input.shape[1]
    if training or running_mean is None:
        axes = [d for d in range(input.ndim) if d != 1]
        centred = g.op("Sub", input, reduced(g, "ReduceMean", input, axes, True))
        var = reduced(g, "ReduceMean", g.op("Mul", centred, centred), axes, True)
        y = _scaled(g, g.op("Div", centred, g.op("Sqrt", g.op("Add", var, g.const(eps, input.dtype)))), input, weight, bias)
    else:
        y = g.op("BatchNormalization", input, _ones(g, weight, c, input.dtype), _ones(g, bias, c, input.dtype, 0.0), running_mean,
                 running_var, epsilon=float(eps))
    if residual is not None:
        y = g.op("Add", y, residual)
    return activated(g, y, activation, negative_slope)


def activated(g: Graph, y: str, activation: Any, negative_slope: float = 0.01) -> str:
    """An activation that an op does on its way."""
    if activation is None:
        return y
    known: dict[str, dict[str, Any]] = {"leaky_relu": {"negative_slope": negative_slope}, "gelu_tanh": {"approximate": "tanh"}}
    kind = activation.removesuffix("_tanh")
    if kind not in EXPORTERS:
        raise g.refuse(f"activation {activation!r}")
    x = Value(g.y.shape, g.y.dtype)
    x.name = y
    return EXPORTERS[kind](g, x, **known.get(activation, {}))


@exporter("group_norm")
def group_norm(g: Graph, input: Value, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> str:
    one = np.ones(num_groups, input.dtype)
    rows = g.op("Reshape", input, g.const([0, num_groups, -1], np.int64))
    y = g.op("InstanceNormalization", rows, g.const(one), g.const(one * 0), epsilon=float(eps))
    return _scaled(g, g.reshape(y, input.shape, [input.shape[0], num_groups, 0]), input, weight, bias)


@exporter("instance_norm")
def instance_norm(g: Graph, input: Value, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
                  use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5) -> str:
    if not use_input_stats:
        return batch_norm(g, input, running_mean, running_var, weight, bias, False, momentum, eps)
    c = input.shape[1]
    return g.op("InstanceNormalization", input, _ones(g, weight, c, input.dtype), _ones(g, bias, c, input.dtype, 0.0), epsilon=float(eps))


@exporter("layer_norm")
def layer_norm(g: Graph, input: Value, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> str:
    shape = list(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else [normalized_shape]
    return g.op("LayerNormalization", input, _ones(g, weight, shape, input.dtype), bias, axis=-len(shape), epsilon=float(eps))


@exporter("rms_norm")
def rms_norm(g: Graph, input: Value, normalized_shape: Any, weight: Any = None, eps: Any = None) -> str:
    shape = list(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else [normalized_shape]
    eps = float(np.finfo(input.dtype).eps if eps is None else eps)
    mean = reduced(g, "ReduceMean", g.op("Mul", input, input), list(range(-len(shape), 0)), True)
    y = g.op("Div", input, g.op("Sqrt", g.op("Add", mean, g.const(eps, input.dtype))))
    return y if weight is None else g.op("Mul", y, weight)


@exporter("local_response_norm")
def local_response_norm(g: Graph, input: Value, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> str:
    if size % 2 == 0:
        raise g.refuse("size must be odd")
    return g.op("LRN", input, size=size, alpha=float(alpha), beta=float(beta), bias=float(k))
