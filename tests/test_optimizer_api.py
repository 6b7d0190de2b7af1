"""Optimizer: groups, state_dict in PyTorch's layout, hooks, closures, refusals."""
import copy
import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet import optim

ALL = ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD", "Lion", "Adafactor"]


def parameter(*values):
    return fn.nn.Parameter(fn.tensor(list(values) or [1.0, 2.0]))


def train(optimizer, n=3):
    for k in range(n):
        for group in optimizer.param_groups:
            for i, param in enumerate(group["params"]):
                param.grad = fn.full_like(param.detach(), 0.1 * (k + 1) - 0.15 * i)
        optimizer.step()


STATES = {"SGD": {"momentum_buffer"}, "Adam": {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
          "RMSprop": {"step", "square_avg", "grad_avg"},
          "AdamW": {"step", "exp_avg", "exp_avg_sq"}, "NAdam": {"step", "mu_product", "exp_avg", "exp_avg_sq"}, "Adagrad": {"step", "sum"},
          "RAdam": {"step", "exp_avg", "exp_avg_sq"}, "Adamax": {"step", "exp_avg", "exp_inf"},
          "Adadelta": {"step", "square_avg", "acc_delta"},
          "Rprop": {"step", "prev", "step_size"}, "ASGD": {"step", "eta", "mu", "ax"}, "Lion": {"exp_avg"},
          "Adafactor": {"step", "variance"}}
OPTIONS = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "RMSprop": {"centered": True}}


@pytest.mark.parametrize("name", ALL)
def test_state_dict_has_pytorchs_layout_and_goes_on_exactly(name):
    def make():
        return getattr(optim, name)([parameter(1.0, -2.0), parameter(3.0)], lr=0.01, **OPTIONS.get(name, {}))
    whole, half, resumed = make(), make(), make()
    train(whole, 6)
    train(half, 3)
    state = half.state_dict()
    assert set(state) == {"state", "param_groups"} and sorted(state["state"]) == [0, 1]
    assert state["param_groups"][0]["params"] == [0, 1] and state["param_groups"][0]["lr"] == 0.01
    assert set(state["state"][0]) == STATES[name]
    if "step" in STATES[name]:
        step = state["state"][0]["step"]
        assert step.item() == 3.0 and step.dtype == fn.float32 and step.ndim == 0
    for param, value in zip(resumed.param_groups[0]["params"], half.param_groups[0]["params"]):
        param.data = value.detach().clone()
    resumed.load_state_dict(state)
    train(half, 3)                                         # what was loaded is a copy
    for k in range(3, 6):
        for i, param in enumerate(resumed.param_groups[0]["params"]):
            param.grad = fn.full_like(param.detach(), 0.1 * (k - 3 + 1) - 0.15 * i)
        resumed.step()
    for a, b in zip(half.param_groups[0]["params"], resumed.param_groups[0]["params"]):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    for twin in (copy.deepcopy(whole), pickle.loads(pickle.dumps(whole))):
        train(twin)
    train(whole)
    for a, b in zip(whole.param_groups[0]["params"], twin.param_groups[0]["params"]):
        assert a is not b and np.array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("name", ALL)
def test_a_group_without_gradients_is_left_alone(name):
    param = parameter()
    optimizer = getattr(optim, name)([param])
    optimizer.step()
    assert param.tolist() == [1.0, 2.0] and not optimizer.state


def test_state_from_arrays_and_numbers():
    param = fn.nn.Parameter(fn.ones(2, dtype=fn.float64))
    optimizer = optim.Adam([param], lr=0.5)
    optimizer.load_state_dict({"state": {0: {"step": 4, "exp_avg": np.ones(2, "float32"), "exp_avg_sq": fn.ones(2)}},
                               "param_groups": [{"lr": 0.1, "params": [0]}]})
    state = optimizer.state[param]
    assert state["exp_avg"].dtype == fn.float64 and optimizer.param_groups[0]["lr"] == 0.1 and optimizer.param_groups[0]["eps"] == 1e-8
    param.grad = fn.ones(2, dtype=fn.float64)
    optimizer.step()
    expected = 1 - 0.1 * (1 / (1 - 0.9**5)) / (np.sqrt(1 / (1 - 0.999**5)) + 1e-8)
    assert np.allclose(param.detach().numpy(), expected, rtol=1e-6) and optimizer.state[param]["step"].item() == 5


def test_state_that_is_changed_from_outside_counts():
    param = parameter(1.0)
    optimizer = optim.SGD([param], lr=1.0, momentum=0.5)
    train(optimizer, 2)
    optimizer.state[param]["momentum_buffer"] = fn.tensor([8.0])
    param.data = fn.tensor([0.0])
    param.grad = fn.tensor([1.0])
    optimizer.step()
    assert param.tolist() == [-5.0]
    optimizer.state.clear()
    param.grad = fn.tensor([1.0])
    optimizer.step()
    assert param.tolist() == [-6.0]
    optimizer.param_groups[0]["lr"] = 2.0
    optimizer.param_groups[0]["momentum"] = 0.0
    optimizer.step()
    assert param.tolist() == [-8.0]


def test_parameters_that_come_and_go():
    a, b = parameter(1.0), parameter(1.0)
    optimizer = optim.Adam([a, b], lr=0.1)
    a.grad = fn.ones(1)
    optimizer.step()
    assert b not in optimizer.state and a in optimizer.state
    b.grad = fn.ones(1)
    optimizer.step()
    a.grad = None
    optimizer.step()
    assert optimizer.state[a]["step"].item() == 2 and optimizer.state[b]["step"].item() == 2
    assert np.allclose([a.item(), b.item()], 0.8, atol=1e-6)


def test_groups():
    a, b, c = parameter(1.0), parameter(1.0), parameter(1.0)
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1, momentum=0.5)
    optimizer.add_param_group({"params": [c], "momentum": 0.0})
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.5, 0.1] and [g["momentum"] for g in optimizer.param_groups] == [0.5, 0.5,
                                                                                                                                0.0]
    for _ in range(2):
        for p in (a, b, c):
            p.grad = fn.ones(1)
        optimizer.step()
    assert np.allclose([p.item() for p in (a, b, c)], [1 - 0.1 * 2.5, 1 - 0.5 * 2.5, 0.8])
    assert list(optimizer.state_dict()["param_groups"][2]["params"]) == [2]
    assert optim.SGD(p for p in [a]).param_groups[0]["params"] == [a]


def test_named_parameters():
    layer = fn.nn.Linear(2, 2)
    optimizer = optim.Adam(layer.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"] and optimizer.param_groups[0]["params"][1] is layer.bias
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    with pytest.raises(ValueError, match="names"):
        optim.Adam([("weight", layer.weight), layer.bias])


def test_zero_grad():
    param = parameter()
    optimizer = optim.SGD([param])
    param.grad = fn.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert param.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert param.grad is None
    optimizer.zero_grad()


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    param = parameter(3.0)
    optimizer = optim.SGD([param], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (param * param).sum()
        loss.backward()
        return loss
    with fn.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert param.item() == 0.0 and optimizer.step() is None


def test_hooks():
    optimizer, seen = optim.SGD([parameter(1.0)], lr=1.0), []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(o is optimizer))
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == ["before", True, True]
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("saving"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {k: v for k, v in state.items() if k != "extra"})
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    state = optimizer.state_dict()
    assert state["extra"] == 1
    optimizer.load_state_dict(state)
    assert seen[3:] == ["saving", "loaded"]


def test_an_optimizer_of_ones_own():
    class Signs(optim.Optimizer):
        def __init__(self, params, lr=0.5):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            with fn.no_grad():
                for group in self.param_groups:
                    for param in group["params"]:
                        self.state[param]["calls"] = self.state[param].get("calls", 0) + 1
                        param.sub_(param.grad.sign() * group["lr"])
    param, seen = parameter(1.0), []
    optimizer = Signs([param])
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    param.grad = fn.tensor([-3.0])
    optimizer.step()
    assert param.tolist() == [1.5] and optimizer.state_dict()["state"] == {0: {"calls": 1}} and seen == [1]
    with pytest.raises(TypeError, match="neither"):
        optim.Optimizer([param], {}).step()


def test_repr():
    assert repr(optim.SGD([parameter()], lr=0.1)) == """SGD (
Parameter Group 0
    dampening: 0
    differentiable: False
    foreach: None
    fused: None
    lr: 0.1
    maximize: False
    momentum: 0
    nesterov: False
    weight_decay: 0
)"""


def test_a_tensor_learning_rate():
    param, rate = parameter(1.0), fn.tensor(0.5)
    optimizer = optim.SGD([param], lr=rate)
    param.grad = fn.ones(1)
    optimizer.step()
    rate.fill_(0.25)
    optimizer.step()
    assert param.item() == 0.25
    with pytest.raises(ValueError, match="1-element"):
        optim.SGD([param], lr=fn.ones(2))


x = parameter()


@pytest.mark.parametrize("make, error, message", [
    (lambda: optim.SGD([]), ValueError, "empty parameter list"), (lambda: optim.SGD(x), TypeError, "iterable"),
    (lambda: optim.SGD([3]), TypeError, "can only optimize Tensors"), (lambda: optim.SGD([x * 2]), ValueError, "non-leaf"),
    (lambda: optim.SGD([x, x]), ValueError, "duplicate"), (lambda: optim.SGD([{"params": {x}}]), TypeError, "ordered"),
    (lambda: optim.SGD([{"params": [x]}, {"params": [x]}]), ValueError, "more than one"),
    (lambda: optim.SGD([{"lr": 1}]), ValueError, "'params'"),
    (lambda: optim.SGD([x]).add_param_group([x]), TypeError, "dict"), (lambda: optim.SGD([x], lr=-1.0), ValueError, "learning rate"),
    (lambda: optim.SGD([x], lr=float("nan")), ValueError, "learning rate"), (lambda: optim.SGD([x], momentum=-1), ValueError, "momentum"),
    (lambda: optim.SGD([x], nesterov=True), ValueError, "Nesterov"), (lambda: optim.SGD([x], weight_decay=-1), ValueError, "weight_decay"),
    (lambda: optim.SGD([x], differentiable=True), ValueError, "differentiable"),
    (lambda: optim.Adam([x], foreach=True, fused=True), RuntimeError, "cannot be"), (lambda: optim.Adam([x], betas=(1.0, 0.9)), ValueError,
                                                                                     "index 0"),
    (lambda: optim.Adam([x], betas=(0.9, -1)), ValueError, "index 1"), (lambda: optim.Adam([x], eps=-1), ValueError, "epsilon"),
    (lambda: optim.Adam([{"params": [x], "lr": -1}]), ValueError, "learning rate"), (lambda: optim.RMSprop([x], alpha=-1), ValueError,
                                                                                     "alpha"),
    (lambda: optim.Adagrad([x], lr_decay=-1), ValueError, "lr_decay"), (lambda: optim.Adadelta([x], rho=2), ValueError, "rho"),
    (lambda: optim.Rprop([x], etas=(1.1, 1.2)), ValueError, "eta"), (lambda: optim.NAdam([x], momentum_decay=-1), ValueError,
                                                                     "momentum_decay"),
    (lambda: optim.SGD([x]).load_state_dict({"state": {}, "param_groups": []}), ValueError, "number of parameter groups"),
    (lambda: optim.SGD([x]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}), ValueError, "size"),
])
def test_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_module_in_place_of_its_parameters():
    with pytest.raises(TypeError, match=r"Adam: params must be an iterable of Tensors or dicts, got a Linear; give its parameters\(\)"):
        optim.Adam(fn.nn.Linear(1, 1))


@pytest.mark.parametrize("name", ALL)
def test_steps_when_the_default_dtype_is_float64(name):
    def run():
        param = fn.nn.Parameter(fn.tensor([[1.0, 2.0]], dtype=fn.float64))
        optimizer = getattr(optim, name)([param], lr=0.1)
        train(optimizer)
        optimizer.load_state_dict(optimizer.state_dict())
        train(optimizer)
        return param.tolist()
    want = run()
    fn.set_default_dtype(fn.float64)
    try:
        assert run() == want
    finally:
        fn.set_default_dtype(fn.float32)
