"""Recurrent layers against PyTorch, from the same state_dict: outputs, states, gradients.  Skipped where PyTorch is not installed."""
import itertools

import numpy as np
import pytest

import fastnet as fn

torch = pytest.importorskip("torch", reason="comparison with PyTorch: torch is not installed")


def both(name, *args, **kwargs):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args, **kwargs, dtype=torch.float64)
    ours = getattr(fn.nn, name)(*args, **kwargs, dtype=fn.float64)
    assert list(ours.state_dict()) == list(theirs.state_dict()) and repr(ours) == repr(theirs)
    ours.load_state_dict({key: fn.from_numpy(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    return ours, theirs


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def flat(out):
    for part in out if isinstance(out, tuple) else (out,):
        yield from flat(part) if isinstance(part, tuple) else (part,)


def compare(ours, theirs, call, inputs):
    results = []
    for library, module, wrap in ((fn, ours, fn.from_numpy), (torch, theirs, torch.from_numpy)):
        xs = [wrap(x.copy()) for x in inputs]
        for x in xs:
            x.requires_grad_()
        out = [y for y in flat(call(library, module, xs)) if y is not None and y.is_floating_point()]
        sum((y * wrap(draw(*y.shape, seed=9))).sum() for y in out).backward()
        results.append([t.detach().numpy() for t in (*out, *(x.grad for x in xs), *(p.grad for p in module.parameters()))])
    assert len(results[0]) == len(results[1])
    for mine, its in zip(*results):
        np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-11)


def state(name, xs):
    return (xs[0], xs[1]) if "LSTM" in name else xs[0]


GRID = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("LSTM", {"proj_size": 3}), ("GRU", {})]
FLAGS = [dict(zip(("bias", "batch_first", "bidirectional"), flags)) for flags in itertools.product((True, False), repeat=3)]


@pytest.mark.parametrize("name, more", GRID, ids=lambda g: str(g))
@pytest.mark.parametrize("flags", FLAGS, ids=lambda f: "-".join(k for k, v in f.items() if v) or "plain")
@pytest.mark.parametrize("layers", [1, 2])
def test_layers(name, more, flags, layers):
    ours, theirs = both(name, 4, 5, num_layers=layers, **flags, **more)
    count, size = layers * (1 + flags["bidirectional"]), more.get("proj_size", 5)
    x, states = draw(3, 6, 4), [draw(count, 6 if not flags["batch_first"] else 3, n, seed=n) for n in (size, 5)][:1 + (name == "LSTM")]
    compare(ours, theirs, lambda _, module, xs: module(xs[0]), [x])
    compare(ours, theirs, lambda _, module, xs: module(xs[0], state(name, xs[1:])), [x, *states])
    compare(ours, theirs, lambda _, module, xs: module(xs[0], state(name, xs[1:])), [x[:, 0], *(s[:, 0] for s in states)])


@pytest.mark.parametrize("name, more", GRID, ids=lambda g: str(g))
@pytest.mark.parametrize("lengths", [[5, 3, 3, 1], [2, 5, 1, 4]], ids=str)
def test_packed_sequences(name, more, lengths):
    ours, theirs = both(name, 4, 5, num_layers=2, bidirectional=True, **more)
    states = [draw(4, 4, n, seed=n) for n in (more.get("proj_size", 5), 5)][:1 + (name == "LSTM")]

    def call(library, module, xs):
        rnn = library.nn.utils.rnn
        packed = rnn.pack_padded_sequence(xs[0], lengths, batch_first=True, enforce_sorted=lengths[0] == 5)
        out, final = module(packed, state(name, xs[1:]))
        return rnn.pad_packed_sequence(out, batch_first=True, total_length=6)[0], final
    compare(ours, theirs, call, [draw(4, 5, 4), *states])


@pytest.mark.parametrize("name, more", [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {}), ("GRUCell", {})], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_cells(name, more, bias):
    ours, theirs = both(name, 4, 17, bias=bias, **more)
    states = [draw(3, 17, seed=n) for n in range(1 + (name == "LSTMCell"))]
    compare(ours, theirs, lambda _, module, xs: module(xs[0]), [draw(3, 4)])
    compare(ours, theirs, lambda _, module, xs: module(xs[0], state(name, xs[1:])), [draw(3, 4), *states])
    compare(ours, theirs, lambda _, module, xs: module(xs[0], state(name, xs[1:])), [draw(4), *(s[0] for s in states)])
