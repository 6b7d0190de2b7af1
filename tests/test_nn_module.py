"""Module: attributes, the tree, state_dict, hooks, conversions, repr; the containers."""
import copy
import inspect
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 4)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        self.shared = self.a
        self.scale = nn.Parameter(fn.ones(2))
        self.register_buffer("count", fn.zeros(3))
        self.register_buffer("scratch", fn.zeros(1), persistent=False)
        self.register_parameter("nothing", None)

    def forward(self, x, shift=0.0):
        return self.body(self.a(x)) * self.scale + shift


NAMES = ["scale", "a.weight", "a.bias", "body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"]
SAVED = ["scale", "count", "a.weight", "a.bias", "body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias", "shared.weight",
         "shared.bias"]


def test_parameters_buffers_and_modules_come_in_order_and_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert len(list(net.parameters())) == len(NAMES)
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [name for name, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)] == NAMES + ["shared.weight", "shared.bias"]
    assert [name for name, _ in net.named_buffers()] == ["count", "scratch"]
    assert [name for name, _ in net.named_children()] == ["a", "body"]
    assert [name for name, _ in net.named_modules()] == ["", "a", "body", "body.0", "body.1", "body.2"]
    assert list(net.modules())[0] is net
    assert net.get_submodule("body.0") is net.body[0] and net.get_submodule("") is net
    assert net.get_parameter("body.0.weight") is net.body[0].weight and net.get_buffer("count") is net.count


def test_attributes_and_registries_stay_in_step():
    net = Net()
    new = nn.Parameter(fn.zeros(2))
    net.scale = new
    assert net._parameters["scale"] is new and net.__dict__["scale"] is new
    net.scale = None
    assert net.scale is None and "scale" not in net.state_dict()
    net.count = fn.ones(3)
    assert net._buffers["count"] is net.count
    net.shared = nn.Identity()
    assert net._modules["shared"] is net.shared
    net.count = nn.Parameter(fn.ones(3))                   # a buffer becomes a parameter
    assert "count" in net._parameters and "count" not in net._buffers
    del net.a
    assert not hasattr(net, "a") and "a.weight" not in net.state_dict()
    assert "scale" in dir(net) and "0" not in dir(net.body)


@pytest.mark.parametrize("change, error, message", [
    (lambda m: setattr(m, "a", 1), TypeError, "cannot assign 'int' as child module 'a'"),
    (lambda m: setattr(m, "scale", fn.ones(2)), TypeError, "cannot assign 'Tensor' as parameter 'scale'"),
    (lambda m: setattr(m, "count", 3), TypeError, "cannot assign 'int' as buffer 'count'"),
    (lambda m: m.register_buffer("a", fn.ones(1)), KeyError, "attribute 'a' already exists"),
    (lambda m: m.register_buffer("b", 1.0), TypeError, "cannot register 'float' as buffer 'b'"),
    (lambda m: m.register_parameter("x.y", None), KeyError, "contain"),
    (lambda m: m.register_parameter("p", nn.Parameter(fn.ones(1)) * 2), TypeError, "as parameter 'p'"),
    (lambda m: m.add_module("", None), KeyError, "empty string"),
    (lambda m: m.register_module("m", 3), TypeError, "as module 'm'"),
    (lambda m: m.get_submodule("body.9"), AttributeError, "no submodule `9`"),
    (lambda m: m.get_parameter("a.q"), AttributeError, "no parameter `q`"),
    (lambda m: m.train(1), ValueError, "boolean"),
    (lambda m: m.missing, AttributeError, "no attribute 'missing'"),
    (lambda m: m.to(fn.int64), TypeError, "floating point"),
    (lambda m: m.to("cuda"), RuntimeError, "cuda"),
    (lambda m: m.load_state_dict(3), TypeError, "dict"),
    (lambda m: nn.Module()(1), TypeError, "forward"),
    (lambda m: nn.Module(3), TypeError, "no further arguments"),
    (lambda m: nn.Parameter([1.0]), TypeError, "Parameter"),
])
def test_refused(change, error, message):
    with pytest.raises(error, match=message):
        change(Net())


def test_assignment_before_init_is_refused():
    class Early(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(1, 1)
    with pytest.raises(AttributeError, match="before Module.__init__"):
        Early()


def test_a_property_is_not_hidden_behind():
    class Odd(nn.Module):
        @property
        def weight(self):
            return 1
    with pytest.raises(KeyError, match="already exists"):
        Odd().weight = nn.Parameter(fn.ones(1))


def test_state_dict_round_trip_and_views():
    net, other = Net(), Net()
    state = net.state_dict()
    assert list(state) == SAVED and isinstance(state, OrderedDict)
    assert not any(tensor.requires_grad for tensor in state.values())
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert repr(other.load_state_dict(state)) == "<All keys matched successfully>"
    x = fn.ones(5, 3)
    assert np.array_equal(net(x).detach().numpy(), other(x).detach().numpy())
    with fn.no_grad():
        net.scale.zero_()
    assert state["scale"].tolist() == [0, 0] and other.scale.tolist() == [1, 1]
    assert list(net.body.state_dict(prefix="p.")) == ["p.0.weight", "p.0.bias", "p.2.weight", "p.2.bias"]


def test_load_lists_everything_that_does_not_fit_and_touches_nothing():
    net = Net()
    state = Net().state_dict()
    del state["a.weight"], state["body.2.bias"]
    state["extra.q"], state["scale"] = fn.ones(1), fn.ones(3)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    text = str(error.value)
    assert "Error(s) in loading state_dict for Net:" in text and 'Missing key(s) in state_dict: "a.weight", "body.2.bias"' in text
    assert 'Unexpected key(s) in state_dict: "extra.q"' in text and "size mismatch for scale" in text
    assert all(np.array_equal(value.numpy(), before[key].numpy()) for key, value in net.state_dict().items())
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(state, strict=False)
    del state["scale"]
    report = net.load_state_dict(state, strict=False)
    assert sorted(report.missing_keys) == ["a.weight", "body.2.bias", "scale"] and report.unexpected_keys == ["extra.q"]


def test_load_takes_arrays_and_other_dtypes_and_assigns():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": np.array([3], dtype="int64")})
    assert layer.weight.tolist() == [[1, 2]] and layer.bias.tolist() == [3] and layer.weight.dtype == fn.float32
    old = layer.weight
    layer.load_state_dict({"weight": fn.ones(1, 2, dtype=fn.float64), "bias": fn.zeros(1, dtype=fn.float64)}, assign=True)
    assert layer.weight is not old and layer.weight.dtype == fn.float64 and layer.weight.requires_grad
    with pytest.raises(RuntimeError, match='"weight", expected a Tensor'):
        layer.load_state_dict({"weight": "text", "bias": fn.zeros(1)})


def test_extra_state_and_state_dict_hooks():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = 0

        def get_extra_state(self):
            return {"n": self.n}

        def set_extra_state(self, state):
            self.n = state["n"]

    model = nn.Sequential(Counter())
    model[0].n = 7
    state = model.state_dict()
    assert state["0._extra_state"] == {"n": 7}
    other = nn.Sequential(Counter())
    other.load_state_dict(state)
    assert other[0].n == 7
    seen = []
    other.register_state_dict_pre_hook(lambda module, prefix, keep_vars: seen.append("pre"))
    other.register_state_dict_post_hook(lambda module, state, prefix, meta: state.update(added=fn.ones(1)))
    other.register_load_state_dict_pre_hook(lambda module, state, *rest: state.pop("added"))
    other.register_load_state_dict_post_hook(lambda module, keys: seen.append(keys))
    other.load_state_dict(other.state_dict())
    assert seen[0] == "pre" and seen[1].unexpected_keys == []


def test_modes_apply_zero_grad_and_requires_grad():
    net = Net()
    assert net.eval() is net and not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    names = []
    net.apply(lambda module: names.append(type(module).__name__))
    assert names == ["Linear", "Linear", "ReLU", "Linear", "Sequential", "Net"]
    net(fn.ones(1, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(np.all(p.grad.numpy() == 0) for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad_of_modules_that_hold_each_other():
    parent, child = nn.Linear(2, 1), nn.Linear(2, 1)
    parent.child, child.parent = child, parent
    (parent(fn.ones(1, 2)) + child(fn.ones(1, 2))).backward()
    parent.zero_grad()
    assert all(p.grad is None for p in (*parent.parameters(), *child.parameters()))


def test_conversion_keeps_the_parameters_themselves():
    net = Net()
    net.register_buffer("ids", fn.tensor([1, 2]))
    scale = net.scale
    assert net.double() is net and net.scale is scale
    assert scale.dtype == fn.float64 and net.count.dtype == fn.float64 and net.ids.dtype == fn.int64
    assert net(fn.ones(2, 3, dtype=fn.float64)).dtype == fn.float64
    net(fn.ones(2, 3, dtype=fn.float64)).sum().backward()
    assert scale.grad.dtype == fn.float64
    net.to(fn.ones(1))
    assert scale.dtype == fn.float32 and scale.grad.dtype == fn.float32
    assert net.to("cpu", fn.float64).float().cpu() is net
    assert net.to(memory_format=fn.channels_last) is net
    with pytest.raises(ValueError, match="Module.to: memory_format 'rows'"):
        net.to(memory_format="rows")


def test_deepcopy_and_pickle_are_whole_and_apart():
    net = Net()
    for twin in (copy.deepcopy(net), *(pickle.loads(pickle.dumps(net, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1))):
        assert twin.a is twin.shared and twin.a is twin._modules["a"] and twin.a.weight is twin.a._parameters["weight"]
        assert isinstance(twin.scale, nn.Parameter) and twin.scale.requires_grad
        with fn.no_grad():
            twin.scale.zero_()
        assert net.scale.tolist() == [1, 1] and twin.state_dict()["scale"].tolist() == [0, 0]


def test_forward_hooks():
    layer = nn.Linear(2, 2, bias=False)
    layer.load_state_dict({"weight": fn.tensor([[1.0, 0.0], [0.0, 1.0]])})
    x, seen = fn.ones(1, 2), []
    handles = [layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,)),
               layer.register_forward_hook(lambda module, args, output: output + args[0]),
               layer.register_forward_hook(lambda module, args, kwargs, output: seen.append(kwargs), with_kwargs=True),
               layer.register_forward_pre_hook(lambda module, args: seen.append("first"), prepend=True)]
    assert layer(x).tolist() == [[4.0, 4.0]] and seen == ["first", {}]
    for handle in handles:
        handle.remove()
    assert layer(x).tolist() == [[1.0, 1.0]]
    with layer.register_forward_hook(lambda module, args, output: output * 3):
        assert layer(x).tolist() == [[3.0, 3.0]]
    layer.register_forward_hook(lambda module, args, output: seen.append(output), always_call=True)
    with pytest.raises(Exception):
        layer(fn.ones(1, 5))
    assert seen[-1] is None


def test_backward_hooks_see_and_change_gradients():
    layer = nn.Linear(2, 1, bias=False)
    layer.load_state_dict({"weight": fn.tensor([[3.0, 5.0]])})
    seen = []

    def hook(module, grad_input, grad_output):
        seen.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 10,)
    layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 2,))
    layer.register_full_backward_hook(hook)
    x = fn.ones(1, 2, requires_grad=True)
    (layer(x) + x.sum()).sum().backward()                  # x is used outside the layer too
    assert seen == [([[6.0, 10.0]], [[2.0]])]
    assert x.grad.tolist() == [[61.0, 101.0]] and layer.weight.grad.tolist() == [[2.0, 2.0]]
    seen.clear()
    layer2 = nn.Linear(2, 1)
    layer2.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append(grad_input))
    layer2(fn.ones(1, 2)).sum().backward()                 # no input needs a gradient
    assert seen == [(None,)]


def test_call_passes_arguments_on():
    net = Net().eval()
    x = fn.ones(2, 3)
    a, b, c = net(x), net(x, shift=1.0), net(x=x, shift=1.0)
    assert np.allclose(a.detach().numpy() + 1, b.detach().numpy()) and np.array_equal(b.detach().numpy(), c.detach().numpy())
    net.forward = lambda x: 5
    assert net(x) == 5


def test_repr():
    assert repr(Net()) == """Net(
  (a): Linear(in_features=3, out_features=4, bias=True)
  (body): Sequential(
    (0): Linear(in_features=4, out_features=4, bias=True)
    (1): ReLU()
    (2): Linear(in_features=4, out_features=2, bias=True)
  )
  (shared): Linear(in_features=3, out_features=4, bias=True)
)"""
    assert repr(nn.ModuleList(nn.Linear(2, 2) for _ in range(3))) == (
        "ModuleList(\n  (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)\n)")
    assert repr(nn.ParameterList([fn.ones(2, 3)])) == "ParameterList(\n  (0): Parameter containing: [fastnet.float32 of size 2x3]\n)"


def test_sequential():
    layers = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), nn.Identity()]
    net = nn.Sequential(*layers)
    assert len(net) == 4 and net[-2] is layers[2] and list(net) == layers and layers[0] in net
    assert list(net[1:3]) == layers[1:3] and isinstance(net[:1], nn.Sequential)
    net.append(nn.ReLU()).insert(1, nn.Dropout(0.0))
    assert [type(m).__name__ for m in net] == ["Linear", "Dropout", "Tanh", "Linear", "Identity", "ReLU"]
    del net[1]
    assert list(net._modules) == ["0", "1", "2", "3", "4"] and list(net)[:4] == layers
    assert isinstance(net.pop(-1), nn.ReLU)
    assert len(net + nn.Sequential(nn.ReLU())) == 5 and len(net * 2) == 8
    net[1] = nn.Sigmoid()
    assert isinstance(net[1], nn.Sigmoid)
    named = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), second=nn.ReLU()))
    assert named.first is named[0] and list(named.state_dict()) == ["first.weight", "first.bias"]
    assert list(named[1:]._modules) == ["second"]
    for bad in (lambda: net[9], lambda: net.insert(99, nn.ReLU())):
        with pytest.raises(IndexError, match="Sequential"):
            bad()


@pytest.mark.parametrize("activation, function", [(nn.ReLU, lambda x: np.maximum(x, 0)), (nn.Tanh, np.tanh),
                                                  (nn.Sigmoid, lambda x: 1 / (1 + np.exp(-x)))])
def test_sequential_fuses_without_a_trace(activation, function):
    rng = np.random.default_rng(0)
    x = fn.tensor(rng.standard_normal((5, 3)))
    net = nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 2), activation()).double()
    w1, b1, w2, b2 = (p.detach().numpy() for p in net.parameters())
    expected = function(function(x.numpy() @ w1.T + b1) @ w2.T + b2)
    assert np.allclose(net(x).detach().numpy(), expected, rtol=1e-12)
    net(x).sum().backward()
    fused = [p.grad.clone().numpy() for p in net.parameters()]
    net.zero_grad()
    seen = []
    handle = net[1].register_forward_hook(lambda module, args, output: seen.append(args[0].shape))   # now module by module
    net(x).sum().backward()
    assert len(seen) == 1 and all(np.allclose(a, p.grad.numpy(), rtol=1e-10) for a, p in zip(fused, net.parameters()))
    handle.remove()
    net[1] = nn.Identity()                                 # the plan follows a change of the network
    assert np.allclose(net(x).detach().numpy(), function((x.numpy() @ w1.T + b1) @ w2.T + b2), rtol=1e-12)
    net[0] = nn.Linear(3, 4, dtype=fn.float64)
    assert not np.allclose(net(x).detach().numpy(), expected)


def test_module_list_and_dict():
    a, b, c = (nn.Linear(1, 1) for _ in range(3))
    modules = nn.ModuleList([a, b])
    modules += [c]
    modules.insert(0, c)
    assert list(modules) == [c, a, b, c] and modules[-1] is c and list(modules[1:3]) == [a, b]
    del modules[0]
    assert list(modules) == [a, b, c] and modules.pop(1) is b and list(modules._modules) == ["0", "1"]
    assert len(modules + [b]) == 3
    with pytest.raises(IndexError, match="ModuleList"):
        modules[5]
    table = nn.ModuleDict({"x": a})
    table["y"] = b
    table.update([("z", c)])
    assert list(table) == ["x", "y", "z"] and table.pop("y") is b and "y" not in table and len(table) == 2
    assert list(table.state_dict()) == ["x.weight", "x.bias", "z.weight", "z.bias"]
    with pytest.raises(KeyError):
        table["y"]
    table.clear()
    assert len(table) == 0


def test_calls_pass_on_what_they_are_given():
    class Scale(nn.Module):
        def forward(self, *args, **kwargs):
            return args, kwargs

    class Table(nn.Module, dict):  # the compiled base of Module has no field of its own, so that other bases fit beside it
        def forward(self, x):
            return self[x]

    net, table = Scale(), Table()
    table[3] = 4
    assert net() == ((), {}) and net(None) == ((None,), {}) and net(1, 2) == ((1, 2), {}) and net(1, k=2) == ((1,), {"k": 2})
    assert str(inspect.signature(nn.Linear(2, 2))) == "(input)" and "bias" in inspect.signature(nn.Linear).parameters
    assert table(3) == 4 and object.__new__(Scale).forward() == ((), {})
    net.register_forward_hook(lambda module, args, result: (args, result))
    assert net(1, k=2) == ((1,), ((1,), {"k": 2})) and net() == ((), ((), {}))
    with pytest.raises(TypeError, match="linear: input must be a Tensor"):
        nn.Linear(2, 2)(1)


def test_parameter_list_and_dict():
    row = nn.ParameterList([fn.ones(1), nn.Parameter(fn.zeros(2))])
    row.append(fn.ones(3))
    assert [len(p) for p in row] == [1, 2, 3] and all(isinstance(p, nn.Parameter) for p in row)
    row[0] = fn.zeros(4)
    assert len(row[0]) == 4 and list(row.state_dict()) == ["0", "1", "2"] and len(row[1:]) == 2
    assert len(row.pop(1)) == 2 and list(row.state_dict()) == ["0", "1"]
    table = nn.ParameterDict({"a": fn.ones(1)})
    table["b"] = fn.ones(2)
    assert list(table.state_dict()) == ["a", "b"] and isinstance(table["b"], nn.Parameter)
    assert table.get("c") is None and len(table.pop("a")) == 1 and list(table) == ["b"] and dict(table.items())["b"] is table["b"]
    with pytest.raises(KeyError):
        table["a"]
    with pytest.raises(KeyError, match="already exists"):
        table["training"] = fn.ones(1)
