"""Random numbers: Philox against its definition, the same on every ISA and number of threads, and distributions that are what they say."""
from __future__ import annotations

import pickle

import numpy as np
import pytest

import fastnet as fn
from fastnet._core import launch
from fastnet.ops import dropout as F

LANES = 16


def philox(seed: int, counter: int) -> list[int]:
    """Four words: Philox4x32-10 as Salmon et al. (2011) define it."""
    mask = 2**32 - 1
    c, k = [counter & mask, counter >> 32 & mask, 0, 0], [seed & mask, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & mask, (a >> 32) ^ c[3] ^ k[1], a & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c


def test_philox_known_answer() -> None:
    """The reference implementation's answer for an all-zero key and counter: the oracle above is the published generator."""
    assert philox(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def words(seed: int, first: int, groups: int) -> np.ndarray:
    """(groups, 4, LANES)."""
    return np.array([[philox(seed, first + g * LANES + lane) for lane in range(LANES)] for g in range(groups)],
                    np.uint64).transpose(0, 2, 1)


def test_uniforms_are_the_words_of_philox(isa: str) -> None:
    seed = 0x123456789ABCDEF
    w = words(seed, 0, 3)
    fn.manual_seed(seed)
    np.testing.assert_array_equal(fn.rand(3 * 64 - 5).numpy(),
                                  ((w >> np.uint64(8)).astype(np.float32) * np.float32(2**-24)).reshape(-1)[:-5])
    # the next draw continues after the last group
    w = words(seed, 3 * LANES, 2)
    wide = np.stack([w[:, 0] << np.uint64(32) | w[:, 1], w[:, 2] << np.uint64(32) | w[:, 3]], 1)
    np.testing.assert_array_equal(fn.rand(2 * 32 - 1, dtype=fn.float64).numpy(),
                                  ((wide >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(-1)[:-1])


def test_integers_are_the_words_of_philox(isa: str) -> None:
    fn.manual_seed(5)
    w = words(5, 0, 2)
    wide = np.stack([w[:, 0] << np.uint64(32) | w[:, 1], w[:, 2] << np.uint64(32) | w[:, 3]], 1).reshape(-1)
    np.testing.assert_array_equal(fn.randint(-3, 10, (50,)).numpy(), [-3 + (int(b) * 13 >> 64) for b in wide[:50]])


def draws() -> list[np.ndarray]:
    fn.manual_seed(3)
    ones = fn.tensor(np.ones(1000, np.float32))
    out = [fn.rand(1000), fn.rand(1000, dtype=fn.float64), fn.randint(0, 2**40, (1000,)), fn.bernoulli(ones, 0.3), fn.randperm(100),
           F.dropout(ones, 0.5), fn.multinomial(fn.tensor(np.arange(9.0)), 5)]
    return [x.numpy() for x in out]


def test_the_same_on_every_isa(isa: str) -> None:
    got = draws()
    launch.set_isa("scalar")
    for a, b in zip(got, draws(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_normal_is_nearly_the_same_on_every_isa(isa: str) -> None:
    for dtype, tol in ((fn.float32, 2e-6), (fn.float64, 1e-14)):
        fn.manual_seed(4)
        got = fn.randn(1000, dtype=dtype).numpy()
        launch.set_isa("scalar")
        fn.manual_seed(4)
        np.testing.assert_allclose(got, fn.randn(1000, dtype=dtype).numpy(), rtol=tol, atol=tol)
        launch.set_isa(isa)


def test_normal_is_box_muller() -> None:
    w = words(7, 0, 1)[0]
    fn.manual_seed(7)
    wide = [(int(w[0][lane]) << 32 | int(w[1][lane]), int(w[2][lane]) << 32 | int(w[3][lane])) for lane in range(LANES)]
    u, t = (np.array([(a >> 12) + 0.5 for a, _ in wide]) * 2.0**-52, np.array([b >> 11 for _, b in wide]) * 2.0**-53)
    r = np.sqrt(-2 * np.log(u))
    want = np.concatenate([r * np.cos(2 * np.pi * t), r * np.sin(2 * np.pi * t)])
    np.testing.assert_allclose(fn.randn(32, dtype=fn.float64).numpy(), want, rtol=1e-13, atol=1e-13)


def test_the_same_on_any_number_of_threads(split: None) -> None:
    runs = []
    for threads in (1, 2, 3, 8):
        fn.set_num_threads(threads)
        fn.manual_seed(1)
        runs.append([fn.rand(10_001).numpy(), fn.randn(10_001).numpy(), fn.randint(0, 9, (10_001,)).numpy()])
    for run in runs[1:]:
        for a, b in zip(run, runs[0], strict=True):
            np.testing.assert_array_equal(a, b)


N = 200_000


def uniform_distance(u: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance to the uniform distribution, times sqrt(n): above 2 once in 1500."""
    u = np.sort(u)
    return float(np.abs(u - (np.arange(u.size) + 0.5) / u.size).max() * np.sqrt(u.size))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions(dtype: str) -> None:
    from math import erf
    fn.manual_seed(0)
    u = fn.rand(N, dtype=dtype).numpy()
    assert 0 <= u.min() and u.max() < 1 and uniform_distance(u) < 2
    z = fn.randn(N, dtype=dtype).numpy().astype(np.float64)
    assert uniform_distance(np.array([0.5 + 0.5 * erf(v / 2**0.5) for v in z[:20_000]])) < 2
    assert abs(z.mean()) < 4 / N**0.5 and abs(z.var() - 1) < 6 / N**0.5 and abs((z**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 5 / N**0.5
    x = fn.tensor(np.zeros(N, dtype))
    assert uniform_distance((x.uniform_(-2.0, 5.0).numpy() + 2) / 7) < 2
    assert abs(x.normal_(3.0, 2.0).numpy().mean() - 3) < 10 / N**0.5
    assert uniform_distance(1 - np.exp(-2 * x.exponential_(2.0).numpy())) < 2
    assert abs(np.median(x.cauchy_(1.0, 2.0).numpy()) - 1) < 0.05
    assert abs(np.log(x.log_normal_(1.0, 0.5).numpy()).mean() - 1) < 0.01
    assert abs(x.geometric_(0.25).numpy().mean() - 4) < 0.1
    assert abs(x.bernoulli_(0.3).numpy().mean() - 0.3) < 0.01
    assert set(np.unique(x.random_(2, 5).numpy())) == {2, 3, 4}


def test_integer_draws() -> None:
    fn.manual_seed(0)
    k = fn.randint(10, (N,)).numpy()
    counts = np.bincount(k, minlength=10)
    assert k.dtype == np.int64 and counts.size == 10 and np.abs(counts - N / 10).max() < 5 * (N / 10) ** 0.5
    big = fn.randint(-(2**63), 2**63 - 1, (1000,)).numpy()
    assert big.min() < -(2**62) and big.max() > 2**62
    p = fn.randperm(1000).numpy()
    assert not np.array_equal(p, np.arange(1000)) and np.array_equal(np.sort(p), np.arange(1000))
    assert fn.randint_like(fn.tensor([0.5]), 3, 4).dtype is fn.float32 and fn.rand_like(fn.tensor([0.5])).shape == (1,)
    assert fn.randn_like(fn.tensor(np.zeros(2))).dtype is fn.float64


def test_multinomial() -> None:
    fn.manual_seed(0)
    w = np.array([[1.0, 0.0, 3.0, 4.0], [0.0, 0.0, 0.0, 2.0]])
    k = fn.multinomial(fn.tensor(w), 20_000, replacement=True).numpy()
    np.testing.assert_allclose(np.bincount(k[0], minlength=4) / 20_000, w[0] / 8, atol=0.02)
    assert (k[1] == 3).all()
    firsts = np.array([fn.multinomial(fn.tensor(w[0]), 3).numpy() for _ in range(2000)])
    assert (np.sort(firsts, 1) == [0, 2, 3]).all()
    np.testing.assert_allclose(np.bincount(firsts[:, 0], minlength=4) / 2000, w[0] / 8, atol=0.05)
    for bad in ([-1.0, 2.0], [0.0, 0.0], [np.inf, 1.0]):
        with pytest.raises(ValueError, match="multinomial: weights"):
            fn.multinomial(fn.tensor(bad), 1)
    with pytest.raises(ValueError, match="multinomial: cannot draw 4 different"):
        fn.multinomial(fn.tensor(w[0]), 4)


def test_generators() -> None:
    g = fn.Generator().manual_seed(9)
    state, first = g.get_state(), fn.rand(70, generator=g).numpy()
    fn.rand(3)                                           # the default generator does not matter
    second = fn.rand(70, generator=g).numpy()
    assert not np.array_equal(first, second) and g.initial_seed() == 9
    copy = pickle.loads(pickle.dumps(g))
    g.set_state(state)
    np.testing.assert_array_equal(fn.rand(70, generator=g).numpy(), first)
    np.testing.assert_array_equal(fn.rand(70, generator=g).numpy(), second)
    np.testing.assert_array_equal(fn.rand(70, generator=g).numpy(), fn.rand(70, generator=copy).numpy())
    assert g.seed() == g.initial_seed()
    fn.manual_seed(2)
    kept, a = fn.get_rng_state(), fn.normal(0.0, 1.0, (5,)).numpy()
    fn.set_rng_state(kept)
    np.testing.assert_array_equal(fn.normal(0.0, 1.0, (5,)).numpy(), a)
    assert fn.initial_seed() == 2 and fn.default_generator.initial_seed() == 2 and isinstance(fn.seed(), int)


def test_dropout() -> None:
    fn.manual_seed(0)
    values = np.random.default_rng(0).standard_normal((100, 101)).astype(np.float32)
    x = fn.tensor(values).requires_grad_()
    y = F.dropout(x, 0.25)
    kept = y.detach().numpy() != 0
    assert abs(kept.mean() - 0.75) < 0.03
    np.testing.assert_allclose(y.detach().numpy(), np.where(kept, values / np.float32(0.75), 0), rtol=1e-6)
    g = np.random.default_rng(1).standard_normal((101, 100)).astype(np.float32).T
    y.backward(fn.from_numpy(g))
    np.testing.assert_allclose(x.grad.numpy(), np.where(kept, g / np.float32(0.75), 0), rtol=1e-6)
    assert F.dropout(x, 0.5, training=False) is x and (F.dropout(x, 1.0).detach().numpy() == 0).all()
    assert np.isnan(F.dropout(fn.tensor([np.nan] * 50), 0.5).numpy()).all()
    z = fn.tensor(values)
    assert F.dropout(z, 0.5, inplace=True) is z and (z.numpy() == 0).any()
    with pytest.raises(ValueError, match="dropout: p must be from 0 to 1"):
        F.dropout(x, 1.5)
    for name, shape, axes in (("dropout1d", (20, 10, 5), 2), ("dropout2d", (20, 10, 3, 4), 2), ("dropout3d", (20, 10, 2, 3, 2), 2),
                              ("dropout1d", (200, 5), 1), ("dropout2d", (20, 10, 4), 2), ("dropout3d", (200, 2, 3, 2), 1)):
        whole = getattr(F, name)(fn.tensor(np.ones(shape, np.float32)), 0.5).numpy().reshape(*shape[:axes], -1)
        assert (whole == whole[..., :1]).all() and 0.3 < (whole == 0).mean() < 0.7 and set(np.unique(whole)) == {0, 2}


def test_what_is_refused() -> None:
    for call, error, match in (
            (lambda: fn.rand(2, dtype=fn.int64), TypeError, "rand: dtype must be float32 or float64"),
            (lambda: fn.rand(2.5), TypeError, "rand: size must be integers"), (lambda: fn.rand(-1), ValueError, "negative"),
            (lambda: fn.randint(5, 5, (2,)), ValueError, "randint: low must be less than high"),
            (lambda: fn.bernoulli(fn.tensor([1.5])), ValueError, "bernoulli: probabilities must be from 0 to 1"),
            (lambda: fn.normal(0.0, -1.0, (2,)), ValueError, "normal: std must not be negative"),
            (lambda: fn.rand(2, generator=1), TypeError, "rand: generator must be a Generator"),
            (lambda: fn.manual_seed(2**64), ValueError, "does not fit in 64 bits"),
            (lambda: fn.tensor([1.0]).requires_grad_().uniform_(), RuntimeError, "uniform_: a leaf"),
            (lambda: fn.tensor([1.0]).normal_(0, -1), ValueError, "normal_: std must not be negative")):
        with pytest.raises(error, match=match):
            call()


def test_the_size_may_be_named():
    for f in (fn.rand, fn.randn):
        fn.manual_seed(0)
        a = f(2, 3)
        fn.manual_seed(0)
        assert f(size=(2, 3)).tolist() == a.tolist() and f(size=()).shape == ()
        with pytest.raises(TypeError, match=f"{f.__name__}: size is given twice"):
            f(2, size=(3,))
    with pytest.raises(TypeError, match="zeros: size is given twice"):
        fn.zeros(2, size=(3,))
    with pytest.raises(TypeError, match="^rand: "):
        fn.rand(2.5)


def test_one_size_may_be_a_number():
    assert fn.randint(0, 5, 3).shape == (3,) and fn.randint(5, (2,)).shape == (2,) and fn.rand([2, 3]).shape == (2, 3)
