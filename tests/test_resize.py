"""What older programs ask of a tensor, windows, `in` and `reversed`."""
import numpy as np
import pytest

import fastnet as fn


def test_in_and_reversed():
    x = fn.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.int64(2) in x and np.float32(5) not in x
    assert 2 in x and 5.0 not in x and True in x and fn.tensor([1.0, 9.0]) in x and fn.tensor(7) not in x
    for value in ("a", None, [1.0]):
        with pytest.raises(RuntimeError, match="in: a tensor can be asked for a number"):
            value in x  # noqa: B015
    assert reversed(x).tolist() == [[3.0, 4.0], [1.0, 2.0]] and [r.tolist() for r in reversed(x)] == [[3.0, 4.0], [1.0, 2.0]]
    assert reversed(fn.tensor(1.0)).item() == 1.0
    w = fn.ones(2, requires_grad=True)
    (reversed(w) * fn.tensor([1.0, 2.0])).sum().backward()
    assert w.grad.tolist() == [2.0, 1.0]


def test_resize():
    x = fn.arange(6.0)
    part = x[:4]
    assert x.resize_(2, 3) is x and x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    part[0] = 7.0
    assert x[0, 0] == 7.0                                   # as many elements: the same memory
    assert x.t().resize_(3).tolist() == [7.0, 3.0, 1.0] and x.resize_((2, 2)).tolist() == [[7.0, 1.0], [2.0, 3.0]]
    assert x.resize_(9).shape == (9,) and x[:4].tolist() == [7.0, 1.0, 2.0, 3.0] and x.resize_as_(fn.ones(1, 2)).shape == (1, 2)
    with pytest.raises(RuntimeError, match="resize_: the tensor requires grad"):
        fn.ones(2, requires_grad=True).resize_(3)


def test_new_apply_map():
    x = fn.tensor([[1, -2], [3, 4]])
    assert x.new(2, 3).shape == (2, 3) and x.new(x.shape).shape == (2, 2) and x.new([1.9]).tolist() == [1] and x.new().shape == (0,)
    assert x.new(2).dtype == fn.int64
    assert x.apply_(abs) is x and x.tolist() == [[1, 2], [3, 4]]
    assert x.t().map_(fn.tensor([10, 20]), lambda a, b: a - b).tolist() == [[-9, -17], [-8, -16]] and x.tolist() == [[-9, -8], [-17, -16]]
    with pytest.raises(TypeError, match="apply_: a tensor that requires grad"):
        fn.ones(1, requires_grad=True).apply_(abs)


def test_sum_to_size():
    x = np.arange(24.0).reshape(2, 3, 4)
    t = fn.tensor(x)
    for shape in ((2, 3, 4), (3, 4), (1, 4), (2, 1, 1), (), (1, 1, 1)):
        axes = tuple(range(3 - len(shape))) + tuple(d + 3 - len(shape) for d, n in enumerate(shape) if n == 1)
        np.testing.assert_array_equal(t.sum_to_size(shape).numpy(), x.sum(axes, keepdims=True).reshape(shape))
    for shape in ((2,), (5, 2, 3, 4)):
        with pytest.raises(RuntimeError, match="sum_to_size: .* is not expandable"):
            t.sum_to_size(*shape)


def test_small_makers():
    data = np.arange(5, dtype="float32")
    x = fn.frombuffer(bytearray(data.tobytes()), dtype=fn.float32, count=3, offset=4)
    assert x.tolist() == [1.0, 2.0, 3.0] and x.add_(1)[0] == 2.0
    with pytest.raises(ValueError, match="read-only"):
        fn.frombuffer(data.tobytes(), dtype=fn.float32).add_(1)
    with pytest.raises(ValueError):
        fn.frombuffer(b"123", dtype=fn.float32)
    assert fn.scalar_tensor(3).dtype == fn.float32 and fn.scalar_tensor(3, dtype=fn.int64).item() == 3
    at = fn.unravel_index(fn.tensor([[1, 5]]), (2, 3))
    assert [i.tolist() for i in at] == [[[0, 1]], [[1, 2]]]
    with pytest.raises(ValueError):
        fn.unravel_index(fn.tensor([6]), (2, 3))
    with pytest.raises(TypeError, match="unravel_index: indices"):
        fn.unravel_index(fn.tensor([1.0]), (2, 3))
    assert fn.msort(fn.tensor([[3.0, 1.0], [2.0, 5.0]])).tolist() == [[2.0, 1.0], [3.0, 5.0]] and fn.msort(fn.tensor(2.0)).item() == 2.0
    assert fn.row_stack((fn.ones(2), fn.zeros(2))).tolist() == [[1.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("name", ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"])
def test_windows(name):
    short = name.removesuffix("_window")
    window, reference = getattr(fn, name), getattr(np, {"hann": "hanning"}.get(short, short))
    more = (12.0,) if short == "kaiser" else ()
    for n in (0, 1, 2, 5, 16):
        np.testing.assert_allclose(window(n, periodic=False, dtype=fn.float64).numpy(), reference(n, *more), atol=1e-15)
        np.testing.assert_allclose(window(n).numpy(), reference(n + 1, *more)[:-1] if n > 1 else np.ones(n), atol=1e-7)
    assert window(3).dtype == fn.float32 and window(3, requires_grad=True).requires_grad
    for n, options, error in ((-1, {}, RuntimeError), (2.0, {}, TypeError), (2, {"dtype": fn.int64}, RuntimeError),
                              (2, {"size": 1}, TypeError)):
        with pytest.raises(error, match=f"{name}: "):
            window(n, **options)
    if short == "hamming":
        np.testing.assert_allclose(window(5, False, 0.5, 0.4).numpy(), [0.1, 0.5, 0.9, 0.5, 0.1], atol=1e-7)


def test_products_in_place():
    a, b, c = np.arange(4.0).reshape(2, 2), np.ones((2, 2)), np.eye(2)
    np.testing.assert_array_equal(fn.tensor(c).addmm_(fn.tensor(a), fn.tensor(b), beta=2).numpy(), 2 * c + a @ b)
    assert fn.tensor([1.0, 3.0]).less_(2).tolist() == [1.0, 0.0]
