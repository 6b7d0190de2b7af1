"""Choosing tokens: cuts against their definitions, draws against their probabilities, seeds, and what is refused."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.text import TokenSampler, keep_top_k, keep_top_p, sample
from fastnet.text.draws import permutation, uniform

RNG = np.random.default_rng(0)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_draws_never_change():
    """The same numbers on every machine, with every NumPy: recorded here."""
    assert uniform(1, 2, 3).tolist() == [0.26997457910808254, 0.8120389486073295, 0.8293686379421528]
    assert permutation(7, 0, 6).tolist() == [4, 1, 3, 2, 5, 0]
    u = uniform(0, 5, 20000)
    assert 0 <= u.min() and u.max() < 1 and abs(u.mean() - 0.5) < 0.01 and abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.03
    assert uniform(0, 5, 4).tolist() == u[:4].tolist() != uniform(0, 6, 4).tolist()
    with pytest.raises(ValueError, match="seed must lie between 0 and"):
        uniform(-1, 0, 1)


@pytest.mark.parametrize("k", [1, 2, 5, 9, 50])
def test_top_k(k):
    x = RNG.standard_normal((4, 9)).astype(np.float32)
    kept = np.isfinite(keep_top_k(x, k))
    for row, mask in zip(x, kept):
        assert set(np.flatnonzero(mask)) == set(np.argsort(-row)[:k])
    assert (keep_top_k(x, k)[kept] == x[kept]).all() and keep_top_k(x, k).dtype == np.float32
    assert keep_top_k(np.array([1.0, 2.0, 1.0, 0.0]), 2).tolist() == [1, 2, 1, -np.inf]       # equals of the k-th stay


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.999, 1])
@pytest.mark.parametrize("spread", [0.1, 1, 10])
def test_top_p(p, spread):
    x = spread * RNG.standard_normal((20, 30))
    for row, mask in zip(x, np.isfinite(keep_top_p(x, p))):
        order = np.argsort(-row)
        total, nucleus = 0.0, []
        for i in order:                                    # the definition
            nucleus.append(i)
            total += softmax(row)[i]
            if total >= p and p < 1:
                break
        assert set(np.flatnonzero(mask)) == set(nucleus)
    assert np.isfinite(keep_top_p(np.zeros(10), 0.35)).nonzero()[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("spread, dtype", [(0, "float32"), (0.3, "float32"), (6, "float32"), (6, "float64")])
def test_top_p_of_a_large_vocabulary(spread, dtype):
    """Peaked and flat rows of 3000, each number twice."""
    x = np.repeat(spread * RNG.standard_normal(1500), 2).astype(dtype)
    weights = softmax(x.astype(np.float64))
    order = np.argsort(-weights, kind="stable")
    want = order[:int(np.searchsorted(np.cumsum(weights[order]), 0.9)) + 1]
    got = np.flatnonzero(np.isfinite(keep_top_p(x, 0.9)))
    assert abs(len(got) - len(want)) <= 1 and len(set(got) ^ set(want)) <= 1
    drawn = {int(sample(x, top_p=0.9, top_k=2000, seed=i)) for i in range(40)}
    assert drawn <= set(got)


def test_tensors_and_arrays():
    x = RNG.standard_normal((2, 3, 5)).astype(np.float32)
    before = x.copy()
    for cut in (lambda t: keep_top_k(t, 2), lambda t: keep_top_p(t, 0.5)):
        tensor = cut(fn.tensor(x))
        assert isinstance(tensor, fn.Tensor) and tensor.dtype == fn.float32 and (tensor.numpy() == cut(x)).all()
    ids = sample(x, seed=1)
    assert isinstance(ids, np.ndarray) and ids.shape == (2, 3) and ids.dtype == np.int64
    tensor = sample(fn.tensor(x, requires_grad=True), seed=1)
    assert isinstance(tensor, fn.Tensor) and tensor.dtype == fn.int64 and tensor.tolist() == ids.tolist()
    assert sample(x[0, 0]).shape == () and (x == before).all()


@pytest.mark.parametrize("options, want", [
    ({}, [0.4, 0.3, 0.2, 0.1]),
    ({"temperature": 0.5}, [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
    ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
    ({"top_p": 0.75}, [4 / 9, 3 / 9, 2 / 9, 0]),
    ({"top_k": 3, "top_p": 0.5}, [4 / 7, 3 / 7, 0, 0]),    # of 4/9, 3/9, 2/9
    ({"temperature": 0.5, "top_p": 0.5}, [1, 0, 0, 0]),    # the temperature comes first
    ({"temperature": 0}, [1, 0, 0, 0]),
    ({"temperature": 1e-300}, [1, 0, 0, 0]),
])
def test_draws_have_their_probabilities(options, want):
    logits = np.log(np.tile([[0.1, 0.3, 0.2, 0.4]], (15000, 1)))
    counts = np.bincount(sample(logits, seed=2, **options), minlength=4) / 15000
    assert np.abs(counts[[3, 1, 2, 0]] - want).max() < 0.02
    assert (counts[[3, 1, 2, 0]][np.array(want) == 0] == 0).all()


def test_a_seed_gives_the_same_choices():
    logits = [RNG.standard_normal((3, 50)) for _ in range(20)]
    runs = []
    for seed in (5, 5, 6):
        sampler = TokenSampler(top_k=20, seed=seed)
        runs.append([sampler(x).tolist() for x in logits])
    assert runs[0] == runs[1] != runs[2]
    same = TokenSampler(seed=0)
    assert len({same(np.zeros(1000)).item() for _ in range(20)}) > 15          # each step draws anew
    assert sample(logits[0], top_k=20, seed=5).tolist() == runs[0][0]


def test_forbidden_tokens_are_never_drawn(monkeypatch):
    x = np.full((5000, 4), -np.inf)
    x[:, 2] = x[:, 1] = -1000.0
    assert set(sample(x).tolist()) == {1, 2}
    assert sample(np.array([-np.inf, 0, -np.inf]), top_k=3, top_p=0.99).item() == 1
    for draw, want in ((0.0, 1), (1 - 2**-53, 2)):         # the ends of the range
        monkeypatch.setattr("fastnet.text.sampling.uniform", lambda seed, place, n: np.full(n, draw))
        assert sample(np.array([-np.inf, 0, 0, -np.inf])).item() == want


@pytest.mark.parametrize("logits", [[np.nan, 1], [np.inf, 1], [-np.inf, -np.inf], np.zeros((2, 0)), 1.0, np.array([1, 2])])
def test_wrong_logits_are_refused(logits):
    for call in (sample, lambda x: keep_top_k(x, 1), lambda x: keep_top_p(x, 0.5), lambda x: sample(x, temperature=0)):
        with pytest.raises(ValueError, match="logits must"):
            call(np.asarray(logits))


@pytest.mark.parametrize("options", [{"temperature": -1}, {"temperature": np.nan}, {"temperature": np.inf}, {"top_k": 0}, {"top_k": 1.5},
                                     {"top_p": 0}, {"top_p": 1.1}, {"seed": -1}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must"):
        TokenSampler(**options)
