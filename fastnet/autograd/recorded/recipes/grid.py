"""Recipe of grid_sample: places of the grid, their taps and weights, from ops."""
from __future__ import annotations

import math
from itertools import product

from fastnet._core.tensor import Tensor
from fastnet.autograd.recorded.kinds import replay
from fastnet.autograd.recorded.op import Op
from fastnet.ops.where import where

LINEAR, NEAREST, CUBIC = 0, 1, 2                         # as in csrc/kernels/grid_sample.h
ZEROS, BORDER, REFLECTION = 0, 1, 2


def _inside(c: Tensor, size: int, padding: int, corners: bool) -> Tensor:
    """Coordinates brought into the image, as the padding says."""
    if padding == ZEROS:
        return c
    if padding == REFLECTION:
        low, span = (0.0, size - 1.0) if corners else (-0.5, float(size))
        if span == 0:
            return c * 0
        away = (c - low).abs()
        turns = (away.detach() / span).floor()
        rest = away - turns * span
        c = where(turns.remainder(2.0) == 0, rest, span - rest) + low
    within = (c > 0) & (c < size - 1)
    return where(within, c, c.detach().clamp(0, size - 1))


def _taps(c: Tensor, mode: int) -> list[tuple[Tensor, Tensor | float]]:
    """The indices on one axis that a coordinate reads, and their weights."""
    if mode == NEAREST:
        return [(c.detach().round(), 1.0)]
    first = c.detach().floor()
    t = c - first
    if mode == LINEAR:
        return [(first, 1 - t), (first + 1, t)]

    def near(d: Tensor) -> Tensor:
        return ((1.25 * d - 2.25) * d) * d + 1

    def far(d: Tensor) -> Tensor:
        return ((-0.75 * d + 3.75) * d - 6) * d + 3

    return [(first - 1, far(t + 1)), (first, near(t)), (first + 1, near(1 - t)), (first + 2, far(2 - t))]


@replay("GridSamplerBackward0")
def grid_sample(op: Op, x: Tensor, grid: Tensor) -> Tensor:
    mode, padding, corners = op.integers[0], op.integers[1], bool(op.integers[2])
    sizes, n, channels = list(x.shape[2:]), x.shape[0], x.shape[1]
    axes = []
    for d, size in enumerate(sizes):
        g = grid[..., len(sizes) - 1 - d].reshape(n, 1, math.prod(op.shape[2:]))
        g = where(g.isnan(), -1.0, g)
        c = (g + 1) * ((size - 1) / 2) if corners else ((g + 1) * size - 1) / 2
        axes.append(_taps(_inside(c, size, padding, corners) if mode != CUBIC else c, mode))
    flat = x.reshape(n, channels, math.prod(sizes))
    total = None
    for taps in product(*axes):
        place, weight, valid = None, None, None
        for (i, w), size in zip(taps, sizes):
            if mode == CUBIC:
                i = _inside(i, size, padding, corners).round()
            ok = (i >= 0) & (i < size)
            i = i.clamp(0, size - 1).long()
            place = i if place is None else place * size + i
            weight = w if weight is None else weight * w
            valid = ok if valid is None else valid & ok
        assert place is not None and valid is not None
        value = where(valid, flat.gather(2, place.expand(n, channels, place.shape[2])), 0.0) * weight
        total = value if total is None else total + value
    assert total is not None
    return total.reshape(op.shape)
