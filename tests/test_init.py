"""nn.init: distributions by their moments and limits, exact fills exactly."""
import math

import numpy as np
import pytest

import fastnet as fn
from fastnet.nn import init

ROWS, COLS = 300, 200


@pytest.mark.parametrize("fill, low, high, std", [
    (lambda t: init.uniform_(t, -2, 3), -2, 3, 5 / math.sqrt(12)),
    (lambda t: init.xavier_uniform_(t, gain=2), -2 * math.sqrt(6 / 500), 2 * math.sqrt(6 / 500), 2 * math.sqrt(2 / 500)),
    (lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), -math.sqrt(6 / 200), math.sqrt(6 / 200), math.sqrt(2 / 200)),
    (lambda t: init.kaiming_uniform_(t, a=math.sqrt(5), mode="fan_out"), -math.sqrt(1 / 300), math.sqrt(1 / 300), math.sqrt(1 / 900)),
    (lambda t: init.trunc_normal_(t, std=0.5, a=-0.6, b=0.6), -0.6, 0.6, 0.31410),
])
def test_bounded(fill, low, high, std):
    fn.manual_seed(0)
    t = fn.empty(ROWS, COLS)
    assert fill(t) is t
    x = t.numpy()
    assert np.float32(low) <= x.min() < low + 0.02 * (high - low) and high - 0.02 * (high - low) < x.max() <= np.float32(high)
    assert abs(x.mean() - (low + high) / 2) < 0.02 * (high - low) and abs(x.std() / std - 1) < 0.02


@pytest.mark.parametrize("fill, mean, std", [
    (lambda t: init.normal_(t, 1.0, 2.0), 1.0, 2.0),
    (lambda t: init.xavier_normal_(t), 0.0, math.sqrt(2 / 500)),
    (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"), 0.0, 5 / 3 / math.sqrt(300)),
])
def test_normal(fill, mean, std):
    fn.manual_seed(0)
    x = fill(fn.empty(ROWS, COLS)).numpy()
    assert abs(x.mean() - mean) < 0.02 * std and abs(x.std() / std - 1) < 0.02
    assert abs(((x - mean) ** 4).mean() / std**4 - 3) < 0.15                   # a normal distribution's kurtosis


def test_fans_of_a_convolution():
    fn.manual_seed(0)
    x = init.kaiming_uniform_(fn.empty(64, 32, 3, 3), nonlinearity="relu").numpy()
    assert abs(np.abs(x).max() - math.sqrt(6 / (32 * 9))) < 1e-3


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 2, 3)])
def test_orthogonal(shape):
    fn.manual_seed(0)
    x = init.orthogonal_(fn.empty(*shape, dtype=fn.float64), gain=2.0).numpy().reshape(shape[0], -1)
    small = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    assert np.allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_sparse():
    fn.manual_seed(0)
    x = init.sparse_(fn.empty(30, 40), sparsity=0.1, std=0.5).numpy()
    assert ((x == 0).sum(0) == 3).all() and abs(x[x != 0].std() - 0.5) < 0.05
    assert len({tuple(column.nonzero()[0]) for column in (x == 0).T}) > 1


def test_exact():
    assert init.constant_(fn.empty(2), 3.5).tolist() == [3.5, 3.5]
    assert init.ones_(fn.empty(2)).tolist() == [1, 1] and init.zeros_(fn.ones(2)).tolist() == [0, 0]
    assert np.array_equal(init.eye_(fn.ones(3, 5)).numpy(), np.eye(3, 5))
    x = fn.tensor(np.random.default_rng(0).standard_normal((4, 2, 5)).astype("float32")).numpy()
    w = init.dirac_(fn.empty(4, 2, 3), groups=2).numpy()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    for group in range(2):                                 # each group passes its two channels through
        for o in range(2):
            y = sum(w[group * 2 + o, i, k] * padded[:, i, k:k + 5] for i in range(2) for k in range(3))
            assert np.array_equal(y, x[:, o])


def test_parameters_are_filled_without_history():
    p = fn.nn.Parameter(fn.zeros(4, 4))
    init.xavier_uniform_(p)
    assert p.is_leaf and p.requires_grad and p.detach().numpy().any()


def test_the_same_seed_gives_the_same_numbers():
    draws = []
    for _ in range(2):
        fn.manual_seed(3)
        draws.append(init.normal_(fn.empty(5)).tolist())
    assert draws[0] == draws[1]


@pytest.mark.parametrize("name, gain", [("linear", 1), ("conv2d", 1), ("sigmoid", 1), ("tanh", 5 / 3), ("relu", math.sqrt(2)),
                                        ("selu", 0.75),
                                        ("leaky_relu", math.sqrt(2 / (1 + 0.01**2)))])
def test_gain(name, gain):
    assert init.calculate_gain(name) == pytest.approx(gain)
    assert init.calculate_gain("leaky_relu", 2.0) == pytest.approx(math.sqrt(0.4))


@pytest.mark.parametrize("fill, error, message", [
    (lambda: init.xavier_uniform_(fn.empty(3)), ValueError, "fewer than 2"),
    (lambda: init.kaiming_normal_(fn.empty(3, 3), mode="fan"), ValueError, "Mode fan"),
    (lambda: init.calculate_gain("swish"), ValueError, "Unsupported"),
    (lambda: init.eye_(fn.empty(3)), ValueError, "2 dimensions"),
    (lambda: init.dirac_(fn.empty(3, 3)), ValueError, "3, 4, or 5"),
    (lambda: init.sparse_(fn.empty(3), 0.1), ValueError, "2 dimensions"),
    (lambda: init.uniform_([1.0]), TypeError, "Tensor"),
    (lambda: init.normal_(fn.tensor([1, 2])), TypeError, "floating"),
])
def test_refused(fill, error, message):
    with pytest.raises(error, match=message):
        fill()
