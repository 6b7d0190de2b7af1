"""interpolate: every axis of an image times the matrix of its mode, written from the definitions."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros

NAME = "fastnet.nn.functional.interpolate"


def hat(x):
    return np.maximum(0, 1 - np.abs(x))


def cubic(a):
    """Keys' kernel."""
    return lambda x: np.where(np.abs(x) < 1, (a + 2) * np.abs(x) ** 3 - (a + 3) * x * x + 1,
                              np.where(np.abs(x) < 2, a * (np.abs(x) ** 3 - 5 * x * x + 8 * np.abs(x) - 4), 0))


def lanczos(x):
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def matrix(n, out, mode, corners, scale, antialias):
    """(out, n): row o holds the weights of the places of the input in place o."""
    o, k = np.arange(out)[:, None], np.arange(n)
    step = ((n - 1) / (out - 1) if out > 1 else 0) if corners else 1 / scale if scale else n / out
    if mode in ("nearest", "nearest-exact"):
        return (k == np.minimum(np.floor((o + (0.5 if mode == "nearest-exact" else 0)) * step), n - 1)) * 1.0
    if mode == "area":
        w = (k >= np.floor(o * n / out)) & (k < np.ceil((o + 1) * n / out))
        return w / w.sum(1, keepdims=True)
    if antialias:
        kernel, radius = {"bilinear": (hat, 1), "bicubic": (cubic(-0.5), 2), "lanczos": (lanczos, 3)}[mode]
        wide, centre = max(step, 1), (o + 0.5) * step
        inside = (k >= np.trunc(centre - radius * wide + 0.5)) & (k < np.trunc(centre + radius * wide + 0.5))
        w = kernel((k + 0.5 - centre) / wide) * inside
        return w / w.sum(1, keepdims=True)
    at = o * step if corners else (o + 0.5) * step - 0.5
    kernel = cubic(-0.75) if mode == "bicubic" else hat
    w = np.zeros((out, n))
    for shift in range(-4, n + 4):                        # places beyond the ends are the place at the end
        w[:, min(max(shift, 0), n - 1)] += kernel(at - shift)[:, 0]
    return w


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    for d, n in enumerate(x.shape[2:], 2):
        one = [v[d - 2] if isinstance(v, tuple) else v for v in (size, scale_factor)]
        out = one[0] if size is not None else int(n * one[1])
        scale = None if size is not None or recompute_scale_factor or mode == "area" else one[1]
        x = np.moveaxis(np.moveaxis(x, d, -1) @ matrix(n, out, mode, align_corners, scale, antialias).T, -1, d)
    return x


def cases(shape, modes, **more):
    n = shape[2:]
    sizes = [{"size": tuple(2 * d + 1 for d in n)}, {"size": tuple(max(1, d // 2) for d in n)}, {"scale_factor": 2}, {"scale_factor": 0.61}]
    return [Case((shape,), {"mode": mode, **size, **more}) for mode in modes for size in sizes]


SPECS = [
    OpSpec("interpolate", NAME, interpolate, tol=5e-6,
           cases=[*cases((2, 3, 7), ("nearest", "nearest-exact", "area", "linear")), *cases((1, 17, 5), ("linear",), align_corners=True),
                  *cases((2, 5, 6, 3), ("nearest", "nearest-exact", "area", "bilinear", "bicubic")),
                  *cases((1, 2, 3, 5), ("bilinear", "bicubic"), align_corners=True),
                  *cases((1, 2, 13, 4), ("bilinear", "bicubic", "lanczos"), antialias=True),
                  *cases((1, 3, 2, 4, 3), ("nearest", "area", "trilinear")), *cases((1, 1, 3, 2, 4), ("trilinear",), align_corners=True),
                  Case(((2, 3, 4, 5),), {"size": 1, "mode": "bilinear"}), Case(((1, 1, 1, 1),), {"size": (3, 2), "mode": "bicubic"}),
                  Case(((2, 3, 7),), {"scale_factor": 1.7, "recompute_scale_factor": True, "mode": "linear"}),
                  Case(((1, 2, 4, 6),), {"scale_factor": (1.5, 0.5), "mode": "bilinear"}), Case(((0, 3, 4),), {"size": 5}),
                  Case(((2, 0, 4),), {"size": 5}),
                  Case(((1, 33, 3, 4),), {"size": (3, 4), "mode": "bilinear", "align_corners": True})],
           refused=[
               Refused(ValueError, "interpolate: input must have 3 to 5 axes", zeros(2, 3), size=3),
               Refused(TypeError, "interpolate: input must be float", zeros(2, 3, 4, dtype="int64"), size=3),
               Refused(ValueError, "interpolate: mode must be one of", zeros(2, 3, 4), size=3, mode="cubic"),
               Refused(ValueError, "interpolate: mode bilinear is for 4 axes", zeros(2, 3, 4), size=3, mode="bilinear"),
               Refused(ValueError, "interpolate: align_corners", zeros(2, 3, 4), size=3, align_corners=False),
               Refused(ValueError, "interpolate: antialias", zeros(2, 3, 4), size=3, mode="linear", antialias=True),
               Refused(ValueError, "interpolate: mode lanczos needs", zeros(2, 3, 4, 4), size=3, mode="lanczos"),
               Refused(ValueError, "interpolate: exactly one", zeros(2, 3, 4)),
               Refused(ValueError, "interpolate: exactly one", zeros(2, 3, 4), size=3, scale_factor=2),
               Refused(ValueError, "interpolate: recompute_scale_factor", zeros(2, 3, 4), size=3, recompute_scale_factor=True),
               Refused(ValueError, r"interpolate: size \(3, 3\) must be", zeros(2, 3, 4), size=(3, 3)),
               Refused(ValueError, "interpolate: .*sizes must be positive", zeros(2, 3, 4), size=0),
               Refused(ValueError, "interpolate: .*sizes must be positive", zeros(2, 3, 4), scale_factor=-1),
               Refused(ValueError, "interpolate: .*sizes must be positive", zeros(2, 3, 0), size=3),
               Refused(TypeError, "interpolate: size must be int", zeros(2, 3, 4), size=2.5),
           ],
           bench=[Case(((8, 64, 32, 32),), {"scale_factor": 2, "mode": "bilinear"})]),
    OpSpec("upsample", "fastnet.nn.functional.upsample", lambda x, **args: interpolate(x, **args), tol=5e-6,
           cases=[Case(((1, 2, 4),), {"size": 7, "mode": "linear", "align_corners": True})]),
    OpSpec("upsample_nearest", "fastnet.nn.functional.upsample_nearest", lambda x, **args: interpolate(x, **args),
           cases=[Case(((1, 2, 4, 3),), {"scale_factor": 2})]),
    OpSpec("upsample_bilinear", "fastnet.nn.functional.upsample_bilinear", tol=5e-6,
           reference=lambda x, **args: interpolate(x, mode="bilinear", align_corners=True, **args),
           cases=[Case(((1, 2, 4, 3),), {"size": (5, 6)})]),
]
