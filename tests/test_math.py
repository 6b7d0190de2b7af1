"""Vector mathematics (csrc/simd/math*.h) against the C library in higher precision, special values, NumPy's validation sets."""
import csv
import math
import pathlib

import fastnet
import numpy as np
import pytest

# Largest error in ULP, float32 and float64, as stated in csrc/simd/math.h, plus what the references themselves may be off.
BOUNDS = {"exp": (1.0, 1.1), "exp2": (1.1, 1.1), "expm1": (1.5, 2.3), "log": (0.8, 0.8), "log2": (1.7, 1.7), "log10": (2.0, 2.0),
          "log1p": (0.9, 0.9), "sigmoid": (2.5, 2.3), "tanh": (2.5, 2.7), "erf": (1.4, 2.0), "rsqrt": (1.5, 1.5), "sin": (2.3, 2.3),
          "cos": (2.3, 2.3)}
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 0.5, 2.0, 1e30, -1e30, 88.7, 88.8, -87.3, 709.7, 709.9, -708.3]


def reference(name, x):
    wide = x.astype("float64" if x.dtype == np.float32 else "longdouble")
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            return 1 / (1 + np.exp(-wide))
        if name == "rsqrt":
            return 1 / np.sqrt(wide)
        if name == "erf":
            return np.array([math.erf(v) for v in x.tolist()]).astype(wide.dtype)
        if name in ("sin", "cos") and x.dtype == np.float64:         # long double: its reduction is that of the C library
            return getattr(np, name)(wide)
        return getattr(np, name)(wide)


def ulps(got, want):
    """|got - want| in units in the last place of want; 0 where both are special in the same way, or next to subnormal."""
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
        exponent = np.maximum(np.frexp(np.where(np.isfinite(want) & (want != 0), np.abs(want), 1))[1] - 1, info.minexp)
        error = np.abs(got.astype(want.dtype) - want) / np.ldexp(np.ones((), want.dtype), exponent - info.nmant)
    error = np.where(rounded == got, np.minimum(np.where(np.isfinite(error), error, 0), 0.5), error)
    small = (np.abs(want) < 16 * info.tiny) & (np.abs(got) <= 16 * info.tiny)          # a term of the sum may be flushed to 0
    return np.where(small | (np.isnan(got) & np.isnan(want)), 0, np.where(np.isnan(error), np.inf, error))


def sweep(dtype):
    rng = np.random.default_rng(0)
    if dtype == "float32":
        x = np.arange(0, 2 ** 32, 60013, dtype=np.uint64).astype(np.uint32).view(np.float32)
    else:
        n = 20000
        x = np.concatenate([rng.uniform(-a, a, n) for a in (2, 30, 800)] + [rng.integers(0, 2 ** 64, n, dtype=np.uint64).view(np.float64),
                           1 + rng.uniform(-1e-3, 1e-3, n), np.exp(rng.uniform(-40, 3, n)) * rng.choice([-1, 1], n)])
    x = np.concatenate([np.array(SPECIAL, dtype), x.astype(dtype)])
    return np.where(np.abs(x) < np.finfo(dtype).tiny, np.copysign(np.zeros((), dtype), x), x).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BOUNDS)
def test_error_in_ulp(isa, name, dtype):
    x = sweep(dtype)
    y = getattr(fastnet, name)(fastnet.from_numpy(x)).numpy()
    want = reference(name, x)
    error = ulps(y, want)
    worst = error.argmax()
    bound = BOUNDS[name][dtype == "float64"]
    assert error[worst] <= bound + 0.01, f"{name}({x[worst]!r}) = {y[worst]!r} is {error[worst]:.2f} ULP off, more than {bound}, on {isa}"
    zero = want == 0
    assert np.array_equal(np.signbit(y[zero]), np.signbit(want[zero])), f"{name}: the sign of a zero"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pow(isa, dtype):
    rng = np.random.default_rng(0)
    n = 20000
    x = np.concatenate([rng.uniform(0, 3, n), np.exp(rng.uniform(-80, 80, n)), 1 + rng.uniform(-1e-3, 1e-3, n), -rng.integers(1, 20, n)])
    y = np.concatenate([rng.uniform(-10, 10, n), rng.uniform(-3, 3, n), rng.uniform(-1e5, 1e5, n), rng.integers(-20, 20, n)])
    pairs = np.array(np.meshgrid(SPECIAL + [3.0, -3.0, -2.0], SPECIAL + [3.0, -3.0, -2.0])).reshape(2, -1)
    x, y = (np.concatenate([p, v]).astype(dtype) for p, v in zip(pairs, (x, y)))
    got = fastnet.pow(fastnet.from_numpy(x), fastnet.from_numpy(y)).numpy()
    with np.errstate(all="ignore"):
        want = np.power(x.astype("longdouble"), y.astype("longdouble"))
    error = ulps(got, want)
    worst = error.argmax()
    assert error[worst] <= 1.4, f"pow({x[worst]!r}, {y[worst]!r}) = {got[worst]!r}, not {want[worst]!r}, on {isa}"


FOLDER = pathlib.Path(np.__file__).parent / "_core" / "tests" / "data"
SETS = {"exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p", "sin": "sin",
        "cos": "cos", "tanh": "tanh", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sinh": "sinh", "cosh": "cosh",
        "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}


@pytest.mark.skipif(not FOLDER.exists(), reason="this NumPy came without its validation sets")
@pytest.mark.parametrize("name", SETS)
def test_validation_sets_of_numpy(isa, name):
    with (FOLDER / f"umath-validation-set-{SETS[name]}.csv").open() as file:
        rows = [r for r in csv.reader(file) if len(r) == 4 and r[0].startswith("np.float")]
    for dtype, bits in (("float32", "uint32"), ("float64", "uint64")):
        cases = [r for r in rows if r[0] == f"np.{dtype}"]
        x, want = (np.array([int(r[i], 16) for r in cases], bits).view(dtype) for i in (1, 2))
        normal = (np.abs(x) >= np.finfo(dtype).tiny) | (x == 0) | np.isnan(x)
        x, want = x[normal], want[normal]
        y = getattr(fastnet, name)(fastnet.from_numpy(x.copy())).numpy()
        error = ulps(y, want)
        worst = error.argmax()
        bound = BOUNDS.get(name, (1, 2))[dtype == "float64"] + 1             # the file holds rounded values
        assert error[worst] <= bound, f"{name}({x[worst]!r}) = {y[worst]!r}, not {want[worst]!r}, on {isa}"


def test_gelu_in_float32_is_close_everywhere_and_exact_far_out(isa):
    x = np.concatenate([np.linspace(-8, 8, 40001), [5.5999, 5.6, 5.9999, 6.0, 50, -50, 1e30, -1e30]]).astype("float32")
    wide = x.astype("float64")
    cdf = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in wide])
    slope = cdf + wide * np.exp(-wide ** 2 / 2) / math.sqrt(2 * math.pi)
    t = fastnet.tensor(x, requires_grad=True)
    out = fastnet.nn.functional.gelu(t)
    out.backward(fastnet.ones_like(out))
    y = out.detach().numpy()
    assert (np.abs(y - wide * cdf) <= 2.4e-7 * np.maximum(np.abs(wide), 1e-3)).all()
    assert np.abs(t.grad.numpy() - slope).max() <= 3e-7
    assert (y[x <= -6] == 0).all() and (y[x >= 6] == x[x >= 6]).all()
    assert (t.grad.numpy()[x <= -6] == 0).all() and (t.grad.numpy()[x >= 6] == 1).all()
