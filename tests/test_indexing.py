"""What the specs of indexing leave out: in-place forms, scalars, padding, max_norm, NaN in order."""
import numpy as np
import pytest

import fastnet as fn
from fastnet.ops.index_select import embedding


def test_scatter_of_a_number() -> None:
    labels = fn.tensor([2, 0, 1])
    one_hot = fn.tensor(np.zeros((3, 4), np.float32)).scatter_(1, labels.reshape(3, 1), 1)
    np.testing.assert_array_equal(one_hot.numpy(), np.eye(4, dtype=np.float32)[[2, 0, 1]])
    assert fn.scatter(fn.tensor([1, 2, 3]), 0, fn.tensor([1]), value=9).tolist() == [1, 9, 3]
    assert fn.scatter(fn.tensor([1.0, 2.0, 3.0]), 0, fn.tensor([1, 1]), fn.tensor([5.0, 7.0]), reduce="multiply").tolist() == [1, 70, 3]
    with pytest.raises(TypeError, match="scatter: give either src or value"):
        fn.scatter(fn.tensor([1.0]), 0, fn.tensor([0]))


def test_in_place_forms() -> None:
    x = fn.tensor([0.0, 0.0])
    assert x.scatter_add_(0, fn.tensor([1, 1]), fn.tensor([1.0, 2.0])) is x and x.tolist() == [0, 3]
    assert x.index_add_(0, fn.tensor([0]), fn.tensor([5.0]), alpha=2) is x and x.tolist() == [10, 3]


def test_scatter_add_of_many_equal_indices_is_in_order() -> None:
    rng = np.random.default_rng(0)
    src, index = rng.standard_normal((5000, 3)).astype(np.float32), rng.integers(0, 4, (5000, 3))
    want = np.zeros((4, 3), np.float32)
    for k in range(5000):
        for j in range(3):
            want[index[k, j], j] += src[k, j]
    got = fn.scatter_add(fn.tensor(np.zeros((4, 3), np.float32)), 0, fn.tensor(index), fn.tensor(src))
    np.testing.assert_array_equal(got.numpy(), want)


def test_int32_indices() -> None:
    x = fn.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert fn.gather(x, 1, fn.tensor(np.array([[1], [0]], np.int32))).tolist() == [[2], [3]]
    assert fn.index_select(x, 0, fn.tensor(np.array([1], np.int32))).tolist() == [[3, 4]]


def test_embedding_padding_and_max_norm() -> None:
    w = fn.tensor(np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])).requires_grad_()
    embedding(fn.tensor([0, 1, 1, 0]), w, padding_idx=-3).sum().backward()
    assert w.grad.tolist() == [[0, 0], [2, 2], [0, 0]]
    y = embedding(fn.tensor([0, 1]), w.detach(), max_norm=1.0)
    np.testing.assert_allclose(y.numpy(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(w.detach().numpy(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-6)


def test_nan_in_order() -> None:
    x = fn.tensor([2.0, float("nan"), 1.0])
    assert fn.argsort(x).tolist() == [2, 0, 1] and fn.argsort(x, descending=True).tolist() == [1, 0, 2]
    assert fn.topk(x, 2).indices.tolist() == [1, 0]
    assert np.isnan(fn.median(x).item()) and fn.median(x, 0).indices.item() == 1
    assert fn.max(x, 0).indices.item() == 1 and fn.argmin(x).item() == 1
    assert np.isnan(fn.amax(x).item()) and np.isnan(fn.amin(x).item())


def test_unique_extras() -> None:
    values, inverse, counts = fn.unique(fn.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 3], [1, 0, 1], [1, 2])
    assert [i.tolist() for i in fn.nonzero(fn.tensor([[0, 1], [2, 0]]), as_tuple=True)] == [[0, 1], [1, 0]]


@pytest.mark.parametrize("values", [5, 1000])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_of_many_values_is_the_beginning_of_a_stable_sort(values, largest):
    """A few of many are chosen without sorting all; equal values keep their order, NaN is the largest."""
    rng = np.random.default_rng(0)
    floats = rng.integers(0, values, (2, 60, 3)).astype(np.float32)
    for a, axis in ((rng.integers(0, values, (3, 50)), 1), (floats, 1), (np.zeros((0, 50)), 1)):
        got = fn.topk(fn.tensor(a), 5, axis, largest)
        order = np.argsort(-a if largest else a, axis=axis, kind="stable")
        want = np.take(order, np.arange(5), axis)
        assert (got.indices.numpy() == want).all() and (got.values.numpy() == np.take_along_axis(a, want, axis)).all()
    a = rng.standard_normal(50).astype(np.float32)
    a[[7, 20]] = np.nan
    assert (fn.topk(fn.tensor(a), 2, largest=largest).indices.tolist() == [7, 20]) == largest
