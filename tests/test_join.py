"""What the specs of joining cannot say: sequences that are refused, promotion, memory order, gradients that are views."""
from itertools import combinations, combinations_with_replacement, product

import fastnet
import numpy as np
import pytest
from fastnet.ops.pad import pad


@pytest.mark.parametrize("call, error, message", [
    (lambda: fastnet.cat([fastnet.zeros(2, 3), fastnet.zeros(2, 4)]), RuntimeError,
     r"cat: tensors must have one shape .*\(2, 3\) and \(2, 4\)"),
    (lambda: fastnet.cat([fastnet.zeros(2, 3), fastnet.zeros(3)]), RuntimeError, r"cat: .*\(2, 3\) and \(3,\)"),
    (lambda: fastnet.cat([fastnet.zeros(())]), RuntimeError, "cat: a 0-dim"),
    (lambda: fastnet.cat([]), RuntimeError, "cat: expected at least one"),
    (lambda: fastnet.cat([fastnet.zeros(2, 3)], 1, axis=-1), TypeError, "cat: dim=1 and axis=-1 are two names"),
    (lambda: fastnet.cat([1]), TypeError, "cat: tensors must be a Tensor, got int"),
    (lambda: fastnet.cat(fastnet.zeros(2)), TypeError, "cat: tensors must be a sequence"),
    (lambda: fastnet.cat([fastnet.zeros(2)], 1), IndexError, "cat: dim 1"),
    (lambda: fastnet.cat([fastnet.zeros(2)], out=fastnet.zeros(2, dtype=fastnet.int64)), RuntimeError, "cat: .* out, which is"),
    (lambda: fastnet.stack([fastnet.zeros(2), fastnet.zeros(3)]), RuntimeError,
     r"stack: tensors must have one shape, got \(2,\) and \(3,\)"),
    (lambda: fastnet.combinations(fastnet.zeros(2, 2)), RuntimeError, "combinations: expected tensors of 1 axis"),
    (lambda: fastnet.cartesian_prod(fastnet.zeros(2, 2)), RuntimeError, "cartesian_prod: expected tensors of 1 axis"),
])
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_dtypes_are_promoted_and_gradients_cast_back():
    a, b = fastnet.tensor([1.0, 2.0], requires_grad=True), fastnet.tensor([3.0], dtype=fastnet.float64, requires_grad=True)
    y = fastnet.cat([a, fastnet.tensor([7]), b])
    assert y.dtype == fastnet.float64 and y.tolist() == [1.0, 2.0, 7.0, 3.0]
    y.backward(fastnet.tensor([1.0, 2.0, 3.0, 4.0], dtype=fastnet.float64))
    assert a.grad.tolist() == [1.0, 2.0] and a.grad.dtype == fastnet.float32
    assert b.grad.tolist() == [4.0] and b.grad.dtype == fastnet.float64
    assert fastnet.cat([fastnet.tensor([True]), fastnet.tensor([2], dtype=fastnet.uint8)]).dtype == fastnet.uint8


def test_one_tensor_several_times():
    x = fastnet.tensor([1.0, 2.0], requires_grad=True)
    fastnet.stack([x, x, x]).backward(fastnet.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert x.grad.tolist() == [9.0, 12.0]


def test_channels_last_is_kept():
    x = fastnet.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5).contiguous(memory_format=fastnet.channels_last)
    for y in (fastnet.cat([x, x], 1), pad(x, (1, 1, 1, 1)), fastnet.flip(x, (1,))):
        assert y.is_contiguous(memory_format=fastnet.channels_last)


def test_cartesian_prod_and_combinations():
    vectors = [[1, 2, 3], [4, 5], [6]]
    assert fastnet.cartesian_prod(*map(fastnet.tensor, vectors)).tolist() == [list(row) for row in product(*vectors)]
    assert fastnet.cartesian_prod(fastnet.tensor([1, 2])).tolist() == [1, 2]
    x = fastnet.tensor([3, 1, 4, 1, 5])
    for r in (1, 2, 3):
        assert fastnet.combinations(x, r).tolist() == [list(row) for row in combinations(x.tolist(), r)]
        assert fastnet.combinations(x, r, True).tolist() == [list(row) for row in combinations_with_replacement(x.tolist(), r)]
    assert fastnet.combinations(x, 0).shape == (0,)
    w = fastnet.tensor([1.0, 2.0, 3.0], requires_grad=True)
    fastnet.combinations(w).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_masked_scatter_in_place():
    x = fastnet.zeros(2, 3)
    assert x.masked_scatter_(fastnet.tensor([True, False, True]), fastnet.arange(4.0) + 1) is x
    assert x.tolist() == [[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]]
    with pytest.raises(RuntimeError, match="masked_scatter_: source has 1"):
        x.masked_scatter_(x > 0, fastnet.ones(1))


def test_repeat_of_many_axes():
    a = np.arange(32.0).reshape(2, 2, 2, 2, 2)
    np.testing.assert_array_equal(fastnet.from_numpy(a).repeat(2, 3, 2, 1, 2).numpy(), np.tile(a, (2, 3, 2, 1, 2)))
    x = fastnet.tensor([2, 0, 1])
    assert fastnet.repeat_interleave(x).tolist() == [0, 0, 2]
    assert fastnet.repeat_interleave(fastnet.tensor([[1, 2], [3, 4]]), fastnet.tensor([1, 2]), dim=0).tolist() == [[1, 2], [3, 4], [3, 4]]
