"""linear_cross_entropy: the values and gradients of its definition, without all the logits in memory."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.nn import functional as F

BLOCKS = (1, 5, 16, 100)


def reference(x, w, b, y, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    """Loss, gx, gw, gb in float64, from the definition."""
    z = x @ w.T + (0 if b is None else b)
    c = w.shape[0]
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    k = np.ones(c) if weight is None else weight
    counts = y != ignore_index
    q = np.zeros_like(p)
    q[np.flatnonzero(counts), y[counts]] = (1 - label_smoothing) * k[y[counts]]
    q[counts] += label_smoothing / c * k
    divisor = (k[y[counts]].sum() if reduction == "mean" else 1.0)
    loss = -(q * np.log(p)).sum() / divisor
    gz = (p * q.sum(1, keepdims=True) - q) / divisor
    return loss, gz @ w, gz.T @ x, gz.sum(0)


@pytest.mark.parametrize("rows", BLOCKS)
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"ignore_index": 3}, {"label_smoothing": 0.1}, {"weight": True},
                                     {"weight": True, "label_smoothing": 0.2, "ignore_index": 1}])
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients(rows, options, bias):
    rng = np.random.default_rng(0)
    x, w, b, y = rng.standard_normal((37, 6)), rng.standard_normal((11, 6)), rng.standard_normal(11), rng.integers(0, 11, 37)
    options = dict(options)
    weight = rng.random(11) if options.pop("weight", None) else None
    want = reference(x, w, b if bias else None, y, weight, **options)
    tx, tw, tb = (fn.tensor(a, requires_grad=True) for a in (x, w, b))
    loss = F.linear_cross_entropy(tx, tw, fn.tensor(y), linear_bias=tb if bias else None, block_rows=rows,
                                  weight=None if weight is None else fn.tensor(weight), **options)
    with fn.no_grad():
        plain = F.linear_cross_entropy(tx, tw, fn.tensor(y), linear_bias=tb if bias else None, block_rows=rows,
                                       weight=None if weight is None else fn.tensor(weight), **options)
    assert loss.item() == pytest.approx(want[0], rel=1e-12) and plain.item() == pytest.approx(want[0], rel=1e-12)
    (loss * 3).backward(retain_graph=True)
    got = [tx.grad, tw.grad, tb.grad]
    for g, e in zip(got[:2 + bias], want[1:]):
        assert np.allclose(g.numpy(), 3 * e, rtol=1e-10, atol=1e-13)
    loss.backward()                                       # once more: gradients are added, what was kept is untouched
    assert np.allclose(tx.grad.numpy(), 4 * want[1], rtol=1e-10, atol=1e-13)
    assert np.allclose(tw.grad.numpy(), 4 * want[2], rtol=1e-10, atol=1e-13)


def test_only_wanted_gradients_and_the_other_forms():
    rng = np.random.default_rng(1)
    x, w, y = rng.standard_normal((20, 4)), rng.standard_normal((7, 4)), rng.integers(0, 7, 20)
    tw = fn.tensor(w, requires_grad=True)
    F.linear_cross_entropy(fn.tensor(x), tw, fn.tensor(y), block_rows=6).backward()
    want = reference(x, w, None, y)
    assert np.allclose(tw.grad.numpy(), want[2], rtol=1e-10)
    none = F.linear_cross_entropy(fn.tensor(x), fn.tensor(w), fn.tensor(y), reduction="none", block_rows=6)
    assert tuple(none.shape) == (20,) and none.mean().item() == pytest.approx(want[0])
    one = F.linear_cross_entropy(fn.tensor(x[0]), fn.tensor(w), fn.tensor(y[0]))
    assert one.ndim == 0 and one.item() == pytest.approx(none[0].item())
    share = F.one_hot(fn.tensor(y), 7).double()
    assert F.linear_cross_entropy(fn.tensor(x), fn.tensor(w), share, block_rows=6).item() == pytest.approx(want[0])
    assert np.isnan(F.linear_cross_entropy(fn.tensor(x), fn.tensor(w), fn.tensor(y * 0), ignore_index=0, block_rows=6).item())


def test_logits_are_never_all_in_memory():
    """2048 rows of 20,000 classes: the logits alone would be 164 MB, and their gradient as much."""
    x, w = fn.randn(2048, 16, requires_grad=True), fn.randn(20000, 16, requires_grad=True)
    y = fn.randint(0, 20000, (2048,))
    before = fn.memory_stats()["live_bytes"]
    fn.reset_peak_memory_stats()
    F.linear_cross_entropy(x, w, y).backward()
    blockwise = fn.memory_stats()["peak_bytes"] - before
    assert blockwise < 2048 * 20000 * 4 * 0.8, blockwise
    fn.reset_peak_memory_stats()
    F.cross_entropy(F.linear(x, w), y).backward()
    assert fn.memory_stats()["peak_bytes"] - before > 2.5 * blockwise


def test_results_do_not_depend_on_the_number_of_threads():
    x, w, y = fn.randn(200, 32, requires_grad=True), fn.randn(300, 32, requires_grad=True), fn.randint(0, 300, (200,))
    threads, got = fn.get_num_threads(), []
    for n in (1, 2):
        fn.set_num_threads(n)
        x.grad = w.grad = None
        loss = F.linear_cross_entropy(x, w, y, block_rows=48)
        loss.backward()
        got.append(b"".join(t.numpy().tobytes() for t in (loss.detach(), x.grad, w.grad)))
    fn.set_num_threads(threads)
    assert got[0] == got[1]


@pytest.mark.parametrize("change, error, message", [
    ({"input": (4, 5)}, RuntimeError, r"input \(4, 5\) must be \(N, in_features\)"),
    ({"target": [0, 1, 2]}, ValueError, r"target \(3,\) must be \(4,\)"),
    ({"target": [0, 1, 2, 9]}, IndexError, "target 9 is outside the 7 classes"),
    ({"reduction": "average"}, ValueError, "reduction must be 'mean', 'sum' or 'none', got 'average'"),
    ({"block_rows": 0}, ValueError, "block_rows must be at least 1, got 0"),
])
def test_what_does_not_fit_is_refused(change, error, message):
    options = {"reduction": "mean", "block_rows": 2} | {k: v for k, v in change.items() if k in ("reduction", "block_rows")}
    with pytest.raises(error, match=message):
        F.linear_cross_entropy(fn.ones(*change.get("input", (4, 3))), fn.ones(7, 3), fn.tensor(change.get("target", [0, 1, 2, 3])),
                               **options)


def test_is_pytorchs():
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn.functional, "linear_cross_entropy"):
        pytest.skip("this PyTorch has no linear_cross_entropy")
    rng = np.random.default_rng(2)
    x, w, b, y = rng.standard_normal((9, 4)), rng.standard_normal((7, 4)), rng.standard_normal(7), rng.integers(0, 7, 9)
    theirs = torch.nn.functional.linear_cross_entropy(*map(torch.tensor, (x, w, y)), linear_bias=torch.tensor(b), label_smoothing=0.1)
    ours = F.linear_cross_entropy(*map(fn.tensor, (x, w, y)), linear_bias=fn.tensor(b), label_smoothing=0.1, block_rows=4)
    assert ours.item() == pytest.approx(theirs.item())
