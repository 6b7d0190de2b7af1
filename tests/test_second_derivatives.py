"""Every op's second derivative: what a recorded backward gives against differences of the hand-written backward, in float64."""
import re
from pathlib import Path

import fastnet.autograd.recorded.recipes  # noqa: F401  fills the table
import numpy as np
import pytest
from calls import array, flat, output_gradients, tensors
from fastnet._core.engine import grad
from fastnet._core.tensor import from_numpy
from fastnet.autograd.recorded.kinds import RECIPES
from specs import all_specs

SPECS = [pytest.param(s, id=s.name.removeprefix("fastnet.")) for s in all_specs() if s.wrt != ()]
STEP = 2e-4
WEIGHTS = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))
LARGEST = 5000                                           # elements of the inputs of a case that is differentiated twice


def gradients(spec, case, inputs, gys, create_graph=False):
    """The inputs that need gradients, the gradients that backward begins with, and the gradients; by number."""
    wrt = spec.differentiable(inputs)
    xs = tensors([None if x is None else np.array(x) for x in inputs], wrt)
    ys = flat(spec.run(xs, case.args))
    roots = [(y, from_numpy(np.array(g)).requires_grad_(create_graph)) for y, g in zip(ys, gys) if g is not None and y.requires_grad]
    got = grad([y for y, _ in roots], [xs[k] for k in wrt], [g for _, g in roots], create_graph=create_graph, allow_unused=True,
               materialize_grads=True)
    return {k: xs[k] for k in wrt}, [g for _, g in roots], dict(zip(wrt, got))


@pytest.mark.parametrize("spec", SPECS)
def test_the_recorded_backward_and_its_own_backward(spec):
    rng = np.random.default_rng(3)
    checked = 0
    for case in spec.all_cases():
        inputs = spec.inputs(case, "float64", seed=2)
        if sum(x.size for x in inputs if x is not None) > LARGEST or not spec.differentiable(inputs):
            continue
        values = [array(y) for y in flat(spec.run(tensors(inputs), case.args))]
        gys = output_gradients(values)
        _, _, plain = gradients(spec, case, inputs, gys)
        xs, starts, recorded = gradients(spec, case, inputs, gys, create_graph=True)
        for k, g in plain.items():
            error = np.abs(array(recorded[k]) - array(g)).max(initial=0) / max(1, np.abs(array(g)).max(initial=0))
            assert error < 1e-9, f"{spec.name} {case}: the recorded gradient of input {k} is off by {error:.3g}"
        weights = {k: np.asarray(rng.standard_normal(g.shape)) for k, g in plain.items()}
        score = sum((g * from_numpy(np.asarray(weights[k]))).sum() for k, g in recorded.items())
        checked += 1
        if not score.requires_grad:
            continue                                     # piecewise constant: nothing to differentiate
        wanted = list(xs.values()) + starts
        second = [array(g) for g in grad(score, wanted, allow_unused=True, materialize_grads=True)]
        ways = [np.asarray(rng.standard_normal(x.shape)) for x in wanted]
        got = sum(float((g * w).sum()) for g, w in zip(second, ways))
        want = 0.0
        for steps, weight in WEIGHTS:
            moved = list(inputs)
            for k, w in zip(xs, ways):
                moved[k] = np.asarray(inputs[k] + steps * STEP * w)
            begun = iter(ways[len(xs):])
            moved_gys = [g if g is None or not y_needs else g + steps * STEP * next(begun)
                         for g, y_needs in zip(gys, needs(spec, case, inputs, gys))]
            _, _, near = gradients(spec, case, moved, moved_gys)
            want += weight / STEP * sum(float((array(g) * weights[k]).sum()) for k, g in near.items())
        scale = max(1.0, abs(want), *(np.abs(g).max(initial=0) for g in second))
        narrow = any(v.dtype == np.float32 for v in values)
        near = abs(got - want) < (1e-3 if narrow else 1e-5) * scale
        assert near, f"{spec.name} {case}: {got} by the second backward, {want} by differences"
    assert checked, f"{spec.name}: no case was differentiated twice"


def needs(spec, case, inputs, gys):
    ys = flat(spec.run(tensors(inputs, spec.differentiable(inputs)), case.args))
    return [g is not None and y.requires_grad for y, g in zip(ys, gys)]


def test_every_op_on_the_tape_has_a_recipe():
    """By the names in the sources of the compiled modules: a new op without a recipe is noticed."""
    sources = sorted((Path(__file__).parents[1] / "fastnet").glob("**/*.p[yx][xi]"))
    if not sources:
        pytest.skip("the tests are not in a source tree")
    names = set()
    for path in sources:
        text = path.read_text()
        names |= set(re.findall(r'\[b"(\w+)", *\w+_backward, (?:True|False)\]', text)) | set(re.findall(r'fn_op\(b"(\w+)"', text))
        words = re.findall(r'unary_new\("(\w+)"', text) + (re.findall(r'^    \("(\w+)", FN_', text, re.M) if path.stem == "unary" else [])
        names |= {word.title().replace("_", "") + "Backward0" for word in words}
    names -= {"FunctionBackward", "FunctionOutputBackward"}          # ops written in Python, whose backward is recorded as it runs
    assert len(names) > 150 and {"MulBackward0", "CopySlices", "ReluBackward0", "MaxPool2DBackward0", "Log1PBackward0"} <= names
    assert names == set(RECIPES)
