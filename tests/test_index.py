"""x[...] and x[...] = value against NumPy, over generated index expressions; gradients; aliasing; refusals."""
import numpy as np
import pytest
from fastnet import Tensor, from_numpy, no_grad, tensor

import fastnet


def random_slice(rng):
    def end():
        return None if rng.random() < 0.4 else int(rng.integers(-6, 7))
    return slice(end(), end(), None if rng.random() < 0.4 else int(rng.choice([-3, -2, -1, 1, 2, 3])))


def random_index(rng, shape):
    """An index expression for `shape` that is in range: a list of entries."""
    entries, axis, dots = [], 0, False
    found = [(), (1,), (3,), (2, 3), (2, 1)][rng.integers(5)]
    while True:
        kind = rng.integers(12)
        left = len(shape) - axis
        if kind == 0 or (left == 0 and kind < 10):
            break
        if kind < 3:
            if shape[axis] == 0:
                continue
            entries.append(int(rng.integers(-shape[axis], shape[axis])))
            axis += 1
        elif kind < 6:
            entries.append(random_slice(rng))
            axis += 1
        elif kind < 8:
            if shape[axis] == 0:
                continue
            drop = int(rng.integers(len(found) + 1))
            dims = tuple(1 if rng.random() < 0.2 else n for n in found[drop:])
            entries.append(rng.integers(-shape[axis], shape[axis], dims).astype(rng.choice(["int64", "int32"])))
            axis += 1
        elif kind == 8:
            width = int(rng.integers(1, left + 1))
            entries.append(rng.random(shape[axis:axis + width]) < 0.5)
            axis += width
        elif kind == 9 and not dots:
            entries.append(...)
            axis += int(rng.integers(0, left + 1))
            dots = True
            if rng.random() < 0.5:
                break
        elif kind == 10 and len(entries) < 5:
            entries.append(None)
        elif kind == 11 and len(entries) < 5 and rng.random() < 0.2:
            entries.append(bool(rng.random() < 0.7))
    return entries


def takes(entry):
    if entry is None or entry is ... or isinstance(entry, bool):
        return 0
    return entry.ndim if isinstance(entry, np.ndarray) and entry.dtype == bool else 1


def two_steps(entries, ndim):
    """PyTorch's meaning in terms of NumPy: integers (and arrays of no axis) select first, then the rest is looked up."""
    rest = ndim - sum(map(takes, entries))
    at = next((i for i, e in enumerate(entries) if e is ...), len(entries))
    entries = entries[:at] + [slice(None)] * rest + entries[at + 1:]
    first, then = [], []
    for entry in entries:
        if isinstance(entry, np.ndarray) and entry.ndim == 0:
            entry = entry.item()
        if isinstance(entry, bool):
            first.append(None)
            then.append(np.array([0] if entry else [], "int64"))
        elif isinstance(entry, (int, slice)) or entry is None:
            first.append(entry)
            if not isinstance(entry, int):
                then.append(slice(None))
        else:
            first += [slice(None)] * takes(entry)
            then.append(entry)
    return tuple(first), tuple(then)


def as_given(rng, entries):
    """The same index with tensors, arrays or lists, and a tuple or a single entry."""
    out = []
    for entry in entries:
        if isinstance(entry, np.ndarray):
            how = rng.integers(3)
            entry = tensor(entry) if how == 0 else entry if how == 1 or entry.size == 0 or entry.ndim == 0 else entry.tolist()
        out.append(entry)
    return out[0] if len(out) == 1 and rng.random() < 0.5 else tuple(out)


def cases(seed, count):
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        shape = tuple(int(n) for n in rng.choice([1, 2, 3, 4, 5, 0], rng.integers(0, 5), p=[0.15, 0.2, 0.25, 0.25, 0.1, 0.05]))
        entries = random_index(rng, shape)
        if sum(e is ... for e in entries) > 1:
            continue
        a = rng.standard_normal(tuple(reversed(shape))).T if rng.random() < 0.3 else rng.standard_normal(shape)
        first, then = two_steps(list(entries), len(shape))
        try:
            expected = a[first][then]
        except (IndexError, ValueError):
            with pytest.raises((IndexError, ValueError)):
                from_numpy(a)[as_given(rng, entries)]
            continue
        if expected.ndim > 8:
            continue
        made += 1
        yield rng, a, entries, first, then, expected


def test_getitem_is_numpys():
    for rng, a, entries, _, _, expected in cases(1, 4000):
        y = from_numpy(a)[as_given(rng, entries)]
        assert tuple(y.shape) == expected.shape, (a.shape, entries)
        np.testing.assert_array_equal(y.numpy(), expected, err_msg=f"{a.shape} {entries}")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_getitem_every_dtype(dtype):
    for rng, a, entries, first, then, _ in cases(2, 300):
        a = np.asarray(a * 3).astype(dtype)
        y = from_numpy(a)[as_given(rng, entries)]
        assert y.numpy().dtype == dtype
        np.testing.assert_array_equal(y.numpy(), a[first][then], err_msg=f"{a.shape} {entries}")


def test_setitem_is_numpys():
    for rng, a, entries, first, then, expected in cases(3, 4000):
        value = rng.standard_normal(tuple(1 if rng.random() < 0.2 else n for n in expected.shape[rng.integers(expected.ndim + 1):]))
        positions = np.arange(a.size).reshape(a.shape)[first][then]
        if np.unique(positions).size != positions.size:         # a position twice: NumPy does not say which value wins
            value = rng.standard_normal()
        right = a.copy(order="K")
        np.copyto(right.reshape(-1), right.ravel())
        flat = right.ravel()
        flat[positions.ravel()] = np.broadcast_to(value, positions.shape).ravel()
        x = from_numpy(a.copy(order="K"))
        version = x._version
        x[as_given(rng, entries)] = float(value) if isinstance(value, float) else tensor(value) if rng.random() < 0.7 else value
        np.testing.assert_array_equal(x.numpy(), flat.reshape(a.shape), err_msg=f"{a.shape} {entries}")
        assert x._version > version


def test_repeated_positions_take_the_last_value():
    x = fastnet.zeros(3)
    x[tensor([1, 1, 1])] = tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [0.0, 3.0, 0.0]


def test_gradient_of_getitem_is_a_scatter_add():
    for rng, a, entries, first, then, expected in cases(4, 1500):
        x = from_numpy(a).requires_grad_()
        gy = rng.standard_normal(expected.shape)
        x[as_given(rng, entries)].backward(from_numpy(np.asarray(gy)))
        right = np.zeros(a.size)
        np.add.at(right, np.arange(a.size).reshape(a.shape)[first][then].ravel(), gy.ravel())
        np.testing.assert_allclose(x.grad.numpy(), right.reshape(a.shape), rtol=1e-12, atol=1e-12, err_msg=f"{a.shape} {entries}")


def test_gradients_of_setitem():
    for rng, a, entries, first, then, expected in cases(5, 1500):
        value = rng.standard_normal(tuple(1 if rng.random() < 0.2 else n for n in expected.shape[rng.integers(expected.ndim + 1):]))
        positions = np.arange(a.size).reshape(a.shape)[first][then]
        gy = rng.standard_normal(a.shape)
        x, v = from_numpy(a).requires_grad_(), tensor(value, requires_grad=True)
        y = x.clone()
        y[as_given(rng, entries)] = v
        y.backward(from_numpy(gy))
        gx = gy.ravel().copy()
        gx[positions.ravel()] = 0
        gv = gy.ravel()[positions]
        extra = gv.ndim - value.ndim
        gv = gv.sum(tuple(range(extra)))
        gv = gv.sum(tuple(d for d in range(value.ndim) if value.shape[d] == 1), keepdims=True)
        np.testing.assert_allclose(x.grad.numpy(), gx.reshape(a.shape), atol=1e-12, err_msg=f"{a.shape} {entries}")
        np.testing.assert_allclose(v.grad.numpy(), gv, atol=1e-12, err_msg=f"{a.shape} {entries}")


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_and_isas_give_the_same_bits(threads, split, isa):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((40, 7, 33)).astype("float32")
    i, j = rng.integers(-40, 40, (3, 50)), rng.integers(0, 33, (3, 50))
    for index in [(i,), (slice(None), i % 7), (i, slice(None), j), (Ellipsis, j), (i, slice(None), slice(1, None, 3))]:
        values = []
        for n in (1, threads):
            fastnet.set_num_threads(n)
            x = from_numpy(a).requires_grad_()
            y = x[index]
            y.backward(from_numpy(rng.standard_normal(y.shape).astype("float32") if n == 1 else values[0]))
            z = x.detach().clone()
            z[index] = y.detach()
            values.append(y.detach().numpy().copy())
            if n == 1:
                values = [np.random.default_rng(1).standard_normal(y.shape).astype("float32")]
                x.grad = None
                x[index].backward(from_numpy(values[0]))
                first = (y.detach().numpy(), x.grad.numpy(), z.numpy())
        for b, c in zip(first, (y.detach().numpy(), x.grad.numpy(), z.numpy()), strict=True):
            assert b.tobytes() == c.tobytes()


def test_index_put():
    x = fastnet.zeros(2, 3)
    i, j = tensor([0, 1, 0]), tensor([2, 0, 2])
    y = x.index_put((i, j), tensor([1.0, 2.0, 3.0]), accumulate=True)
    assert y.tolist() == [[0.0, 0.0, 4.0], [2.0, 0.0, 0.0]] and x.tolist() == [[0.0] * 3] * 2
    x.index_put_((None, tensor([1])), tensor(7.0))
    assert x.tolist() == [[0.0, 7.0, 0.0]] * 2
    n = tensor([[1, 2], [3, 4]])
    assert n.index_put_((tensor([0, 0]),), tensor([[1, 1], [5, 5]]), accumulate=True).tolist() == [[7, 8], [3, 4]]
    assert n.index_put_((None,), tensor([[1, 1]]), accumulate=True).tolist() == [[8, 9], [4, 5]]
    v = tensor([1.0, 2.0, 3.0], requires_grad=True)
    w = fastnet.zeros(2, 3, requires_grad=True)
    w.index_put((i, j), v, accumulate=True).backward(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert v.grad.tolist() == [3.0, 4.0, 3.0] and w.grad.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_views_share_memory_and_versions():
    a = np.arange(12.0).reshape(3, 4)
    x = from_numpy(a)
    x[1:, ::2][0] = -1.0
    assert a[1].tolist() == [-1.0, 5.0, -1.0, 7.0]
    y = x.T[2]
    version = x._version
    y[0] = 9.0
    assert a[0, 2] == 9.0 and x._version == y._version == version + 1
    x[1:] = x[:-1].clone() * 1
    before = a.copy()
    x[1:] = x[:-1]
    assert (a[1:] == before[:-1]).all()


def test_saved_values_that_change_are_noticed():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    h = x * 2
    y = h * h
    h[0] = 5.0
    with pytest.raises(RuntimeError, match="modified in place"):
        y.sum().backward()


def test_assignment_on_the_tape():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="setitem: a leaf"):
        x[0] = 1.0
    with no_grad():
        x[0] = 4.0
    assert x.tolist() == [4.0, 2.0, 3.0]
    z = fastnet.zeros(2, 2)
    z[0][1] = x[0]
    z[1] = x[1:]
    assert z.requires_grad
    (z * tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert x.grad.tolist() == [2.0, 3.0, 4.0]
    n = tensor([1, 2])
    n[0] = 3.7
    n[1] = x[0].detach()
    assert n.tolist() == [3, 4]


REFUSED = [
    (lambda x: x[3], IndexError, "index: 3 is out of range for axis 0 of size 3"),
    (lambda x: x[:, -5], IndexError, "index: -5 is out of range for axis 1 of size 4"),
    (lambda x: x[0, tensor([0, 4])], IndexError, "index: 4 is out of range for axis 1 of size 4"),
    (lambda x: x[0, 0, 0], IndexError, r"3 indices for a tensor of 2 axes, of shape \(3, 4\)"),
    (lambda x: x[..., ...], IndexError, "only one"),
    (lambda x: x["a"], IndexError, "got str"),
    (lambda x: x[1.0], IndexError, "got float"),
    (lambda x: x[tensor([1.0])], IndexError, "got fastnet.float32"),
    (lambda x: x[tensor([1], dtype=fastnet.uint8)], IndexError, "uint8"),
    (lambda x: x[tensor([True, False])], IndexError, r"mask of shape \(2,\) does not match axis 0 of size 3"),
    (lambda x: x[[0, 1], [0, 1, 2]], IndexError, r"shapes \(2,\), \(3,\) do not broadcast"),
    (lambda x: x[::0], ValueError, "zero"),
    (lambda x: x.__setitem__(0, fastnet.zeros(3)), RuntimeError, r"value of shape \(3,\) does not broadcast to the part of shape \(4,\)"),
    (lambda x: x.__setitem__(([0, 1], 0), fastnet.zeros(3)), RuntimeError, r"setitem: value of shape \(3,\)"),
    (lambda x: x.__setitem__(0, "a"), TypeError, "setitem: value"),
    (lambda x: x.index_put_(([0],), fastnet.zeros(4)), TypeError, "index_put_: indices"),
    (lambda x: x.index_put_((tensor([0]),), tensor([1, 2, 3, 4])), RuntimeError, "int64, input is fastnet.float32"),
    (lambda x: fastnet.tensor(1.0)[0], IndexError, "0 axes"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refused(number):
    call, error, message = REFUSED[number]
    x = from_numpy(np.zeros((3, 4), "float32"))
    with pytest.raises(error, match=message):
        call(x)
    assert x._version == 0 and not x.numpy().any()


def test_iteration_and_containment():
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    assert isinstance(x[0], Tensor)
