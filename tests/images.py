"""Pictures for the tests of transforms, and what should become of them, in NumPy and float64."""
import numpy as np

import fastnet


def picture(shape, dtype=np.uint8, seed=0):
    """Noise: uint8, or float32 from 0 to 1."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape, np.uint8) if dtype == np.uint8 else rng.random(shape, np.float32)


def layouts(x):
    """The same picture as different arrays and as a tensor."""
    yield "planes", np.ascontiguousarray(x)
    last = np.ascontiguousarray(np.moveaxis(x, -3, -1))
    yield "pixels", np.moveaxis(last, -1, -3)
    yield "mirrored", np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    yield "strided", wide[..., ::2]
    frozen = x.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen
    yield "tensor", fastnet.from_numpy(np.ascontiguousarray(x))


def warped(x, matrix, size, nearest, fill=0.0):
    """x (C, H, W) seen through a matrix, pixel by pixel."""
    c, h, w = x.shape
    y = np.full((c, *size), float(fill))
    for i in range(size[0]):
        for j in range(size[1]):
            u, v, t = matrix @ [j + 0.5, i + 0.5, 1.0]
            u, v = u / t, v / t
            if nearest:
                if 0 <= np.floor(u) < w and 0 <= np.floor(v) < h:
                    y[:, i, j] = x[:, int(np.floor(v)), int(np.floor(u))]
                continue
            u, v = u - 0.5, v - 0.5
            total = np.zeros(c)
            for a in (int(np.floor(v)), int(np.floor(v)) + 1):
                for b in (int(np.floor(u)), int(np.floor(u)) + 1):
                    weight = (1 - abs(v - a)) * (1 - abs(u - b))
                    total += weight * (x[:, a, b] if 0 <= a < h and 0 <= b < w else fill)
            y[:, i, j] = total
    return y


def weights(n, out, mode, antialias):
    """The matrix (out, n) that resizes an axis."""
    scale = n / out
    matrix = np.zeros((out, n))
    for i in range(out):
        mid = (i + 0.5) * scale - 0.5
        if mode in ("nearest", "nearest-exact"):
            matrix[i, int(np.floor(i * scale if mode == "nearest" else (i + 0.5) * scale))] = 1
            continue
        wide, a = (max(scale, 1.0), -0.5) if antialias else (1.0, -0.75)
        reach = wide * (1 if mode == "bilinear" else 2)
        for j in range(int(np.floor(mid - reach)), int(np.ceil(mid + reach)) + 1):
            d = abs(j - mid) / wide
            if mode == "bilinear":
                k = max(0.0, 1 - d)
            else:
                k = (a + 2) * d**3 - (a + 3) * d**2 + 1 if d < 1 else a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0
            if antialias and not 0 <= j < n:
                continue
            matrix[i, min(max(j, 0), n - 1)] += k
        matrix[i] /= matrix[i].sum()
    return matrix


def resized(x, size, mode="bilinear", antialias=True):
    """x (..., H, W) resized."""
    return weights(x.shape[-2], size[0], mode, antialias) @ x.astype(np.float64) @ weights(x.shape[-1], size[1], mode, antialias).T
