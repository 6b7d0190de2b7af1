"""detect_anomaly: the first op whose gradient is NaN is named, with the line that called it; afterwards all is as before."""
import pytest

import fastnet as fn
from fastnet._core.tape import journal, on_gradients


def ill(x):
    return x.sqrt() * 0                                   # 0 * inf in backward


def test_the_op_and_its_line_are_named():
    x = fn.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"SqrtBackward0 returned NaN for input 0, of shape \(3,\)(?s:.)*return x\.sqrt\(\) \* 0"):
        with fn.autograd.detect_anomaly():
            ill(x).sum().backward()
    ill(x).sum().backward()                               # off again
    assert x.grad.isnan().all()
    assert journal(None) is None and on_gradients(None) is None


def test_healthy_graphs_pass_and_give_the_same_gradients():
    model = fn.nn.Sequential(fn.nn.Linear(4, 8), fn.nn.Tanh(), fn.nn.Linear(8, 1))
    x = fn.randn(5, 4)
    model(x).sum().backward()
    want = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with fn.autograd.set_detect_anomaly(True):
        model(x).sum().backward()
    assert all(fn.equal(p.grad, g) for p, g in zip(model.parameters(), want))


def test_on_and_off_without_a_context():
    x = fn.zeros(1, requires_grad=True)
    fn.autograd.set_detect_anomaly(True)
    try:
        with fn.autograd.set_detect_anomaly(False):
            ill(x).sum().backward()
        with pytest.raises(RuntimeError, match="SqrtBackward0 returned NaN"):
            ill(x).sum().backward()
        with fn.autograd.detect_anomaly(check_nan=False):
            ill(x).sum().backward()
    finally:
        fn.autograd.set_detect_anomaly(False)
    ill(x).sum().backward()
