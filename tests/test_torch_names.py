"""What scripts written for PyTorch import and do not compute with: mixed precision, compilers, switches, the profiler; hooks on leaves."""
import json
import warnings

import numpy as np
import pytest

import fastnet as torch
from fastnet import nn
from fastnet.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule, tensorboard_trace_handler


def test_autocast_says_that_it_computes_in_float32():
    x = torch.randn(4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with torch.autocast("cuda", torch.float16, enabled=False), torch.cuda.amp.autocast(enabled=False):
            assert (x @ x).dtype == torch.float32
    for make in (lambda: torch.autocast("cpu", torch.bfloat16), lambda: torch.amp.autocast(device_type="cuda"), torch.cuda.amp.autocast):
        with pytest.warns(UserWarning, match="Disabling autocast"):
            context = make()
        with context:
            assert torch.equal(context(torch.mm)(x, x), x @ x) and not torch.is_autocast_enabled()
    with pytest.raises(RuntimeError, match="autocast: device type 'gpu'"):
        torch.autocast("gpu")
    with pytest.raises(ValueError, match="autocast: the device type must be a string"):
        torch.autocast(torch.device("cpu"))


def test_half_precision_is_only_a_name():
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.half}["bfloat16"]
    assert dtype != torch.float32 and repr(torch.half) == "fastnet.float16" and dtype.itemsize == 2 and isinstance(dtype, torch.dtype)
    for use in (lambda: torch.zeros(2, dtype=dtype), lambda: torch.zeros(2).to(dtype), lambda: nn.Linear(2, 2).to(dtype),
                lambda: torch.finfo(dtype), lambda: torch.tensor([1.0], dtype=dtype), lambda: torch.set_default_dtype(dtype)):
        with pytest.raises(TypeError, match="bfloat16"):
            use()


def trained(scaler, losses=((3.0, 1.0), (float("inf"), 1.0), (2.0, 1.0))):
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    sgd = torch.optim.SGD([w], lr=0.5)
    for row in losses:
        sgd.zero_grad()
        scaler.scale((w * torch.tensor(row)).sum()).backward()
        scaler.step(sgd)
        scaler.update()
    return w.tolist()


def test_scaler_leaves_out_what_is_not_finite_and_adapts():
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    assert trained(scaler, [(3.0, 1.0)]) == [-0.5, 0.5]
    assert trained(scaler) == [1 - 1.5 - 1.0, 0.0] and scaler.get_scale() == 8.0          # to 16 after two, back after inf
    assert trained(scaler, [(1.0, 1.0)]) == [0.5, 0.5] and scaler.get_scale() == 16.0     # two good ones in a row
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict() and set(scaler.state_dict()) == {
        "scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"}
    scaler.update(2.0)
    assert scaler.get_scale() == 2.0 and scaler.scale([torch.ones(1), torch.ones(1)])[1].item() == 2.0


def test_scaler_divides_before_clipping_and_once():
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    sgd, scaler = torch.optim.SGD([w], lr=1.0), torch.amp.GradScaler("cpu")
    scaler.scale((w * torch.tensor([3.0, 4.0])).sum()).backward()
    scaler.unscale_(sgd)
    assert nn.utils.clip_grad_norm_([w], 1.0).item() == 5.0
    with pytest.raises(RuntimeError, match="unscale_"):
        scaler.unscale_(sgd)
    scaler.step(sgd)
    assert np.allclose(w.tolist(), [0.4, 0.2], atol=1e-6)
    with pytest.raises(RuntimeError, match="called before since the last update"):
        scaler.step(sgd)
    scaler.update()
    with pytest.raises(RuntimeError, match="no step was made"):
        scaler.update()
    sgd.zero_grad()
    with pytest.raises(RuntimeError, match="no parameter has a gradient"):
        scaler.step(sgd)
    with pytest.raises(RuntimeError, match="closure"):
        scaler.step(sgd, closure=lambda: 0)


def test_a_disabled_scaler_only_steps():
    with pytest.warns(UserWarning, match="GradScaler: cuda is not available"):
        scaler = torch.cuda.amp.GradScaler()
    assert not scaler.is_enabled() and scaler.get_scale() == 1.0 and scaler.state_dict() == {} and scaler.update() is None
    w = torch.tensor([1.0], requires_grad=True)
    sgd = torch.optim.SGD([w], lr=0.5)
    assert scaler.scale(w) is w and scaler.unscale_(sgd) is None
    w.grad = torch.tensor([float("inf")])
    scaler.step(sgd)
    assert w.item() == -float("inf")


def test_compile_and_jit_give_back_what_they_get():
    model = nn.Linear(2, 2)
    assert torch.compile(model, mode="max-autotune") is model and torch.compile(mode="default")(model) is model and model.compile() is None
    assert torch.jit.script(model) is model and torch.jit.trace(model, torch.ones(1, 2)) is model and not torch.compiler.is_compiling()
    assert torch.jit.ignore(model) is model and torch.jit.ignore(drop=True)(model) is model and torch.compiler.disable()(model) is model
    for wrong, word in (({"mode": "fast"}, "mode must be"), ({"backend": lambda graph, inputs: graph}, "backend must be"),
                        ({"mode": "default", "options": {}}, "not both")):
        with pytest.raises(RuntimeError, match=f"compile: .*{word}"):
            torch.compile(model, **wrong)
    with pytest.raises(TypeError, match="compile: model must be callable"):
        torch.compile(3)
    with pytest.raises(RuntimeError, match="linear"):
        torch.jit.trace(model, torch.ones(1, 3))


def test_switches():
    torch.set_num_interop_threads(2)
    torch.set_deterministic_debug_mode("error")
    torch.set_default_tensor_type("torch.DoubleTensor")
    try:
        assert torch.zeros(1).dtype == torch.float64
    finally:
        torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.get_num_interop_threads() == 1 and torch.zeros(1).dtype == torch.float32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    assert not torch.backends.mkl.is_available() and torch.backends.openmp.is_available() and torch.cuda.max_memory_allocated() == 0
    with pytest.raises(RuntimeError, match="set_num_interop_threads"):
        torch.set_num_interop_threads(0)
    with pytest.raises(TypeError, match="set_default_tensor_type"):
        torch.set_default_tensor_type(torch.LongTensor)
    with pytest.raises(AttributeError):
        torch.backends.nothing


def test_profiler_follows_its_schedule_and_counts(tmp_path):
    model, seen = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), []

    def ready(prof):
        seen.append({e.key: e for e in prof.key_averages()})
        tensorboard_trace_handler(str(tmp_path), "w")(prof)

    plan = schedule(skip_first=1, wait=1, warmup=0, active=2, repeat=2)
    assert [plan(k) for k in (0, 1, 3, 4, 9)] == [ProfilerAction.NONE] * 2 + [ProfilerAction.RECORD_AND_SAVE, ProfilerAction.NONE] + [
        ProfilerAction.NONE]
    with profile(activities=[ProfilerActivity.CPU], schedule=plan, on_trace_ready=ready, record_shapes=True) as prof:
        for _ in range(9):
            with record_function("forward"):
                loss = model(torch.ones(5, 4)).sum()
            loss.backward()
            prof.step()
    assert len(seen) == 2 and prof.step_num == 9
    for found in seen:
        assert found["forward"].count == 2 and found["Sequential"].count == 2 and found["gemm"].count >= 4 and found["backward"].count == 2
        assert found["forward"].cpu_time_total >= found["Sequential"].cpu_time_total >= found["Sequential"].self_cpu_time_total >= 0
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=3, header="these")
    assert table.startswith("these\nName") and len(table.splitlines()) == 7
    files = list(tmp_path.iterdir())
    assert len(files) == 2 and {e["name"] for e in json.loads(files[0].read_text())["traceEvents"]} >= {"forward", "gemm"}
    with pytest.raises(ValueError, match="group_by_input_shape"):
        prof.key_averages(group_by_input_shape=True)
    with pytest.raises(ValueError, match="schedule: active"):
        schedule(wait=0, warmup=0, active=0)
    with record_function("outside"):
        pass
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        profile().key_averages()


@pytest.mark.parametrize("create_graph", [False, True])
def test_post_accumulate_hooks_see_the_whole_gradient(create_graph):
    w, log = torch.ones(3, requires_grad=True), []

    def hook(x):
        log.append((x is w, x.grad.tolist()))
        with torch.no_grad():
            x -= 0.5 * x.grad
        x.grad = None

    handle = w.register_post_accumulate_grad_hook(hook)
    (w * 2 * w + 3 * w).sum().backward(create_graph=create_graph)
    assert log == [(True, [7.0] * 3)] and w.tolist() == [-2.5] * 3 and w.grad is None
    torch.autograd.grad((w * w).sum(), w)                 # adds to no .grad
    handle.remove()
    (w * w).sum().backward()
    assert len(log) == 1
    with pytest.raises(RuntimeError, match="register_post_accumulate_grad_hook"):
        (w * w).register_post_accumulate_grad_hook(hook)
    with pytest.raises(TypeError, match="register_post_accumulate_grad_hook"):
        w.register_post_accumulate_grad_hook(3)


def test_optimizers_in_backward_train():
    def run(fused):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        each = {p: torch.optim.Adam([p], lr=0.1) for p in model.parameters()}

        def step(p):
            each[p].step()
            each[p].zero_grad()

        if fused:
            for p in model.parameters():
                p.register_post_accumulate_grad_hook(step)
        for _ in range(5):
            model(torch.ones(3, 4)).square().sum().backward()
            if not fused:
                for p in model.parameters():
                    step(p)
        return [p.tolist() for p in model.parameters()]
    assert run(True) == run(False)


def test_grad_takes_values_of_a_dict_and_only_inputs():
    parts = {"a": torch.tensor(2.0, requires_grad=True), "b": torch.tensor(3.0, requires_grad=True)}
    for create_graph in (False, True):
        got = torch.autograd.grad(parts["a"] * parts["b"] ** 2, parts.values(), create_graph=create_graph, only_inputs=True)
        assert [g.item() for g in got] == [9.0, 12.0]
    for wrong in (parts, "ab", 3, iter([1])):
        with pytest.raises(TypeError, match="grad: inputs must be"):
            torch.autograd.grad(parts["a"] * 2, wrong)
    with pytest.raises(ValueError, match="only_inputs=False"):
        torch.autograd.grad(parts["a"] * 2, parts["a"], only_inputs=False)
