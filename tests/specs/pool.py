"""Pooling: references that walk windows one by one, by the definition."""
from itertools import product
from math import ceil, floor

import numpy as np

from specs import Case, OpSpec, Refused, apart, normal, positive, zeros


def each(value, rank):
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * rank if len(values) == 1 else values


def fixed(n, k, s, p, d, ceil_mode):
    """(places inside the axis, places counting the padding) of each window of one axis."""
    count = (ceil if ceil_mode else floor)((n + 2 * p - d * (k - 1) - 1) / s) + 1
    if ceil_mode and (count - 1) * s >= n + p:
        count -= 1
    every = [np.arange(o * s - p, o * s - p + d * (k - 1) + 1, d) for o in range(count)]
    return [(at[(at >= 0) & (at < n)], int((at < n + p).sum())) for at in every]


def adaptive(n, size):
    every = [np.arange(floor(o * n / size), ceil((o + 1) * n / size)) for o in range(size)]
    return [(at, len(at)) for at in every]


def pooled(x, axes, f, dtype=None):
    """f(elements with one axis for the window, its places, its full size) of every window."""
    rank, shape = len(axes), x.shape[-len(axes):]
    y = np.zeros((*x.shape[:-rank], *map(len, axes)), dtype or x.dtype)
    for o in product(*(range(len(a)) for a in axes)):
        windows = [axis[i] for axis, i in zip(axes, o)]
        grid = np.meshgrid(*(places for places, _ in windows), indexing="ij")
        flat = np.ravel_multi_index([g.ravel() for g in grid], shape)
        y[(..., *o)] = f(x.reshape(*x.shape[:-rank], np.prod(shape))[..., flat], flat, np.prod([full for _, full in windows]))
    return y


def greatest(x, axes, indices):
    y = pooled(x, axes, lambda e, flat, full: e.max(-1))
    return (y, pooled(x, axes, lambda e, flat, full: flat[e.argmax(-1)], np.int64)) if indices else y


def max_pool(rank):
    def reference(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        k, p, d = each(kernel_size, rank), each(padding, rank), each(dilation, rank)
        s = k if stride is None else each(stride, rank)
        return greatest(x, [fixed(*a, ceil_mode) for a in zip(x.shape[-rank:], k, s, p, d)], return_indices)
    return reference


def avg_pool(rank):
    def reference(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        k, p = each(kernel_size, rank), each(padding, rank)
        s = k if stride is None else each(stride, rank)
        axes = [fixed(*a, 1, ceil_mode) for a in zip(x.shape[-rank:], k, s, p)]
        return pooled(x, axes, lambda e, flat, full: e.sum(-1) / (divisor_override or (full if count_include_pad else len(flat))))
    return reference


def windows_of(x, rank, output_size):
    return [adaptive(n, n if size is None else size) for n, size in zip(x.shape[-rank:], each(output_size, rank))]


def adaptive_max_pool(rank):
    return lambda x, output_size, return_indices=False: greatest(x, windows_of(x, rank, output_size), return_indices)


def adaptive_avg_pool(rank):
    return lambda x, output_size: pooled(x, windows_of(x, rank, output_size), lambda e, flat, full: e.mean(-1))


def lp_pool(rank):
    def reference(x, norm_type, kernel_size, stride=None, ceil_mode=False):
        k = each(kernel_size, rank)
        s = k if stride is None else each(stride, rank)
        axes = [fixed(*a, 0, 1, ceil_mode) for a in zip(x.shape[-rank:], k, s)]
        return pooled(x, axes, lambda e, flat, full: ((e ** norm_type).mean(-1) * np.prod(k)) ** (1 / norm_type))
    return reference


def max_unpool(rank):
    def reference(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        k, p = each(kernel_size, rank), each(padding, rank)
        s = k if stride is None else each(stride, rank)
        sizes = output_size or [(n - 1) * b - 2 * c + a for n, a, b, c in zip(x.shape[-rank:], k, s, p)]
        y = np.zeros((*x.shape[:-rank], np.prod(sizes[-rank:])))
        for lead in np.ndindex(*x.shape[:-rank]):
            y[lead][indices[lead].ravel()] = x[lead].ravel()
        return y.reshape(*x.shape[:-rank], *sizes[-rank:])
    return reference


def places(size, spatial):
    """Indices below `size`, no two of one channel alike."""
    def make(rng, shape):
        lead = int(np.prod(shape[:-spatial]))
        rows = [rng.permutation(size)[:int(np.prod(shape[-spatial:]))] for _ in range(lead)]
        return np.array(rows, np.int64).reshape(shape)
    return make


K = "kernel_size"
MAX1 = [Case(((2, 3, 9),), {K: 3}), Case(((5, 7),), {K: 2, "stride": 3, "return_indices": True}),
        Case(((1, 17, 8),), {K: 3, "stride": 1, "padding": 1, "dilation": 2})]
MAX2 = [Case(((2, 5, 6, 7),), {K: 2}), Case(((1, 17, 7, 6),), {K: 3, "stride": 2, "padding": 1}),
        Case(((3, 5, 4),), {K: (1, 3), "stride": (2, 1)}),
        Case(((2, 33, 5, 5),), {K: (3, 2), "padding": (1, 0), "dilation": (1, 2), "stride": 1, "return_indices": True}),
        Case(((1, 66, 5, 4),), {K: 2, "ceil_mode": True, "return_indices": True}), Case(((0, 3, 4, 4),), {K: 2}),
        Case(((2, 1, 1, 1),), {K: 1}),
        Case(((1, 4, 5, 6),), {K: 2, "stride": 3}), Case(((1, 130, 6, 5),), {K: 3, "stride": 1, "padding": 1}),
        Case(((1, 3, 17, 17),), {K: 17, "return_indices": True}), Case(((2, 18, 19, 20),), {K: (18, 16), "stride": 1})]
MAX3 = [Case(((1, 3, 4, 5, 4),), {K: 2}), Case(((2, 3, 4, 4),), {K: (1, 2, 3), "stride": 1, "padding": (0, 1, 1), "return_indices": True}),
        Case(((1, 17, 5, 4, 3),), {K: 2, "stride": 2, "ceil_mode": True, "dilation": (2, 1, 1)})]
AVG1 = [Case(((2, 3, 9),), {K: 3}), Case(((5, 7),), {K: 2, "stride": 3}),
        Case(((1, 17, 8),), {K: 3, "stride": 2, "padding": 1, "ceil_mode": True,
        "count_include_pad": False})]
AVG2 = [Case(((2, 5, 6, 7),), {K: 2}), Case(((1, 17, 7, 6),), {K: 3, "stride": 2, "padding": 1}),
        Case(((3, 5, 4),), {K: (1, 3), "stride": (2, 1)}),
        Case(((2, 33, 5, 5),), {K: 3, "padding": 1, "stride": 1, "count_include_pad": False}), Case(((0, 3, 4, 4),), {K: 2}),
        Case(((1, 66, 5, 4),), {K: 2, "ceil_mode": True}), Case(((1, 4, 5, 6),), {K: 2, "stride": 3}), Case(((2, 1, 1, 1),), {K: 1}),
        Case(((1, 130, 6, 5),), {K: 3, "stride": 2, "padding": 1, "ceil_mode": True, "divisor_override": 7})]
AVG3 = [Case(((1, 3, 4, 5, 4),), {K: 2}),
        Case(((2, 3, 4, 4),), {K: (1, 2, 3), "stride": 1, "padding": (0, 1, 1), "count_include_pad": False}),
        Case(((1, 17, 5, 4, 3),), {K: 2, "ceil_mode": True})]
SIZE = "output_size"
ADAPTIVE = {1: [Case(((2, 3, 7),), {SIZE: 3}), Case(((17, 5),), {SIZE: 8}), Case(((0, 2, 3),), {SIZE: None})],
            2: [Case(((2, 5, 6, 7),), {SIZE: 1}), Case(((1, 17, 5, 7),), {SIZE: (3, 2)}), Case(((3, 4, 5),), {SIZE: (None, 7)}),
                Case(((2, 70, 4, 4),), {SIZE: (2, 2)}), Case(((4, 3, 3),), {SIZE: 1})],
            3: [Case(((1, 3, 4, 5, 4),), {SIZE: (2, 3, 1)}), Case(((2, 3, 4, 4),), {SIZE: 1})]}
LP = {1: [Case(((2, 3, 9),), {"norm_type": 2, K: 3}), Case(((5, 7),), {"norm_type": 3.0, K: 2, "stride": 3})],
      2: [Case(((2, 5, 6, 7),), {"norm_type": 2.0, K: 2}), Case(((3, 5, 5),), {"norm_type": 1, K: (2, 3), "stride": 1}),
          Case(((1, 17, 5, 5),), {"norm_type": 3, K: 2, "ceil_mode": True})],
      3: [Case(((1, 3, 4, 4, 4),), {"norm_type": 2, K: 2}), Case(((2, 3, 3, 2),), {"norm_type": 4, K: (1, 2, 2), "stride": 1})]}
UNPOOL = {1: [Case(((2, 3, 4),) * 2, {K: 2}, (normal, places(8, 1)))],
          2: [Case(((2, 3, 4, 2),) * 2, {K: 2}, (normal, places(32, 2))),
          Case(((5, 2, 3),) * 2, {K: (2, 1), "output_size": (5, 3)}, (normal, places(15, 2))),
              Case(((1, 17, 3, 3),) * 2, {K: 3, "stride": 2, "padding": 1}, (normal, places(25, 2)))],
          3: [Case(((1, 3, 2, 2, 1),) * 2, {K: 2, "output_size": (1, 3, 4, 4, 3)}, (normal, places(48, 3)))]}
INTEGERS = zeros(1, 2, 4, 4, dtype="int64")


def functional(name, reference, cases, **kwargs):
    return OpSpec(name, f"fastnet.nn.functional.{name}", reference, cases=cases, **kwargs)


REFUSED_MAX = [
    Refused(RuntimeError, r"max_pool2d: input must have 4 axes .* got shape \(4, 4\)", zeros(4, 4), 2),
    Refused(RuntimeError, r"max_pool2d: only the batch may be empty, got shape \(1, 0, 4, 4\)", zeros(1, 0, 4, 4), 2),
    Refused(RuntimeError, r"max_pool2d: kernel_size 5 .* does not fit .*\(1, 2, 4, 4\)", zeros(1, 2, 4, 4), 5),
    Refused(RuntimeError, "max_pool2d: padding 2 must be at most half of kernel_size 3", zeros(1, 2, 4, 4), 3, 1, 2),
    Refused(RuntimeError, r"max_pool2d: kernel_size must be a number or 2 of them, got \(1, 2, 3\)", zeros(1, 2, 4, 4), (1, 2, 3)),
    Refused(RuntimeError, "max_pool2d: stride must be at least 1 .*, got 0", zeros(1, 2, 4, 4), 2, 0),
    Refused(RuntimeError, "max_pool2d: kernel_size must be at least 1 .*, got -1", zeros(1, 2, 4, 4), -1),
    Refused(RuntimeError, "max_pool2d: padding must be at least 0 .*, got -1", zeros(1, 2, 4, 4), 2, 2, -1),
    Refused(TypeError, "max_pool2d: kernel_size must be an int or a tuple of ints, got 2.0", zeros(1, 2, 4, 4), 2.0),
    Refused(TypeError, "max_pool2d: input must be floating-point", INTEGERS, 2),
    Refused(TypeError, "max_pool2d: input must be a Tensor", [[1.0]], 2)]
REFUSED_AVG = [Refused(RuntimeError, "avg_pool2d: divisor_override must not be 0", zeros(1, 2, 4, 4), 2, divisor_override=0),
               Refused(RuntimeError, r"avg_pool2d: kernel_size 5 .* does not fit .*\(1, 2, 4, 4\)", zeros(1, 2, 4, 4), 5)]
REFUSED_ADAPTIVE = [Refused(RuntimeError, r"adaptive_avg_pool2d: output_size must be a number or 2 of them, got \(1, 2, 3\)", zeros(1, 2,
                    4, 4), (1, 2, 3)),
                    Refused(RuntimeError, "adaptive_avg_pool2d: output_size must be at least 0 .*, got", zeros(1, 2, 4, 4), -1)]
AT = zeros(1, 2, 2, 2, dtype="int64")
REFUSED_UNPOOL = [
    Refused(RuntimeError, "max_unpool2d: input and indices must have one shape", zeros(1, 2, 2, 3), AT, 2),
    Refused(RuntimeError, "max_unpool2d: indices must be int64, got", zeros(1, 2, 2, 2), zeros(1, 2, 2, 2), 2),
    Refused(RuntimeError, "max_unpool2d: an index lies outside the output of size", zeros(1, 2, 2, 2), AT + 99, 2),
    Refused(ValueError, r"max_unpool2d: output_size \(9, 9\) must be less than a stride", zeros(1, 2, 2, 2), AT, 2, output_size=(9, 9)),
    Refused(ValueError, "max_unpool2d: output_size must hold 2 numbers", zeros(1, 2, 2, 2), AT, 2, output_size=(9,)),
    Refused(TypeError, "max_unpool2d: input and indices must be tensors", [1.0], AT, 2)]

SPECS = [
    *(functional(f"max_pool{r}d", max_pool(r), cases, make=apart, refused=REFUSED_MAX if r == 2 else ()) for r, cases in ((1, MAX1), (2,
        MAX2), (3, MAX3))),
    *(functional(f"avg_pool{r}d", avg_pool(r), cases, refused=REFUSED_AVG if r == 2 else ()) for r, cases in ((1, AVG1), (2, AVG2), (3,
        AVG3))),
    *(functional(f"adaptive_max_pool{r}d", adaptive_max_pool(r), [*cases,
    Case(cases[1].shapes, {**cases[1].args, "return_indices": True})], make=apart)
      for r, cases in ADAPTIVE.items()),
    *(functional(f"adaptive_avg_pool{r}d", adaptive_avg_pool(r), cases, refused=REFUSED_ADAPTIVE if r == 2 else ()) for r,
        cases in ADAPTIVE.items()),
    *(functional(f"lp_pool{r}d", lp_pool(r), cases, make=positive, tol=3e-6, refused=[Refused(
        ValueError, "lp_pool2d: norm_type must be finite and not 0, got 0", zeros(1, 2, 4, 4), 0, 2)] if r == 2 else ()) for r,
            cases in LP.items()),
    *(functional(f"max_unpool{r}d", max_unpool(r), cases, refused=REFUSED_UNPOOL if r == 2 else ()) for r, cases in UNPOOL.items()),
]
