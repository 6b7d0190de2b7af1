"""Exporters of pooling."""
from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.table import batched, exporter, ints, unbatched
from fastnet.onnx.sizes import Dim


def _ceil(g: Graph, asked: bool, x: Value, rank: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> int:
    """ceil_mode, which ONNX takes by its word: there, a window that begins behind the elements is not left out."""
    if not asked:
        return 0
    one = (ints(v, rank) for v in (kernel, kernel if stride is None else stride, padding, dilation))
    fixed = [(m, n + 2 * p - d * (k - 1) - 1, s) for n, m, k, s, p, d in zip(x.shape[-rank:], g.y.shape[-rank:], *one)
             if not isinstance(n, Dim)]
    if all(m == -(-free // s) + 1 for m, free, s in fixed):
        return 1
    if len(fixed) < rank or any(m != free // s + 1 for m, free, s in fixed):
        raise g.refuse("ceil_mode adds a window on one axis, and on another one it would begin behind the elements")
    return 0


@exporter("max_pool")
def max_pool(g: Graph, input: Value, rank: int, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False, return_indices: bool = False) -> str:
    if return_indices:
        raise g.refuse("return_indices=True: ONNX counts the places differently")
    x, had = batched(g, input, rank + 2)
    y = g.op("MaxPool", x, kernel_shape=ints(kernel_size, rank), strides=ints(kernel_size if stride is None else stride, rank),
             pads=ints(padding, rank) * 2, dilations=ints(dilation, rank),
             ceil_mode=_ceil(g, ceil_mode, input, rank, kernel_size, stride, padding, dilation))
    return unbatched(g, y, had)


@exporter("avg_pool")
def avg_pool(g: Graph, input: Value, rank: int, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
             count_include_pad: bool = True, divisor_override: Any = None) -> str:
    kernel = ints(kernel_size, rank)
    x, had = batched(g, input, rank + 2)
    if divisor_override is not None and ceil_mode:
        raise g.refuse("divisor_override with ceil_mode")
    include = count_include_pad or divisor_override is not None
    y = g.op("AveragePool", x, kernel_shape=kernel, strides=ints(kernel_size if stride is None else stride, rank),
             pads=ints(padding, rank) * 2, ceil_mode=_ceil(g, ceil_mode, input, rank, kernel_size, stride, padding),
             count_include_pad=int(include))
    if divisor_override is not None:
        y = g.op("Mul", y, g.const(prod(kernel) / divisor_override, input.dtype))
    return unbatched(g, y, had)


@exporter("adaptive_avg_pool")
def adaptive_avg_pool(g: Graph, input: Value, rank: int, output_size: Any) -> str:
    return averaged(g, input, g.y.shape[-rank:])


def averaged(g: Graph, x: Value, out: list[Any]) -> str:
    """Windows that cover the last axes, floor(i n / m) to ceil((i + 1) n / m), and their means."""
    rank, sizes = len(out), x.shape[-len(out):]
    axes = list(range(-rank, 0))
    if all(m == 1 for m in out):
        return g.op("ReduceMean", x, g.const(axes, np.int64)) if x.ndim != rank + 2 else g.op("GlobalAveragePool", x)
    y: Any = x
    for d, n, m in zip(axes, sizes, out):
        if n == m:
            continue
        if isinstance(n, Dim) or isinstance(m, Dim):
            raise g.refuse("an adaptive pooling to more than one element needs a fixed size of the input")
        share = np.zeros((m, n), x.dtype)
        for i in range(m):
            low, high = i * n // m, -((-(i + 1) * n) // m)
            share[i, low:high] = 1 / (high - low)
        order = list(range(x.ndim))
        order[d], order[-1] = order[-1], order[d]
        y = g.transpose(g.op("MatMul", g.transpose(y, order), g.const(np.ascontiguousarray(share.T))), order)
    return g.input(y, None)


@exporter("adaptive_max_pool")
def adaptive_max_pool(g: Graph, input: Value, rank: int, output_size: Any, return_indices: bool = False) -> str:
    sizes, out = input.shape[-rank:], g.y.shape[-rank:]
    if return_indices:
        raise g.refuse("return_indices=True: ONNX counts the places differently")
    if all(m == 1 for m in out):
        return g.op("ReduceMax", input, g.const(list(range(-rank, 0)), np.int64))
    if any(isinstance(n, Dim) or isinstance(m, Dim) or n % m for n, m in zip(sizes, out)):
        raise g.refuse(f"windows of one size are needed, not from {sizes} to {out}")
    x, had = batched(g, input, rank + 2)
    kernel = [n // m for n, m in zip(sizes, out)]
    return unbatched(g, g.op("MaxPool", x, kernel_shape=kernel, strides=kernel), had)
