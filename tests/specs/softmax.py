"""softmax and log_softmax along an axis."""
import numpy as np
from specs import Case, OpSpec, Refused, zeros


def softmax(x, dim):
    e = np.exp(x - x.max(axis=dim, keepdims=True, initial=-1e300))
    return e / e.sum(axis=dim, keepdims=True)


def log_softmax(x, dim):
    d = x - x.max(axis=dim, keepdims=True, initial=-1e300)
    return d - np.log(np.exp(d).sum(axis=dim, keepdims=True))


CASES = [Case(((1, 1),), {"dim": 1}), Case(((3, 7),), {"dim": -1}), Case(((5, 16),), {"dim": 1}), Case(((5, 17),), {"dim": 0}),
         Case(((9,),), {"dim": 0}),
         Case(((2, 3, 33),), {"dim": 1}), Case(((2, 33, 3),), {"dim": 1}), Case(((3, 257),), {"dim": 1}), Case(((4, 0),), {"dim": 0}),
         Case(((),), {"dim": 0})]
BENCH = [Case(((4096, 1000),), {"dim": 1}), Case(((64, 100, 1024),), {"dim": 1})]

SPECS = [
    OpSpec("softmax", "fastnet.softmax", softmax, cases=CASES, bench=BENCH, exact_layout=False,    # sums follow the memory
           refused=[Refused(IndexError, "softmax: dim 2 is out of range", zeros(2, 3), 2),
                    Refused(TypeError, "softmax: input must be floating-point", zeros(2, dtype="int64"), 0)]),
    OpSpec("log_softmax", "fastnet.log_softmax", log_softmax, cases=CASES, bench=BENCH, exact_layout=False, tol=2e-6),
]
