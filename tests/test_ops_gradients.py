"""Every op's backward: against central differences of its reference, in float64."""
import numpy as np
import pytest
from calls import backward, output_gradients
from specs import all_specs

SPECS = [pytest.param(s, id=s.name.removeprefix("fastnet.")) for s in all_specs() if s.wrt != ()]
STEP = 2e-4
WEIGHTS = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))       # five points: an error of STEP ** 4


def slope(spec, case, inputs, gys, k, direction):
    """d/dt of sum(gy * reference(..., x[k] + t * direction, ...)) at 0."""
    total = 0.0
    for steps, weight in WEIGHTS:
        moved = [x + steps * STEP * direction if i == k else x for i, x in enumerate(inputs)]
        ys = spec.expected(moved, case.args)
        total += weight / STEP * sum(float((y * gy).sum()) for y, gy in zip(ys, gys) if gy is not None)
    return total


def directions(x, rng):
    """Single elements (all of a small input, some of a large one), then everything at once."""
    where = range(x.size) if x.size <= 40 else sorted(rng.choice(x.size, 16, replace=False))
    for i in where:
        one = np.zeros(x.shape)
        one.flat[i] = 1.0
        yield one
    if x.size > 40:
        yield rng.standard_normal(x.shape) / np.sqrt(x.size)


@pytest.mark.parametrize("spec", SPECS)
def test_backward_equals_differences_of_the_reference(two_isas, spec):
    rng = np.random.default_rng(5)
    checked = 0
    for case in spec.all_cases():
        inputs = spec.inputs(case, "float64", seed=2)
        values, gradients = backward(spec, case, inputs)
        gys = output_gradients(values)
        for k, g in gradients.items():
            where = f"{spec.name} {case} {two_isas}: gradient of input {k}"
            assert g.shape == inputs[k].shape and g.dtype == np.float64, f"{where}: {g.dtype} {g.shape}"
            for direction in directions(inputs[k], rng):
                want, got = slope(spec, case, inputs, gys, k, direction), float((g * direction).sum())
                near = abs(got - want) <= spec.grad_tol * max(1.0, abs(want))
                assert near, f"{where} at {np.flatnonzero(direction)[:3]}: {got}, not {want}"
                checked += 1
    assert checked, f"{spec.name}: no case has a gradient to check"


@pytest.mark.parametrize("spec", SPECS)
def test_float32_gradients_are_those_of_float64(isa, spec):
    """The same values in both dtypes: float32 kernels have constants of their own."""
    for case in spec.all_cases():
        narrow = spec.inputs(case, "float32")
        wide = [None if x is None else x.astype("float64") if x.dtype == np.float32 else x for x in narrow]
        _, got = backward(spec, case, narrow)
        _, want = backward(spec, case, wide)
        for k in got:
            assert got[k].dtype == np.float32
            error = np.abs(got[k] - want[k]).max(initial=0) / np.abs(want[k]).max(initial=1)
            assert error <= max(1e-5, 10 * spec.tol), f"{spec.name} {case} {isa}: gradient of input {k} is off by {error:.3g}"


@pytest.mark.parametrize("spec", SPECS)
def test_only_the_gradients_asked_for(spec):
    """An input alone gets the gradient it gets together with the others."""
    case = next(c for c in spec.all_cases() if all(s is None or 0 not in s for s in c.shapes))
    inputs = spec.inputs(case, "float64")
    _, together = backward(spec, case, inputs)
    if len(together) < 2:
        return
    for k, want in together.items():
        alone = type(spec)(**{**{f: getattr(spec, f) for f in spec.__dataclass_fields__}, "wrt": (k,)})
        _, got = backward(alone, case, inputs)
        assert list(got) == [k] and np.allclose(got[k], want, rtol=1e-12, atol=1e-12), f"{spec.name} {case}: input {k}"
