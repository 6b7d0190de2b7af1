"""Distances and directions along an axis."""
import numpy as np

from specs import Case, OpSpec, nonzero
from specs.margin import F


def vector_norm(x, p, axis):
    return np.linalg.norm(x, p, axis=axis, keepdims=True)


def cosine_similarity(a, b, dim=1, eps=1e-8):
    return np.sum(a / np.maximum(vector_norm(a, 2, dim), eps) * (b / np.maximum(vector_norm(b, 2, dim), eps)), axis=dim)


def pairwise_distance(a, b, p=2.0, eps=1e-6, keepdim=False):
    return np.linalg.norm(a - b + eps, p, axis=-1, keepdims=keepdim)


# exact_layout=False below: these are compositions, and a sum over rows adds in the order of the memory it is given.
SPECS = [
    OpSpec("cosine_similarity", F + "cosine_similarity", cosine_similarity, make=nonzero, tol=2e-6, nonfinite=False, exact_layout=False,
           cases=[Case(((5, 4), (5, 4))), Case(((5, 4), (1, 4))), Case(((3, 7, 2), (3, 7, 2)), {"dim": -1}),
                  Case(((9,), (9,)), {"dim": 0})]),
    OpSpec("pairwise_distance", F + "pairwise_distance", pairwise_distance, tol=2e-6, nonfinite=False, exact_layout=False,
           shapes=[((5, 4), (5, 4)), ((4,), (4,)), ((2, 3, 17), (2, 3, 17))], args=[{}, {"p": 1.0}, {"p": 3.0, "keepdim": True}]),
    OpSpec("normalize", F + "normalize", lambda x, p=2.0, dim=1, eps=1e-12: x / np.maximum(vector_norm(x, p, dim), eps), make=nonzero,
           tol=2e-6, nonfinite=False, exact_layout=False, cases=[Case(((5, 4),)), Case(((5, 17),), {"dim": 0}),
                                                                 Case(((2, 3, 5),), {"p": 1.0, "dim": -1})]),
]
