"""fastnet.linalg; factorisations are judged by what they must multiply to, since signs of vectors are free."""
import fastnet
import numpy as np
from specs import Case, OpSpec, Refused, zeros

LOOSE = {"tol": 2e-5, "tol64": 1e-10, "grad_tol": 1e-6, "exact_layout": False, "nonfinite": False}


def regular(x):
    """Far from singular, whatever x is."""
    return x + np.diag(np.arange(10.0, 10 + max(x.shape[-2:])))[:x.shape[-2], :x.shape[-1]]


def far(f, first):
    """f of a first matrix that is made regular."""
    def call(function, x, *rest, **args):
        if not x.any():                                   # the zeros of a call that is to be refused
            return first(function, x, *rest, **args)
        n = max(x.shape[-2:])
        shift = fastnet.diag(fastnet.arange(10.0, 10.0 + n, dtype=x.dtype))[:x.shape[-2], :x.shape[-1]]
        return first(function, x + shift, *rest, **args)
    return (lambda x, *rest, **args: f(regular(x), *rest, **args)), call


def linalg(op, reference, shapes, **kwargs):
    if kwargs.pop("make_regular", False):
        reference, kwargs["call"] = far(reference, kwargs.get("call") or (lambda f, *xs, **args: f(*xs, **args)))
    cases = [Case(*s) if isinstance(s[0], tuple) and s[0] and isinstance(s[0][0], tuple) else Case(s) for s in shapes]
    return OpSpec(op, f"fastnet.linalg.{op}", reference, cases=cases, **{**LOOSE, **kwargs})


def symmetric_part(x):
    return (x + np.swapaxes(x, -1, -2)) / 2


def triangle(x, upper, unitriangular):
    x = np.triu(x) if upper else np.tril(x)
    return x - x * np.eye(x.shape[-1]) + np.eye(x.shape[-1]) if unitriangular else x


def solve(a, b, left=True):
    if b.ndim == 1:
        return np.linalg.solve(a, b[:, None])[:, 0]
    return np.linalg.solve(a, b) if left else b @ np.linalg.inv(a)


def sum_of_powers(a):
    total = term = np.zeros_like(a) + np.eye(a.shape[-1])
    for k in range(1, 80):
        term = term @ a / k
        total = total + term
    return total


SQUARE, TALL, WIDE = ((4, 4),), ((5, 3),), ((3, 5),)
NOT_SQUARE = Refused(RuntimeError, r"must be square matrices .* got \(2, 3\)", zeros(2, 3))

SPECS = [
    linalg("inv", np.linalg.inv, [SQUARE, ((2, 3, 3),)], make_regular=True, refused=[
        NOT_SQUARE, Refused(RuntimeError, "linalg.inv: Singular matrix", zeros(2, 2)),
        Refused(RuntimeError, "linalg.inv: A must be floating-point", zeros(2, 2, dtype="int64"))]),
    linalg("pinv", np.linalg.pinv, [SQUARE, TALL, WIDE], make_regular=True),
    linalg("solve", solve, [((4, 4), (4, 2)), ((2, 3, 3), (2, 3, 1)), ((4, 4), (4,)),
                            (((4, 4), (2, 4)), {"left": False})], make_regular=True,
           refused=[Refused(RuntimeError, r"linalg.solve: A \(2, 2\) and B \(3, 1\)", zeros(2, 2), zeros(3, 1))]),
    linalg("solve_triangular", lambda a, b, upper, unitriangular: np.linalg.solve(triangle(a, upper, unitriangular), b),
           [(((4, 4), (4, 2)), {"upper": u, "unitriangular": t}) for u in (True, False) for t in (True, False)], make_regular=True),
    linalg("lstsq", lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], [((5, 3), (5, 2)), ((4, 4), (4, 1))], make_regular=True,
           call=lambda f, a, b, **args: f(a, b, **args).solution,
           refused=[Refused(ValueError, "linalg.lstsq: driver", zeros(2, 2), zeros(2, 1), driver="gels")]),
    linalg("det", np.linalg.det, [SQUARE, ((2, 3, 3),)], make_regular=True, tol=1e-4, refused=[NOT_SQUARE]),
    linalg("slogdet", lambda a: tuple(np.linalg.slogdet(a)), [SQUARE, ((2, 3, 3),)], make_regular=True, call=lambda f, a: tuple(f(a))),
    linalg("cholesky", lambda a: np.linalg.cholesky(symmetric_part(a)), [SQUARE, ((2, 3, 3),)], make_regular=True,
           call=lambda f, a: f((a + a.mT) / 2),
           refused=[Refused(RuntimeError, "linalg.cholesky: Matrix is not positive definite", zeros(2, 2))]),
    linalg("qr", lambda a: (a, np.abs(np.linalg.qr(a)[1])), [SQUARE, TALL], make_regular=True,
           call=lambda f, a, *mode: (lambda q, r: (q @ r, r.abs()))(*f(a, *mode)),
           refused=[Refused(ValueError, "linalg.qr: mode", zeros(2, 2), "full")]),
    linalg("eigh", lambda a: (np.linalg.eigvalsh(symmetric_part(a)), symmetric_part(a), np.linalg.eigh(symmetric_part(a))[1] ** 2),
           [SQUARE],
           call=lambda f, a: (lambda w, v: (w, v * w @ v.mT, v ** 2))(*f((a + a.mT) / 2 if a.shape[0] == a.shape[1] else a)),
           refused=[NOT_SQUARE]),
    linalg("eigvalsh", lambda a: np.linalg.eigvalsh(symmetric_part(a)), [SQUARE], call=lambda f, a: f((a + a.mT) / 2)),
    linalg("svd", lambda a: (np.linalg.svd(a)[1], a, np.linalg.svd(a, False)[0] ** 2, np.linalg.svd(a, False)[2] ** 2), [SQUARE, TALL,
           WIDE],
           call=lambda f, a: (lambda u, s, v: (s, u * s @ v, u ** 2, v ** 2))(*f(a, False)), make_regular=True),
    linalg("svdvals", lambda a: np.linalg.svd(a, compute_uv=False), [SQUARE, WIDE]),
    linalg("norm", lambda a, ord=None: np.linalg.norm(a, ord), [(((4, 5),), {"ord": o}) for o in (None, "fro", "nuc", 1, -1, 2, -2, np.inf)]
           + [(((7,),), {"ord": o}) for o in (None, 1, 3)]),
    linalg("matrix_norm", lambda a, ord: np.linalg.norm(a, ord, (-2, -1)), [(((2, 4, 5),), {"ord": o}) for o in ("fro", "nuc", 1, -1, 2,
           -2)],
           refused=[Refused(ValueError, "linalg.matrix_norm: ord", zeros(2, 2), 3)]),
    linalg("matrix_rank", np.linalg.matrix_rank, [SQUARE, TALL], wrt=(), refused=[Refused(RuntimeError, "matrix_rank: A must be",
           zeros(2))]),
    linalg("cond", lambda a, p=None: np.linalg.cond(a, p), [(((4, 4),), {"p": p}) for p in (None, 1, np.inf, "fro", -2)],
           make_regular=True),
    linalg("multi_dot", lambda *m: np.linalg.multi_dot(m), [((2, 7), (7, 3), (3, 9)), ((7,), (7, 3), (3,))], call=lambda f, *m: f(m)),
    linalg("vecdot", lambda x, y: (x * y).sum(-1), [((3, 7), (3, 7)), ((3, 7), (7,))]),
    linalg("matrix_exp", lambda a: sum_of_powers(a), [SQUARE, ((2, 3, 3),), ((1, 1),)], refused=[NOT_SQUARE]),
    linalg("cross", lambda x, y: np.cross(x, y), [((4, 3), (4, 3))]),
    linalg("diagonal", lambda x: np.diagonal(x, axis1=-2, axis2=-1), [((2, 3, 4),)]),
    linalg("vander", lambda x: np.vander(x, increasing=True), [((4,),)]),
]
