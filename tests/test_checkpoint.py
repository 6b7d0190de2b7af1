"""utils.checkpoint: the gradients of a plain forward, less memory, random numbers drawn again; nn.DataParallel without GPUs."""
from collections import namedtuple

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet.utils.checkpoint import checkpoint, checkpoint_sequential


def deep(n=12, width=32):
    fn.manual_seed(0)
    return nn.Sequential(*[nn.Sequential(nn.Linear(width, width), nn.Dropout(0.3), nn.Tanh()) for _ in range(n)])


def gradients(net, run, x):
    """Of the parameters and the input, the random numbers that come after, and the most memory in use."""
    net.zero_grad()
    x = x.detach().requires_grad_()
    fn.manual_seed(5)
    fn.reset_peak_memory_stats()
    before = fn.memory_stats()["live_bytes"]
    y = run(x)
    (y * y).sum().backward()
    peak = fn.memory_stats()["peak_bytes"] - before
    return [p.grad.numpy().copy() for p in net.parameters()] + [x.grad.numpy(), fn.rand(3).numpy()], peak


def test_the_same_bits_and_less_memory():
    net, x = deep(), fn.rand(2048, 32)
    plain, most = gradients(net, net, x)
    for run in (lambda x: checkpoint_sequential(net, 4, x, use_reentrant=False), lambda x: checkpoint_sequential(list(net), 3, x)):
        again, peak = gradients(net, run, x)
        assert all(np.array_equal(a, b) for a, b in zip(plain, again)) and peak < 0.65 * most
    other, _ = gradients(net, lambda x: checkpoint_sequential(net, 4, x, preserve_rng_state=False), x)
    assert not np.array_equal(other[0], plain[0])


def test_arguments_results_and_what_needs_no_gradient():
    w = nn.Parameter(fn.tensor([2.0, 3.0]))
    x, n = fn.tensor([1.0, 4.0]), fn.tensor([1, 2])

    def two(x, factor, *, more):
        return x * w * factor, (x * more).sum(), n + 1
    y, total, counts = checkpoint(two, x, 3.0, more=w * 2)      # the input needs no gradient, the parameters inside do
    assert y.requires_grad and total.requires_grad and not counts.requires_grad and counts.tolist() == [2, 3]
    (y.sum() + total).backward()
    assert np.array_equal(w.grad.numpy(), 3 * x.numpy() + 2 * x.numpy())
    assert not checkpoint(lambda x: x + 1, x).requires_grad
    made = checkpoint(lambda x: [x * w], x)
    assert isinstance(made, list) and made[0].requires_grad
    Pair = namedtuple("Pair", "a b")
    made = checkpoint(lambda x: Pair(x * w, x), x)
    assert type(made) is Pair and made.a.requires_grad
    same = checkpoint(lambda x: x, w * 1)
    same.sum().backward()
    assert np.array_equal(w.grad.numpy(), 5 * x.numpy() + 1)
    with fn.no_grad():
        assert not checkpoint(lambda x: x * w, x).requires_grad
    y = checkpoint(lambda x: checkpoint(lambda x: (x * w).exp(), x) * w, x * 0.1)       # one inside of another
    w.grad = None
    y.sum().backward()
    g, v = w.grad.numpy(), w.detach().numpy()
    assert np.allclose(g, (1 + 0.1 * x.numpy() * v) * np.exp(0.1 * x.numpy() * v), rtol=1e-5)


def test_refused():
    with pytest.raises(TypeError, match="checkpoint: the function must return a Tensor or a tuple of them, got str"):
        checkpoint(lambda: "no")
    with pytest.raises(ValueError, match="checkpoint_sequential: segments must be from 1 to the number of functions, 12, got 13"):
        checkpoint_sequential(deep(), 13, fn.rand(1, 32))


def test_data_parallel_is_the_module_itself():
    net, x = deep(2).eval(), fn.rand(3, 32)
    wrapped = nn.DataParallel(net)
    assert fn.equal(wrapped(x), net(x)) and fn.equal(nn.parallel.data_parallel(net, (x,)), net(x))
    assert list(wrapped.state_dict()) == [f"module.{name}" for name in net.state_dict()] and wrapped.module is net
    assert fn.equal(nn.parallel.data_parallel(nn.Identity(), x, module_kwargs={}), x)
    for device_ids in ([0], ["cuda:1"]):
        with pytest.raises(ValueError, match="DataParallel: device_ids and output_device name GPUs, and there are none"):
            nn.DataParallel(net, device_ids)


def test_switches_and_the_generator_that_is_lent():
    assert fn.pi == np.pi and fn.inf == np.inf and fn.nan != fn.nan and fn.e == np.e and fn.arange(3)[fn.newaxis].shape == (1, 3)
    assert fn.set_flush_denormal(True) and fn.get_default_device() == fn.device("cpu") and not fn.accelerator.is_available()
    fn.set_default_device("cpu")
    for wrong in (lambda: fn.set_flush_denormal(False), lambda: fn.set_default_device("cuda"), lambda: fn.random.fork_rng([0]).__enter__()):
        with pytest.raises((ValueError, RuntimeError)):
            wrong()
    fn.random.manual_seed(3)
    with pytest.raises(KeyError), fn.random.fork_rng():
        first = fn.rand(4)
        raise KeyError
    assert fn.equal(first, fn.rand(4))
    with fn.random.fork_rng(enabled=False):
        second = fn.rand(4)
    fn.manual_seed(3)
    fn.rand(4)
    assert fn.equal(second, fn.rand(4)) and fn.random.initial_seed() == 3


def test_summary_writer(tmp_path):
    pytest.importorskip("tensorboardX")
    from fastnet.utils.tensorboard import SummaryWriter
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", fn.tensor(0.5, requires_grad=True), 1)
        writer.add_scalars("both", {"a": fn.tensor(1.0), "b": 2.0}, 1)
        writer.add_histogram("w", fn.rand(10), 1)
        writer.add_embedding(fn.rand(4, 2), metadata=["a", "b", "c", "d"])
        writer.add_text("words", "some")
        writer.flush()
        with pytest.raises(AttributeError, match="add_graph is not there"):
            writer.add_graph(nn.Linear(1, 1))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*tfevents*")) > 500
