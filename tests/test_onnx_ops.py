"""Each exporter against onnxruntime: with fixed shapes and a dynamic first axis."""
import pytest
from onnx_cases import CASES, X, floats
from onnx_runtime import Calls, same

import fastnet as fn
from fastnet.nn import functional as F
from fastnet.onnx.ops import EXPORTERS

@pytest.mark.parametrize("name", CASES)
def test_op(name):
    function, inputs = CASES[name]
    model = Calls(function)
    # erf-like and exp-like functions of onnxruntime are approximations of some 1e-6
    same(fn.onnx.export(model, inputs), model, inputs, tolerance=5e-6)


GROWING = [
    name
    for name, (_, inputs) in CASES.items()
    if name not in ("no batch", "one_hot", "getitem tensors", "isnan", "var", "split", "attention", "addmm", "extremes")
    and all(x.ndim > 2 for x in inputs)
]


@pytest.mark.parametrize("name", GROWING)
def test_op_with_a_dynamic_batch(name):
    function, inputs = CASES[name]
    names = [f"x{k}" for k in range(len(inputs))]
    model = Calls(function)
    exported = fn.onnx.export(model, inputs, input_names=names, dynamic_axes={n: {0: "batch"} for n in names})
    more = tuple(fn.cat([x, x.flip(0), x[:1]]) for x in inputs)
    if name == "scatter":
        more = (more[0], more[1][:1].expand(more[1].shape).clone())
    same(exported, model, more, tolerance=5e-6)


@pytest.mark.parametrize("version", [18, 20, 21, 23])
def test_versions_of_operators(version):
    model = Calls(lambda x: (F.gelu(x), F.gelu(x, approximate="tanh"), F.pad(x, (1, 1), mode="circular"), F.group_norm(x, 1), x.sum(1)))
    exported = fn.onnx.export(model, X, opset_version=version)
    assert [o.version for o in exported.opset_import] == [version]
    same(exported, model, (X,), tolerance=5e-6)


def test_in_place():
    def run(x):
        y = x * 2
        y += 1
        y.relu_().mul_(x)
        y[:, 1] = 0.5
        y[:, :, 1:3] = x[:, :, 3:5]
        y[0] = y[1] + 1
        y[..., -1] -= x[..., 0]
        y[y > 3] = 3.0
        y[:, 2:1] = 7.0
        z = fn.zeros(x.shape[0], 3, 2)
        z[..., 0] = x[..., 1]
        z[:, 1:, 1] = 2.0
        y += z.sum(-1, keepdim=True)
        y[:, 0][..., 2:4].mul_(3)
        y[:, 1] += 2 * y[:, 0]
        z.copy_(z + 1)
        y[..., :2] += z
        return F.leaky_relu(y, inplace=True), x.clone().zero_().masked_fill_(x > 0, 2.0)

    model = Calls(run)
    same(fn.onnx.export(model, X, dynamic_axes={"input": {0: "batch"}}), model, (X,), (floats(7, 3, 6),))


def test_what_was_written_through_another_tensor_is_refused():
    def run(x):
        y = x + 1
        y.transpose(0, 1).mul_(2)
        return y * 2

    with pytest.raises(RuntimeError, match=r"mul in the model: a tensor of shape \(4, 3, 6\) was modified in place through another"):
        fn.onnx.export(Calls(run), X)


def test_every_exporter_is_tried(monkeypatch):
    called = set()
    for name, function in list(EXPORTERS.items()):
        monkeypatch.setitem(
            EXPORTERS, name, lambda g, *args, name=name, function=function, **options: called.add(name) or function(g, *args, **options)
        )
    for name, (function, inputs) in CASES.items():
        names = [f"x{k}" for k in range(len(inputs))]
        fn.onnx.export(
            Calls(function), inputs, input_names=names, dynamic_axes={n: {0: "batch"} for n in names} if name in GROWING else None
        )
    elsewhere = {"recurrent", "packed_attention", "linear_act", "conv_act", "setitem"}
    refused = {"eye", "linspace", "logspace", "tril_indices", "triu_indices"}
    assert sorted(EXPORTERS.keys() - called) == sorted(elsewhere | refused)
