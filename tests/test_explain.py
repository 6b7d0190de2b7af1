"""backward(explain=True): the narration, its numbers, and that it changes nothing else."""
import re

import numpy as np
import pytest

import fastnet as fn
from fastnet import nn
from fastnet._core.engine import node_backward, node_facts, node_of, node_value
from fastnet._core.tape import journal
from fastnet.autograd.explain import explain
from fastnet.autograd.graph import flow, graph


def test_the_example_of_the_first_lesson(capsys):
    w = fn.tensor([2.0], requires_grad=True)
    loss = (w * 3 - 10) ** 2
    loss.backward(explain=True)
    text = capsys.readouterr().out
    assert w.grad.item() == -24
    order = [text.index(word) for word in ("PowBackward0", "SubBackward0", "MulBackward0", "dL/d(w) = [-24.]")]
    assert order == sorted(order)
    for line in ("dy/dx = [-8.]", "dy/da = [3.];  gradient out: [-24.] to w",
                 "changes the loss by about -0.24; so gradient descent raises it"):
        assert line in text
    with pytest.raises(RuntimeError, match="freed"):
        loss.backward()


def test_it_goes_through_what_backward_goes_through(capsys):
    """Same .grad as without, for fused layers, views, a Function of two outputs, and leaves used twice."""
    class Both(fn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.detach() * 2, x.detach() * 3

        @staticmethod
        def backward(ctx, g2, g3):
            return g2 * 2 + g3 * 3

    fn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.Tanh())
    scale = fn.tensor([[1.0, 2.0]], requires_grad=True)

    def loss():
        a, b = Both.apply(model(fn.ones(5, 4)) * scale)
        return (a[:, 0] * b[:, 1]).sum() + (scale ** 2).sum()

    loss().backward()
    plain = [p.grad.numpy().copy() for p in (*model.parameters(), scale)]
    model.zero_grad()
    scale.grad = None
    root = loss()
    ops = graph(root)
    assert sum(1 for _ in flow(ops, np.ones((), np.float32))) == len(ops)
    found = {op.node: op.gradient for op in ops if op.leaf}
    for p, expected in zip((*model.parameters(), scale), plain):
        np.testing.assert_allclose(found[node_of(p)], expected, rtol=1e-6)
    assert scale.grad is None
    root.backward(explain=model)
    for p, expected in zip((*model.parameters(), scale), plain):
        np.testing.assert_array_equal(p.grad.numpy(), expected)
    text = capsys.readouterr().out
    assert "BothBackward" in text and "dL/d(0.weight)" in text and "the sum of 2 that arrived" in text and "leaf 1 (1, 2)" in text


def test_large_tensors_are_told_by_norm_and_large_graphs_in_lines():
    x = fn.ones(100, requires_grad=True)
    y = x
    for _ in range(60):
        y = y * 1.5
    text = explain(y.sum(), names={"x": x})
    assert "... and 21 more ops" in text and text.count("MulBackward0") == 39
    assert f"shape (100,), norm {10 * 1.5 ** 60:.4g}" in text and len(text.splitlines()) < 60


def test_constants_are_told():
    w = fn.tensor([2.0], requires_grad=True)
    for y, words in {w * 3: "b = 3", 3 * w: "a = 3", w / 4: "b = 4", w ** 2: "p = 2", w ** 2.5: "b = 2.5", 2.0 ** w: "a = 2"}.items():
        assert re.search("what forward kept for it: (.*)", explain(y))[1].endswith(words)


def test_names_are_those_of_the_caller(capsys):
    net = nn.Linear(1, 1)
    net(fn.ones(1, 1)).sum().backward(explain=True)
    assert "dL/d(net.weight)" in capsys.readouterr().out


def test_a_zero_gradient_and_one_that_is_not_finite():
    w = fn.tensor([-1.0], requires_grad=True)
    assert "does not change with w" in explain(w.relu(), names={"w": w})
    w = fn.tensor([0.0], requires_grad=True)
    assert "not finite" in explain(w.sqrt(), names={"w": w})


def test_what_is_refused():
    w = fn.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="needs a gradient"):
        explain(w * 2)
    with pytest.raises(TypeError, match="explain: expected True, a Module or a dict"):
        (w.sum() * 2).backward(explain=3)
    with pytest.raises(RuntimeError, match="no history"):
        explain(fn.ones(1))
    y = w.exp().sum()
    y.backward()
    with pytest.raises(RuntimeError, match="freed"):
        explain(y)
    with pytest.raises(RuntimeError, match="needs a gradient of shape"):
        node_backward(node_of(w.exp()), fn.ones(3))


def test_the_journal_notes_ops_and_their_values():
    w = fn.ones(2, requires_grad=True)
    notes = []
    assert journal(notes) is None
    try:
        y = (w * 3).exp()
        fn.ones(2) * 2
    finally:
        assert journal(None) is notes
    w * 2
    assert [n.name() for n in notes] == ["MulBackward0", "ExpBackward0"]
    assert node_value(notes[0]).tolist() == [3, 3] and node_value(notes[1]).data_ptr() == y.data_ptr()
    assert node_value(node_of(w)) is None and node_facts(notes[0])["shape"] == (2,)
