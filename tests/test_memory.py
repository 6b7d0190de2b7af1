"""The arena: alignment, reuse, statistics, and what happens when memory runs out at any moment."""
import gc
import time

import numpy as np
import pytest

import fastnet
from fastnet._core import memory


def stats():
    gc.collect()
    return fastnet.memory_stats()


@pytest.fixture
def failing():
    """fail(n): the n-th allocation from now raises MemoryError."""
    yield memory._fail_after
    memory._fail_after(-1)


def train_step(w1, w2, x, target):
    """A small network, its loss and its gradients; every tensor but the arguments is dropped."""
    h = (x.unsqueeze(1) * w1).sum(-1).relu()
    loss = ((h * w2).sum(1) - target).pow(2).mean()
    loss.backward()
    with fastnet.no_grad():
        for w in (w1, w2):
            w.sub_(w.grad * 0.01)
            w.grad = None
    return loss.item()


def network(rows=5, inputs=3, hidden=7):
    rng = np.random.default_rng(0)
    x, target = (fastnet.tensor(rng.standard_normal(s).astype("f")) for s in ((rows, inputs), (rows,)))
    w1, w2 = (fastnet.tensor(rng.standard_normal(s).astype("f"), requires_grad=True) for s in ((hidden, inputs), (hidden,)))
    return w1, w2, x, target


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000, 1 << 16, (1 << 16) + 1, 1 << 20])
def test_memory_is_aligned_to_a_line(size):
    for x in (fastnet.tensor(np.zeros(size, t)) for t in ("uint8", "float32", "float64")):
        assert x.data_ptr() % 64 == 0 and x.clone().data_ptr() % 64 == 0


def test_blocks_do_not_overlap():
    rng = np.random.default_rng(0)
    kept, want = [], []
    for i in range(2000):
        value, size = i % 251, int(rng.integers(1, 4000 if i % 50 else 400_000))
        kept.append(fastnet.tensor(np.full(size, value, np.uint8)))
        want.append(value)
        if i % 3 == 0:
            at = int(rng.integers(len(kept)))
            del kept[at], want[at]
    for x, value in zip(kept, want):
        assert (x.numpy() == value).all()


def test_a_steady_loop_asks_the_system_for_nothing():
    net = network(64, 32, 128)
    for _ in range(3):
        train_step(*net)
    before = stats()
    for _ in range(50):
        train_step(*net)
    after = stats()
    assert after["system_calls"] == before["system_calls"] and after["reserved_bytes"] == before["reserved_bytes"]
    assert after["live_bytes"] == before["live_bytes"] and after["peak_bytes"] == before["peak_bytes"]
    assert after["allocations"] > before["allocations"]


def test_freed_blocks_are_used_again():
    def once(size):
        x = fastnet.tensor(np.zeros(size, np.uint8))
        return x.data_ptr() // 4096
    for size in (100, 5000, 1 << 18, 1 << 22):
        assert len({once(size) for _ in range(20)}) <= 2


def test_different_sizes_of_large_blocks_come_from_one_region():
    before = stats()["reserved_bytes"]
    for i in range(200):
        fastnet.tensor(np.zeros(600_000 + 70_000 * (i * 7 % 13), np.uint8))
    assert stats()["reserved_bytes"] <= before + (256 << 20)


def test_statistics_tell_live_and_peak():
    fastnet.reset_peak_memory_stats()
    before = stats()
    assert before["peak_bytes"] == before["live_bytes"]
    x = fastnet.tensor(np.zeros(1 << 20, np.uint8))
    y = x.clone()
    during = stats()
    assert (2 << 20) <= during["live_bytes"] - before["live_bytes"] <= (2 << 20) + (1 << 18)
    del y
    after = stats()
    assert after["live_bytes"] < during["live_bytes"] and after["peak_bytes"] >= during["live_bytes"]
    del x
    assert stats()["live_bytes"] == before["live_bytes"]
    assert all(isinstance(v, int) for v in after.values())
    assert after["cached_bytes"] == after["reserved_bytes"] - after["live_bytes"]


def test_empty_cache_gives_memory_back():
    x = fastnet.tensor(np.zeros(300 << 20, np.uint8))
    held = stats()["reserved_bytes"]
    del x
    fastnet.empty_cache()
    assert stats()["reserved_bytes"] <= held - (300 << 20)
    fastnet.empty_cache()
    assert fastnet.tensor([1.0, 2.0]).tolist() == [1.0, 2.0]


def test_views_keep_memory_alive():
    x = fastnet.tensor(np.arange(1000, dtype=np.float32))
    a = x[10:20].numpy()
    d = x.detach()
    del x
    gc.collect()
    fastnet.tensor(np.zeros(1000, np.float32))
    assert a.tolist() == list(range(10, 20)) and d[999].item() == 999.0


def test_arrays_stay_alive_as_long_as_their_tensors():
    x = fastnet.from_numpy(np.arange(100000, dtype=np.float32))
    gc.collect()
    assert x[99999].item() == 99999.0


@pytest.mark.parametrize("shape", [(1 << 62,), (1 << 31, 1 << 31), (1 << 61, 8), (1 << 40, 1 << 40), (1 << 45,), (1 << 21,) * 3])
def test_huge_sizes_are_refused_at_once(shape):
    start = time.perf_counter()
    with pytest.raises((MemoryError, ValueError, OverflowError, RuntimeError)):
        fastnet.zeros(shape)
    one = fastnet.tensor([1.0])
    with pytest.raises((MemoryError, ValueError, OverflowError, RuntimeError)):
        one.expand(*shape).clone()
    assert time.perf_counter() - start < 1.0


def test_negative_sizes_are_refused():
    with pytest.raises((ValueError, RuntimeError), match="-1"):
        fastnet.zeros(2, -1)


def test_too_many_axes_are_refused():
    with pytest.raises((ValueError, RuntimeError), match="9"):
        fastnet.zeros((1,) * 9)
    with pytest.raises(ValueError, match="9"):
        fastnet.from_numpy(np.zeros((1,) * 9))


def test_any_allocation_of_a_training_step_may_fail(failing):
    net = network()
    expected = train_step(*network())
    before = stats()["live_bytes"]
    n = 0
    while True:
        failing(n)
        try:
            train_step(*net)
            break
        except MemoryError as error:
            assert "fastnet" in str(error)
        failing(-1)
        for w in net[:2]:
            w.grad = None
        assert stats()["live_bytes"] == before, f"allocation {n} failed and memory leaked"
        n += 1
        assert n < 10000
    failing(-1)
    assert n > 20
    assert train_step(*network()) == expected


def test_any_allocation_of_a_backward_may_fail(failing):
    """The tape survives: the same backward, run again with memory, gives the right gradients."""
    def forward():
        w1, w2, x, target = network()
        h = (x.unsqueeze(1) * w1).sum(-1).tanh()
        y = (h * w2).sum(1) + h[:, 0] * 2.0 + h[:, ::2].sum(1) + h[1:2, 3] + w2[1:4].prod() + w1[:, [0, 0, 2]].sum()
        return (w1, w2), (y - target).pow(2).mean()

    weights, loss = forward()
    loss.backward()
    want = [w.grad.tolist() for w in weights]
    n, failed = 0, 1
    while failed:
        weights, loss = forward()
        failing(n)
        try:
            loss.backward(retain_graph=True)
            failed = 0
        except MemoryError:
            n += 1
            for w in weights:
                w.grad = None
            failing(-1)
            loss.backward()
        failing(-1)
        assert [w.grad.tolist() for w in weights] == want, f"after allocation {n} failed"
    assert n > 15


def test_no_memory_leaks_through_errors():
    x, y = fastnet.tensor(np.zeros((2, 3), "f"), requires_grad=True), fastnet.tensor(np.zeros((4, 5), "f"))

    def attempts():
        for wrong in (lambda: x + y, lambda: x @ y, lambda: x.sum(7), lambda: x.backward(), lambda: x.reshape(7), lambda: x[5],
                      lambda: fastnet.cat([x, y])):
            with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
                wrong()
    attempts()
    before = stats()["live_bytes"]
    for _ in range(20):
        attempts()
    assert stats()["live_bytes"] == before
