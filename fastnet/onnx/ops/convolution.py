"""Exporters of convolutions and of resizing."""
from __future__ import annotations

from typing import Any

import numpy as np

from fastnet.onnx.graph import Graph, Value
from fastnet.onnx.ops.normalization import activated
from fastnet.onnx.ops.pool import averaged
from fastnet.onnx.ops.table import batched, exporter, ints, unbatched


@exporter("conv1d", "conv2d", "conv3d")
def conv(g: Graph, input: Value, weight: Value, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
         groups: int = 1) -> str:
    rank = weight.ndim - 2
    kernel, dilations = weight.shape[2:], ints(dilation, rank)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilations, kernel)]
        pads = [t // 2 for t in total] + [t - t // 2 for t in total]
    else:
        pads = ints(0 if padding == "valid" else padding, rank) * 2
    x, had = batched(g, input, rank + 2)
    y = g.op("Conv", x, weight, bias, kernel_shape=kernel, strides=ints(stride, rank), pads=pads, dilations=dilations, group=groups)
    return unbatched(g, y, had)


@exporter("conv_act")
def conv_act(g: Graph, input: Value, weight: Value, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int,
             activation: Any = None, negative_slope: float = 0.01, residual: Any = None, residual_last: bool = False) -> str:
    y = conv(g, input, weight, bias, stride, padding, dilation, groups)
    if residual is not None and not residual_last:
        y = g.op("Add", y, residual)
    y = activated(g, y, activation, negative_slope)
    return g.op("Add", y, residual) if residual is not None and residual_last else y


@exporter("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(g: Graph, input: Value, weight: Value, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
                   groups: int = 1, dilation: Any = 1) -> str:
    rank = weight.ndim - 2
    x, had = batched(g, input, rank + 2)
    y = g.op("ConvTranspose", x, weight, bias, kernel_shape=weight.shape[2:], strides=ints(stride, rank), pads=ints(padding, rank) * 2,
             output_padding=ints(output_padding, rank), dilations=ints(dilation, rank), group=groups)
    return unbatched(g, y, had)


@exporter("interpolate")
def interpolate(g: Graph, input: Value, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None,
                recompute_scale_factor: Any = None, antialias: bool = False) -> str:
    rank = input.ndim - 2
    if mode == "area":
        return averaged(g, input, g.y.shape[2:])
    kind = {"nearest": "nearest", "nearest-exact": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear",
            "bicubic": "cubic"}.get(mode)
    if kind is None:
        raise g.refuse(f"mode {mode!r}")
    places = "asymmetric" if mode == "nearest" else "align_corners" if align_corners else "half_pixel"
    more: dict[str, Any] = {"nearest_mode": "round_prefer_ceil" if mode == "nearest-exact" else "floor"} if kind == "nearest" else {}
    if kind == "cubic":
        more["cubic_coeff_a"] = -0.5 if antialias else -0.75
    scales = sizes = None
    if scale_factor is not None and not recompute_scale_factor:
        scales = g.const([1.0, 1.0, *map(_up, ints(scale_factor, rank))], np.float32)
    else:
        sizes = g.sizes(g.y.shape)
    return g.op("Resize", input, None, scales, sizes, mode=kind, coordinate_transformation_mode=places, antialias=1 if antialias else None,
                exclude_outside=1 if antialias else None, **more)


def _up(scale: float) -> np.float32:
    """A factor in float32, not smaller than it is: 2.3 times 10 is 23, and the size is rounded down."""
    made = np.float32(scale)
    return made if float(made) >= scale else np.nextafter(made, np.float32(np.inf))
