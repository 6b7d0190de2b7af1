"""Recurrent layers without PyTorch: equal to their formulas, gradients, lengths of 0 and 1, packing, threads, what is refused."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.nn.utils import rnn
from fastnet.ops.recurrent import recurrent


def draw(*shape, seed=0, dtype="float64"):
    return fn.from_numpy(np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype))


def logistic(x):
    return 1 / (1 + np.exp(-x))


def plain(module, x, h, c):
    """One layer, one direction, from the formulas; x (L, N, features)."""
    w = {name.rsplit("_", 1)[0]: p.detach().numpy() for name, p in module.named_parameters()}
    out = []
    for step in x:
        a, b = step @ w["weight_ih"].T + w["bias_ih"], h @ w["weight_hh"].T + w["bias_hh"]
        if module.mode == "LSTM":
            i, f, g, o = np.split(a + b, 4, -1)
            c = logistic(f) * c + logistic(i) * np.tanh(g)
            h = logistic(o) * np.tanh(c)
            if module.proj_size:
                h = h @ w["weight_hr"].T
        elif module.mode == "GRU":
            (ar, az, an), (br, bz, bn) = np.split(a, 3, -1), np.split(b, 3, -1)
            z = logistic(az + bz)
            h = (1 - z) * np.tanh(an + logistic(ar + br) * bn) + z * h
        else:
            h = np.tanh(a + b) if module.mode == "RNN_TANH" else np.maximum(a + b, 0)
        out.append(h)
    return np.stack(out), h, c


def make(name, *args, **kwargs):
    fn.manual_seed(1)
    return getattr(fn.nn, name)(*args, **kwargs)


KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("LSTM", {"proj_size": 7}), ("GRU", {})]


@pytest.mark.parametrize("name, more", KINDS, ids=str)
@pytest.mark.parametrize("size", [8, 33])
@pytest.mark.parametrize("dtype, tol", [("float32", 2e-6), ("float64", 1e-13)])
def test_formulas(name, more, size, dtype, tol, isa):
    module = make(name, 5, size, dtype=getattr(fn, dtype), **more)
    x, p = draw(4, 3, 5, dtype=dtype), more.get("proj_size", size)
    h, c = draw(1, 3, p, seed=1, dtype=dtype), draw(1, 3, size, seed=2, dtype=dtype)
    y, last = module(x, (h, c) if name == "LSTM" else h)
    expected, final, cell = plain(module, x.numpy().astype("float64"), h.numpy()[0].astype("float64"), c.numpy()[0].astype("float64"))
    np.testing.assert_allclose(y.detach().numpy(), expected, atol=tol, rtol=tol)
    np.testing.assert_allclose((last[0] if name == "LSTM" else last).detach().numpy()[0], final, atol=tol, rtol=tol)
    if name == "LSTM":
        np.testing.assert_allclose(last[1].detach().numpy()[0], cell, atol=tol, rtol=tol)


@pytest.mark.parametrize("name, more", KINDS, ids=str)
def test_gradients(name, more):
    module = make(name, 3, 6 if "proj_size" not in more else 8, bidirectional=True, dtype=fn.float64, **more)
    names, values = zip(*module.named_parameters())

    def function(x, *parameters):
        for key, value in zip(names, parameters):
            module.__dict__[key] = value
        y, last = module(x)
        return (y, *last) if name == "LSTM" else (y, last)
    assert fn.autograd.gradcheck(function, (draw(3, 2, 3).requires_grad_(), *(p.detach().requires_grad_() for p in values)))


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_lengths_of_0_and_1_and_no_sequences(name):
    module = make(name, 3, 4, num_layers=2, bidirectional=True)
    for length, n in ((1, 2), (0, 2), (2, 0)):
        y, last = module(fn.ones(length, n, 3))
        h = last[0] if name == "LSTM" else last
        assert tuple(y.shape) == (length, n, 8) and tuple(h.shape) == (4, n, 4)
        assert length or not h.detach().numpy().any()


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_packed_sequence_is_each_sequence_alone(name):
    module = make(name, 3, 5, bidirectional=True, dtype=fn.float64)
    rows = [draw(n, 3, seed=n) for n in (2, 4, 1)]
    out, last = module(rnn.pack_sequence(rows, enforce_sorted=False))
    h = last[0] if name == "LSTM" else last
    for i, (row, got) in enumerate(zip(rows, rnn.unpack_sequence(out))):
        alone, final = module(row)
        np.testing.assert_allclose(got.detach().numpy(), alone.detach().numpy(), atol=1e-14)
        np.testing.assert_allclose(h[:, i].detach().numpy(), (final[0] if name == "LSTM" else final).detach().numpy(), atol=1e-14)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_bits_do_not_depend_on_threads(name, split):
    results = []
    for threads in (1, 2, 3):
        fn.set_num_threads(threads)
        module, x = make(name, 6, 20, bidirectional=True), draw(7, 9, 6, dtype="float32").requires_grad_()
        y, _ = module(x)
        (y * y).sum().backward()
        results.append([y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in module.parameters())])
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


def test_a_cell_step_by_step_is_the_layer():
    layer, cell = make("LSTM", 3, 5), make("LSTMCell", 3, 5)
    cell.load_state_dict({key.replace("_l0", ""): value for key, value in layer.state_dict().items()})
    x, state = draw(4, 2, 3, dtype="float32"), None
    for step in x:
        state = cell(step, state)
    np.testing.assert_allclose(state[0].detach().numpy(), layer(x)[1][0].detach().numpy()[0], atol=1e-7)


def test_an_lstm_remembers():
    """The first of 6 numbers, told at the end."""
    fn.manual_seed(0)
    lstm, head = fn.nn.LSTM(1, 16, batch_first=True), fn.nn.Linear(16, 1)
    optimizer = fn.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.02)
    for step in range(200):
        x = fn.rand(32, 6, 1)
        loss = fn.nn.functional.mse_loss(head(lstm(x)[0][:, -1]), x[:, 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.04                            # the variance is 0.083


def test_second_backward_with_retain_graph():
    module, x = make("GRU", 3, 4), draw(3, 2, 3, dtype="float32").requires_grad_()
    loss = module(x)[0].sum()
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * once)


@pytest.mark.parametrize("wrong, error, match", [
    (lambda: make("LSTM", 3, 4)(fn.ones(2, 3, 4)), RuntimeError, r"LSTM: input must be \(L, N, 3\)"),
    (lambda: make("GRU", 3, 4)(fn.ones(2, 3, 3), (fn.ones(1, 3, 4),) * 2), RuntimeError, "GRU: hx must be the tensor h_0, got 2"),
    (lambda: make("GRU", 3, 4)(fn.ones(2, 3, 3), fn.ones(2, 3, 4)), RuntimeError, r"GRU: h_0 must be \(1, 3, 4\), got \(2, 3, 4\)"),
    (lambda: make("LSTM", 3, 4)(fn.ones(2, 3, 3), (fn.ones(1, 3, 4), fn.ones(1, 3, 5))), RuntimeError, "LSTM: c_0 must be"),
    (lambda: make("LSTM", 3, 4)(fn.ones(2, 3, 3, dtype=fn.float64)), RuntimeError, "input is fastnet.float64"),
    (lambda: make("GRU", 3, 4, proj_size=2), TypeError, "proj_size"),
    (lambda: make("LSTM", 3, 4, proj_size=4), ValueError, "proj_size is for an LSTM, and smaller than hidden_size 4"),
    (lambda: make("RNN", 3, 4, nonlinearity="elu"), ValueError, "nonlinearity"),
    (lambda: make("LSTM", 3, 0), ValueError, "must be positive"),
    (lambda: make("GRUCell", 3, 4)(fn.ones(2, 3), fn.ones(3, 4)), RuntimeError, r"GRUCell: states must be \(2, 4\)"),
    (lambda: rnn.pack_padded_sequence(fn.ones(3, 2, 1), [1, 2]), RuntimeError, "must not grow"),
    (lambda: rnn.pack_padded_sequence(fn.ones(3, 2, 1), [4, 2]), RuntimeError, "do not fit 2 sequences of at most 3 steps"),
    (lambda: rnn.pack_padded_sequence(fn.ones(3, 2, 1), [2, 0]), RuntimeError, "lengths must be positive"),
    (lambda: rnn.pad_packed_sequence(rnn.pack_sequence([fn.ones(3)]), total_length=2), ValueError, "total_length 2 is shorter"),
    (lambda: rnn.pad_sequence([]), RuntimeError, "at least one"),
])
def test_refused(wrong, error, match):
    with pytest.raises(error, match=match):
        wrong()


@pytest.mark.parametrize("change, match", [
    ({"w_hh": fn.ones(8, 3)}, r"w_hh must be \(8, 2\)"), ({"b_hh": fn.ones(7)}, "b_hh must be"), ({"c_0": fn.ones(1, 2)}, "c_0 must be"),
    ({"c_0": None}, "do not fit"), ({"b_ih": None}, "do not fit"), ({"h_0": fn.ones(2)}, "must be"),
    ({"counts": (2, 2)}, "counts"), ({"counts": (1, 2)}, "counts"), ({"counts": (3,)}, "counts"),
])
def test_the_building_block_refuses_what_its_kernel_would_trust(change, match):
    right = {"input": fn.ones(3, 5), "counts": (2, 1), "h_0": fn.ones(2, 2), "c_0": fn.ones(2, 2), "w_ih": fn.ones(8, 5),
             "w_hh": fn.ones(8, 2), "b_ih": fn.ones(8), "b_hh": fn.ones(8)}
    assert recurrent("LSTM", **right)[0].shape == (3, 2)
    with pytest.raises(RuntimeError, match="recurrent: .*" + match):
        recurrent("LSTM", **(right | change))


def test_padding_on_either_side():
    rows = [fn.tensor([1, 2, 3]), fn.tensor([4])]
    assert rnn.pad_sequence(rows, True, padding_value=9, padding_side="left").tolist() == [[1, 2, 3], [9, 9, 4]]
    assert [r.tolist() for r in rnn.unpad_sequence(rnn.pad_sequence(rows), [3, 1])] == [[1, 2, 3], [4]]
