"""Random convolutions for random_ops.py: any algorithm, layout and number of threads, against the definition in float64."""
from __future__ import annotations

import random
from collections import Counter

import numpy as np
from calls import array, same_bits, tensors
from specs import Case
from test_conv import definition
from test_conv_after import ACTIVATIONS, one_by_one
from test_ops_bits import LAYOUTS

import fastnet as fn
from fastnet._core import launch
from fastnet._core.engine import backward
from fastnet.backends import conv as backend

CHANNELS = (1, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 24, 31, 32, 33, 40, 48, 64, 70, 96, 128, 130)
KEEPING = [None, None, None, *(f for f in LAYOUTS if "broadcast" not in f.__name__), "channels last"]      # layouts that keep the values


def sizes(rnd: random.Random, n: int) -> list[int]:
    """Of an image with n axes: tiny, square, or long on one axis."""
    if n == 3:
        return [rnd.randint(1, 8) for _ in range(3)]
    form, long = rnd.choice(("tiny", "square", "square", "row", "row", "column")), rnd.choice((rnd.randint(9, 80), rnd.randint(80, 700)))
    if form in ("tiny", "square"):
        return [rnd.randint(1, 8 if form == "tiny" else 45) for _ in range(n)]
    size = [rnd.randint(1, 9) for _ in range(n)]
    size[-1 if form == "row" else 0] = long
    return size


def draw(rnd: random.Random, most: float | None = None) -> tuple[str, Case]:
    """The name of an op and its call, of at most that many products; None: few calls are large."""
    most = most or rnd.choice((1e6, 5e6, 5e6, 5e7))
    while True:
        n, back, kind = rnd.choice((1, 2, 2, 2, 2, 2, 3)), rnd.random() < 0.2, rnd.random()
        groups = rnd.choice((1, 1, 1, 1, 1, 2, 3, 4, 16, 32))
        ci, co = groups * rnd.choice(CHANNELS), groups * rnd.choice(CHANNELS)
        if groups > 4 and rnd.random() < 0.7:
            ci, co = groups + rnd.randint(0, 9), 0                     # depthwise
            groups, co = ci, ci * rnd.choice((1, 1, 2, 3))
        if kind < 0.4:                                                 # Winograd's
            kernel, stride, dilation = [3] * n, [rnd.choice((1, 2))] * n, [1] * n
            padding = [rnd.choice((0, 1, 1, 2)) for _ in range(n)]
            ci, co, groups = (ci, co, groups) if kind < 0.05 else (rnd.choice(CHANNELS), rnd.choice(CHANNELS), 1)
        else:
            kernel, stride = ([rnd.choice(c) for _ in range(n)] for c in ((1, 1, 2, 3, 3, 4, 5, 7), (1, 1, 1, 2, 2, 3, 4)))
            dilation = [rnd.choice((1, 1, 1, 2, 3)) for _ in range(n)]
            padding = [rnd.randint(0, d * (k - 1) // 2 + rnd.choice((0, 0, 1))) for d, k in zip(dilation, kernel)]
            if kind > 0.9:
                kernel, padding = [1] * n, [0] * n
        size, batch = sizes(rnd, n), rnd.choice((1, 1, 2, 3, 5, 9))
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
        args = {"stride": tuple(stride), "padding": tuple(padding), "dilation": tuple(dilation), "groups": groups}
        if back:
            more = [rnd.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
            args["output_padding"] = tuple(more)
            out = [(i - 1) * s - 2 * p + r + m for i, s, p, r, m in zip(size, stride, padding, reach, more)]
        else:
            out = [(i + 2 * p - r) // s + 1 for i, p, r, s in zip(size, padding, reach, stride)]
        pixels = size if back else out
        small = max(ci * np.prod(size), co * np.prod([max(o, 1) for o in out])) * batch <= most / 4
        if min(out) > 0 and small and batch * np.prod(pixels) * ci * co / groups * np.prod(kernel) <= most:
            channels, bias = (ci, co // groups) if back else (co, ci // groups), (co,) if rnd.random() < 0.6 else None
            return f"conv_transpose{n}d" if back else f"conv{n}d", Case(((batch, ci, *size), (*channels, *kernel), bias), args)


def laid(x: np.ndarray, layout: object) -> np.ndarray:
    if layout == "channels last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    return x if layout is None else np.asarray(layout(x))              # type: ignore[operator]


def expected(name: str, case: Case, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, gy: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """y, gx, gw and gb, each with the terms of its sums.  A transposed convolution is one whose passes change places."""
    args, back = case.args, "transpose" in name
    if back:
        y, gx, gw = definition(gy, w, x, args["stride"], args["padding"], args["dilation"], args["groups"])
        y, gx = gx, y
    else:
        y, gx, gw = definition(x, w, gy, args["stride"], args["padding"], args["dilation"], args["groups"])
    if b is not None:
        y += b.astype("float64").reshape(-1, *[1] * (x.ndim - 2))
    taps, sums = np.prod(w.shape[2:]), np.prod((gy if not back else x).shape[2:]) * len(x)
    ci, co = x.shape[1] / args["groups"], gy.shape[1] / args["groups"]
    found = [(y, ci * taps), (gx, co * taps), (gw, sums)]
    return found if b is None else [*found, (gy.astype("float64").sum((0, *range(2, gy.ndim))), gy.size / gy.shape[1])]


def passes(name: str, case: Case, inputs: list, gy: np.ndarray) -> list[np.ndarray]:
    leaves = tensors(inputs, [i for i, a in enumerate(inputs) if a is not None])
    y = getattr(fn, name)(*leaves, **case.args)
    backward([y], tensors([gy]))
    return [array(y), *(array(leaf.grad) for leaf in leaves if leaf is not None)]


def followed(rnd: random.Random, name: str, case: Case, inputs: list, y: np.ndarray) -> None:
    """What follows in the pass of the convolution, and in Sequential, gives the bits of the ops one after the other."""
    x, w, b = inputs
    layer = getattr(fn.nn, f"Conv{name[4]}d")(x.shape[1], w.shape[0], w.shape[2:], bias=b is not None, dtype=getattr(fn, str(x.dtype)),
                                              **case.args)
    activation, last = rnd.choice(ACTIVATIONS), rnd.random() < 0.5
    residual = tensors([laid(np.random.default_rng(4).standard_normal(y.shape).astype(y.dtype), rnd.choice(KEEPING))])[0]
    with fn.no_grad():
        layer.weight.copy_(tensors([w])[0])
        if b is not None:
            layer.bias.copy_(tensors([b])[0])
        x, y = tensors([x, y])
        for more in (None, residual):
            got, want = layer._activated(x, activation, more, last), one_by_one(y, activation, more, last)
            assert same_bits(array(got), array(want)), f"{activation} with {'a' if more is not None else 'no'} residual, last={last}"
        if activation is not None:
            assert same_bits(array(fn.nn.Sequential(layer, activation)(x)), array(activation(y))), f"Sequential with {activation}"


def joined(rnd: random.Random, name: str, case: Case, inputs: list, gy: np.ndarray) -> None:
    """An input gradient that is added to what waits at a join gives the bits of the sum."""
    leaf, w, b = tensors(inputs, [0])
    x = rnd.choice((leaf * 1, leaf))
    y, other = getattr(fn, name)(x, w, b, **case.args), x * 2          # the newer one's gradient is there first
    gother = laid(np.random.default_rng(5).standard_normal(x.shape).astype(gy.dtype), rnd.choice(KEEPING))
    gy, gother = tensors([gy, gother])
    one, two = (fn.autograd.grad(out, x, g, retain_graph=True)[0] for out, g in ((other, gother), (y, gy)))
    got, = fn.autograd.grad([y, other], x, [gy, gother])
    assert same_bits(array(got), array(one + two)), "the input gradient added at a join has other bits than the sum"


def hold(rnd: random.Random, drawn: tuple[str, Case]) -> Counter:
    """Compare one call with the definition; what was counted: passes by algorithm."""
    name, case = drawn
    rng, dtype = np.random.default_rng(rnd.getrandbits(32)), rnd.choice(("float32", "float32", "float32", "float64"))
    args, plain = dict(case.args), [None if s is None else rng.standard_normal(s).astype(dtype) for s in case.shapes]
    explained = {**args, "dtype": getattr(fn, dtype), "transposed": "transpose" in name}
    found = backend.explain(*case.shapes[:2], **explained)
    names = sorted({a for choice in found.values() for a, (can, _) in choice.verdicts.items() if can})
    algorithm = rnd.choice([None, None, *names, *(4 * [a for a in names if a.startswith("winograd")])])
    ways = [rnd.choice(KEEPING) for _ in range(3)]
    inputs = [a if a is None or i == 2 else laid(a, way) for i, (a, way) in enumerate(zip(plain, ways))]
    where = f"{dtype}, algorithm {algorithm}, layouts {[getattr(w, '__name__', w) for w in ways]}"
    with backend.flags(algorithm=algorithm):
        taken = {which: choice.algorithm for which, choice in backend.explain(*case.shapes[:2], **explained).items()}
        launch.set_num_threads(1)
        with fn.no_grad():
            shape = tuple(getattr(fn, name)(*tensors(inputs), **args).shape)
        gy = laid(rng.standard_normal(shape).astype(dtype), ways[2])
        first = passes(name, case, inputs, gy)
        for what, got, (want, terms) in zip(("y", "gx", "gw", "gb"), first, expected(name, case, *plain, gy)):
            assert got.shape == want.shape and got.dtype == dtype, f"{what}, {where}: {got.dtype} {got.shape}, not {want.shape}"
            most = (8e-5 if what == "gw" else 4e-5) if dtype == "float32" else 1e-12
            off = np.abs(got - want)
            error, place = off.max() / max(np.sqrt(terms), np.abs(want).max()), tuple(map(int, np.unravel_index(off.argmax(), off.shape)))
            assert error <= most, f"{what} {taken}, {where}: off by {error:.3g} at {place}"
        for threads in rnd.choice(((), (), (2,), (3,))):              # a team waits longer than it works
            launch.set_num_threads(threads)
            for what, got, want in zip(("y", "gx", "gw", "gb"), passes(name, case, inputs, gy), first):
                assert same_bits(got, want), f"{what} {taken}, {where}: {threads} threads give other bits than one"
        try:
            joined(rnd, name, case, inputs, gy)
            if "transpose" not in name:
                followed(rnd, name, case, inputs, first[0])
        except AssertionError as error:
            raise AssertionError(f"{taken}, {where}: {error}") from error
    return Counter(f"{which} {way}" for which, way in taken.items())
