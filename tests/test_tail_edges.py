"""Edges of the long tail of functions: large integers, overflow, poles, far tails, equal eigenvalues, nothing at all, NaN."""
import math
import pickle
from statistics import NormalDist

import numpy as np
import pytest

import fastnet
from fastnet.ops.sparse import SparseTensor


def test_scatter_reduce_keeps_integers_and_counts():
    large = 2**40 + 1                                     # not a number of float32
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        y = fastnet.scatter_reduce(fastnet.tensor([large, 3]), 0, fastnet.tensor([1]), fastnet.tensor([5]), reduce, include_self=False)
        assert y.tolist() == [large, 5], reduce
    ones = fastnet.ones(256, dtype=fastnet.uint8)         # as many as uint8 cannot count
    there = fastnet.zeros(256, dtype=fastnet.int64)
    assert fastnet.scatter_reduce(fastnet.zeros(1, dtype=fastnet.uint8), 0, there, ones, "amin", include_self=False).tolist() == [1]


def test_scatter_reduce_of_products_near_overflow():
    x = fastnet.tensor([3e38, 1e30], requires_grad=True)
    s = fastnet.tensor([1.0, 1e30], requires_grad=True)
    y = fastnet.scatter_reduce(x, 0, fastnet.tensor([0, 1]), s, "prod")
    assert y.tolist() == [pytest.approx(3e38), math.inf]
    y[0].backward()
    assert x.grad.tolist()[0] == 1 and s.grad.tolist()[0] == pytest.approx(3e38)


def test_equal_eigenvalues_have_gradients():
    x = fastnet.eye(3).requires_grad_()
    (fastnet.linalg.eigvalsh(x) * fastnet.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert np.isfinite(x.grad.numpy()).all() and x.grad.trace().item() == pytest.approx(6)


def test_poles_and_far_tails():
    poles = fastnet.tensor([-1.0, -2.0, -7.0])
    assert fastnet.special.gammaln(poles).tolist() == [math.inf] * 3
    assert fastnet.special.digamma(poles).isnan().all()
    p = [1e-300, 1e-20, 1e-10, 1e-5, 0.02, 0.3, 0.5, 0.7, 0.999]
    want = [NormalDist().inv_cdf(v) for v in p]
    y = fastnet.special.ndtri(fastnet.tensor(p, dtype=fastnet.float64))
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-11, atol=1e-15)
    assert fastnet.special.ndtri(fastnet.tensor([0.0, 1.0, -0.1, 1.1])).tolist()[:2] == [-math.inf, math.inf]
    assert fastnet.special.ndtri(fastnet.tensor([-0.1, 1.1, math.nan])).isnan().all()
    normal = fastnet.distributions.Normal(1.0, 2.0)
    assert normal.icdf(fastnet.tensor(1e-10)).item() == pytest.approx(NormalDist(1, 2).inv_cdf(1e-10), rel=1e-5)
    assert fastnet.distributions.Normal(0.0, 1.0).cdf(fastnet.tensor(-10.0)).item() == pytest.approx(7.62e-24, rel=1e-3)
    assert fastnet.autograd.gradcheck(fastnet.special.ndtri, [fastnet.tensor([0.1, 0.5, 0.9], dtype=fastnet.float64, requires_grad=True)])


def test_nothing_and_nan():
    values, inverse, counts = fastnet.unique_consecutive(fastnet.empty(0), True, True)
    assert values.shape == inverse.shape == counts.shape == (0,)
    assert fastnet.unique_consecutive(fastnet.empty(0, 3), dim=0).shape == (0, 3)
    values, indices = fastnet.mode(fastnet.tensor([math.nan, 1.0, math.nan]))
    assert math.isnan(values.item()) and indices.item() == 2
    assert fastnet.hypot(fastnet.tensor([math.inf, math.nan]), fastnet.tensor([math.nan, -math.inf])).tolist() == [math.inf, math.inf]


def test_copysign_takes_the_wider_dtype():
    wide = fastnet.tensor([-1.0], dtype=fastnet.float64)
    for x in (fastnet.tensor([2.0]), fastnet.tensor([2])):
        y = fastnet.copysign(x, wide)
        assert y.dtype == fastnet.float64 and y.item() == -2


@pytest.mark.parametrize("name, args", [("cumprod", (0,)), ("xlogy", (2.0,)), ("float_power", (3.0,)), ("digamma", ()), ("sinc", ())])
def test_in_place_forms_have_the_gradient_of_the_others(name, args):
    x, z = (fastnet.tensor([0.5, 2.0], requires_grad=True) for _ in range(2))
    getattr(x * 2, name + "_")(*args).sum().backward()
    getattr(z * 2, name)(*args).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-6)


def test_sparse_tensors_of_wrong_shape_are_refused():
    rows = SparseTensor(fastnet.tensor([0, 2]), fastnet.ones(2, 3), (4, 3))
    with pytest.raises(RuntimeError, match=r"rows of a table \(4, 3\) and a fastnet.float32 tensor \(2, 2\)"):
        rows + fastnet.zeros(2, 2)
    with pytest.raises(ValueError, match=r"values \(2, 5\) must be a row for each of indices \(1,\) of a table \(4, 3\)"):
        SparseTensor(fastnet.tensor([1]), fastnet.ones(2, 5), (4, 3))


def test_a_sparse_gradient_is_explained(capsys):
    table = fastnet.nn.Embedding(3, 2, sparse=True)
    table(fastnet.tensor([1])).sum().backward(explain=True)
    assert "no gradient arrives" not in capsys.readouterr().out


def test_lazy_norms_keep_the_dtype_and_unused_layers_are_saved():
    norm = fastnet.nn.LazyBatchNorm1d().double()
    assert norm(fastnet.randn(4, 3, dtype=fastnet.float64)).dtype == norm.running_mean.dtype == fastnet.float64
    for make in (lambda: fastnet.nn.LazyLinear(3), lambda: fastnet.nn.LazyConv2d(3, 1)):
        layer = make()
        layer.load_state_dict(make().state_dict())
        assert layer.has_uninitialized_params()


def test_named_results_go_through_pickle_and_print_the_name_of_their_function():
    x = fastnet.tensor([[3.0, 1.0], [1.0, 5.0]])
    results = [getattr(x, name)(1) for name in ("max", "min", "topk", "kthvalue", "sort", "median", "mode", "cummax", "cummin")]
    results += [fastnet.aminmax(x), fastnet.svd(x), fastnet.qr(x)]
    results += [getattr(fastnet.linalg, name)(x) for name in ("svd", "eigh", "slogdet")]
    names = "max min topk kthvalue sort median mode cummax cummin aminmax svd qr svd eigh slogdet"
    for name, result in zip(names.split(), results, strict=True):
        back = pickle.loads(pickle.dumps(result))
        assert type(back) is type(result) and repr(back) == repr(result) and repr(result).startswith(f"{name}(")
