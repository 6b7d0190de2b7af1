"""where, masked_fill, clamp, casts, copy_ and fill_."""
import fastnet
import numpy as np

from specs import Case, OpSpec, Refused, away_from, boolean, integers, normal, unary, zeros
from specs.arithmetic import SAME, even, in_place, odd
from specs.pointwise import in_place as in_place_unary

TRIPLES = [((3, 7), (3, 7), (3, 7)), ((3, 1), (7,), (3, 7)), ((37,), (), (37,)), ((2, 3, 1), (3, 5), (1,)), ((0, 3), (3,), ())]
MASKED = [((3, 7), (3, 7)), ((3, 7), (3, 1)), ((37,), ()), ((2, 3, 5), (3, 5))]
BOUNDS = [{"min": -0.5, "max": 0.5}, {"min": -0.5}, {"max": 0.5}, {"min": 0.5, "max": -0.5}]


def clip(x, min=None, max=None):
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def masked_fill(x, mask, value):
    return np.where(mask, value, x)


def any_of(*dtypes):
    return [Case(((3, 7), (3, 7), (7,)), make=(integers(-9, 9, name), boolean, integers(-9, 9, name))) for name in dtypes]


SPECS = [
    OpSpec("where", "fastnet.where", np.where, exact_layout=False, shapes=TRIPLES, make=(boolean, normal, normal), elementwise=True,
           bench=[((1 << 20,),) * 3], refused=[Refused(RuntimeError, "where: condition must be a bool tensor", zeros(2), zeros(2),
                                                       zeros(2)),
                                               Refused(TypeError, "where: input and other must be given together", zeros(2, dtype="bool"),
                                                       zeros(2)),
                                               Refused(RuntimeError, "where: shapes .* do not broadcast", zeros(2, dtype="bool"), zeros(2),
                                                       zeros(3))]),
    OpSpec("where of integers", "fastnet.Tensor.where", lambda a, c, b: np.where(c, a, b), cases=any_of("int64", "int32"),
           dtypes=("float32",), wrt=()),
    OpSpec("where of numbers", "fastnet.ops.where.where", lambda c, a: np.where(c, a, 2.0), make=(boolean, normal), shapes=MASKED,
           call=lambda f, c, a: f(c, a, 2.0)),
    OpSpec("masked_fill", "fastnet.masked_fill", masked_fill, shapes=MASKED, make=(normal, boolean), args=[{"value": -1.5}],
           elementwise=True,
           refused=[Refused(RuntimeError, r"masked_fill: value must have no axes, got shape \(1,\)", zeros(2), zeros(2, dtype="bool"),
                            zeros(1)),
                    Refused(RuntimeError, "masked_fill: mask must be a bool tensor", zeros(2), zeros(2), 1.0)]),
    OpSpec("masked_fill integers", "fastnet.Tensor.masked_fill", masked_fill, shapes=MASKED, make=(integers(-9, 9), boolean),
           args=[{"value": 4}],
           dtypes=("float32",), wrt=()),
    in_place("masked_fill", masked_fill, (normal, boolean), MASKED, args=[{"value": -1.5}],
             refused=[Refused(RuntimeError, r"masked_fill_: a mask of shape \(3,\) does not broadcast", zeros(2), zeros(3, dtype="bool"),
                              1.0)]),
    unary("clamp", clip, args=BOUNDS, make=away_from(-0.5, 0.5),
          refused=[Refused(ValueError, "clamp: at least one of min and max", zeros(2)),
                   Refused(TypeError, "clamp: bounds are numbers or tensors, got str", zeros(2), "low")]),
    in_place_unary("clamp", clip, away_from(-0.5, 0.5), args=BOUNDS),
    OpSpec("clamp by tensors", "fastnet.Tensor.clamp", clip, exact_layout=False, shapes=[((3, 7), (3, 7), (3, 7)), ((3, 7), (7,), (3, 1)),
                                                                                         ((37,), (), None)],
           make=(odd, even, lambda rng, shape: even(rng, shape) + 1 / 32), elementwise=True),
    OpSpec("clamp integers", "fastnet.Tensor.clip", clip, shapes=[((3, 7),)], args=[{"min": -2, "max": 3}], make=integers(-9, 9),
           dtypes=("float32",), wrt=()),
    OpSpec("clamp_min", "fastnet.clamp_min", lambda x, min: np.maximum(x, min), shapes=[((3, 7),)], args=[{"min": 0.1}],
           make=away_from(0.1)),
    OpSpec("clamp_max", "fastnet.clamp_max", lambda x, max: np.minimum(x, max), shapes=[((3, 7),)], args=[{"max": 0.1}],
           make=away_from(0.1)),
    in_place_unary("clamp_min", lambda x, min: np.maximum(x, min), away_from(0.1), args=[{"min": 0.1}]),
    in_place_unary("clamp_max", lambda x, max: np.minimum(x, max), away_from(0.1), args=[{"max": 0.1}]),
    in_place("copy", lambda a, b: np.broadcast_to(b, a.shape) + 0 * a, normal, SAME, elementwise=False,
             refused=[Refused(RuntimeError, r"copy_: an operand of shape \(3,\) does not broadcast to shape \(2,\)", zeros(2), zeros(3))]),
    in_place_unary("fill", lambda x, value: np.full_like(x, value), normal, args=[{"value": 2.5}], elementwise=False),
    in_place_unary("zero", lambda x: np.zeros_like(x), normal, elementwise=False),
]

ALL = ("float32", "float64", "int64", "int32", "uint8", "bool")


def castable(rng, shape):
    """Numbers that every dtype can hold the integer part of."""
    return rng.integers(0, 100, shape) + rng.choice([0.0, 0.25, 0.75], shape)


def cast(method, target):
    """From every dtype."""
    as_source = [lambda rng, shape, source=source: castable(rng, shape).astype(source) for source in ALL]
    return OpSpec(f"to {target}", f"fastnet.Tensor.{method}", lambda x: x.astype(target), wrt=(),
                  cases=[Case((shape,), make=make) for shape in ((3, 7), (37,), ()) for make in as_source])


SPECS += [cast("long", "int64"), cast("int", "int32"), cast("byte", "uint8"), cast("bool", "bool")]
SPECS += [
    OpSpec("to", "fastnet.Tensor.to", lambda x: x.astype("int32"), call=lambda f, x, *a,
           **k: f(x, *a, **k) if a or k else f(x, fastnet.int32), shapes=[((3, 7),)], make=castable,
           wrt=(),
           refused=[Refused(RuntimeError, "device 'cuda': fastnet computes on the CPU only", zeros(2), "cuda"),
                    Refused(TypeError, "dtype 'word' is not one of", zeros(2), "word"),
                    Refused(ValueError, "memory_format 'rows'", zeros(2), memory_format="rows")]),
    OpSpec("float and back", "fastnet.Tensor.type_as", lambda x: x, call=lambda f, x: f(x.double().float().double(), x), shapes=[((3, 7),)],
           dtypes=("float32",), grad_tol=1e-6),
    OpSpec("type", "fastnet.Tensor.type", lambda x: x.astype("int64"), call=lambda f, x: f(x, "torch.LongTensor"), shapes=[((3, 7),)],
           make=castable,
           wrt=()),
    OpSpec("float of integers", "fastnet.Tensor.float", lambda x: x.astype("float64"), shapes=[((3, 7),)], make=integers(-9, 9),
           dtypes=("float32",), wrt=()),
    OpSpec("double", "fastnet.Tensor.double", lambda x: x, shapes=[((3, 7),)], dtypes=("float64",)),
]
