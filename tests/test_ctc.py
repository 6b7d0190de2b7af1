"""ctc_loss beyond its table: long sequences, targets in one row, one sequence, learning, PyTorch's numbers."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.nn.functional import ctc_loss


def draw(*shape, seed=0):
    return fn.from_numpy(np.random.default_rng([seed, *shape]).standard_normal(shape))


def test_targets_in_one_row_and_one_sequence():
    x = fn.log_softmax(draw(9, 2, 5), -1)
    rows, flat = fn.tensor([[1, 2, 2], [4, 0, 0]]), fn.tensor([1, 2, 2, 4])
    both = ctc_loss(x, rows, [9, 7], [3, 1], reduction="none")
    np.testing.assert_array_equal(both.numpy(), ctc_loss(x, flat, fn.tensor([9, 7]), fn.tensor([3, 1]), reduction="none").numpy())
    alone = ctc_loss(x[:, 0], flat[:3], [9], [3], reduction="none")
    assert alone.shape == () and alone.item() == both[0].item()


def test_what_cannot_be_spelt_is_infinite():
    x = draw(2, 1, 3).requires_grad_()
    assert ctc_loss(x, fn.tensor([[1, 1]]), [2], [2], reduction="sum").item() == np.inf
    ctc_loss(x, fn.tensor([[1, 1]]), [2], [2], reduction="sum", zero_infinity=True).backward()
    assert not x.grad.numpy().any()


def test_it_learns_where_labels_are():
    fn.manual_seed(0)
    net, targets = fn.nn.Linear(8, 4), fn.tensor([[1, 2, 3]] * 8)
    optimizer = fn.optim.Adam(net.parameters(), lr=0.05)
    x = draw(12, 8, 8, seed=1).float()
    for i, label in enumerate((1, 2, 3)):
        x[3 * i:3 * i + 2, :, label] = 4.0
    for _ in range(60):
        loss = ctc_loss(fn.log_softmax(net(x), -1), targets, [12] * 8, [3] * 8)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_pytorchs_numbers(reduction):
    torch = pytest.importorskip("torch", reason="comparison with PyTorch: torch is not installed")
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((50, 4, 20))
    targets, lengths, wanted = rng.integers(1, 20, (4, 15)), [50, 40, 33, 50], [15, 10, 0, 7]
    results = []
    for library, wrap in ((fn, fn.from_numpy), (torch, torch.from_numpy)):
        x = wrap(logits.copy()).requires_grad_()
        loss = library.nn.functional.ctc_loss(library.log_softmax(x, -1), wrap(targets), lengths, wanted, reduction=reduction)
        loss.sum().backward()
        results.append((loss.detach().numpy(), x.grad.numpy()))
    for mine, its in zip(*results):
        np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-12)
