"""Ops that are public in nn.functional only."""
import numpy as np
from specs import Case, OpSpec, Refused, integers, normal, zeros

INT = {"dtype": "int64"}


def softmin(x, dim):
    e = np.exp(x.min(axis=dim, keepdims=True) - x)
    return e / e.sum(axis=dim, keepdims=True)


SPECS = [
    OpSpec("softmin", "fastnet.nn.functional.softmin", softmin, cases=[Case(((3, 7),), {"dim": -1}), Case(((5, 17),), {"dim": 0})],
           exact_layout=False),
    OpSpec("embedding", "fastnet.nn.functional.embedding", lambda i, w: w[i], cases=[Case((s, (9, f)), {}, (integers(0, 9), normal))
                                                                                     for s, f in (((5,), 4), ((3, 7), 33), ((), 5),
                                                                                                  ((40,), 1), ((0,), 3))],
           bench=[Case(((32, 256), (50_000, 256)), {}, (integers(0, 50_000), normal))],
           refused=[Refused(IndexError, r"embedding: input holds 4, outside \[0, 3\)", zeros(2, **INT) + 4, zeros(3, 2)),
                    Refused(ValueError, "embedding: padding_idx 5 is outside the 3 rows", zeros(2, **INT), zeros(3, 2), 5),
                    Refused(RuntimeError, "embedding: scale_grad_by_freq is not supported with sparse=True", zeros(2, **INT), zeros(3, 2),
                            scale_grad_by_freq=True, sparse=True)]),
]
