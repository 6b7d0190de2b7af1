"""One table per op family: the only list of ops that tests and benchmarks read.

A family is a file ``tests/specs/<family>.py`` that exports ``SPECS: list[OpSpec]``.  `tests/test_ops*.py` and `bench/` read all of
them through `all_specs()`; a public op without a spec fails the suite.  To add an op, add a row:

    import numpy as np
    from specs import Case, OpSpec, Refused, binary, reduction, unary, positive, integers

    SPECS = [
        unary("tanh", np.tanh, tol=3e-7),                                  # fastnet.tanh, standard shapes, float32 and float64
        unary("log", np.log, make=positive),                               # inputs from the domain
        unary("relu", lambda x: np.maximum(x, 0), name="fastnet.nn.functional.relu", make=nonzero),    # away from the kink
        unary("sign", np.sign, wrt=()),                                    # no gradient
        binary("atan2", np.arctan2),                                       # standard pairs of shapes that broadcast
        reduction("amax", lambda x, dim=None, keepdim=False: x.max(axis=dim, keepdims=keepdim), make=apart),
        OpSpec("linear", "fastnet.nn.functional.linear", lambda x, w, b=None: x @ w.T + (0 if b is None else b),
               shapes=[((3, 5), (7, 5), (7,)), ((2, 3, 17), (4, 17))],     # one shape per input; None passes None
               bench=[((128, 512), (512, 512), (512,))], flops=lambda x, w, b=None: 2 * x[0] * x[1] * w[0],
               refused=[Refused(RuntimeError, "linear: .*5.*6", zeros(2, 5), zeros(7, 6))]),
        OpSpec("cat", "fastnet.cat", lambda *xs, dim=0: np.concatenate(xs, dim), call=lambda cat, *xs, dim=0: cat(xs, dim),
               cases=[Case(((2, 3), (4, 3))), Case(((2, 3), (2, 5)), {"dim": 1})]),
    ]

The reference is NumPy in float64, written from the definition, never from the kernel.  It is called with one array per input and the
arguments as keywords, and returns an array (or a tuple of arrays for an op with several results).  The op's float results must have the
dtype of its first float input (float32 where there is none); where the reference's result is bool or integer, the op's must have the same
dtype.  What cannot have a reference (random numbers, creation) goes into the family's ``ELSEWHERE = {"fastnet.rand": "test_random.py"}``:
the test file that covers it, which must name it.
"""
from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

Shape = tuple[int, ...]
Make = Callable[[np.random.Generator, Shape], np.ndarray]


# Generators of inputs.  Float results are cast to the dtype under test (small integers for an integer one); integers and
# bools stay what they are.

def normal(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.standard_normal(shape)


def positive(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """From 0.1 to 4."""
    return rng.uniform(0.1, 4.0, shape)


def unit(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Inside (0, 1)."""
    return rng.uniform(0.05, 0.95, shape)


def symmetric(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Inside (-1, 1)."""
    return rng.uniform(-0.95, 0.95, shape)


def nonzero(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Both signs, at least 0.1 away from 0."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 3.0, shape)


def apart(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Values of which no two are nearer than 0.05: for max, sort, median ... whose gradients jump at ties."""
    size = int(np.prod(shape))
    return (rng.permutation(size).reshape(shape) - size / 2) * 0.05 + rng.uniform(0, 1e-3)


def away_from(*kinks: float, scale: float = 1.0, gap: float = 0.02) -> Make:
    """Normal values, none nearer than gap to a kink."""
    def make(rng: np.random.Generator, shape: Shape) -> np.ndarray:
        x = np.asarray(rng.standard_normal(shape) * scale)
        for kink in kinks:
            near = np.abs(x - kink) < gap
            x = np.where(near, kink + np.where(x < kink, -gap, gap) * 2, x)
        return x
    return make


def integers(low: int, high: int, dtype: str = "int64") -> Make:
    """Integers in [low, high)."""
    return lambda rng, shape: rng.integers(low, high, shape).astype(dtype)


def boolean(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.random(shape) < 0.5


def probabilities(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Rows that are probabilities: positive, summing to 1 over the last axis."""
    p = rng.uniform(0.1, 1.0, shape)
    return p / p.sum(-1, keepdims=True)


def _cast(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Float values as another dtype; integers are three times as large, and not negative where that cannot be."""
    if dtype.kind == "f":
        return x.astype(dtype)
    return x > 0 if dtype.kind == "b" else np.rint(3 * (np.abs(x) if dtype.kind == "u" else x)).astype(dtype)


@dataclass(frozen=True)
class Case:
    """One call: a shape for each input (None passes None), the other arguments, and generators where they differ from the spec's."""
    shapes: tuple[Shape | None, ...]
    args: dict[str, Any] = field(default_factory=dict)
    make: Make | Sequence[Make] | None = None

    def __str__(self) -> str:
        shapes = ",".join("None" if s is None else "x".join(map(str, s)) or "scalar" for s in self.shapes)
        args = ",".join(f"{k}={getattr(v, '__name__', v)}" for k, v in self.args.items())
        return f"{shapes}[{args}]" if args else shapes


@dataclass(frozen=True, init=False)
class Refused:
    """A call that must raise `error` with a message that `match` (a regular expression) is found in; ndarrays become tensors."""
    error: type[Exception] | tuple[type[Exception], ...]
    match: str
    args: tuple
    kwargs: dict[str, Any]

    def __init__(self, error: type[Exception] | tuple[type[Exception], ...], match: str, *args: Any, **kwargs: Any) -> None:
        for name, value in zip(("error", "match", "args", "kwargs"), (error, match, args, kwargs)):
            object.__setattr__(self, name, value)


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    """An argument for `Refused`."""
    return np.zeros(shape, dtype)


@dataclass(frozen=True)
class OpSpec:
    """One op: how to call it, what it must give, on which inputs.

    op: PyTorch's word.  name: the callable's public name.  reference: NumPy in float64.
    shapes x args, and cases: the calls that are tested; few and small, with tails, ones and zeros.
    make: generator of every input, or one for each.
    wrt: inputs with a gradient; None: all that are float; (): none.
    tol: float32 error allowed, relative to max(1, |reference|); elementwise ops are judged element by element, others by the
        largest |reference| of the result.  tol64: the same in float64.  grad_tol: gradients in float64 against differences.
    elementwise: NaN and Inf are put into every lane of every input, and must come out as the reference's.
    nonfinite: False where the definition leaves NaN and Inf open (an integer result, say).
    dtypes: input dtypes tested; float32 and float64 have the forward, strides, threads and gradient tests.
    call: (function, *tensors, **args) where the call is not function(*tensors, **args).
    exact_layout: False where the order of additions may follow the strides (say why in a comment).
    bench, flops: cases for `bench/`, and the multiply-adds x 2 of one, from its shapes and arguments.
    """
    op: str
    name: str
    reference: Callable[..., Any]
    shapes: Sequence[tuple[Shape | None, ...]] = ()
    args: Sequence[dict[str, Any]] = ({},)
    cases: Sequence[Case] = ()
    make: Make | Sequence[Make] = normal
    wrt: tuple[int, ...] | None = None
    tol: float = 1e-6
    tol64: float = 1e-12
    grad_tol: float = 1e-8
    elementwise: bool = False
    nonfinite: bool = True
    dtypes: tuple[str, ...] = ("float32", "float64")
    call: Callable[..., Any] | None = None
    exact_layout: bool = True
    refused: Sequence[Refused] = ()
    bench: Sequence[tuple[Shape | None, ...] | Case] = ()
    flops: Callable[..., float] | None = None

    def all_cases(self) -> list[Case]:
        return [Case(s, a) for s in self.shapes for a in self.args] + list(self.cases)

    def bench_cases(self) -> list[Case]:
        return [b if isinstance(b, Case) else Case(b) for b in self.bench]

    def function(self) -> Callable[..., Any]:
        """The public callable."""
        parts = self.name.split(".")
        target: Any = importlib.import_module(parts[0])
        for i, part in enumerate(parts[1:], 2):
            if not hasattr(target, part):
                importlib.import_module(".".join(parts[:i]))
            target = getattr(target, part)
        return target

    def run(self, inputs: Sequence[Any], args: dict[str, Any]) -> Any:
        """Call the op on tensors."""
        function = self.function()
        return self.call(function, *inputs, **args) if self.call else function(*inputs, **args)

    def inputs(self, case: Case, dtype: str = "float64", seed: int = 0) -> list[np.ndarray | None]:
        """The case's inputs: the same values for every dtype, up to rounding."""
        make = case.make or self.make
        makes = [make] * len(case.shapes) if callable(make) else make
        rng = np.random.default_rng([crc32(f"{self.name} {case}".encode()), seed])
        out = []
        for shape, one in zip(case.shapes, makes, strict=True):
            x = None if shape is None else np.asarray(one(rng, shape))
            out.append(np.asarray(_cast(x, np.dtype(dtype))) if x is not None and x.dtype.kind == "f" else x)
        return out

    def expected(self, inputs: Sequence[np.ndarray | None], args: dict[str, Any]) -> tuple[np.ndarray, ...]:
        """The reference's results, always a tuple."""
        wide = [x.astype("float64") if x is not None and x.dtype.kind == "f" else x for x in inputs]
        with np.errstate(all="ignore"):
            out = self.reference(*wide, **args)
        return tuple(map(np.asarray, out)) if isinstance(out, (tuple, list)) else (np.asarray(out),)

    def differentiable(self, inputs: Sequence[np.ndarray | None]) -> tuple[int, ...]:
        floats = tuple(i for i, x in enumerate(inputs) if x is not None and x.dtype.kind == "f")
        return floats if self.wrt is None else tuple(i for i in self.wrt if i in floats)


UNARY_SHAPES = [((),), ((1,),), ((0,),), ((3, 7),), ((5, 16),), ((2, 3, 33),), ((1031,),)]
BINARY_SHAPES = [((3, 7), (3, 7)), ((5, 17), (17,)), ((4, 1, 9), (3, 1)), ((), (5,)), ((1, 1), (1,)), ((2, 3, 33), (2, 1, 33)),
                 ((0, 4), (4,)), ((1031,), (1031,))]
REDUCTION_CASES = [Case(((7,),)), Case(((1, 1),)), Case(((),)), Case(((3, 7),), {"dim": 0}), Case(((3, 7),), {"dim": -1, "keepdim": True}),
                   Case(((2, 3, 33),), {"dim": (0, 2)}), Case(((2, 3, 33),), {"dim": 1}), Case(((5, 257),)), Case(((5, 257),), {"dim": 1}),
                   Case(((257, 5),), {"dim": 0}), Case(((3, 0),), {"dim": 0}), Case(((0, 3),), {"dim": 1})]
ELEMENTWISE_BENCH = [((1000,),), ((1 << 20,),), ((1 << 24,),)]


def unary(op: str, reference: Callable[..., Any], **kwargs: Any) -> OpSpec:
    """y[i] = f(x[i]), as fastnet.<op>, over the standard shapes."""
    kwargs = {"name": f"fastnet.{op}", "shapes": UNARY_SHAPES, "elementwise": True, "bench": ELEMENTWISE_BENCH, **kwargs}
    return OpSpec(op, reference=reference, **kwargs)


def binary(op: str, reference: Callable[..., Any], **kwargs: Any) -> OpSpec:
    """y[i] = f(a[i], b[i]) with broadcasting, as fastnet.<op>, over the standard pairs of shapes."""
    bench = [shape * 2 for shape in ELEMENTWISE_BENCH]
    kwargs = {"name": f"fastnet.{op}", "shapes": BINARY_SHAPES, "elementwise": True, "bench": bench, **kwargs}
    return OpSpec(op, reference=reference, **kwargs)


def reduction(op: str, reference: Callable[..., Any], **kwargs: Any) -> OpSpec:
    """A result for each row of the axes `dim` (None: all; keepdim), as fastnet.<op>, over the standard cases."""
    kwargs = {"name": f"fastnet.{op}", "cases": REDUCTION_CASES, "bench": [((4096, 1000),), Case(((4096, 1000),), {"dim": 0}),
              Case(((4096, 1000),), {"dim": 1})], **kwargs}
    return OpSpec(op, reference=reference, **kwargs)


def families() -> Iterator[Any]:
    """The modules of this folder."""
    for module in pkgutil.iter_modules(__path__):
        yield importlib.import_module(f"{__name__}.{module.name}")


def all_specs() -> list[OpSpec]:
    """Every spec of every family."""
    return [spec for family in families() for spec in family.SPECS]


def covered_elsewhere() -> dict[str, str]:
    """Public ops without a reference, and the test file that covers each."""
    return {name: path for family in families() for name, path in getattr(family, "ELSEWHERE", {}).items()}
