"""linear, and linear with a fused activation."""
import numpy as np

from specs import Case, OpSpec, Refused, zeros

ACTIVATION = {None: lambda z: z, "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
SHAPES = [((3, 5), (7, 5), (7,)), ((3, 5), (7, 5), None), ((2, 3, 17), (4, 17), (4,)), ((8,), (8, 8), (8,)), ((1, 1), (1, 1), (1,)),
          ((0, 4), (3, 4), (3,)), ((2, 0), (3, 0), (3,)), ((2, 4), (0, 4), (0,)), ((2, 0, 4), (3, 4), (3,)), ((33, 65), (70, 65), (70,))]
DENSE = [((128, 784), (512, 784), (512,)), ((128, 512), (512, 512), (512,)), ((1024, 768), (3072, 768), (3072,)),
         ((1, 1024), (1024, 1024), (1024,))]


def flops(x, w, b=None, activation=None):
    return 2.0 * np.prod(x) * w[0]


SPECS = [
    OpSpec("linear", "fastnet.ops.linear.linear", lambda x, w, b=None: x @ w.T + (0 if b is None else b), exact_layout=False, tol=2e-6,
           shapes=[*SHAPES, ((3, 5), (5,), ()), ((3, 5), (5,), None)], bench=DENSE, flops=flops,
           refused=[Refused(RuntimeError, r"linear: weight \(7, 6\) expects input \(..., 6\), got \(2, 5\)", zeros(2, 5), zeros(7, 6)),
                    Refused(RuntimeError, r"linear: bias must have the shape \(7,\), got \(1, 7\)", zeros(2, 5), zeros(7, 5), zeros(1, 7)),
                    Refused(RuntimeError, "linear: input is fastnet.float32, weight is fastnet.float64", zeros(2, 5),
                            zeros(7, 5, dtype="float64")),
                    Refused(TypeError, "linear: input must be float32 or float64, got fastnet.int64", zeros(2, 5, dtype="int64"),
                            zeros(7, 5, dtype="int64")),
                    Refused(TypeError, "linear: bias must be a Tensor, got float", zeros(2, 5), zeros(7, 5), 1.0)]),
    OpSpec("linear_act", "fastnet.ops.linear.linear_act",
           lambda x, w, b=None, activation=None: ACTIVATION[activation](x @ w.T + (0 if b is None else b)), exact_layout=False,
           tol=4e-6,                                     # an error of a sum near 25, seen against results of 1
           cases=[Case(s, {"activation": a}) for s in SHAPES for a in ACTIVATION],
           bench=[Case(s, {"activation": "relu"}) for s in DENSE], flops=flops,
           refused=[Refused(ValueError, "linear_act: activation must be one of .*'relu'.*, got 'gelu'", zeros(2, 5), zeros(7, 5), None,
                            "gelu")]),
]
