"""Reductions over axes: sums, products, extremes, variance, norms."""
import numpy as np
from specs import REDUCTION_CASES, Case, OpSpec, Refused, apart, boolean, integers, nonzero, reduction, zeros

# Partial sums follow the memory: a transposed array may be added in another order.
LOOSE = {"exact_layout": False}
WHOLE = integers(-5, 5)


def long(**args):
    """More than one piece of a long row, and of a tall column."""
    return [Case(((70_001,),), args), Case(((2, 33_000),), {"dim": 1, **args}), Case(((300, 257),), {"dim": 0, **args}),
            Case(((3, 40, 5, 7),), {"dim": (1, 3), **args}), Case(((9, 5),), {"dim": (0, 1), "keepdim": True, **args})]


def some(**args):
    """Cases without empty axes."""
    return [Case(c.shapes, {**c.args,
                            **args}) for c in REDUCTION_CASES if 0 not in c.shapes[0]] + [Case(((3, 4, 5),), {"dim": (0, 2), **args})]


def over(f):
    """f(x, axis=..., keepdims=...) with PyTorch's names."""
    return lambda x, dim=None, keepdim=False: f(x, axis=dim, keepdims=keepdim)


def near_one(rng, shape):
    return rng.uniform(0.7, 1.3, shape)


def with_zeros(rng, shape):
    """Columns with no, one and two zeros."""
    x = nonzero(rng, shape)
    x[0, ::2] = 0
    x[1, ::3] = 0
    return x


def logsumexp(x, dim, keepdim=False):
    top = x.max(axis=dim, keepdims=True, initial=-1e300)
    y = top + np.log(np.exp(x - top).sum(axis=dim, keepdims=True))
    return y if keepdim else np.squeeze(y, dim)


def variance(root, with_mean):
    def reference(x, dim=None, keepdim=False, correction=1):
        axis = dim if dim is None or isinstance(dim, int) else tuple(dim)
        mean = x.mean(axis=axis, keepdims=True)
        n = x.size // max(1, mean.size)
        y = ((x - mean) ** 2).sum(axis=axis, keepdims=True) / max(0, n - correction)
        y = np.sqrt(y) if root else y
        if not keepdim:
            y, mean = (np.squeeze(a, axis if axis is not None else tuple(range(x.ndim))) for a in (y, mean))
        return (y, mean) if with_mean else y
    return reference


def norm(x, p=2, dim=None, keepdim=False):
    a = np.abs(x)
    if np.isinf(p):
        return (a.max if p > 0 else a.min)(axis=dim, keepdims=keepdim)
    return (a**p).sum(axis=dim, keepdims=keepdim) ** (1 / p)


def arg(f):
    def reference(x, dim=None, keepdim=False):
        y = f(x, axis=dim)
        return (np.expand_dims(y, dim) if dim is not None else np.reshape(y, (1,) * x.ndim)) if keepdim and x.ndim else y
    return reference


def extreme(values, index):
    def reference(x, dim=None, keepdim=False):
        if dim is None:
            return values(x)
        return values(x, axis=dim, keepdims=keepdim), arg(index)(x, dim, keepdim)
    return reference


LINES = [Case(((),)), Case(((7,),)), Case(((3, 7),), {"dim": 0}), Case(((3, 7),), {"dim": -1, "keepdim": True}),
         Case(((2, 3, 33),), {"dim": 1}),
         Case(((5, 257),), {"dim": 1}), Case(((257, 5),), {"dim": 0, "keepdim": True}), Case(((2, 33_000),), {"dim": 1}),
         Case(((0, 3),), {"dim": 1})]
TIES = [Case(((40,),), {"dim": 0}, WHOLE), Case(((6, 40),), {"dim": 1}, WHOLE), Case(((40, 6),), {"dim": 0}, WHOLE)]
VARIED = [Case(((7,),)), Case(((3, 7),), {"dim": 0}), Case(((3, 7),), {"dim": -1, "keepdim": True, "correction": 0}),
          Case(((2, 3, 33),), {"dim": (0, 2)}), Case(((2, 3, 33),), {"dim": 1, "correction": 2}), Case(((5, 257),), {"correction": 0}),
          Case(((300, 19),), {"dim": 0}), Case(((2, 40_000),), {"dim": 1}), Case(((2, 5, 3, 7),), {"dim": (1, 3)})]
INT_ONLY = Refused(TypeError, "input must be floating-point, got fastnet.int64", zeros(3, dtype="int64"))

SPECS = [
    reduction("sum", over(np.sum), cases=REDUCTION_CASES + long() + [Case(((3, 7),), {"dim": 1}, WHOLE), Case(((3, 7),), {}, boolean)],
              tol=3e-6, **LOOSE,
              refused=[Refused(IndexError, "sum: dim 2 is out of range for a tensor of 2 axes", zeros(2, 3), 2),
                       Refused(ValueError, "sum: dim 1 appears twice", zeros(2, 3), (1, -1)),
                       Refused(TypeError, "sum: dim must be an int", zeros(2, 3), 1.0)]),
    reduction("mean", over(np.mean), cases=[c for c in REDUCTION_CASES if c.shapes != ((3, 0),)] + long(), tol=3e-6, **LOOSE,
              refused=[INT_ONLY]),
    reduction("prod", over(np.prod), make=near_one, tol=1e-5, **LOOSE,
              cases=REDUCTION_CASES + [Case(((4, 12),), {"dim": 0}, with_zeros), Case(((300, 3),), {"dim": 0}),
                                       Case(((3, 5),), {"dim": 0}, WHOLE)]),
    reduction("amax", over(np.max), make=apart, grad_tol=1e-6, cases=some() + long(), tol=0, tol64=0,
              refused=[Refused(ValueError, "amax: the reduced axes .* have no element", zeros(2, 0), 1)]),
    reduction("amin", over(np.min), make=apart, grad_tol=1e-6, cases=some() + long() + [Case(((3, 7),), {"dim": 1}, WHOLE)], tol=0,
              tol64=0),
    reduction("logsumexp", logsumexp, tol=2e-6, **LOOSE, cases=[c for c in some() + long() if "dim" in c.args and c.shapes != ((),)],
              bench=[Case(((4096, 1000),), {"dim": 1})]),
    reduction("any", over(np.any), make=boolean, wrt=(), dtypes=("float32",)),
    reduction("all", over(np.all), make=boolean, wrt=(), dtypes=("float32",)),
    OpSpec("count_nonzero", "fastnet.count_nonzero", lambda x, dim=None: np.count_nonzero(x, axis=dim), make=WHOLE, wrt=(),
           dtypes=("float32",),
           shapes=[((3, 7),), ((0,),)], args=[{}, {"dim": 0}]),
    OpSpec("var", "fastnet.var", variance(False, False), cases=VARIED, tol=3e-6, **LOOSE, refused=[INT_ONLY],
           bench=[Case(((4096, 1000),), {"dim": 1})]),
    OpSpec("std", "fastnet.std", variance(True, False), cases=VARIED, tol=3e-6, **LOOSE),
    OpSpec("var_mean", "fastnet.var_mean", variance(False, True), cases=VARIED, tol=3e-6, **LOOSE),
    OpSpec("std_mean", "fastnet.std_mean", variance(True, True), cases=VARIED, tol=3e-6, **LOOSE),
    OpSpec("norm", "fastnet.norm", norm, make=nonzero, tol=3e-6, **LOOSE,
           cases=[Case(((3, 7),), {"p": p, **a}) for p in (1, 2, 3, np.inf, -np.inf) for a in ({}, {"dim": 1},
                                                                                               {"dim": 0, "keepdim": True})] +
                 [Case(((2, 3, 33),), {"dim": (0, 2)}), Case(((70_001,),))],
           refused=[Refused(ValueError, "norm: p must be a number or 'fro', got 'nuc'", zeros(2, 2), "nuc")]),
    OpSpec("vector_norm", "fastnet.linalg.vector_norm", norm, make=nonzero, tol=3e-6, **LOOSE,
           cases=[Case(((3, 7),)), Case(((3, 7),), {"dim": 1})],
           call=lambda f, x, p=2, **k: f(x, p, **k), refused=[Refused(TypeError, "vector_norm: x must be floating-point",
                                                                      zeros(2, dtype="int64"))]),
    OpSpec("argmax", "fastnet.argmax", arg(np.argmax), cases=LINES + TIES + [Case(((2, 3),), {"keepdim": True})], wrt=(),
           refused=[Refused(ValueError, "argmax: dim 1 of a tensor of shape .* is empty", zeros(2, 0), 1)]),
    OpSpec("argmin", "fastnet.argmin", arg(np.argmin), cases=LINES + TIES + [Case(((2, 3),), {"keepdim": True})], wrt=()),
    OpSpec("max", "fastnet.max", extreme(np.max, np.argmax), cases=LINES + TIES, make=apart, tol=0, tol64=0,
           refused=[Refused(ValueError, "max: a tensor of shape .* has no element", zeros(0)),
                    Refused(TypeError, "max: give dim or other, not both", zeros(2), 0, other=zeros(2))]),
    OpSpec("min", "fastnet.min", extreme(np.min, np.argmin), cases=LINES + TIES, make=apart, tol=0, tol64=0),
]
