"""Every op's values: against its reference on each ISA and dtype, non-finite input, refused input; and that every op has a spec."""
import importlib
import inspect
import pathlib

import numpy as np
import pytest
from calls import forward, tensors
from specs import all_specs, covered_elsewhere

from fastnet import later

SPECS = [pytest.param(s, id=s.name.removeprefix("fastnet.")) for s in all_specs()]
REFUSED = [pytest.param(s, r, id=f"{s.op}-{i}") for s in all_specs() for i, r in enumerate(s.refused)]


def assert_close(got, want, spec, dtype, where):
    tol = spec.tol if got.dtype == np.float32 else spec.tol64
    finite = np.isfinite(want)
    same = np.array_equal(np.isfinite(got), finite) and np.array_equal(got[~finite], want[~finite], equal_nan=True)
    assert same, f"{where}: {got}\nnot {want}"
    size = np.maximum(1, np.abs(want[finite]))
    error = np.abs(got[finite] - want[finite]) / (size if spec.elementwise else size.max(initial=1))
    assert error.max(initial=0) <= tol, f"{where}: error {error.max():.3g} is more than {tol}"


@pytest.mark.parametrize("spec", SPECS)
def test_forward_equals_the_reference(isa, spec):
    for case in spec.all_cases():
        for dtype in spec.dtypes:
            where = f"{spec.name} {case} {dtype} {isa}"
            inputs = spec.inputs(case, dtype)
            before = [None if x is None else x.tobytes() for x in inputs]
            got, wants = forward(spec, inputs, case.args), spec.expected(inputs, case.args)
            assert len(got) == len(wants), where
            floats = [x.dtype for x in inputs if x is not None and x.dtype.kind == "f"]
            for y, want in zip(got, wants):
                assert y.shape == want.shape, f"{where}: shape {y.shape}, not {want.shape}"
                if want.dtype.kind == "f":
                    assert y.dtype == (floats[0] if floats else np.float32), f"{where}: dtype {y.dtype}"
                    assert_close(y, want, spec, dtype, where)
                else:
                    assert y.dtype == want.dtype, f"{where}: dtype {y.dtype}, not {want.dtype}"
                    assert np.array_equal(y, want), f"{where}: {y}\nnot {want}"
            assert before == [None if x is None else x.tobytes() for x in inputs], f"{where}: an input was modified"


def kinds(x):
    """nan, inf, -inf or finite, of each element."""
    return np.isnan(x) * 1 + np.isposinf(x) * 2 + np.isneginf(x) * 3 if x.dtype.kind == "f" else x * 1


@pytest.mark.parametrize("spec", [p for p in SPECS if p.values[0].elementwise and p.values[0].nonfinite])
def test_nan_and_inf_in_every_lane(isa, spec):
    n = 150                                              # more than four vectors of the widest ISA, and a tail
    case = spec.all_cases()[0]
    for dtype in ("float32", "float64"):
        ones = type(case)(((n,),) * len(case.shapes), case.args, case.make)
        inputs = spec.inputs(ones, dtype)
        for k, x in enumerate(inputs):
            if x.dtype.kind != "f":
                continue
            for bad in (np.nan, np.inf, -np.inf):
                stack = np.tile(x, (n, 1))
                np.fill_diagonal(stack, bad)
                row = [stack if i == k else np.tile(other, (n, 1)) for i, other in enumerate(inputs)]
                wants = spec.expected(row, case.args)
                got = [forward(spec, [r[lane].copy() for r in row], case.args) for lane in range(n)]
                for i, want in enumerate(wants):
                    ys = np.stack([g[i] for g in got])
                    wrong = np.argwhere(kinds(ys) != kinds(want))
                    assert not len(wrong), f"{spec.name} {dtype} {isa}: {bad} in lane {wrong[0][0]} of input {k} gave " \
                                           f"{ys[tuple(wrong[0])]}, not {want[tuple(wrong[0])]}, at {wrong[0][1]}"


@pytest.mark.parametrize("spec, refused", REFUSED)
def test_refused_input_raises_and_touches_nothing(spec, refused):
    arrays = [x.copy() for x in refused.args if isinstance(x, np.ndarray)]
    copies = iter(arrays)
    args = [tensors([next(copies)])[0] if isinstance(x, np.ndarray) else x for x in refused.args]
    kwargs = {name: tensors([x.copy()])[0] if isinstance(x, np.ndarray) else x for name, x in refused.kwargs.items()}
    with pytest.raises(refused.error, match=refused.match):
        spec.run(args, kwargs)
    for x, now in zip((x for x in refused.args if isinstance(x, np.ndarray)), arrays):
        assert x.tobytes() == now.tobytes()


def public_ops():
    """Name -> function, of each public function made by fastnet/ops, and of fastnet.nn.functional."""
    import fastnet.nn.functional

    found = {}
    for prefix, space in (("fastnet", fastnet), ("fastnet.nn.functional", fastnet.nn.functional), ("fastnet.Tensor", fastnet.Tensor)):
        for name, value in vars(space).items():
            home = getattr(value, "__module__", None) or ""
            is_op = home.startswith("fastnet.ops") or (space is fastnet.nn.functional and home.startswith("fastnet"))
            if not name.startswith("_") and callable(value) and not inspect.isclass(value) and is_op:
                found[f"{prefix}.{name}"] = value
    found |= {f"fastnet.{name}": getattr(fastnet, name) for name, home in later.HOME.items() if home.startswith("fastnet.ops")}
    for table in (later.BOTH, later.METHODS):             # methods that are attached when they are first called
        for home, names in table.items():
            if home.startswith("fastnet.ops"):
                found |= {f"fastnet.Tensor.{name}": getattr(importlib.import_module(home), name) for name in names.split()}
    return {name: inspect.unwrap(value) for name, value in found.items()}           # what takes `out=` is in a wrapper


def test_every_op_has_a_spec():
    elsewhere = covered_elsewhere()
    covered = {id(inspect.unwrap(s.function())) for s in all_specs()}
    missing = [name for name, value in public_ops().items() if id(value) not in covered and name not in elsewhere]
    by_function = {id(value) for name, value in public_ops().items() if name in elsewhere}
    missing = [name for name in missing if id(public_ops()[name]) not in by_function]
    assert not missing, f"no spec in tests/specs for {', '.join(sorted(missing))}"


def test_what_is_covered_elsewhere_is_there():
    for name, path in covered_elsewhere().items():
        text = (pathlib.Path(__file__).parent / path).read_text()
        assert name.rpartition(".")[2] in text, f"{path} does not name {name}"


def test_specs_are_named_once():
    names = [s.name for s in all_specs()]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})


