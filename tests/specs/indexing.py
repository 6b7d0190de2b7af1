"""Moves by an index: gather, scatter, rows; running sums; order along an axis."""
import numpy as np
from specs import Case, OpSpec, Refused, apart, boolean, integers, nonzero, normal, zeros

ALL = ("float32", "float64", "int64", "int32", "uint8", "bool")
MOVES = {"tol": 0, "tol64": 0}
INT = {"dtype": "int64"}


def grid(index, dim):
    """For each element of an index its place, with the index itself on axis dim."""
    where = list(np.indices(index.shape))
    if where:
        where[dim] = index
    return tuple(where)


def gather(x, index, dim):
    return x[grid(index, dim)] if x.ndim else np.broadcast_to(x, index.shape)


def scatter(x, index, src, dim, reduce=None):
    y = x.copy()
    for place in np.ndindex(index.shape):
        to = list(place)
        to[dim] = index[place]
        if reduce is None:
            y[tuple(to)] = src[place]
        else:
            y[tuple(to)] += src[place]
    return y


def index_add(x, index, source, dim, alpha=1):
    y = x.copy()
    np.add.at(y, (slice(None),) * dim + (index,), alpha * source)
    return y


def distinct(rng, shape):
    """Indices that are all different along every axis, from 0 to 8."""
    return (np.indices(shape).sum(0) + rng.integers(0, 9)) % 9 if shape else np.zeros((), np.int64)


def cases(n, make_index, *shapes, **args):
    return [Case(s, {"dim": d, **args}, (normal, make_index, normal)[:len(s)]) for s, d in shapes]


SAME = [(((9, 7), (9, 7)), 0), (((9, 7), (4, 7)), 0), (((7, 9), (7, 3)), 1), (((9,), (20,)), 0), (((2, 9, 17), (2, 5, 17)), 1),
        (((9, 3), (0, 3)), 0)]
SMALLER = [(((9, 7), (4, 5)), 0), (((5, 9), (2, 9)), 1), (((3, 9, 4), (2, 5, 3)), 1)]
with_src = [((*s, s[1]), d) for s, d in SAME + SMALLER]
WIDER = [(((9, 7), (4, 5), (6, 7)), 0)]
ROWS = [(((9, 4), (5,)), 0), (((4, 9), (5,)), 1), (((2, 9, 33), (30,)), 1), (((9,), (3,)), 0), (((9, 4), (0,)), 0)]


def rows_source(s, d):
    x, i = s
    return (x, i, (*x[:d], i[0], *x[d + 1:]))


def sort(x, dim=-1, descending=False):
    order = np.argsort(-x if descending else x, axis=dim, kind="stable") if x.ndim else np.zeros((), np.int64)
    return (np.take_along_axis(x, order, dim) if x.ndim else x), order


def topk(x, k, dim=-1, largest=True):
    values, order = sort(x, dim, largest)
    return np.take(values, range(k), dim), np.take(order, range(k), dim)


def kth(x, k, dim=-1, keepdim=False):
    values, order = sort(x, dim)
    out = [np.take(a, [k - 1], dim) for a in (values, order)]
    return tuple(out if keepdim else [np.squeeze(a, dim) for a in out])


def median(x, dim=None, keepdim=False):
    return np.sort(x.reshape(-1))[(x.size - 1) // 2] if dim is None else kth(x, (x.shape[dim] + 1) // 2, dim, keepdim)


def running(f):
    return lambda x, dim: f(x, axis=dim)


def cumprod_zeros(rng, shape):
    x = nonzero(rng, shape)
    x[2, ::2] = 0
    x[4, ::3] = 0
    return x


LINES = [Case(((7,),), {"dim": 0}), Case(((3, 7),), {"dim": 1}), Case(((9, 5),), {"dim": 0}), Case(((2, 9, 3),), {"dim": 1})]
SCANS = [*LINES, Case(((4, 300),), {"dim": 1}), Case(((20, 130),), {"dim": 0}), Case(((0, 3),), {"dim": 0}),
         Case(((3, 5),), {"dim": 0}, integers(-4, 4))]

SPECS = [
    OpSpec("gather", "fastnet.gather", gather, call=lambda f, x, i, dim: f(x, dim, i), cases=cases(9, integers(0, 9), *SAME, *SMALLER),
           dtypes=ALL,
           bench=[Case(((4096, 256), (4096, 256)), {"dim": 1}, (normal, integers(0, 256)))], tol=0,
           refused=[Refused(IndexError, r"gather: index holds 3, outside \[0, 3\)", zeros(2, 3), zeros(2, 3, **INT) + 3, dim=1),
                    Refused(IndexError, r"gather: index holds -1, outside \[0, 3\)", zeros(2, 3), zeros(2, 3, **INT) - 1, dim=1),
                    Refused(ValueError, "gather: index of shape .* reaches beyond", zeros(2, 3), zeros(3, 3, **INT), dim=1),
                    Refused(ValueError, "gather: index of shape .* must have as many axes", zeros(2, 3), zeros(3, **INT), dim=1),
                    Refused(TypeError, "gather: index must hold integers", zeros(2, 3), zeros(2, 3), dim=1)]),
    OpSpec("scatter", "fastnet.scatter", scatter, call=lambda f, x, i, s, dim, **k: f(x, dim, i, s, **k), dtypes=ALL, tol=1e-6,
           cases=cases(9, distinct, *[(s, d) for s, d in with_src if s[1][d] <= 9], *WIDER) + cases(9, integers(0, 9), *with_src[:3],
                                                                                                    reduce="add"),
           refused=[Refused(ValueError, "scatter: src of shape .* does not cover", zeros(2, 3), zeros(2, 3, **INT), zeros(2, 2), dim=1),
                    Refused(TypeError, "scatter: src is fastnet.float64, input is fastnet.float32", zeros(2), zeros(2, **INT),
                            zeros(2, dtype="float64"), dim=0),
                    Refused(ValueError, "scatter: reduce must be", zeros(2), zeros(2, **INT), zeros(2), dim=0, reduce="mean")]),
    OpSpec("scatter_add", "fastnet.scatter_add", lambda x, i, s, dim: scatter(x, i, s, dim, "add"), tol=2e-6,
           call=lambda f, x, i, s, dim: f(x, dim, i, s), cases=cases(9, integers(0, 9), *with_src, *WIDER),
           dtypes=("float32", "float64", "int64", "int32")),
    OpSpec("take", "fastnet.take", lambda x, i: x.reshape(-1)[i], cases=[Case(((3, 4), (2, 5)), {}, (normal, integers(-12, 12)))],
           dtypes=ALL, **MOVES),
    OpSpec("take_along_dim", "fastnet.take_along_dim", lambda x, i, dim: np.take_along_axis(x, i, dim), dtypes=ALL, **MOVES,
           cases=cases(9, integers(0, 9), *SAME, (((9, 7), (4, 1)), 0), (((1, 9), (3, 2)), 1))),
    OpSpec("index_select", "fastnet.index_select", lambda x, i, dim: np.take(x, i, dim), call=lambda f, x, i, dim: f(x, dim, i),
           dtypes=ALL, **MOVES,
           cases=cases(9, integers(0, 9), *ROWS), bench=[Case(((50_000, 256), (4096,)), {"dim": 0}, (normal, integers(0, 50_000)))],
           refused=[Refused(IndexError, r"index_select: index holds 5, outside \[0, 2\)", zeros(2, 3), zeros(1, **INT) + 5, dim=0),
                    Refused(ValueError, "index_select: index must have one axis", zeros(2, 3), zeros(1, 1, **INT), dim=0)]),
    OpSpec("index_add", "fastnet.index_add", index_add, call=lambda f, x, i, s, dim, **k: f(x, dim, i, s, **k), tol=2e-6,
           dtypes=("float32", "float64", "int64"),
           cases=cases(9, integers(0, 9), *[(rows_source(s, d), d) for s, d in ROWS]) + cases(9, integers(0, 9),
                                                                                              (rows_source(*ROWS[0]), 0), alpha=2),
           refused=[Refused(ValueError, "index_add: source .* does not fit", zeros(2, 3), zeros(1, **INT), zeros(2, 3), dim=0)]),
    OpSpec("masked_select", "fastnet.masked_select", lambda x, m: np.broadcast_to(x, np.broadcast_shapes(x.shape, m.shape))[
        np.broadcast_to(m, np.broadcast_shapes(x.shape, m.shape))], make=(normal, boolean), dtypes=ALL, **MOVES,
        shapes=[((3, 7), (3, 7)), ((3, 7), (7,)), ((7,), (3, 1))], refused=[Refused(TypeError, "masked_select: mask must be bool",
                                                                                    zeros(2), zeros(2))]),
    OpSpec("nonzero", "fastnet.nonzero", lambda x: np.stack(np.nonzero(x), 1), make=integers(0, 2), wrt=(),
           shapes=[((3, 7),), ((5,),), ((0,),)]),
    OpSpec("cumsum", "fastnet.cumsum", running(np.cumsum), cases=SCANS, tol=2e-6, bench=[Case(((4096, 1000),), {"dim": 0}),
                                                                                         Case(((4096, 1000),), {"dim": 1})]),
    OpSpec("cumprod", "fastnet.cumprod", running(np.cumprod), make=lambda rng, s: rng.uniform(0.7, 1.3, s), tol=2e-6,
           cases=[*SCANS, Case(((9, 5),), {"dim": 0}, cumprod_zeros)]),
    OpSpec("sort", "fastnet.sort", sort, make=apart, cases=LINES + [Case(((3, 7),), {"descending": True}), Case(((),))] +
           [Case(((5, 20),), {"dim": 1, "descending": d}, integers(0, 4)) for d in (False, True)], **MOVES),
    OpSpec("argsort", "fastnet.argsort", lambda x, **k: sort(x, **k)[1], make=apart, cases=LINES + [Case(((3, 7),),
                                                                                                         {"descending": True})], wrt=()),
    OpSpec("topk", "fastnet.topk", topk, make=apart, cases=[Case(c.shapes, {**c.args, "k": 2,
                                                                            "largest": g}) for c in LINES for g in (True, False)],
           refused=[Refused(ValueError, "topk: k must be from 0 to 3", zeros(2, 3), 4)], **MOVES),
    OpSpec("kthvalue", "fastnet.kthvalue", kth, make=apart, cases=[Case(c.shapes, {**c.args, "k": 2,
                                                                                   "keepdim": g}) for c in LINES for g in (True, False)],
           refused=[Refused(ValueError, "kthvalue: k must be from 1 to 3", zeros(2, 3), 0)], **MOVES),
    OpSpec("median", "fastnet.median", median, make=apart, cases=[*LINES, Case(((4, 6),)), Case(((4, 6),), {"dim": 1, "keepdim": True})],
           **MOVES),
    OpSpec("unique", "fastnet.unique", lambda x: np.unique(x), make=integers(0, 9), wrt=(), shapes=[((30,),), ((3, 4),)]),
]
ELSEWHERE = {"fastnet.Tensor.scatter_": "test_indexing.py", "fastnet.Tensor.scatter_add_": "test_indexing.py",
             "fastnet.Tensor.index_add_": "test_indexing.py"}
