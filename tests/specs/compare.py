"""Comparisons and logic."""
import numpy as np

from specs import OpSpec, Refused, binary, boolean, integers, nonzero, unary, zeros


def few(rng, shape):
    """Few values, so that some are equal."""
    return rng.integers(-2, 3, shape) * 0.5


def bits(name, f, symbol):
    return [OpSpec(name, f"fastnet.{name}", f, shapes=[((3, 7), (3, 7)), ((5,), ()), ((0, 3), (3,))], make=integers(-99, 99),
                   dtypes=("float32",), wrt=(),
                   refused=[Refused(RuntimeError, f"{name}: operands must be integers or bools, got fastnet.float32", zeros(2), zeros(2))]),
            OpSpec(f"{name} of bools", f"fastnet.Tensor.{symbol}", f, shapes=[((3, 7), (3, 7)), ((5,), ())], make=boolean,
                   dtypes=("float32",), wrt=())]


SPECS = [binary(name, f, make=few, wrt=(), **({} if name == "gt" else {"bench": ()}))
         for name, f in (("eq", np.equal), ("ne", np.not_equal), ("lt", np.less), ("le", np.less_equal), ("gt", np.greater),
                         ("ge", np.greater_equal))]
SPECS += [OpSpec(f"integers {symbol}", f"fastnet.Tensor.{symbol}", f, shapes=[((3, 7), (7,)), ((), (3,))], make=integers(-2, 3),
                 dtypes=("float32",), wrt=())
          for symbol, f in (("__eq__", np.equal), ("__ne__", np.not_equal), ("__lt__", np.less), ("__le__", np.less_equal),
                            ("__gt__", np.greater), ("__ge__", np.greater_equal))]
SPECS += [unary("isnan", np.isnan, wrt=(), bench=()), unary("isinf", np.isinf, wrt=(), bench=()),
          unary("isfinite", np.isfinite, wrt=(), bench=())]
SPECS += [binary(name, f, make=few, wrt=(), bench=()) for name, f in
          (("logical_and", np.logical_and), ("logical_or", np.logical_or), ("logical_xor", np.logical_xor))]
SPECS += [unary("logical_not", np.logical_not, make=few, wrt=(), bench=())]
SPECS += [*bits("bitwise_and", np.bitwise_and, "__and__"), *bits("bitwise_or", np.bitwise_or, "__or__"),
          *bits("bitwise_xor", np.bitwise_xor, "__xor__"),
          OpSpec("bitwise_not", "fastnet.bitwise_not", np.invert, shapes=[((3, 7),)], make=integers(-99, 99), dtypes=("float32",), wrt=(),
                 refused=[Refused(RuntimeError, "bitwise_not: input must hold integers or bools", zeros(2))]),
          OpSpec("invert", "fastnet.Tensor.__invert__", np.invert, shapes=[((3, 7),)], make=boolean, dtypes=("float32",), wrt=()),
          OpSpec("shifts", "fastnet.Tensor.__lshift__", lambda a, b: a << b, shapes=[((3, 7), (3, 7))], make=integers(0, 9),
                 dtypes=("float32",), wrt=()),
          OpSpec("right shifts", "fastnet.Tensor.__rshift__", lambda a, b: a >> b, shapes=[((3, 7), (3, 7))], make=integers(0, 9),
                 dtypes=("float32",), wrt=()),
          OpSpec("equal", "fastnet.equal", lambda a, b: np.asarray(np.array_equal(a, b)), shapes=[((3,), (3,)), ((3,), (4,)), ((0,), (0,))],
                 wrt=()),
          OpSpec("isclose", "fastnet.isclose", lambda a, b, rtol=1e-5: np.isclose(a, b, rtol=rtol), make=nonzero, wrt=(),
                 shapes=[((3, 7), (3, 7))], args=[{}, {"rtol": 0.5}],
                 refused=[Refused(RuntimeError, "isclose: input is fastnet.float32, other is fastnet.float64", zeros(2),
                                  zeros(2, dtype="float64"))]),
          OpSpec("allclose", "fastnet.allclose", lambda a, b, rtol=1e-5: np.asarray(np.allclose(a, b, rtol=rtol)), wrt=(),
                 shapes=[((3, 7), (3, 7))], args=[{}, {"rtol": 1e9}])]
