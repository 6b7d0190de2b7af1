"""Arithmetic of two or three operands, and the in-place forms."""
import fastnet
import numpy as np

from specs import OpSpec, Refused, binary, integers, nonzero, normal, positive, zeros

SAME = [((3, 7), (3, 7)), ((3, 7), (7,)), ((37,), ()), ((2, 3, 4), (3, 1))]


def numerators(rng, shape):
    return rng.integers(-20, 20, shape) + rng.uniform(0.2, 0.8, shape)


def divisors(rng, shape):
    return rng.choice([-2.0, -1.0, 1.0, 2.0], shape)


def odd(rng, shape):
    """Odd multiples of 1/16: never equal to the even ones of `even`."""
    return (2 * rng.integers(-30, 30, shape) + 1) / 16


def even(rng, shape):
    return 2 * rng.integers(-30, 30, shape) / 16


def lerp(start, end, weight):
    return np.where(np.abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight))


# The gradient of a broadcast operand is a sum, added in the order of memory: hence exact_layout=False.
def in_place(name, reference, make, shapes=SAME, **kwargs):
    return OpSpec(name + "_", f"fastnet.Tensor.{name}_", reference, shapes=shapes, make=make, elementwise=kwargs.pop("elementwise", True),
                  exact_layout=False,
                  call=lambda f, x, *rest, **args: f(fastnet.clone(x), *rest, **args), **kwargs)


def add(a, b, alpha=1):
    return a + alpha * b


def sub(a, b, alpha=1):
    return a - alpha * b


def div(a, b, rounding_mode=None):
    return {None: np.divide, "trunc": lambda x, y: np.trunc(x / y), "floor": np.floor_divide}[rounding_mode](a, b)


ALPHA = [{}, {"alpha": -2.5}]
RATIO = (normal, nonzero)
WHOLE = (numerators, divisors)                           # quotients well between two integers
# reference, generators, arguments
ARITHMETIC = {
    "add": (add, normal, ALPHA), "sub": (sub, normal, ALPHA), "mul": (np.multiply, normal, [{}]), "div": (div, RATIO, [{}]),
    "floor_divide": (np.floor_divide, WHOLE, [{}]), "remainder": (np.remainder, WHOLE, [{}]), "fmod": (np.fmod, WHOLE, [{}]),
    "pow": (np.power, (positive, normal), [{}]), "atan2": (np.arctan2, nonzero, [{}]),
}
BENCH = ("add", "mul", "div", "pow")
OPTIONS = {"pow": {"tol": 2e-6, "grad_tol": 1e-7}, "floor_divide": {"wrt": ()}}
SPECS = [binary(name, reference, make=make, args=args, **({} if name in BENCH else {"bench": ()}), exact_layout=False,
                **OPTIONS.get(name, {}))
         for name, (reference, make, args) in ARITHMETIC.items()]
SPECS += [in_place(name, reference, make, args=args, **OPTIONS.get(name, {})) for name, (reference, make, args) in ARITHMETIC.items()]
SPECS += [
    OpSpec("div rounded", "fastnet.Tensor.div", div, exact_layout=False, shapes=SAME, make=WHOLE,
           args=[{"rounding_mode": "trunc"}, {"rounding_mode": "floor"}],
           refused=[Refused(ValueError, "div: rounding_mode must be None, 'trunc' or 'floor', got 'up'", zeros(2), zeros(2),
                            rounding_mode="up")]),
    binary("rsub", lambda a, b, alpha=1: b - alpha * a, args=ALPHA, bench=(), exact_layout=False),
    binary("maximum", np.maximum, make=(odd, even), exact_layout=False),
    binary("minimum", np.minimum, make=(odd, even), bench=(), exact_layout=False),
    OpSpec("operators", "fastnet.Tensor.__add__", exact_layout=False, reference=lambda a, b: (a + b) * 2.0 - (3.0 / b - a) * -b + 1,
           call=lambda f, a, b: f(a, b) * 2.0 - (3.0 / b - a) * -b + 1, shapes=SAME, make=nonzero),
    OpSpec("integers", "fastnet.Tensor.__sub__", lambda a, b: a - b, shapes=SAME, make=integers(-9, 9), dtypes=("float32",), wrt=()),
    OpSpec("integers become float32", "fastnet.Tensor.__truediv__", lambda a, b: a / b, shapes=SAME, make=integers(1, 9),
           dtypes=("float32",), wrt=()),
    OpSpec("integer floor_divide", "fastnet.Tensor.__floordiv__", np.floor_divide, shapes=SAME, dtypes=("float32",), wrt=(),
           make=(integers(-9, 9), integers(1, 4)),
           refused=[Refused(RuntimeError, "floor_divide: ZeroDivisionError", zeros(2, dtype="int64"), zeros(2, dtype="int64"))]),
    OpSpec("alpha of integers", "fastnet.Tensor.add", add, shapes=SAME, args=[{"alpha": 3}], make=integers(-9, 9), dtypes=("float32",),
           wrt=(),
           refused=[Refused(RuntimeError, r"add: shapes \(2, 3\) and \(2, 4\) do not broadcast: axis 1 is 3 and 4", zeros(2, 3),
                            zeros(2, 4)),
                    Refused(TypeError, "add: operands are tensors or numbers, got str", zeros(2), "1"),
                    Refused(RuntimeError, "add: alpha must be an integer", zeros(2, dtype="int64"), zeros(2, dtype="int64"), alpha=0.5)]),
    OpSpec("sub of bools", "fastnet.Tensor.sub", sub, exact_layout=False, shapes=SAME, make=normal,
           refused=[Refused(RuntimeError, "sub: bool tensors cannot be subtracted", zeros(2, dtype="bool"), zeros(2, dtype="bool"))]),
    OpSpec("in place", "fastnet.Tensor.__iadd__", lambda a, b: a + b, exact_layout=False, shapes=SAME, call=lambda f, a,
           b: f(fastnet.clone(a), b),
           refused=[Refused(RuntimeError, r"add_: an operand of shape \(3,\) does not broadcast to shape \(1,\)", zeros(1), zeros(3)),
                    Refused(RuntimeError, "add_: a result of dtype fastnet.float32 cannot be stored in a fastnet.int64 tensor",
                            zeros(3, dtype="int64"), zeros(3))]),
    OpSpec("pow of numbers", "fastnet.Tensor.pow", lambda x, exponent: np.power(x, exponent), shapes=[((3, 7),), ((37,),), ((),)],
           make=positive,
           args=[{"exponent": e} for e in (2, 3, 0.5, -0.5, -1, 0, 1, 2.7, -3)], tol=2e-6, grad_tol=1e-7, elementwise=True),
    OpSpec("pow_ of numbers", "fastnet.Tensor.__ipow__", lambda x, exponent: np.power(x, exponent), shapes=[((3, 7),)], make=positive,
           args=[{"exponent": e} for e in (2, 3, 0.5, -0.5, -1, 2.7)], tol=2e-6, grad_tol=1e-7, elementwise=True,
           call=lambda f, x, exponent: f(fastnet.clone(x), exponent)),
    OpSpec("numbers to a power", "fastnet.Tensor.__rpow__", lambda x: np.power(1.7, x), call=lambda f, x: 1.7 ** x, shapes=[((3, 7),)],
           tol=2e-6),
    OpSpec("integer pow", "fastnet.Tensor.__pow__", np.power, shapes=SAME, make=(integers(-4, 4), integers(0, 4)), dtypes=("float32",),
           wrt=(),
           refused=[Refused(RuntimeError, "pow: integers to negative integer powers", np.array([2]), -1)]),
    OpSpec("lerp", "fastnet.lerp", lerp, exact_layout=False, shapes=[((3, 7), (3, 7), (3, 7)), ((3, 7), (7,), (3, 1)), ((37,), (37,), ())],
           elementwise=True,
           refused=[Refused(RuntimeError, "lerp: operands must be floating-point", np.array([1]), np.array([2]), 1)]),
    OpSpec("lerp number", "fastnet.Tensor.lerp", lambda a, b, weight: lerp(a, b, weight), exact_layout=False, shapes=SAME,
           args=[{"weight": 0.3}, {"weight": 0.8}]),
    OpSpec("addcmul", "fastnet.addcmul", lambda x, a, b, value=1: x + value * a * b, exact_layout=False, elementwise=True,
           shapes=[((3, 7), (3, 7), (3, 7)), ((3, 7), (7,), (3, 1)), ((7,), (3, 1), ())], args=[{}, {"value": -0.5}]),
    OpSpec("addcdiv", "fastnet.addcdiv", lambda x, a, b, value=1: x + value * a / b, exact_layout=False, elementwise=True,
           make=(normal, normal, nonzero),
           shapes=[((3, 7), (3, 7), (3, 7)), ((3, 7), (7,), (3, 1)), ((7,), (3, 1), ())], args=[{}, {"value": -0.5}]),
]
TRIPLES = [((3, 7), (3, 7), (3, 7)), ((3, 7), (7,), (3, 1))]
SPECS += [in_place("lerp", lerp, normal, TRIPLES), in_place("addcmul", lambda x, a, b, value=1: x + value * a * b, normal, TRIPLES),
          in_place("addcdiv", lambda x, a, b, value=1: x + value * a / b, (normal, normal, nonzero), TRIPLES)]
