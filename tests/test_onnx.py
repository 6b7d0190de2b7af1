"""fastnet.onnx.export: its arguments, what it refuses, what it warns of, and that it leaves everything as it was."""
import io
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from onnx_runtime import Calls, same

import fastnet as fn
from fastnet import nn
from fastnet.cli import main
from fastnet.cli.recipe.trained import open_run
from fastnet.nn import functional as F
from fastnet.ops.out import heard

onnx = pytest.importorskip("onnx")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout()
        self.head = nn.Linear(2, 3)

    def forward(self, x):
        return self.head(self.drop(F.relu(self.norm(self.conv(x)))).mean((2, 3)))


def shapes(values):
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def test_file_names_and_axes(tmp_path):
    model, x = Net(), fn.randn(1, 1, 8, 8)
    path = tmp_path / "net.onnx"
    made = fn.onnx.export(model, x, path, input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}})
    read = onnx.load(path)
    assert read == made and made.opset_import[0].version == 18 and made.producer_name == "fastnet"
    assert shapes(made.graph.input) == {"image": ["n", 1, 8, 8]} and shapes(made.graph.output) == {"logits": ["n", 3]}
    names = {i.name: onnx.numpy_helper.to_array(i) for i in made.graph.initializer}
    for name, p in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(names[name], p.detach().numpy())
    assert [n.name for n in made.graph.node][:2] == ["conv/Conv", "norm/BatchNormalization"]
    file = io.BytesIO()
    fn.onnx.export(model, (x,), file)
    assert onnx.load_from_string(file.getvalue()).graph.input[0].name == "input"
    listed = fn.onnx.export(model, x, dynamic_axes={"input": [0, -1]})
    assert shapes(listed.graph.input) == {"input": ["input_0", 1, 8, "input_-1"]}


def test_everything_is_as_it_was():
    model = Net()
    model.norm.eval()
    modes = [m.training for m in model.modules()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    functions = fn.topk.__wrapped__.__code__, fn.Tensor.__add__, fn.relu
    fn.onnx.export(model, fn.randn(2, 1, 8, 8))
    with pytest.raises(RuntimeError, match="conv2d"):
        fn.onnx.export(model, fn.randn(2, 3, 8, 8))       # an error on the way
    assert [m.training for m in model.modules()] == modes and fn.is_grad_enabled() and not heard()
    assert functions == (fn.topk.__wrapped__.__code__, fn.Tensor.__add__, fn.relu)
    assert all(bool((before[k] == v).all()) for k, v in model.state_dict().items())
    x = fn.randn(2, 2, requires_grad=True)
    (fn.relu(x) + 1).topk(1)[0].sum().backward()
    assert x.grad is not None


def test_exports_in_several_threads():
    made = {}
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())

    def run(k):
        made[k] = fn.onnx.export(Calls(lambda x: model(x).topk(2)[0] + k), fn.randn(3, 4))
    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[n.op_type for n in made[k].graph.node] for k in range(4)] == [["Gemm", "Relu", "TopK"] + ["Add"]] * 4
    assert not heard() and fn.randn(4).topk(2)[0].shape == (2,)


def test_other_threads_are_not_heard():
    running, done = threading.Event(), threading.Event()

    def other():
        running.wait(10)
        for _ in range(50):
            fn.zeros(2, 3).view(6).topk(2)[0] + F.relu(fn.ones(2))
        done.set()

    def slow(x):
        running.set()
        done.wait(10)
        return x + 1
    thread = threading.Thread(target=other)
    thread.start()
    made = fn.onnx.export(Calls(slow), fn.ones(2))
    thread.join()
    assert [n.op_type for n in made.graph.node] == ["Add"]


def test_values_that_become_python_warn():
    model = Calls(lambda x: x * 2 if x.sum() > 0 else x - 1)
    with pytest.warns(UserWarning, match="becomes one of Python in the model; in the graph it is a constant"):
        made = fn.onnx.export(model, fn.ones(3))
    assert [n.op_type for n in made.graph.node] == ["Mul"]
    for take in (lambda x: x * float(x[0]), lambda x: x + x.numpy()[0], lambda x: x + x.max().item(), lambda x: x + x.tolist()[0]):
        with pytest.warns(UserWarning, match="of Python"):
            fn.onnx.export(Calls(take), fn.arange(3.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fn.onnx.export(Calls(lambda x: x * fn.tensor(3.0).item() + x.shape[0] + len(x)), fn.ones(3))


class Inner(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize("function, words", [
    (lambda x: fn.linalg.det(x) * x, "mul in block.inner gets a tensor of shape .. that changes with the input"),
    (lambda x: F.unfold(x[None, None], 2), "unfold in block.inner cannot be exported"),
    (lambda x: x.unique(), "unique in block.inner cannot be exported"),
    (lambda x: x[x > 0], "getitem in block.inner: an index must be made of"),
    (lambda x: x + fn.randn(4, 4), "add in block.inner gets a tensor of shape .4, 4. that changes with the input"),
    (lambda x: F.max_pool2d(x[None], 2, return_indices=True)[1], "max_pool in block.inner: return_indices"),
    (lambda x: F.dropout(x), "dropout in block.inner: it draws at random"),
    (lambda x: F.embedding(x.abs().clamp(max=2).long(), fn.ones(3, 2), max_norm=1.0), "embedding in block.inner: max_norm"),
    (lambda x: fn.add(x, 1, out=fn.empty(4, 4)), "add in block.inner: out= cannot be exported"),
    (lambda x: x.norm(3), "norm in block.inner: norms of order"),
    (lambda x: F.adaptive_max_pool2d(x[None], 3), "adaptive_max_pool in block.inner: windows of one size"),
    (lambda x: x.view(fn.int32), "view in block.inner: bits"),
])
def test_what_cannot_be_exported_names_op_and_module(function, words):
    model = nn.Sequential()
    model.block = nn.Module()
    model.block.inner = Inner(function)
    model.forward = lambda x: model.block.inner(x)
    with pytest.raises(RuntimeError, match=f"^onnx.export: .*{words}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fn.onnx.export(model, fn.randn(4, 4))


def test_sizes_that_no_graph_can_follow():
    def steps(x):
        for _ in range(x.shape[0]):
            x = x + 1
        return x
    with pytest.raises(RuntimeError, match="with other sizes of 'n' the model calls other ops"):
        fn.onnx.export(Calls(steps), fn.ones(4), dynamic_axes={"input": {0: "n"}})
    with pytest.raises(RuntimeError, match="full in the model: the number .* depends on the sizes of the input|multiply|mul in the model"):
        fn.onnx.export(Calls(lambda x: x * x.shape[0] ** 0.5), fn.ones(4), dynamic_axes={"input": {0: "n"}})
    with pytest.raises(RuntimeError, match="takes no other size for the dynamic axis 'n'"):
        fn.onnx.export(nn.Linear(4, 2), fn.ones(3, 4), dynamic_axes={"input": {1: "n"}})
    table = np.arange(100.0, dtype=np.float32)
    with pytest.raises(RuntimeError, match="add in the model gets a tensor|with other sizes|another number"):
        fn.onnx.export(Calls(lambda x: x + fn.from_numpy(table[:x.shape[0]] * x.shape[0])), fn.ones(4), dynamic_axes={"input": {0: "n"}})


def test_sizes_that_are_computed():
    model = Calls(lambda x: (x.reshape(x.shape[0] // 2, -1), x[:x.shape[0] // 2 + 1], x[1:-1], x.mean() * x.numel(), fn.arange(2 * len(x)),
                             fn.zeros(x.shape[0] * x.shape[1] - 1), x[-(len(x) - 1):]))
    made = fn.onnx.export(model, fn.randn(6, 4), dynamic_axes={"input": {0: "n", 1: "m"}})
    same(made, model, (fn.randn(10, 3),), (fn.randn(4, 8),))


def test_one_name_is_one_size():
    model = Calls(lambda x, y: x @ y.T)
    made = fn.onnx.export(model, (fn.randn(3, 4), fn.randn(5, 4)), input_names=["x", "y"],
                          dynamic_axes={"x": {0: "n", 1: "k"}, "y": {0: "m", 1: "k"}})
    assert shapes(made.graph.output) == {"output": ["n", "m"]}
    same(made, model, (fn.randn(2, 7), fn.randn(9, 7)))
    with pytest.raises(ValueError, match="the axes 'k' must have one size"):
        fn.onnx.export(Calls(lambda x, y: x), (fn.ones(2), fn.ones(3)), input_names=["x", "y"], dynamic_axes={"x": {0: "k"}, "y": {0: "k"}})


def test_results_that_are_inputs_constants_or_twice():
    weight = nn.Parameter(fn.ones(2))
    model = Calls(lambda x: {"same": x, "twice": (x + 1,) * 2, "constant": weight * 2, "none": None})
    made = fn.onnx.export(model, fn.randn(3), output_names=["a", "b", "c", "d"])
    same(made, model, (fn.randn(3),))


def test_constants_are_folded():
    model = Calls(lambda x: x + (fn.arange(6).float() / 5).sin().reshape(2, 3).T.exp()[:, :1])
    made = fn.onnx.export(model, fn.randn(3, 1))
    assert [n.op_type for n in made.graph.node] == ["Add"] and len(made.graph.initializer) == 1


def test_arguments_that_are_refused():
    model, x = Net(), fn.ones(1, 1, 8, 8)
    for words, error, call in [
        ("model must be a Module", TypeError, lambda: fn.onnx.export(lambda x: x, x)),
        ("args must hold a tensor", ValueError, lambda: fn.onnx.export(model, ())),
        ("opset_version must be from 18", ValueError, lambda: fn.onnx.export(model, x, opset_version=9)),
        ("input_names must be 1 different names", ValueError, lambda: fn.onnx.export(model, x, input_names=["a", "b"])),
        ("output_names must be 1 different names", ValueError, lambda: fn.onnx.export(model, x, output_names="ab")),
        ("has no axis 4", ValueError, lambda: fn.onnx.export(model, x, dynamic_axes={"input": {4: "n"}})),
        ("names 'x', which is neither an input", ValueError, lambda: fn.onnx.export(model, x, dynamic_axes={"x": {0: "n"}})),
        ("must return tensors", TypeError, lambda: fn.onnx.export(Calls(lambda x: 3), x)),
    ]:
        with pytest.raises(error, match=words):
            call()


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="needs the package onnx"):
        fn.onnx.export(nn.Linear(2, 2), fn.ones(1, 2))


def test_it_is_imported_when_it_is_used():
    code = "import sys, fastnet; assert 'onnx' not in sys.modules and 'fastnet.onnx' not in sys.modules; fastnet.onnx.export"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{k % 3}.{k},{k % 7},{'ab'[k % 2]}" for k in range(40))
    (tmp_path / "table.csv").write_text(f"size,weight,kind\n{rows}\n")
    (tmp_path / "small.toml").write_text("""
[data]
name = "csv"
file = "table.csv"
target = "kind"
[model]
name = "MLP"
[trainer]
epochs = 1
""")
    assert main(["train", "small.toml", "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["export", "run", "-o", "table.onnx"]) == 0
    assert capsys.readouterr().out.startswith("table.onnx: ")
    made, trained = onnx.load(tmp_path / "table.onnx"), open_run("run")
    assert shapes(made.graph.input) == {"input": ["batch", trained.facts["shape"][0]]}
    same(made, trained.model, (fn.randn(5, *trained.facts["shape"]),))
    for words, told in [(["--dynamic", "x"], "--dynamic x: expected numbers of axes"), (["--opset", "3"], "opset_version must be from 18"),
                        (["--dynamic", "1"], "takes no other size")]:
        assert main(["export", "run", *words]) == 1 and told in capsys.readouterr().err
