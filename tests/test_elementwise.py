"""What elementwise ops do beyond values and gradients: promotion, layouts, in-place rules, overlapping memory, stores past the caches."""
import fastnet
import numpy as np
import pytest

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]
# PyTorch's result of adding a tensor with axes (rows) to one (columns), in the order of DTYPES.
BOTH_HAVE_AXES = {
    "float32": "float32 float64 float32 float32 float32 float32", "float64": "float64 float64 float64 float64 float64 float64",
    "int64": "float32 float64 int64 int64 int64 int64", "int32": "float32 float64 int64 int32 int32 int32",
    "uint8": "float32 float64 int64 int32 uint8 uint8", "bool": "float32 float64 int64 int32 uint8 bool",
}
# ... to one without axes: only a higher kind (bool < integer < float) changes the dtype.
OTHER_HAS_NONE = {
    "float32": "float32 float32 float32 float32 float32 float32", "float64": "float64 float64 float64 float64 float64 float64",
    "int64": "float32 float64 int64 int64 int64 int64", "int32": "float32 float64 int32 int32 int32 int32",
    "uint8": "float32 float64 uint8 uint8 uint8 uint8", "bool": "float32 float64 int64 int32 uint8 bool",
}
# ... and to the Python numbers 1.5, 1, True.
NUMBERS = {"float32": "float32 float32 float32", "float64": "float64 float64 float64", "int64": "float32 int64 int64",
           "int32": "float32 int32 int32", "uint8": "float32 uint8 uint8", "bool": "float32 int64 bool"}


def ones(dtype, *shape):
    return fastnet.from_numpy(np.ones(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_promotion(dtype):
    x = ones(dtype, 3)
    for other, both, scalar in zip(DTYPES, BOTH_HAVE_AXES[dtype].split(), OTHER_HAS_NONE[dtype].split()):
        for y, want in ((ones(other, 3), both), (ones(other), scalar)):
            assert (x + y).dtype.name == want and (y * x).dtype.name == want, f"{dtype} with {other} {y.shape}"
            assert (x == y).dtype is fastnet.bool
    for number, want in zip((1.5, 1, True), NUMBERS[dtype].split()):
        assert (x + number).dtype.name == want and (number * x).dtype.name == want, f"{dtype} with {number!r}"
    assert (x / x).dtype.name == (dtype if dtype.startswith("float") else "float32")


def test_numpy_scalars_and_arrays_are_operands():
    x = fastnet.tensor([1.0, 2.0])
    assert (x * np.float64(2.0)).tolist() == (np.float32(2.0) * x).tolist() == [2.0, 4.0]
    assert (x + np.array([1.0, 1.0], "float32")).tolist() == [2.0, 3.0]


def test_large_integers_are_exact():
    x = fastnet.tensor([2 ** 60 + 1])
    assert (x + 1).item() == 2 ** 60 + 2 and (x == 2 ** 60 + 1).item()
    with pytest.raises(OverflowError):
        x + 2 ** 70
    assert (fastnet.tensor([1.0]) * 2 ** 70).item() == 2.0 ** 70


def test_what_is_no_operand_is_left_to_python():
    x = fastnet.tensor([1.0])
    assert (x == None) is False and (x != "a") is True  # noqa: E711 - the operator is what is tested
    for f in (lambda: x + "a", lambda: [1.0] * x, lambda: x < None):
        with pytest.raises(TypeError):
            f()


def test_the_memory_order_that_operands_share_stays(isa):
    image = fastnet.from_numpy(np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype("float32")).permute(0, 3, 1, 2)
    channel = fastnet.from_numpy(np.arange(3, dtype="float32").reshape(1, 3, 1, 1))
    y = fastnet.relu(image * 2.0 + channel)
    assert y.stride() == image.stride()
    assert np.array_equal(y.numpy(), np.maximum(image.numpy() * 2 + channel.numpy(), 0))
    x = image.clone().requires_grad_()
    (x * channel).sum().backward()
    assert np.array_equal(x.grad.numpy(), np.broadcast_to(channel.numpy(), x.shape))


@pytest.mark.parametrize("name", ["add_", "mul_", "div_", "sub_"])
def test_in_place_with_itself_and_with_overlapping_memory(name):
    plain = {"add_": np.add, "mul_": np.multiply, "div_": np.divide, "sub_": np.subtract}[name]
    a = np.arange(1.0, 10.0)
    leaf = fastnet.from_numpy(a.copy()).requires_grad_()
    x = leaf * 1.0
    getattr(x, name)(x)
    assert np.array_equal(x.detach().numpy(), plain(a, a))
    x.sum().backward()
    slope = {"add_": 2 + 0 * a, "mul_": 2 * a, "div_": 0 * a, "sub_": 0 * a}[name]
    assert np.allclose(leaf.grad.numpy(), slope, atol=1e-15)
    memory = fastnet.from_numpy(a.copy())
    getattr(memory[1:], name)(memory[:-1])
    assert np.array_equal(memory.numpy()[1:], plain(a[1:], a[:-1]))
    backwards = fastnet.from_numpy(a.copy())
    getattr(backwards, name)(fastnet.from_numpy(backwards.numpy()[::-1]))
    assert np.array_equal(backwards.numpy(), plain(a, a[::-1]))
    first = fastnet.from_numpy(a + 1)
    getattr(first, name)(first[0])
    assert np.array_equal(first.numpy(), plain(a + 1, 2.0))


def test_writing_what_backward_reads_is_refused():
    x = fastnet.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    z = y * 2.0
    y.add_(1.0)
    with pytest.raises(RuntimeError, match="ExpBackward0 saved a tensor .* modified in place"):
        z.sum().backward()
    with pytest.raises(RuntimeError, match="mul_: a leaf that requires gradients"):
        x.mul_(2.0)
    with pytest.raises(RuntimeError, match="add_: elements of this tensor of shape .* share memory"):
        fastnet.zeros(1).expand(3).add_(1.0)
    constant = fastnet.tensor([1.0, 2.0])
    version = constant._version
    constant.relu_().mul_(2.0).clamp_(0.0, 1.0).fill_(3.0).zero_()
    assert constant._version == version + 5


@pytest.mark.parametrize("threads", [1, 2])
def test_stores_past_the_caches(isa, threads):
    """Outputs beyond 24 MiB are streamed: the same bits, also where neither the beginning nor the end is aligned."""
    before = fastnet.get_num_threads()
    fastnet.set_num_threads(threads)
    n = 7 * (1 << 20) + 13
    a = np.random.default_rng(0).standard_normal(n).astype("float32")
    x = fastnet.from_numpy(a)[5:]
    y = x * 3.0 + x
    fastnet.set_num_threads(before)
    small = np.concatenate([(piece * 3.0 + piece).numpy() for piece in fastnet.split(x, 1 << 20)])
    assert np.array_equal(y.numpy(), small)
    assert np.array_equal(fastnet.relu(x).numpy(), np.maximum(a[5:], 0))


def test_no_gradient_is_recorded_without_need():
    x = fastnet.tensor([1.0, 2.0], requires_grad=True)
    with fastnet.no_grad():
        assert not (x * x).requires_grad and not x.exp().requires_grad and not fastnet.where(x > 1, x, 0.0).requires_grad
    assert not (x > 1).requires_grad and not x.long().requires_grad
    assert (x * 2).grad_fn.name() == "MulBackward0" and x.exp().grad_fn.name() == "ExpBackward0"


def test_every_split_of_a_row_gives_the_same_bits(isa, split):
    rng = np.random.default_rng(0)
    for shape in ((1031,), (3, 343), (7, 1, 9)):
        a, b = rng.standard_normal(shape).astype("float32"), rng.uniform(0.5, 2, shape[-1:]).astype("float32")
        results = []
        for threads in (1, 2, 3, 8):
            fastnet.set_num_threads(threads)
            x, y = fastnet.from_numpy(a), fastnet.from_numpy(b)
            results.append((fastnet.tanh(x) / y + x ** 2).numpy().tobytes())
        assert len(set(results)) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_copies_between_memory_orders(isa, split, dtype):
    """Columns become rows in squares of one vector by one vector, in any split of the rows."""
    rng = np.random.default_rng(0)
    for shape, axes in (((37, 70), (1, 0)), ((3, 33, 65), (0, 2, 1)), ((2, 5, 7, 19), (0, 2, 3, 1)), ((100, 3), (1, 0)),
                        ((2, 64, 48), (2, 0, 1))):
        a = rng.integers(-1000, 1000, shape).astype(dtype)
        for threads in (1, 3):
            fastnet.set_num_threads(threads)
            y = fastnet.from_numpy(a).permute(*axes).contiguous()
            assert y.is_contiguous() and np.array_equal(y.numpy(), a.transpose(axes)), f"{shape} {axes} {threads} threads"


def test_operands_in_unlike_memory_orders(isa, split):
    """A transposed operand, and rows too short to be worth a loop of their own."""
    rng = np.random.default_rng(0)
    for shape, order in (((70, 90), (1, 0)), ((3, 40, 50), (0, 2, 1)), ((3, 40, 50), (2, 1, 0))):
        a = rng.standard_normal(shape).astype("float32")
        b = rng.standard_normal([shape[i] for i in order]).astype("float32").transpose(np.argsort(order))
        for threads in (1, 3):
            fastnet.set_num_threads(threads)
            x, y = fastnet.from_numpy(a), fastnet.from_numpy(b)
            assert np.array_equal((x * y).numpy(), a * b) and np.array_equal((y - x).numpy(), b - a) and np.array_equal((x < y).numpy(),
                                                                                                                        a < b)
    for left, right in (((500, 3), (500, 1)), ((500, 3), (3,)), ((7, 40, 5), (40, 1)), ((200, 1), (1, 7)), ((30, 4, 2), (30, 1, 2)),
                        ((900, 3), ())):
        a, b = rng.standard_normal(left).astype("float32"), rng.standard_normal(right).astype("float32")
        for threads in (1, 3, 8):
            fastnet.set_num_threads(threads)
            x, y = fastnet.from_numpy(a), fastnet.from_numpy(b)
            assert np.array_equal((x * y).numpy(), a * b) and np.array_equal((x > y).numpy(), a > b)
            assert np.array_equal(fastnet.where(x > y, x, y).numpy(), np.maximum(a, b))
            assert np.array_equal((fastnet.from_numpy(a.copy())[..., ::2].add_(1.0)).numpy(), a[..., ::2] + np.float32(1))
