"""Calls with random shapes and arguments against the definitions in float64: `python tests/random_ops.py conv --seconds 60 [--seed N]`."""
from __future__ import annotations

import argparse
import faulthandler
import itertools
import os
import random
import sys
import time
import traceback
from collections import Counter
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")                     # NumPy's, for the definitions: before it is imported

import numpy as np
import random_conv
from calls import backward, output_gradients, same_bits
from specs import Case, OpSpec, all_specs, boolean, normal
from specs.attention import shape, some
from test_ops_bits import LAYOUTS
from test_ops_gradients import slope
from test_rnn import plain
from test_second_derivatives import test_the_recorded_backward_and_its_own_backward as second_derivatives

import fastnet as fn
from fastnet._core import launch, memory

SPEC = {spec.op: spec for spec in reversed(all_specs())}


def side(rnd: random.Random, most: int) -> int:
    return rnd.randint(1, rnd.choice((2, 9, 40, most)))


def scaled(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Rows whose products with others are near 1, so that an activation makes no sum look less exact than it is."""
    return rng.standard_normal(shape) / np.sqrt(shape[-1])


def draw_matmul(rnd: random.Random, most: int = 300) -> tuple[OpSpec, Case]:
    m, n, k = (side(rnd, most) for _ in range(3))
    if rnd.random() < 0.4:
        lead = [side(rnd, 5) for _ in range(rnd.randint(0, 2))]
        op, args = rnd.choice((("linear", {}), ("linear_act", {"activation": rnd.choice((None, "tanh", "sigmoid"))})))
        return SPEC[op], Case(((*lead, m, k), (n, k), (n,) if rnd.random() < 0.7 else None), args, [scaled, normal, normal])
    lead = [rnd.randint(1, 4) for _ in range(rnd.choice((0, 0, 1, 2, 3)))]
    a, b = ([rnd.choice((s, s, 1)) for s in lead[rnd.randint(0, len(lead)):]] for _ in range(2))
    a, b = ([] if rnd.random() < 0.1 else [*a, m]), ([*b, k, n] if rnd.random() < 0.9 else [k])
    return SPEC["matmul"], Case(((*a, k), tuple(b)))


def draw_attention(rnd: random.Random, most: int = 280) -> tuple[OpSpec, Case]:
    lead, heads, args, mask = [rnd.randint(1, 3) for _ in range(rnd.randint(0, 3))], None, {}, None
    queries, keys, width, values = side(rnd, most), side(rnd, most), side(rnd, 80), side(rnd, 80)
    if len(lead) > 1 and rnd.random() < 0.4:
        heads, args["enable_gqa"] = lead[-1], True
        lead[-1] *= rnd.randint(1, 4)
    if rnd.random() < 0.3:
        args["scale"] = rnd.choice((0.1, 0.5, 1.0))
    if rnd.random() < 0.4:
        args["is_causal"] = True
    elif rnd.random() < 0.6:
        mask = (*(rnd.choice((s, 1)) for s in lead[rnd.randint(0, len(lead)):]), rnd.choice((queries, 1)), keys)
    return SPEC["attention"], Case(shape(tuple(lead), queries, keys, width, values, heads, mask), args,
                                   [normal, normal, normal, rnd.choice((normal, some, boolean))])


def steps(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, kind: str, counts: Any, reverse: bool) -> tuple:
    """Each sequence alone, by test_rnn's formulas."""
    b_ih, b_hh = (np.zeros(len(w_ih)) if b is None else b for b in (b_ih, b_hh))
    named = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh, "weight_hr_l0": w_hr}
    layer = SimpleNamespace(mode=kind, proj_size=0 if w_hr is None else len(w_hr),
                            named_parameters=lambda: [(k, fn.from_numpy(v)) for k, v in named.items() if v is not None])
    y, ends, begins = np.zeros((len(x), h.shape[1])), [], np.cumsum([0, *counts])
    for j in range(len(h)):
        rows = [begins[t] + j for t in range(len(counts)) if counts[t] > j][::-1 if reverse else 1]
        out, *end = plain(layer, x[rows][:, None], h[j:j + 1], None if c is None else c[j:j + 1])
        y[rows] = out[:, 0]
        ends.append(end)
    return y, np.concatenate([e[0] for e in ends]), *([np.concatenate([e[1] for e in ends])] if c is not None else [])


def draw_recurrent(rnd: random.Random) -> tuple[OpSpec, Case]:
    kind = rnd.choice(("RNN_TANH", "RNN_RELU", "LSTM", "LSTM", "GRU"))
    features, hidden = side(rnd, 70), side(rnd, 70)
    counts = sorted((side(rnd, 12) for _ in range(side(rnd, 15))), reverse=True)
    gates = {"LSTM": 4, "GRU": 3}.get(kind, 1) * hidden
    proj = rnd.randint(1, hidden - 1) if kind == "LSTM" and hidden > 1 and rnd.random() < 0.4 else None
    p, bias = proj or hidden, (gates,) if rnd.random() < 0.7 else None
    cell = (counts[0], hidden) if kind == "LSTM" else None
    # Of a ReLU nothing is near its kink: all is positive.  Of the others, weights that let no rounding error grow with the steps.
    make = (lambda rng, s: rng.uniform(0.1, 1.0, s) / s[-1]) if kind == "RNN_RELU" else lambda rng, s: 0.7 * scaled(rng, s)
    case = Case(((sum(counts), features), (counts[0], p), cell, (gates, features), (gates, p), bias, bias, proj and (proj, hidden)),
                {"kind": kind, "counts": tuple(counts), "reverse": rnd.random() < 0.5}, make)
    return OpSpec("recurrent", "fastnet.ops.recurrent.recurrent", steps, tol=4e-6, call=lambda f, x, h, c, *w, kind, counts, reverse: tuple(
        y for y in f(kind, x, counts, h, c, *w, reverse=reverse) if y is not None)), case


def hold(rnd: random.Random, drawn: tuple[OpSpec, Case]) -> Counter:
    """Values and gradients of one call in both dtypes, layouts, threads."""
    spec, case = drawn
    ways = [rnd.choice([None, None, *LAYOUTS]) for _ in case.shapes]
    inputs = [x if x is None or way is None else np.asarray(way(x)) for x, way in zip(spec.inputs(case, "float32"), ways)]
    where = f"layouts {[getattr(way, '__name__', None) for way in ways]}"
    runs = []
    for threads in (1, 2, 3):
        launch.set_num_threads(threads)
        runs.append(backward(spec, case, inputs))
        for one, other in zip([*runs[0][0], *runs[0][1].values()], [*runs[-1][0], *runs[-1][1].values()], strict=True):
            assert same_bits(one, other), f"{where}: {threads} threads give other bits than one"
    wide = [x if x is None or x.dtype != np.float32 else x.astype("float64") for x in inputs]
    values, gradients = backward(spec, case, wide)
    for i, want in enumerate(spec.expected(wide, case.args)):
        for got, tol in ((runs[0][0][i], 4 * spec.tol), (values[i], 4 * spec.tol64)):
            assert got.shape == want.shape, f"{where}: {got.shape}, not {want.shape}"
            error = np.abs(got - want).max(initial=0) / np.abs(want).max(initial=1)
            assert error <= tol, f"{where}: {got.dtype} result {i} is off by {error:.3g}"
    gys, rng = output_gradients(values), np.random.default_rng(rnd.getrandbits(32))
    total = sum(float(np.abs(y * gy).sum()) for y, gy in zip(values, gys) if gy is not None)
    for k, g in gradients.items():
        one = np.zeros(g.shape)
        one.flat[rng.integers(g.size)] = 1
        for direction in (one, rng.standard_normal(g.shape) / np.sqrt(g.size)):
            want, got = slope(spec, case, wide, gys, k, direction), float((g * direction).sum())
            assert abs(got - want) <= 1e-8 * max(1.0, abs(want), 1e-3 * total), f"{where}: gradient of input {k} is {got}, not {want}"
        error = np.abs(runs[0][1][k] - g).max() / np.abs(g).max(initial=1)
        assert error <= max(2e-5, 10 * spec.tol), f"{where}: float32 gradient of input {k} is off by {error:.3g}"
    return Counter([spec.op])


def draw_second(rnd: random.Random) -> tuple[OpSpec, Case]:
    which = rnd.random()
    if which < 0.6:
        name, case = random_conv.draw(rnd, 4000)
        return SPEC[name], case
    return draw_matmul(rnd, 20) if which < 0.8 else draw_attention(rnd, 20)


def hold_second(rnd: random.Random, drawn: tuple[OpSpec, Case]) -> Counter:
    """The recorded backward and its own backward, by the test of all ops."""
    spec, case = drawn
    if sum(x.size for x in spec.inputs(case) if x is not None) > 5000:
        return Counter(["larger than that test takes"])
    second_derivatives(OpSpec(**{**vars(spec), "shapes": (), "cases": (case,)}))
    return Counter([spec.op])


KINDS = {"conv": (random_conv.draw, random_conv.hold), "matmul": (draw_matmul, hold), "attention": (draw_attention, hold),
         "recurrent": (draw_recurrent, hold), "second": (draw_second, hold_second)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to draw (60)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the calls (the time)")
    parser.add_argument("--only", type=int, help="the call of this number alone")
    parser.add_argument("--verbose", action="store_true", help="print each call before it is made")
    asked = parser.parse_args()
    faulthandler.enable()
    memory._poison(True)                                               # what is read unwritten is NaN
    launch._set_region_cost(0)                                         # as many threads as are set, whatever the size
    draw, hold_one = KINDS[asked.kind]
    counted: Counter = Counter()
    begin, numbers = time.monotonic(), itertools.count() if asked.only is None else [asked.only]
    for number in numbers:
        if time.monotonic() - begin > asked.seconds:
            break
        rnd = random.Random(f"{asked.seed}/{number}")
        drawn = draw(rnd)
        again = f"FASTNET_ISA={launch.get_isa()} python tests/random_ops.py {asked.kind} --seed {asked.seed} --only {number}"
        if asked.verbose:
            print(f"{again}    {getattr(drawn[0], 'name', drawn[0])} {drawn[1]}", flush=True)
        try:
            counted.update(hold_one(rnd, drawn))
            counted["calls"] += 1
        except Exception as error:
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            print(f"{getattr(drawn[0], 'name', drawn[0])} {drawn[1]}\n{error}\nagain: {again}")
            return 1
    print(f"{launch.get_isa()}, seed {asked.seed}: " + ", ".join(f"{what} {n}" for what, n in sorted(counted.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
