"""The long tail: elementwise compositions, counting, statistics, distances, small matrices, parts written over."""
import math

import numpy as np
from specs import Case, OpSpec, Refused, apart, binary, boolean, integers, nonzero, normal, positive, reduction, unary, unit, zeros

from specs.pointwise import off_integers

ROWS = [((3, 7),), ((5, 17),), ((2, 3, 4),)]
PAIRS = [((3, 7), (3, 7)), ((5, 17), (17,)), ((), (5,)), ((0, 4), (4,))]
INT = {"dtype": "int64"}
lgamma = np.vectorize(math.lgamma, otypes=["f8"])


def spec(op, reference, cases, more=(), **kwargs):
    """A spec of fastnet.<op>; cases are (shapes, arguments), more are Cases."""
    return OpSpec(op, kwargs.pop("name", f"fastnet.{op}"), reference, cases=[Case(s, a) for s, a in cases] + list(more), **kwargs)


def quiet(name, reference, make=normal, **kwargs):
    return unary(name, reference, make=make, shapes=[((3, 7),), ((37,),), ((),), ((0,),)], bench=[], **kwargs)


def two(name, reference, make=normal, **kwargs):
    return binary(name, reference, make=make, shapes=PAIRS, bench=[], **kwargs)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def median_low(x, dim, keepdim=False):
    k = (x.shape[dim] - 1) // 2
    return np.take(np.sort(x, dim), [k], dim) if keepdim else np.take(np.sort(x, dim), k, dim)


def quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, dim, keepdims=keepdim, method=interpolation)


def cdist(a, b, p=2.0):
    d = np.abs(a[..., :, None, :] - b[..., None, :, :])
    return d.max(-1) if p == math.inf else (d ** p).sum(-1) ** (1 / p)


def pdist(x, p=2.0):
    return cdist(x, x, p)[np.triu_indices(len(x), 1)]


def cumulative(ufunc, arg):
    def reference(x, dim):
        values = ufunc.accumulate(x, dim)
        at = np.where(x == values, np.arange(x.shape[dim]).reshape([-1 if i == dim % x.ndim else 1 for i in range(x.ndim)]), 0)
        return values, np.maximum.accumulate(at, dim)
    return reference


def scatter_reduce(x, index, src, dim, reduce, include_self=True):
    y = np.array(x)
    hit = {}
    for place in np.ndindex(index.shape):
        to = list(place)
        to[dim] = index[place]
        hit.setdefault(tuple(to), []).append(src[place])
    how = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    for to, values in hit.items():
        y[to] = how(([x[to]] if include_self else []) + values)
    return y


def written(key):
    def reference(x, src):
        y = np.array(x)
        y[key] = src
        return y
    return reference


def diagonal_scatter(x, src):
    y = np.array(x)
    np.fill_diagonal(y, src)
    return y


def index_copy(x, i, s, dim):
    y = np.array(x)
    y[(slice(None),) * dim + (i,)] = s
    return y


def unique_consecutive(x):
    keep = np.append(True, x[1:] != x[:-1])
    return x[keep], np.cumsum(keep) - 1, np.diff(np.append(np.flatnonzero(keep), len(x)))


def mode(x, dim):
    values = np.empty(x.shape[:-1])
    for i in np.ndindex(values.shape):
        v, n = np.unique(x[i], return_counts=True)
        values[i] = v[n.argmax()]
    return values


def weighted(f, x, w, **args):
    return f(x, aweights=w, **args)


SPECS = [
    two("logaddexp", np.logaddexp, exact_layout=False), two("logaddexp2", np.logaddexp2, exact_layout=False), two("hypot", np.hypot),
           two("copysign", np.copysign, nonzero, wrt=(0,)),
    two("fmax", np.fmax), two("fmin", np.fmin),
    two("heaviside", np.heaviside, wrt=(), refused=[Refused(RuntimeError, "heaviside: input is .* values is", zeros(2), zeros(2, **INT))]),
    two("xlogy", lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)), positive, nonfinite=False),
    OpSpec("ldexp", "fastnet.ldexp", lambda x, y: x * 2.0 ** y, shapes=[((3, 7), (3, 7)), ((5, 17), (17,))], make=(normal, integers(-3,
           4))),
    two("gcd", np.gcd, integers(0, 40), wrt=(), elementwise=False,
        refused=[Refused(TypeError, "gcd: .*integers", zeros(2), zeros(2))]),
    two("lcm", np.lcm, integers(0, 40), wrt=(), elementwise=False,
        refused=[Refused(TypeError, "lcm: .*integers", zeros(2), zeros(2))]),
    two("special.xlog1py", lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log1p(y)), positive, nonfinite=False),
    quiet("frac", lambda x: x - np.trunc(x), off_integers), quiet("deg2rad", np.deg2rad), quiet("rad2deg", np.rad2deg),
    quiet("sinc", np.sinc, nonzero), quiet("logit", lambda x: np.log(x / (1 - x)), unit), quiet("sgn", lambda x: np.nan_to_num(np.sign(x)),
           nonzero),
    quiet("signbit", np.signbit, nonzero, wrt=(), nonfinite=False), quiet("isposinf", np.isposinf, wrt=()), quiet("isneginf", np.isneginf,
           wrt=()),
    quiet("positive", np.positive, refused=[Refused(RuntimeError, "positive: bool", zeros(2, dtype="bool"))]),
    quiet("lgamma", lgamma, nonzero, tol=4e-6), quiet("special.erfinv", lambda x: inverse_of(lambda v: np.vectorize(math.erf)(v), x), unit,
           nonfinite=False,
                                                     tol64=1e-11),
    quiet("special.ndtri", lambda p: math.sqrt(2) * inverse_of(np.vectorize(math.erf), 2 * p - 1), unit, nonfinite=False, tol=4e-6,
           tol64=1e-10,
          grad_tol=1e-6),
    quiet("special.ndtr", lambda x: 0.5 * np.vectorize(math.erfc, otypes=["f8"])(-x / math.sqrt(2))),
    quiet("special.entr", lambda x: np.where(x > 0, -x * np.log(x), np.where(x < 0, -np.inf, -x * 0)), positive),
    quiet("special.digamma", lambda x: (lgamma(x + 1e-4) * 8 - lgamma(x - 1e-4) * 8 - lgamma(x + 2e-4) + lgamma(x - 2e-4)) / 12e-4,
           positive,
          nonfinite=False, tol=2e-6, tol64=2e-9, grad_tol=1e-5),
    spec("nan_to_num", nan_to_num, [(((3, 7),), {}), (((5,),), {"nan": 2.0, "posinf": 1.0, "neginf": -1.0})]),
    spec("float_power", lambda x, p: x ** p, [(((3, 7), (7,)), {})], make=positive, dtypes=("float64",),
         refused=[Refused(TypeError, "float_power: input or exponent", 1.0, 2.0)]),
    # counting
    spec("bincount", lambda x: np.bincount(x), [(((40,),), {}), (((0,),), {})], make=integers(0, 9), wrt=(),
         refused=[Refused(RuntimeError, "bincount: input must be 1 axis", zeros(2, 2, **INT))]),
    spec("histc", lambda x, bins, min, max: np.histogram(x, bins, (min, max))[0].astype("f8"), [(((3, 17),), {"bins": 5, "min": -1,
           "max": 2})],
         wrt=(), nonfinite=False, refused=[Refused(RuntimeError, "histc: bins must be positive", zeros(2), bins=0)]),
    spec("isin", np.isin, [(((3, 7), (4,)), {})], make=integers(0, 9), wrt=()),
    spec("searchsorted", lambda a, v: np.searchsorted(a, v), [(((9,), (3, 4)), {})], make=(lambda rng, s: np.sort(rng.standard_normal(s)),
           normal),
         wrt=(), nonfinite=False, refused=[Refused(RuntimeError, "searchsorted: side='up'", zeros(2), zeros(2), side="up"),
                                           Refused(RuntimeError, "searchsorted: the leading axes", zeros(2, 3), zeros(3, 3))]),
    spec("bucketize", lambda v, a: np.searchsorted(a, v), [(((3, 4), (9,)), {})], make=(normal, lambda rng,
           s: np.sort(rng.standard_normal(s))),
         wrt=(), nonfinite=False, refused=[Refused(RuntimeError, "bucketize: boundaries must have 1 axis", zeros(2), zeros(2, 2))]),
    spec("unique_consecutive", unique_consecutive, [(((30,),), {})], make=integers(0, 3), wrt=(), call=lambda f, x: f(x, True, True)),
    spec("mode", mode, [(((3, 20),), {"dim": -1})], make=integers(0, 5), wrt=(), call=lambda f, x, dim: f(x.float(), dim).values,
         refused=[Refused(IndexError, "mode: dim 2", zeros(2), 2)]),
    spec("argwhere", np.argwhere, [(((3, 7),), {})], make=boolean, wrt=()),
    spec("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, dim), [(((3, 7),), {"dim": 1}), (((5, 17),), {"dim": -2})],
         nonfinite=False, exact_layout=False, refused=[Refused(IndexError, "logcumsumexp: dim 1", zeros(2), 1)]),
    spec("cummax", cumulative(np.maximum, None), [(((3, 7),), {"dim": 1}), (((5, 17),), {"dim": 0})], make=apart, nonfinite=False,
         refused=[Refused(IndexError, "cummax: dim 1", zeros(2), 1)]),
    spec("cummin", cumulative(np.minimum, None), [(((3, 7),), {"dim": 1}), (((5, 17),), {"dim": 0})], make=apart, nonfinite=False,
         refused=[Refused(IndexError, "cummin: dim 1", zeros(2), 1)]),
    # statistics
    *(spec(name, quantile, [(((3, 7),), {"q": 0.3, "dim": d, "keepdim": k, "interpolation": m}) for d in (None, 0, -1) for k in (False,
           True)
                            for m in ("linear", "lower", "higher", "midpoint", "nearest")] + [(((11,),), {"q": [0.0, 0.25, 1.0]})],
            make=apart,
           call=call, nonfinite=False,
           refused=[Refused(RuntimeError, rf"{name}: q must lie in \[0, 1\]", zeros(2), 1.5),
                    Refused(RuntimeError, f"{name}: interpolation must be one of", zeros(2), 0.5, interpolation="cubic")])
      for name, call in (("quantile", lambda f, x, q, **a: f(x, x.new_tensor(q) if isinstance(q, list) else q, **a)),
                         ("nanquantile", lambda f, x, q, **a: f(x, x.new_tensor(q) if isinstance(q, list) else q, **a)))),
    reduction("nansum", lambda x, dim=None, keepdim=False: np.nansum(x, dim, keepdims=keepdim), bench=[], tol=4e-6, nonfinite=False,
           exact_layout=False),
    spec("nanmean", lambda x, dim: np.nanmean(x, dim), [(((3, 7),), {"dim": 1}), (((5, 17),), {"dim": 0})], nonfinite=False,
           exact_layout=False),
    spec("nanmedian", median_low, [(((3, 8),), {"dim": 1}), (((5, 7),), {"dim": 0, "keepdim": True})], make=apart, nonfinite=False,
         call=lambda f, x, **a: f(x, **a).values),
    spec("aminmax", lambda x, dim=None, keepdim=False: (x.min(dim, keepdims=keepdim), x.max(dim, keepdims=keepdim)),
         [(((3, 7),), {}), (((3, 7),), {"dim": 1}), (((3, 7),), {"dim": 0, "keepdim": True})], make=apart),
    spec("cov", lambda x, w=None: np.cov(x, aweights=w), [(((3, 7),), {}), (((9,),), {})], tol=4e-6, tol64=1e-11, exact_layout=False,
         call=lambda f, x, w=None: f(x, aweights=w), more=[Case(((3, 7), (7,)), {}, (normal, positive))],
         refused=[Refused(RuntimeError, "cov: input has 3 axes", zeros(2, 2, 2))]),
    spec("corrcoef", np.corrcoef, [(((3, 7),), {})], tol=4e-6, tol64=1e-11, exact_layout=False, grad_tol=1e-7),
    spec("diff", lambda x, n=1, dim=-1: np.diff(x, n, dim), [(((3, 7),), {}), (((3, 7),), {"n": 2, "dim": 0}), (((5,),), {"n": 0})],
         refused=[Refused(RuntimeError, "diff: input must be a Tensor with an axis", zeros())]),
    spec("trapezoid", lambda y, x=None, dx=1.0, dim=-1: np.trapezoid(y, x, dx, dim) if hasattr(np, "trapezoid") else np.trapz(y, x, dx,
           dim),
         [(((3, 7),), {}), (((3, 7), (7,)), {}), (((3, 7),), {"dx": 0.5, "dim": 0})], exact_layout=False, tol=4e-6,
         refused=[Refused(RuntimeError, "trapezoid: give x or dx", zeros(2), zeros(2), dx=1.0)]),
    spec("cumulative_trapezoid", lambda y: np.cumsum((y[..., 1:] + y[..., :-1]) / 2, -1), [(((3, 7),), {})], tol=4e-6),
    # distances and small matrices
    spec("cdist", cdist, [(((2, 3, 5), (2, 4, 5)), {"p": p}) for p in (1.0, 2.0, 3.0, math.inf)] + [(((30, 4), (3, 4)), {})],
         make=(normal, lambda rng, s: rng.standard_normal(s) + 6), tol=1e-5, tol64=1e-10,
         grad_tol=1e-6, exact_layout=False,
         refused=[Refused(RuntimeError, r"cdist: rows of x1 \(2, 3\) and x2 \(2, 4\)", zeros(2, 3), zeros(2, 4))]),
    OpSpec("pdist", "fastnet.pdist", pdist, shapes=[((5, 3),)], tol=4e-6, refused=[Refused(RuntimeError, "pdist: input must be", zeros(2,
           2, 2))]),
    spec("dist", lambda a, b, p=2: (np.abs(a - b) ** p).sum() ** (1 / p), [(((3, 7), (7,)), {}), (((5,), (5,)), {"p": 1})], tol=4e-6,
         exact_layout=False),
    spec("cross", lambda a, b, dim: np.cross(a, b, axis=dim), [(((4, 3), (4, 3)), {"dim": 1}), (((3, 5), (3, 5)), {"dim": 0})],
         refused=[Refused(RuntimeError, "cross: no axis of size 3", zeros(2), zeros(2))]),
    OpSpec("kron", "fastnet.kron", np.kron, shapes=[((2, 3), (3, 2)), ((3,), (2, 2)), ((), (3,))]),
    OpSpec("trace", "fastnet.trace", np.trace, shapes=[((3, 7),), ((5, 5),)], exact_layout=False,
           refused=[Refused(RuntimeError, "trace: input must be a matrix", zeros(2))]),
    OpSpec("diagflat", "fastnet.diagflat", np.diagflat, shapes=[((3,),), ((2, 3),)]),
    spec("vander", lambda x, N=None, increasing=False: np.vander(x, N, increasing), [(((4,),), {}), (((4,),), {"N": 3,
           "increasing": True})],
         refused=[Refused(RuntimeError, "vander: x must have 1 axis", zeros(2, 2))], tol=4e-6),
    OpSpec("vdot", "fastnet.vdot", np.dot, shapes=[((7,), (7,))], exact_layout=False, tol=4e-6),
    spec("matrix_power", np.linalg.matrix_power, [(((2, 3, 3),), {"n": n}) for n in (1, 2, 5)], tol=1e-5, tol64=1e-11, exact_layout=False,
           grad_tol=1e-6,
         refused=[Refused(RuntimeError, "matrix_power: input must be square", zeros(2, 3), 2)]),
    OpSpec("chain_matmul", "fastnet.chain_matmul", lambda *m: np.linalg.multi_dot(m), shapes=[((2, 7), (7, 3), (3, 9)), ((5, 2), (2, 9),
           (9, 1), (1, 3))],
           tol=1e-5, exact_layout=False, refused=[Refused(RuntimeError, "chain_matmul: every tensor", zeros(2))]),
    # parts written over
    spec("index_fill", lambda x, i, dim, value: written((slice(None),) * dim + (i,))(x, value),
         [(((5, 7), (2,)), {"dim": d, "value": 3.0}) for d in (0, 1)], make=(normal, integers(0, 5)),
         call=lambda f, x, i, dim, value: f(x, dim, i, value), refused=[Refused(IndexError, "index_fill_: dim 1", zeros(2), zeros(1,
            **INT), 1, 0)]),
    spec("index_copy", index_copy, [(((5, 7), (5,), (5, 7)), {"dim": 0}), (((5, 7), (7,), (5, 7)), {"dim": 1})],
         make=(normal, lambda rng, s: rng.permutation(s[0]), normal), call=lambda f, x, i, s, dim: f(x, dim, i, s),
         refused=[Refused(RuntimeError, r"index_copy_: source \(3,\)", zeros(2), zeros(1, **INT), zeros(3), 0)]),
    OpSpec("select_scatter", "fastnet.select_scatter", written((slice(None), 1)), shapes=[((3, 7), (3,))], call=lambda f, x, s: f(x, s, 1,
           1),
           refused=[Refused(RuntimeError, r"select_scatter: src \(3,\)", zeros(2, 2), zeros(3))]),
    OpSpec("slice_scatter", "fastnet.slice_scatter", written((slice(None), slice(1, 6, 2))), shapes=[((3, 7), (3, 3))],
           call=lambda f, x, s: f(x, s, 1, 1, 6, 2)),
    OpSpec("diagonal_scatter", "fastnet.diagonal_scatter", diagonal_scatter, shapes=[((5, 5), (5,))]),
    spec("scatter_reduce", scatter_reduce, [(((4, 7), (3, 7), (3, 7)), {"dim": 0, "reduce": r, "include_self": own})
                                            for r in ("sum", "prod", "mean", "amax", "amin") for own in (True, False)],
         make=(apart, integers(0, 4), lambda rng, s: apart(rng, s) + 0.013), tol=4e-6, tol64=1e-11, grad_tol=1e-7, nonfinite=False,
         call=lambda f, x, i, s, dim, **a: f(x, dim, i, s, **a),
         refused=[Refused(ValueError, "scatter_reduce: reduce must be one of", zeros(2), zeros(1, **INT), zeros(1), 0, reduce="max")]),
]

ELSEWHERE = {f"fastnet.{name}": "test_later.py" for name in (
    "is_tensor", "numel", "is_floating_point", "is_complex", "is_nonzero", "is_same_size", "detach", "result_type", "promote_types",
    "can_cast",
    *(f"Tensor.{method}" for method in ("cpu", "fill_diagonal_", "index_copy_", "index_fill_", "is_nonzero", "is_same_size",
                                        "scatter_reduce_", "squeeze_", "t_", "transpose_", "unsqueeze_")))}
ELSEWHERE |= {f"fastnet.{name}": "test_resize.py" for name in (
    "frombuffer", "msort", "scalar_tensor", "unravel_index", "bartlett_window", "blackman_window", "hamming_window", "hann_window",
    "kaiser_window", *(f"Tensor.{name}" for name in ("apply_", "map_", "new", "resize_", "resize_as_", "sum_to_size")))}


def inverse_of(f, y):
    """Bisection: f rises from -8 to 8."""
    low, high = np.full(y.shape, -8.0), np.full(y.shape, 8.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = f(middle) < y if middle.size else middle < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
