"""grid_sample and affine_grid: place by place, from the definitions."""
import itertools

import numpy as np

from specs import Case, OpSpec, Refused, normal, zeros
from specs.interpolate import cubic, hat

HOME = "fastnet.nn.functional."


def places(rng, shape):
    """Coordinates inside and outside, none near a place where a gradient of an axis of 3, 4 or 5 pixels jumps."""
    out = np.empty(int(np.prod(shape)))
    for i in range(out.size):
        while True:
            out[i] = g = rng.uniform(-2.2, 2.2)
            us = [u for n in (3, 4, 5) for u in ((g + 1) / 2 * (n - 1), ((g + 1) * n - 1) / 2)]
            if min(abs(2 * u - round(2 * u)) for u in us) > 0.12:
                break
    return out.reshape(shape)


def inside(u, n, padding, corners):
    """A coordinate in pixels brought inside, by PyTorch's rules."""
    if padding == "reflection":
        low, high = (0, n - 1) if corners else (-0.5, n - 0.5)
        period = 2 * (high - low)
        u = low + (abs((u - low + period / 2) % period - period / 2) if period else 0)
    return u if padding == "zeros" else min(max(u, 0), n - 1)


def taps(g, n, mode, padding, corners):
    """(index, weight) of the pixels of an axis that a coordinate sees."""
    g = -1.0 if np.isnan(g) else g
    u = (g + 1) / 2 * (n - 1) if corners else ((g + 1) * n - 1) / 2
    if mode != "bicubic":
        u = inside(u, n, padding, corners)
    if mode == "nearest":
        found = [(int(np.rint(u)), 1.0)]
    else:
        kernel, reach = (cubic(-0.75), 2) if mode == "bicubic" else (hat, 1)
        first = int(np.floor(u))
        found = [(k, float(kernel(np.asarray(u - k)))) for k in range(first - reach + 1, first + reach + 1)]
    if mode == "bicubic":
        found = [(int(inside(k, n, padding, corners)), w) for k, w in found]
    return [(k, w) for k, w in found if 0 <= k < n]


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    y = np.zeros(x.shape[:2] + grid.shape[1:-1])
    for at in np.ndindex(grid.shape[:-1]):
        axes = [taps(g, n, mode, padding_mode, align_corners) for g, n in zip(grid[at][::-1], x.shape[2:], strict=True)]
        for chosen in itertools.product(*axes):
            pixel = (at[0], slice(None), *(k for k, _ in chosen))
            y[(at[0], slice(None), *at[1:])] += np.prod([w for _, w in chosen]) * x[pixel]
    return y


def affine_grid(theta, size=(), align_corners=False):
    out = np.empty((size[0], *size[2:], len(size) - 2))
    for at in np.ndindex(out.shape[:-1]):
        pixels = list(zip(at[1:], size[2:], strict=True))
        place = [(2 * k / (n - 1) - 1 if n > 1 else 0) if align_corners else (2 * k + 1) / n - 1 for k, n in pixels]
        out[at] = theta[at[0]] @ np.array([*place[::-1], 1])
    return out


FLAT, DEEP = ((2, 3, 4, 5), (2, 1, 3, 2)), ((1, 2, 3, 4, 5), (1, 2, 1, 2, 3))
CASES = [Case(FLAT, {"mode": m, "padding_mode": p, "align_corners": c}) for m in ("bilinear", "nearest", "bicubic")
         for p in ("zeros", "border", "reflection") for c in (False, True)]
CASES += [Case(DEEP, {"mode": m, "padding_mode": p, "align_corners": c}) for m in ("bilinear", "nearest") for p, c in
          (("zeros", False), ("border", True), ("reflection", False))]
CASES += [Case(s, {"align_corners": False}) for s in (((2, 35, 4, 3), (2, 1, 3, 2)), ((0, 3, 4, 5), (0, 2, 2, 2)),
                                                      ((1, 0, 4, 5), (1, 2, 2, 2)), ((1, 3, 4, 5), (1, 0, 2, 2)))]

SPECS = [
    OpSpec("grid_sample", HOME + "grid_sample", grid_sample, cases=CASES, make=[normal, places], tol=5e-6, grad_tol=1e-7,
           refused=[
               Refused(ValueError, "grid_sample: mode must be one of", zeros(1, 1, 2, 2), zeros(1, 2, 2, 2), mode="linear"),
               Refused(ValueError, "grid_sample: padding_mode must be one of", zeros(1, 1, 2, 2), zeros(1, 2, 2, 2), padding_mode="wrap"),
               Refused(ValueError, "grid_sample: .*got", zeros(1, 1, 2, 2), zeros(1, 2, 2, 3)),
               Refused(ValueError, "grid_sample: .*got", zeros(2, 1, 2, 2), zeros(1, 2, 2, 2)),
               Refused(ValueError, "grid_sample: .*got", zeros(1, 2, 2), zeros(1, 2, 2)),
               Refused(TypeError, "grid_sample: .*dtype", zeros(1, 1, 2, 2), zeros(1, 2, 2, 2, dtype="float64")),
               Refused(ValueError, "grid_sample: mode bicubic", zeros(1, 1, 2, 2, 2), zeros(1, 2, 2, 2, 3), mode="bicubic"),
               Refused(ValueError, "grid_sample: .*no pixels", zeros(1, 1, 0, 2), zeros(1, 2, 2, 2)),
           ],
           bench=[Case(((8, 64, 32, 32), (8, 32, 32, 2)), {"align_corners": False})]),
    OpSpec("affine_grid", HOME + "affine_grid", affine_grid,
           cases=[Case(((2, 2, 3),), {"size": (2, 1, 3, 4), "align_corners": c}) for c in (False, True)]
           + [Case(((1, 3, 4),), {"size": (1, 2, 2, 1, 3), "align_corners": c}) for c in (False, True)],
           refused=[
               Refused(ValueError, "affine_grid: theta must have the shape", zeros(1, 2, 3), (2, 1, 3, 3)),
               Refused(ValueError, "affine_grid: size must be", zeros(1, 2, 3), (1, 1, 3)),
               Refused(ValueError, "affine_grid: size must be", zeros(1, 2, 3), (1, 1, 3, 0)),
               Refused(ValueError, "affine_grid: theta must be a floating", zeros(1, 2, 3, dtype="int64"), (1, 1, 3, 3)),
           ]),
]
