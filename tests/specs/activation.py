"""Activations, and their in-place forms."""
import math

import fastnet
import numpy as np

from specs import Case, OpSpec, Refused, away_from, unary, zeros
from specs.pointwise import erf, in_place

HOME = "fastnet.ops.activation"
AT_0 = away_from(0.0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, np.where(np.isnan(x), x, alpha * np.expm1(x)))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def celu(x, alpha=1.0):
    return np.where(x > 0, x, np.where(np.isnan(x), x, alpha * np.expm1(x / alpha)))


def leaky_relu(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope * x)


def gelu(x, approximate="none"):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)
    return 0.5 * x * (1 + (erf(x / math.sqrt(2)) if approximate == "none" else np.tanh(inner)))


def softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, np.log1p(np.exp(beta * x)) / beta)


def softshrink(x, lambd=0.5):
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0 * x))


def clip(x, low, high):
    return np.clip(x, low, high)


# reference, generator, arguments, extra keywords
ACTIVATIONS = {
    "relu": (lambda x: np.maximum(x, 0), AT_0, [{}]),
    "relu6": (lambda x: clip(x, 0, 6), away_from(0.0, 6.0, scale=4.0), [{}]),
    "hardtanh": (lambda x, min_val=-1.0, max_val=1.0: clip(x, min_val, max_val), away_from(-1.0, 1.0, -2.0, 0.5),
                 [{}, {"min_val": -2.0, "max_val": 0.5}]),
    "leaky_relu": (leaky_relu, AT_0, [{}, {"negative_slope": 0.2}, {"negative_slope": -0.5}]),
    "elu": (elu, AT_0, [{}, {"alpha": 0.3}, {"alpha": -0.3}]),
    "selu": (selu, AT_0, [{}]),
    "celu": (celu, AT_0, [{}, {"alpha": 0.3}, {"alpha": -0.7}]),
    "gelu": (gelu, away_from(), [{}, {"approximate": "tanh"}]),
    "silu": (lambda x: x / (1 + np.exp(-x)), away_from(), [{}]),
    "mish": (lambda x: x * np.tanh(np.log1p(np.exp(x))), away_from(), [{}]),
    "softplus": (softplus, away_from(1.5, gap=0.01), [{}, {"beta": 2.0, "threshold": 3.0}]),
    "sigmoid": (sigmoid, away_from(), [{}]),
    "tanh": (np.tanh, away_from(), [{}]),
    "logsigmoid": (lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))), away_from(), [{}]),
    "hardsigmoid": (lambda x: clip(x + 3, 0, 6) / 6, away_from(-3.0, 3.0, scale=3.0), [{}]),
    "hardswish": (lambda x: x * clip(x + 3, 0, 6) / 6, away_from(-3.0, 3.0, scale=3.0), [{}]),
    "softsign": (lambda x: x / (1 + np.abs(x)), AT_0, [{}]),
    "tanhshrink": (lambda x: x - np.tanh(x), away_from(), [{}]),
    "hardshrink": (lambda x, lambd=0.5: np.where(np.abs(x) <= lambd, 0, x), away_from(-0.5, 0.5, -1.0, 1.0), [{}, {"lambd": 1.0}]),
    "softshrink": (softshrink, away_from(-0.5, 0.5, -1.0, 1.0), [{}, {"lambd": 1.0}]),
    "threshold": (lambda x, threshold, value: np.where(x <= threshold, value, x), away_from(0.3), [{"threshold": 0.3, "value": -2.0}]),
}
REFUSED = {
    "hardtanh": [Refused(ValueError, "hardtanh: min_val 1.0 is larger", zeros(2), 1.0, 0.0)],
    "celu": [Refused(ValueError, "celu: alpha", zeros(2), 0.0)],
    "gelu": [Refused(ValueError, "gelu: approximate .* got 'erf'", zeros(2), approximate="erf")],
    "softplus": [Refused(ValueError, "softplus: beta", zeros(2), beta=0.0)],
    "softshrink": [Refused(ValueError, "softshrink: lambd", zeros(2), -1.0)],
    "relu": [Refused(TypeError, "relu: input must be a Tensor, got list", [1.0])],
}
BENCH = ("relu", "gelu", "silu", "tanh", "sigmoid")
SPECS = [unary(name, reference, name=f"{HOME}.{name}", make=make, args=args, refused=REFUSED.get(name, ()),
               **({} if name in BENCH else {"bench": ()})) for name, (reference, make, args) in ACTIVATIONS.items()]
for _name in ("relu", "hardtanh", "leaky_relu", "elu", "selu", "celu", "sigmoid", "tanh", "threshold"):
    _reference, _make, _args = ACTIVATIONS[_name]
    SPECS.append(in_place(_name, _reference, _make, name=f"{HOME}.{_name}_", args=_args))
SPECS += [OpSpec("relu in place", "fastnet.relu", ACTIVATIONS["relu"][0], shapes=[((3, 7),)], make=AT_0,
                 call=lambda f, x: f(fastnet.clone(x), inplace=True))]


def prelu(x, w):
    return np.where(x > 0, x, x * (w.reshape((-1,) + (1,) * (x.ndim - 2)) if w.size > 1 else w.reshape(())))


def glu(x, dim=-1):
    a, b = np.split(x, 2, dim)
    return a * sigmoid(b)


SPECS += [
    OpSpec("prelu", "fastnet.prelu", prelu, make=AT_0, exact_layout=False,     # the gradient of weight is a sum

           shapes=[((3, 7), (1,)), ((3, 7), (7,)), ((2, 3, 5), (3,)), ((2, 3, 4, 5), (3,)), ((5,), (1,)), ((), ()), ((0, 3), (3,))],
           refused=[Refused(RuntimeError, r"prelu: weight of shape \(4,\) does not fit input of shape \(2, 3\)", zeros(2, 3), zeros(4)),
                    Refused(RuntimeError, "prelu: input and weight must have one floating-point dtype", zeros(2),
                            zeros(1, dtype="float64"))]),
    OpSpec("glu", "fastnet.ops.glu.glu", glu,
           cases=[Case(((8,),)), Case(((3, 6),)), Case(((4, 3),), {"dim": 0}), Case(((2, 6, 5),), {"dim": 1}), Case(((0, 4),))],
           refused=[Refused(RuntimeError, r"glu: the size of input \(2, 3\) along dim 1 must be even", zeros(2, 3))]),
]
