"""fastnet.profile and fastnet.estimate: sums, kernels, traces, what they leave behind, and predictions against the clock."""
import ctypes
import json
import re
import threading
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet._core import launch, tape
from fastnet.nn import functional as F
from fastnet.nn.module import Module
from fastnet.optim.optimizer import Optimizer
from fastnet.profiling import Estimate, products
from fastnet.profiling.estimate import blocks
from fastnet.utils.data import DataLoader, TensorDataset


def cnn():
    fn.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
                         nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
                         nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 10), nn.Tanh())


def batch(n=16):
    return fn.rand(n, 1, 8, 8), fn.zeros(n, dtype=fn.int64)


def clean():
    assert launch._record_launches(None) is None and tape._record_backward(None) is None
    assert Module.__call__ is ORIGINALS[0] and Optimizer.step is ORIGINALS[1] and fn.optim.LBFGS.step is ORIGINALS[2]


ORIGINALS = Module.__call__, Optimizer.step, fn.optim.LBFGS.step


@pytest.fixture(scope="module")
def profiled():
    model = cnn()
    optimizer = fn.optim.Adam(model.parameters())
    return model, fn.profile(model, batch(), loss=F.cross_entropy, optimizer=optimizer, steps=3)


@pytest.fixture(scope="module")
def one_step():
    model = cnn()
    return fn.profile(model, batch(), loss=F.cross_entropy, optimizer=fn.optim.Adam(model.parameters()), steps=1)


def test_times_of_rows_add_up_to_the_step(one_step):
    p = one_step
    total = p.passes["total"]
    assert total > 0 and sum(r.forward_self + r.backward_self for r in p) == pytest.approx(total, rel=1e-6)
    assert sum(v for k, v in p.passes.items() if k != "total") == pytest.approx(total, rel=1e-6)
    assert all(v > 0 for v in p.passes.values())
    assert p["(optimizer)"].forward == pytest.approx(p.passes["optimizer"])


def test_children_add_up_to_their_parent(one_step):
    p = one_step
    for name in ("", "3"):
        children = [r for r in p if r.type and (r.name.startswith("3.") if name else r.depth == 1)]
        row = p[name]
        assert row.forward == pytest.approx(row.forward_self + sum(r.forward for r in children), rel=1e-6)
        assert row.backward == pytest.approx(row.backward_self + sum(r.backward for r in children), rel=1e-6)
        assert row.flops == pytest.approx(sum(r.flops for r in children), rel=1e-6)
    assert [r.name for r in p][:5] == ["", "0", "1", "2", "3"]
    assert p["2"].calls == 0 and p["2"].time == 0          # fused into the batch norm


def test_operations_and_algorithms(profiled):
    model, p = profiled
    macs = 16 * 64 * 16 * 16 * 9
    assert p["3.0"].flops == 3 * 2 * macs + 2 * 16 * 64 * 16    # forward, both gradients; the bias
    assert p["0"].flops == 2 * 2 * macs // 16 + 2 * 16 * 64 * 16  # the input needs no gradient
    assert p["3.0"].gflops == pytest.approx(p["3.0"].flops / p["3.0"].time / 1e9)
    assert p["3.0"].percent == pytest.approx(100e9 * p["3.0"].gflops / p.peak_flops)
    explained = fn.backends.conv.explain((16, 16, 8, 8), (16, 16, 3, 3), padding=1)
    assert p["3.0"].algorithms == {k: c.algorithm for k, c in explained.items()}
    assert set(p["0"].algorithms) == {"forward", "weight"}
    assert p["6"].algorithms["forward"].startswith("gemm ")
    assert p["3.0"].saved >= 4 * 16 * 16 * 64
    assert p.peak_bytes > p.live_bytes > 0


def test_kernels_are_counted(profiled):
    _, p = profiled
    kernels = {k.kernel: k for k in p.kernels}
    assert kernels["batch_norm_forward"].count == 2 and kernels["adam_update"].count == 1
    assert kernels["cross_entropy_backward"].count == 1 and "cross_entropy_backward" in p["(loss)"].kernels
    assert p["1"].kernels["batch_norm_backward"].count == 1
    assert sum(k.seconds for k in kernels.values()) < p.passes["total"]
    assert sum(k.count for r in p for k in r.kernels.values()) == pytest.approx(sum(k.count for k in kernels.values()))
    assert all(1 <= k.threads <= fn.get_num_threads() for k in kernels.values())


def test_the_text_has_rows_kernels_and_the_cost_of_watching(profiled):
    _, p = profiled
    text = str(p)
    assert "watching costs" in text and p.overhead > -1 and p.plain > 0
    assert "3" in text and "adam_update" in p.kernel_table() and "(optimizer)" in p.table()
    names = [line.split("  ")[0].split(":")[0] for line in p.table(sort_by="name").splitlines()[3:]]
    assert names == sorted(names) and "3.0" in names
    slowest = max(p, key=lambda row: row.time)
    assert p.table(sort_by="time").splitlines()[2].startswith(slowest.name or slowest.type)
    assert "MaxPool2d" not in p.table(depth=1)
    with pytest.raises(ValueError, match="sort_by must be one of time"):
        p.table(sort_by="speed")
    with pytest.raises(KeyError, match="no layer is called 'conv'"):
        p["conv"]


def test_times_are_medians_and_layers_that_rest_count_less():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.calls = nn.Linear(2, 2), nn.Linear(2, 2), 0

        def forward(self, x):
            self.calls += 1
            if self.calls == 2:
                sleep(0.05)                                # one slow step of five
            return self.b(x) if self.calls % 2 == 0 else self.a(x)
    net = Net()
    with fn.profile(net) as p:
        for i in range(5):
            if i:
                p.next_step()
            net(fn.ones(1, 2))
    assert p[""].calls == 1 and p["a"].calls == pytest.approx(0.6) and p["b"].calls == pytest.approx(0.4)
    assert p[""].forward < 0.02 and p.passes["total"] < 0.02 and str(p).startswith("one step, the median of 5: ")
    spans = [(s.end - s.start) * 1e-9 for s in p.watch.spans if s.module is net.b]
    assert p["b"].forward == pytest.approx(0.4 * sum(spans) / 2)


def test_tables_fit_a_screen():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a_rather_long_name_for_a_layer = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3))

        def forward(self, x):
            return self.a_rather_long_name_for_a_layer(x).exp().sigmoid().tanh().log_softmax(1)
    p = fn.profile(nn.Sequential(nn.Sequential(nn.Sequential(Block()))), fn.rand(1, 3, 8, 8), steps=1)
    assert max(map(len, str(p).splitlines())) <= 100 and " a_rather" in p.table(width=80)
    assert "a_rather_long_name_for_a_layer: Sequential" in p.table(width=None) and "_layer: " not in p.table(width=80)
    assert max(map(len, p.table(width=80).splitlines())) <= 80
    with pytest.raises(ValueError, match="width must be at least 80, got 79"):
        p.table(width=79)


def test_the_trace_nests_and_has_the_same_times(profiled, tmp_path):
    _, p = profiled
    p.export(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    slices = [e for e in events if e["ph"] == "X"]
    assert {e["ph"] for e in events} == {"M", "X"} and len({e["pid"] for e in events}) == 1
    stack = []
    for e in slices:                                       # in order of time, the longer first
        end = e["ts"] + e["dur"]
        while stack and stack[-1] <= e["ts"] + 1e-6:
            stack.pop()
        assert not stack or end <= stack[-1] + 1e-3, "a slice sticks out of the one around it"
        stack.append(end)
    total = np.median([e["dur"] for e in slices if e["name"] == "step"]) / 1e6
    assert total == pytest.approx(p.passes["total"], rel=1e-3)
    conv = [e for e in slices if e["name"] == "3.0" and e["cat"] == "module"]
    assert len(conv) == 3 and np.median([e["dur"] for e in conv]) / 1e6 == pytest.approx(p["3.0"].forward, rel=1e-3)
    back = [e["dur"] for e in slices if e["cat"] == "backward" and e["args"].get("layer") == "3.0"]
    assert np.median(np.reshape(back, (3, -1)).sum(1)) / 1e6 == pytest.approx(p["3.0"].backward, rel=1e-3)
    assert sum(e["cat"] == "kernel" for e in slices) == pytest.approx(3 * sum(k.count for k in p.kernels))


def test_everything_is_put_back():
    model = cnn()
    optimizer = fn.optim.Adam(model.parameters())
    x, y = batch()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    state = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    moments = [v.numpy().copy() for s in optimizer.state.values() for v in s.values() if isinstance(v, fn.Tensor)]
    grads, random = [p.grad.numpy().copy() for p in model.parameters()], fn.get_rng_state()
    fn.profile(model, (x, y), loss=F.cross_entropy, optimizer=optimizer, steps=2)
    fn.estimate(model, (x, y), 100, loss=F.cross_entropy, optimizer=optimizer, seconds=0.01)
    assert all(np.array_equal(v.numpy(), state[k]) for k, v in model.state_dict().items())
    after = [v.numpy() for s in optimizer.state.values() for v in s.values() if isinstance(v, fn.Tensor)]
    assert len(after) == len(moments) and all(np.array_equal(a, b) for a, b in zip(after, moments))
    assert all(np.array_equal(p.grad.numpy(), g) for p, g in zip(model.parameters(), grads)) and (fn.get_rng_state() == random).all()
    clean()


def test_watching_changes_no_bit():
    model, (x, y) = cnn(), batch()
    fn.manual_seed(1)
    F.cross_entropy(model(x), y).backward()
    plain = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    fn.manual_seed(1)
    with fn.profile(model) as p:
        F.cross_entropy(model(x), y).backward()
    assert all(np.array_equal(q.grad.numpy(), g) for q, g in zip(model.parameters(), plain))
    assert p["0"].calls == 1 and p.overhead is None and p["3"].backward > 0


def test_a_with_block_names_what_it_sees_and_survives_exceptions():
    model = cnn()
    with pytest.raises(RuntimeError, match="before the `with` block has ended"):
        fn.profile().table()
    with pytest.raises(ZeroDivisionError), fn.profile() as p:
        model(batch()[0])
        1 / 0
    clean()
    assert p["Sequential.3.0"].calls == 1
    with fn.profile() as outer, pytest.raises(RuntimeError, match="one at a time"), fn.profile():
        pass
    assert outer.passes["total"] > 0
    clean()

    class Bad(nn.Module):
        def forward(self, x):
            raise KeyError("oops")
    with pytest.raises(KeyError):
        fn.profile(nn.Sequential(nn.Linear(2, 2), Bad()), fn.rand(1, 2))
    clean()


def test_other_threads_are_told_apart(tmp_path):
    x = fn.rand(50)
    with fn.profile() as p:
        worker = threading.Thread(target=lambda: nn.ReLU()(x).exp())
        worker.start()
        worker.join()
        fn.sqrt(x)
    assert {k.kernel for k in p.kernels} == {"relu", "exp", "sqrt"}
    assert set(p["(other)"].kernels) | set(k for r in p for k in r.kernels) == {"relu", "exp", "sqrt"}
    p.export(tmp_path / "t.json")
    rows = {e["name"]: e["tid"] for e in json.loads((tmp_path / "t.json").read_text())["traceEvents"] if e["ph"] == "X"}
    assert rows["relu"] == rows["exp"] != rows["sqrt"]


def test_recurrent_and_attention_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.attention = nn.LSTM(8, 16, batch_first=True), nn.MultiheadAttention(16, 2, batch_first=True)

        def forward(self, x):
            y, _ = self.lstm(x)
            return self.attention(y, y, y, need_weights=False)[0]
    p = fn.profile(Net(), (fn.rand(3, 5, 8), fn.rand(3, 5, 16)), loss=F.mse_loss, steps=1)
    assert p["lstm"].kernels["recurrent_backward"].count == 1 and p["attention"].kernels["attention_backward"].count == 1
    own = 3 * (3 * 5 * 16 * 16) * 3 + (3 * 5 * 5 * 16) * (2 + 5)           # three projections, three passes; scores and mixing
    own += 3 * 5 * 3 * 16                                                   # the gradient of the bias, a sum by the same kernel
    assert p["attention"].flops - p["attention.out_proj"].flops == 2 * own
    assert p[""].flops > p["lstm"].flops > 0


@pytest.mark.parametrize("mirror, header, struct", [
    (products._Gemm, "gemm", "fn_gemm_args"), (products._Attention, "attention", "fn_attention_args"),
    (products._Conv, "conv", "fn_conv_shape"), (products._Winograd, "winograd", "fn_winograd_args")],
    ids=lambda v: v if isinstance(v, str) else "")
def test_arguments_of_kernels_are_read_as_the_headers_have_them(mirror, header, struct):
    path = Path(__file__).parents[1] / "csrc/kernels" / f"{header}.h"
    if not path.is_file():
        pytest.skip("the tests are not in a source tree")
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    body = re.search(r"typedef struct \{([^}]*)\} " + struct, text)[1]
    kinds = {"void": ctypes.c_void_p, "ptrdiff_t": ctypes.c_ssize_t, "int32_t": ctypes.c_int32, "uint64_t": ctypes.c_uint64,
             "double": ctypes.c_double, "fn_after": ctypes.c_void_p}
    fields = []
    for kind, names in re.findall(r"(?:const )?(\w+)\s+([^;]+);", body):
        for name in names.replace("*", "").split(","):
            word, _, length = name.strip().partition("[")
            size = {"FN_MAXDIM": 8}.get(length.rstrip("]")) or int(length.rstrip("]") or 0)
            fields.append((word, kinds[kind] * size if size else kinds[kind]))
    assert fields[:len(mirror._fields_)] == mirror._fields_


def test_a_trainer_is_watched():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    trainer = fn.Trainer(net, nn.CrossEntropyLoss(), fn.optim.Adam(net.parameters()), progress=False)
    with fn.profile(net) as p:
        trainer.fit(fn.datasets.load_digits("train"), steps=3, batch_size=32)
    assert p["1"].calls == p["CrossEntropyLoss"].calls == p["(optimizer)"].calls == 3 and p["1"].backward > 0
    lines = p.table().splitlines()[2:]
    assert [line[:14].rstrip() for line in lines[:4]] == ["Sequential", "  0: Flatten", "  1: Linear", "CrossEntropyLo"]


def test_layers_without_sizes_are_refused():
    net = nn.Sequential(nn.LazyLinear(4))
    for look in (fn.profile, fn.estimate):
        with pytest.raises(ValueError, match="lazy layers.*run a forward first"):
            look(net, fn.rand(2, 3))
    assert fn.summary(net, (2, 3)).parameters == 16
    clean()


def test_a_layer_in_a_list_is_told_apart():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.h = nn.ModuleList(nn.Sequential(nn.Linear(3, 3)) for _ in range(2))

        def forward(self, x):
            return self.h[1](self.h[0](x))
    lines = [line.split("   1  ")[0].rstrip() for line in fn.profile(Net(), fn.rand(2, 3), steps=1).table().splitlines()[2:]]
    assert lines[:5] == ["Net", "  h.0: Sequential", "    0: Linear", "  h.1: Sequential", "    0: Linear"]


def test_forward_alone():
    p = fn.profile(nn.Linear(4, 3), fn.rand(2, 4), steps=2)
    assert p.passes["backward"] == p.passes["optimizer"] == 0 and p[""].flops == 2 * 24 + 6


@pytest.mark.parametrize("arguments, options, error, message", [
    ((3, (1,)), {}, TypeError, "model must be a Module"), ((nn.ReLU(), 3), {}, TypeError, "batch must be a tensor or"),
    ((nn.ReLU(), (fn.ones(1),)), {"loss": F.mse_loss}, TypeError, "batch .inputs..., target."),
    ((nn.ReLU(), fn.ones(1)), {"optimizer": 1}, ValueError, "an optimizer needs a loss"),
    ((nn.ReLU(),), {"loss": F.mse_loss}, ValueError, "need a batch"), ((3,), {}, TypeError, "model must be a Module"),
    ((nn.ReLU(), fn.ones(1)), {"steps": 0}, ValueError, "steps must be at least 1")])
def test_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fn.profile(*arguments, **options)


def test_recording_costs_nothing_when_off():
    """Off, a launch compares one pointer; a list of launches stays what it was."""
    seen = []
    launch._record_launches(seen)
    fn.ones(3) + 1
    launch._record_launches(None)
    n = len(seen)
    fn.ones(3) + 1
    assert n == len(seen) >= 1


# ---- estimate

def digits():
    images, labels = map(fn.from_numpy, fn.datasets.load_digits("train"))
    return DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)


def test_an_epoch_of_the_digits_takes_as_long_as_predicted():
    model, loader = cnn(), digits()
    optimizer = fn.optim.Adam(model.parameters())
    tries = []
    for _ in range(4):                                     # another process may come or go in between
        e = fn.estimate(model, None, loader, loss=F.cross_entropy, optimizer=optimizer, seconds=0.3)
        start = perf_counter()
        for x, y in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        tries.append((e.epoch_low, perf_counter() - start, e.epoch_high))
        if tries[-1][0] <= tries[-1][1] <= tries[-1][2]:
            break
    assert any(low <= real <= high for low, real, high in tries), tries
    assert 0 < e.loading < e.step and e.steps_per_epoch == len(loader.dataset) / 32


def test_arithmetic_of_an_estimate():
    e = Estimate([1.0, 1.2] * 10, None, 50.0, 4, 2**20)
    assert e.step == pytest.approx(1.1) and e.epoch == pytest.approx(55) and e.total == pytest.approx(220)
    assert e.error == 0.05 and e.epoch_high == pytest.approx(55 * 1.05) and e.epoch_low == pytest.approx(55 * 0.95)
    slow = Estimate([1.0] * 10 + [2.0] * 10, [0.1] * 20, None, 1, 0)
    assert slow.error == pytest.approx(2 * np.std([1.0] * 5 + [2.0] * 5, ddof=1) / 1.5)
    assert slow.epoch is None and slow.loading == pytest.approx(0.1)
    assert blocks([1, 2, 3, 4, 5, 6], 3) == [1.5, 3.5, 5.5]
    assert "50 steps" in str(e) and "3 min 40 s" in str(e) and "waiting for data" in str(slow) and "1.0 MiB" in str(e)


def test_estimates_of_shapes_and_numbers():
    e = fn.estimate(nn.Linear(8, 4), (16, 8), 1000, epochs=2, seconds=0.01)
    assert e.steps_per_epoch == 62.5 and e.epochs == 2 and e.loading is None
    assert fn.estimate(nn.Embedding(9, 4), (16, 8), 1000, batch_size=10, dtypes=fn.int64, seconds=0.01).steps_per_epoch == 100
    assert fn.estimate(nn.LSTM(8, 4), fn.rand(3, 2, 8), seconds=0.01).epoch is None
    assert fn.estimate(nn.Linear(64, 4), (16, 64), digits(), seconds=0.01).loading > 0
    drop = DataLoader(TensorDataset(fn.rand(10, 2), fn.rand(10, 1)), batch_size=4, drop_last=True)
    e = fn.estimate(nn.Linear(2, 1), data=drop, loss=F.mse_loss, seconds=0.01)
    assert e.steps_per_epoch == 2


@pytest.mark.parametrize("arguments, options, error, message", [
    ((3, (1,)), {}, TypeError, "model must be a Module"), ((nn.ReLU(),), {}, TypeError, "input is needed"),
    ((nn.ReLU(), (1,), 0), {}, TypeError, "data must be"), ((nn.ReLU(), (1,), 10), {"epochs": 0}, ValueError, "epochs=0"),
    ((nn.ReLU(), {"x": 1}), {}, TypeError, "got a dict"), ((nn.ReLU(), None, [(1, 2)]), {}, TypeError, "a loss is needed"),
    ((nn.Linear(2, 2), None, DataLoader(TensorDataset(fn.ones(2, 2)), batch_size=4, drop_last=True)), {"loss": F.mse_loss}, ValueError,
     "no batch")])
def test_refused_estimates(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fn.estimate(*arguments, **options)
