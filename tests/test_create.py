"""Creation functions against NumPy; dtypes, options and what they refuse."""
import fastnet
import numpy as np
import pytest
from fastnet.ops.convert import one_hot


def same(x, a, dtype=None):
    a = np.asarray(a, dtype or a.dtype)
    assert tuple(x.shape) == a.shape and x.numpy().dtype == a.dtype, (x, a)
    np.testing.assert_array_equal(x.numpy(), a)
    assert not x.requires_grad


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (2, 1, 3, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_zeros_ones_full(shape, dtype):
    d = getattr(fastnet, dtype)
    for x in (fastnet.zeros(shape, dtype=d), fastnet.zeros(*shape, dtype=d), fastnet.zeros(size=shape, dtype=d),
        fastnet.zeros(list(shape), dtype=d)):
        same(x, np.zeros(shape, dtype))
    same(fastnet.ones(*shape, dtype=d), np.ones(shape, dtype))
    same(fastnet.full(shape, 1, dtype=d), np.ones(shape, dtype))
    assert fastnet.empty(shape, dtype=d).shape == shape and fastnet.empty(shape, dtype=d).dtype == d
    like = fastnet.from_numpy(np.full(shape, 1, dtype))
    same(fastnet.zeros_like(like), np.zeros(shape, dtype))
    same(fastnet.ones_like(like), np.ones(shape, dtype))
    same(fastnet.full_like(like, 1), np.ones(shape, dtype))
    assert fastnet.empty_like(like).dtype == d
    same(like.new_zeros(shape), np.zeros(shape, dtype))
    same(like.new_ones(*shape), np.ones(shape, dtype))
    same(like.new_full(shape, 1), np.ones(shape, dtype))
    assert like.new_empty(shape).dtype == d
    same(like.new_tensor([1, 0]), np.array([1, 0], dtype))
    same(fastnet.zeros_like(like, dtype=fastnet.int64), np.zeros(shape, "int64"))


def test_the_value_decides_the_dtype_of_full():
    assert fastnet.full((1,), 2).dtype == fastnet.int64 and fastnet.full((1,), 2.0).dtype == fastnet.float32
    assert fastnet.full((1,), True).dtype == fastnet.bool and fastnet.full((1,), fastnet.tensor(1.0)).item() == 1.0
    assert fastnet.full((2,), float("nan")).isnan().all()
    assert fastnet.full((1,), 2**40).item() == 2**40


def test_like_keeps_the_memory_order():
    x = fastnet.zeros(2, 3, 4, 5).contiguous(memory_format=fastnet.channels_last)
    for f in (fastnet.zeros_like, fastnet.ones_like, fastnet.empty_like, lambda x: fastnet.full_like(x, 2.0)):
        assert f(x).stride() == x.stride()
    assert fastnet.zeros_like(x, memory_format=fastnet.contiguous_format).is_contiguous()
    assert fastnet.empty(2, 3, 4, 5, memory_format=fastnet.channels_last).is_contiguous(memory_format=fastnet.channels_last)


def test_eye():
    for n, m in ((3, None), (2, 4), (4, 2), (0, 3)):
        same(fastnet.eye(n, m), np.eye(n, m, dtype="float32"))
    same(fastnet.eye(2, dtype=fastnet.int64), np.eye(2, dtype="int64"))


@pytest.mark.parametrize("args", [(5,), (2, 7), (2, 9, 3), (9, 2, -2), (0,), (3, 3), (-2, 2)])
def test_arange_of_integers(args):
    same(fastnet.arange(*args), np.arange(*args, dtype="int64"))
    same(fastnet.arange(*args, dtype=fastnet.float32), np.arange(*args).astype("float32"))


@pytest.mark.parametrize("args", [(5.0,), (0.5, 3), (0, 1, 0.1), (1, 0, -0.25), (0.0, 0.0)])
def test_arange_of_floats(args):
    start, end, step = (0, *args, 1) if len(args) == 1 else (*args, 1)[:3]
    count = int(np.ceil((end - start) / step))
    same(fastnet.arange(*args, dtype=fastnet.float64), np.array([start + i * step for i in range(count)]), "float64")
    assert fastnet.arange(*args).dtype == fastnet.float32


def test_linspace_and_logspace():
    for start, end, steps in ((0, 1, 5), (-2.5, 7, 10), (3, 3, 4), (1, 9, 1), (0, 1, 0), (5, -5, 101)):
        x = fastnet.linspace(start, end, steps, dtype=fastnet.float64)
        np.testing.assert_allclose(x.numpy(), np.linspace(start, end, steps), rtol=1e-15, atol=1e-15)
        assert steps < 2 or (x[0].item() == start and x[-1].item() == end)
    np.testing.assert_allclose(fastnet.logspace(-1, 2, 7, base=2).numpy(), np.logspace(-1, 2, 7, base=2), rtol=1e-6)
    same(fastnet.linspace(0, 4, 5, dtype=fastnet.int64), np.arange(5))


def test_triangle_indices():
    for f, g in ((fastnet.tril_indices, np.tril_indices), (fastnet.triu_indices, np.triu_indices)):
        for row, column, offset in ((3, 3, 0), (2, 4, 1), (4, 2, -2), (0, 3, 0)):
            same(f(row, column, offset), np.stack(g(row, offset, column)).astype("int64"))


def test_as_tensor_and_asarray_share_what_they_can():
    a = np.zeros(3, "float32")
    for f in (fastnet.as_tensor, fastnet.asarray, fastnet.from_dlpack):
        x = f(a)
        x[0] += 1
        assert a[0] == x[0].item()
    assert fastnet.as_tensor(x) is x and fastnet.asarray(x) is x
    assert fastnet.as_tensor(a, dtype=fastnet.float64).dtype == fastnet.float64
    assert fastnet.as_tensor([1, 2]).dtype == fastnet.int64
    y = fastnet.asarray(a, copy=True)
    y[0] = -1
    assert a[0] != -1 and fastnet.asarray(memoryview(a)).tolist() == a.tolist()
    with pytest.raises(ValueError, match="without a copy"):
        fastnet.asarray([1.0], copy=False)
    assert fastnet.asarray([1.0], requires_grad=True).requires_grad


def test_default_dtype():
    assert fastnet.get_default_dtype() == fastnet.float32
    fastnet.set_default_dtype(fastnet.float64)
    try:
        for x in (fastnet.zeros(1), fastnet.ones(1), fastnet.tensor(1.0), fastnet.tensor([1.0, 2.0]), fastnet.arange(0.0, 2.0),
            fastnet.eye(1),
                  fastnet.full((1,), 2.0), fastnet.linspace(0, 1, 2), fastnet.empty(1), fastnet.tensor([])):
            assert x.dtype == fastnet.float64
        assert fastnet.tensor([1]).dtype == fastnet.int64 and fastnet.tensor(np.float32(1)).dtype == fastnet.float32
    finally:
        fastnet.set_default_dtype(fastnet.float32)
    with pytest.raises(TypeError, match="set_default_dtype"):
        fastnet.set_default_dtype(fastnet.int64)
    assert fastnet.get_default_dtype() == fastnet.float32


def test_one_hot():
    x = fastnet.tensor([[0, 2], [1, 0]])
    same(one_hot(x), np.eye(3, dtype="int64")[x.numpy()])
    same(one_hot(x, 5), np.eye(5, dtype="int64")[x.numpy()])
    same(one_hot(fastnet.tensor(1)), np.array([0, 1]))
    for args, message in (((fastnet.tensor([-1]),), "class -1"), ((x, 2), "class 2 is not in"), ((fastnet.tensor([1.0]),),
        "must be int64")):
        with pytest.raises(RuntimeError, match=f"one_hot: .*{message}"):
            one_hot(*args)


def test_gradients_can_be_asked_for():
    for x in (fastnet.zeros(2, requires_grad=True), fastnet.full((2,), 1.0, requires_grad=True), fastnet.eye(2, requires_grad=True),
              fastnet.arange(2.0, requires_grad=True), fastnet.linspace(0, 1, 2, requires_grad=True), fastnet.zeros(1).new_ones(1,
                  requires_grad=True)):
        assert x.requires_grad and x.is_leaf


@pytest.mark.parametrize("call, error, message", [
    (lambda: fastnet.zeros(2, -1), ValueError, "negative"),
    (lambda: fastnet.zeros(2.0), TypeError, "zeros: size must be integers"),
    (lambda: fastnet.zeros(1 << 40, 1 << 40), MemoryError, "does not fit"),
    (lambda: fastnet.zeros(2, device="cuda"), RuntimeError, "CPU"),
    (lambda: fastnet.zeros(2, pin_memory=True), ValueError, "zeros: pin_memory"),
    (lambda: fastnet.zeros(2, layout="sparse"), ValueError, "zeros: layout"),
    (lambda: fastnet.zeros(2, dtype="complex64"), TypeError, "complex64"),
    (lambda: fastnet.zeros(2, out=1), TypeError, "zeros: out"),
    (lambda: fastnet.full((2,), "a"), TypeError, "full: fill_value"),
    (lambda: fastnet.zeros_like([1.0]), TypeError, "zeros_like: input must be a Tensor"),
    (lambda: fastnet.arange(0, 1, 0), ValueError, "arange: step 0"),
    (lambda: fastnet.arange(0, 1, -1), ValueError, "arange: step -1"),
    (lambda: fastnet.arange(float("inf")), ValueError, "finite"),
    (lambda: fastnet.linspace(0, 1, -1), ValueError, "linspace: steps"),
    (lambda: fastnet.eye(-1), ValueError, "negative"),
    (lambda: fastnet.ones(2, dtype=fastnet.int64, requires_grad=True), RuntimeError, "floating"),
])
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_arithmetic_follows_the_default_dtype():
    x = fastnet.tensor([1, 2])
    fastnet.set_default_dtype(fastnet.float64)
    try:
        assert (x * 1.5).dtype == (x / 2).dtype == x.sqrt().dtype == fastnet.rand(2).dtype == fastnet.float64
        assert (fastnet.tensor([1.0], dtype=fastnet.float32) * 1.5).dtype == fastnet.float32
    finally:
        fastnet.set_default_dtype(fastnet.float32)
    assert (x * 1.5).dtype == (x / 2).dtype == x.sqrt().dtype == fastnet.float32
