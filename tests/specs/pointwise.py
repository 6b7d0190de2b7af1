"""Functions of one number, and their in-place forms."""
import math

import fastnet
import numpy as np

from specs import OpSpec, Refused, integers, nonzero, normal, positive, symmetric, unary

erf, erfc = np.vectorize(math.erf, otypes=["f8"]), np.vectorize(math.erfc, otypes=["f8"])


def off_integers(rng, shape):
    """Nowhere near an integer or a half."""
    return rng.integers(-4, 4, shape) + rng.uniform(0.1, 0.4, shape)


def above_one(rng, shape):
    return rng.uniform(1.1, 3.0, shape)


FUNCTIONS = {
    "neg": (np.negative, normal), "abs": (np.abs, nonzero), "sign": (lambda x: np.nan_to_num(np.sign(x), nan=0.0), nonzero),
    "floor": (np.floor, off_integers), "ceil": (np.ceil, off_integers), "round": (np.round, off_integers),
             "trunc": (np.trunc, off_integers),
    "square": (np.square, normal), "reciprocal": (lambda x: 1 / x, nonzero), "sqrt": (np.sqrt, positive),
    "rsqrt": (lambda x: 1 / np.sqrt(x), positive), "exp": (np.exp, normal), "exp2": (np.exp2, normal), "expm1": (np.expm1, normal),
    "log": (np.log, positive), "log2": (np.log2, positive), "log10": (np.log10, positive), "log1p": (np.log1p, positive),
    "sin": (np.sin, normal), "cos": (np.cos, normal), "tan": (np.tan, symmetric), "asin": (np.arcsin, symmetric),
    "acos": (np.arccos, symmetric), "atan": (np.arctan, normal), "sinh": (np.sinh, normal), "cosh": (np.cosh, normal),
    "asinh": (np.arcsinh, normal), "acosh": (np.arccosh, above_one), "atanh": (np.arctanh, symmetric), "erf": (erf, normal),
    "erfc": (erfc, normal),
}


def in_place(op, reference, make, **kwargs):
    """The method op_ on a copy of the input, so that a leaf may be asked for its gradient."""
    kwargs = {"name": f"fastnet.Tensor.{op}_", "shapes": [((3, 7),), ((37,),), ((),)], "make": make, "elementwise": True,
              "call": lambda f, x, *rest, **args: f(fastnet.clone(x), *rest, **args), **kwargs}
    return OpSpec(op + "_", reference=reference, **kwargs)


BENCH = ("neg", "sqrt", "exp", "log", "sin", "erf")
SPECS = [unary(name, reference, make=make, **({} if name in BENCH else {"bench": ()})) for name, (reference, make) in FUNCTIONS.items()]
SPECS += [in_place(name, reference, make) for name, (reference, make) in FUNCTIONS.items()]
SPECS += [OpSpec("round to decimals", "fastnet.Tensor.round", lambda x, decimals=0: np.round(x, decimals), shapes=[((3, 7),)], wrt=(),
                 args=[{"decimals": 0}, {"decimals": 2}, {"decimals": -1}], tol=2e-6),
          OpSpec("exp of integers", "fastnet.Tensor.exp", np.exp, shapes=[((3, 7),)], dtypes=("float32",), wrt=(), make=integers(-3, 4),
                 refused=[Refused(TypeError, "exp: input must be a Tensor, got float", 1.0)]),
          *[OpSpec(f"{name} of integers", f"fastnet.Tensor.{name}", f, shapes=[((3, 7),)], dtypes=("float32",), wrt=(),
                   make=integers(-3, 4))
            for name, f in (("neg", np.negative), ("abs", np.abs), ("sign", np.sign), ("square", np.square), ("floor", lambda x: x))]]
