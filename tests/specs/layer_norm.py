"""layer_norm and rms_norm over trailing axes, local_response_norm over neighbouring channels."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros

HOME = "fastnet.nn.functional."


def trailing(normalized_shape):
    return tuple(range(-len(normalized_shape), 0))


def layer_norm(x, weight=None, bias=None, normalized_shape=(), eps=1e-5):
    axes = trailing(normalized_shape)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(x, weight=None, normalized_shape=(), eps=None):
    y = x / np.sqrt((x * x).mean(trailing(normalized_shape), keepdims=True) + (1.2e-7 if eps is None else eps))
    return y if weight is None else y * weight


def local_response_norm(x, size=1, alpha=1e-4, beta=0.75, k=1.0):
    c, total = x.shape[1], np.zeros_like(x)
    for shift in range(-(size // 2), (size - 1) // 2 + 1):
        first, last = max(0, -shift), min(c, c - shift)
        if first < last:
            total[:, first:last] += x[:, first + shift:last + shift] ** 2
    return x / (k + alpha * total / size) ** beta


def call_layer_norm(f, x, weight=None, bias=None, normalized_shape=(), **args):
    return f(x, normalized_shape, weight, bias, **args)


def call_rms_norm(f, x, weight=None, normalized_shape=(), **args):
    return f(x, normalized_shape, weight, **args)


SHAPES = [((5, 3), 1), ((2, 3, 17), 1), ((2, 3, 4, 5), 3), ((70, 33), 1), ((7,), 1), ((3, 1), 1), ((2, 1040), 1), ((0, 4), 1),
          ((3, 130), 2)]
CASES = [(s, s[-k:], affine) for s, k in SHAPES for affine in ("", "w", "b", "wb")]

SPECS = [
    OpSpec("layer_norm", HOME + "layer_norm", layer_norm, call=call_layer_norm, tol=2e-5, tol64=1e-11, grad_tol=1e-7,
           cases=[Case((s, n if "w" in a else None, n if "b" in a else None), {"normalized_shape": n}) for s, n, a in CASES]
           + [Case(((4, 6), (6,), (6,)), {"normalized_shape": (6,), "eps": 0.5})],
           refused=[
               Refused(RuntimeError, r"layer_norm: normalized_shape \(4,\) does not end the shape", zeros(2, 3), normalized_shape=4),
               Refused(RuntimeError, "layer_norm: normalized_shape", zeros(2, 3), normalized_shape=()),
               Refused(RuntimeError, "layer_norm: normalized_shape", zeros(2, 3), normalized_shape=(5, 2, 3)),
               Refused(RuntimeError, r"layer_norm: weight must have the shape \(3,\)", zeros(2, 3), zeros(2), normalized_shape=(3,)),
               Refused(RuntimeError, "layer_norm: .*bias is", zeros(2, 3), zeros(3), zeros(3, dtype="float64"), normalized_shape=(3,)),
               Refused(TypeError, "layer_norm: input must be float", zeros(2, 3, dtype="int64"), normalized_shape=(3,)),
           ],
           bench=[Case(((4096, 768), (768,), (768,)), {"normalized_shape": (768,)})]),
    OpSpec("rms_norm", HOME + "rms_norm", rms_norm, call=call_rms_norm, tol=2e-5, tol64=1e-11, grad_tol=1e-7,
           cases=[Case((s, n if a else None), {"normalized_shape": n, "eps": 1e-5}) for s, n, a in CASES if "b" not in a]
           + [Case(((4, 6), (6,)), {"normalized_shape": (6,), "eps": 0.5})],
           refused=[Refused(RuntimeError, r"rms_norm: normalized_shape \(4,\) does not end the shape", zeros(2, 3), normalized_shape=4),
                    Refused(RuntimeError, r"rms_norm: weight must have the shape \(3,\)", zeros(2, 3), zeros(2), normalized_shape=(3,))]),
    OpSpec("local_response_norm", HOME + "local_response_norm", local_response_norm, tol=2e-6,
           cases=[Case(((2, 7, 3),), {"size": 2}), Case(((2, 5, 3, 2),), {"size": 5, "alpha": 0.5}),
                  Case(((1, 33, 2, 2, 2),), {"size": 4, "beta": 1.3}),
                  Case(((2, 3, 4),), {"size": 9, "alpha": 1.0, "k": 2.0}), Case(((0, 3, 4),), {"size": 3}),
                  Case(((1, 1, 5),), {"size": 1, "alpha": 0.3})],
           refused=[Refused(ValueError, "local_response_norm: input must have 3 to 5 axes", zeros(2, 3), 2),
                    Refused(ValueError, "local_response_norm: size", zeros(2, 3, 4), 0),
                    Refused(TypeError, "local_response_norm: input must be float", zeros(2, 3, 4, dtype="int64"), 2)]),
]
