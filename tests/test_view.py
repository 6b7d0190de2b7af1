"""Views: they share memory and versions, keep it alive, and cost nothing; memory formats."""
import gc
import pickle

import fastnet
import numpy as np
import pytest

VIEWS = [
    lambda x: x.view(6, 4), lambda x: x.reshape(-1), lambda x: x.flatten(1), lambda x: x.unflatten(2, (2, 2)), lambda x: x.transpose(0,
        2),
    lambda x: x.permute(2, 0, 1), lambda x: x.movedim(0, -1), lambda x: x.T, lambda x: x.mT, lambda x: x.squeeze(),
        lambda x: x.unsqueeze(1),
    lambda x: x.select(1, 2), lambda x: x.narrow(2, 1, 2), lambda x: x.diagonal(0, 1, 2), lambda x: x.unfold(2, 3, 1), lambda x: x[0],
    lambda x: x[..., ::2], lambda x: x[::-1], lambda x: x[:, None], lambda x: x.split(2, 2)[1], lambda x: x.chunk(2, 1)[1],
    lambda x: x.unbind(1)[1], lambda x: x.unsqueeze(0).expand(3, -1, -1, -1), lambda x: x.as_strided((2, 2), (1, 5), 3),
        lambda x: x.detach(),
    lambda x: x.swapaxes(0, 1)[1:].transpose(1, 2)[..., 0], lambda x: x.view(fastnet.int64),
]


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_views_share_memory_and_versions(number):
    x = fastnet.arange(24, dtype=fastnet.float64).reshape(2, 3, 4)
    before = x.numpy().copy()
    y = VIEWS[number](x)
    assert np.shares_memory(y.numpy(), x.numpy())
    x.fill_(-1.0)
    assert (y.numpy() == np.float64(-1.0).view(y.numpy().dtype)).all() and y._version == x._version
    del x
    gc.collect()
    fastnet.zeros(2, 3, 4)
    assert (y.numpy() == np.float64(-1.0).view(y.numpy().dtype)).all() and before.size == 24


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_writing_through_a_view_is_seen_by_the_tape(number):
    x = fastnet.ones(2, 3, 4, dtype=fastnet.float64)
    w = fastnet.ones(2, 3, 4, dtype=fastnet.float64, requires_grad=True)
    y = x * w
    part = VIEWS[number](x)
    if part.dtype == x.dtype and 0 not in part.stride():
        part.mul_(2.0) if part.is_contiguous() else part.__setitem__(..., 2.0)
        with pytest.raises(RuntimeError, match="modified in place"):
            y.sum().backward()


def test_a_view_of_a_leaf_cannot_be_written():
    w = fastnet.ones(3, requires_grad=True)
    for part in (w[0], w.view(3, 1), w.expand(2, 3)):
        with pytest.raises(RuntimeError, match="view"):
            part.fill_(0.0)
    with fastnet.no_grad():
        w[1] = 5.0
    assert w.tolist() == [1.0, 5.0, 1.0]


def test_overlapping_windows_add_up():
    x = fastnet.from_numpy(np.zeros(40)).requires_grad_()
    for width, step in ((5, 1), (7, 3), (40, 1), (4, 4)):
        x.grad = None
        y = x.unfold(0, width, step)
        y.backward(fastnet.ones_like(y))
        right = np.zeros(40)
        for start in range(0, 40 - width + 1, step):
            right[start:start + width] += 1
        assert (x.grad.numpy() == right).all()


def test_reading_bits_as_another_dtype():
    x = fastnet.tensor([1.0, -2.0])
    assert x.view(fastnet.int32).tolist() == [0x3F800000, -0x40000000]
    with pytest.raises(RuntimeError, match="not as wide"):
        x.view(fastnet.int64)


def test_broadcast_shapes():
    assert fastnet.broadcast_shapes((2, 1), 3, (1, 1, 1)) == (1, 2, 3)
    with pytest.raises(RuntimeError, match="broadcast_shapes"):
        fastnet.broadcast_shapes((2,), (3,))


def test_memory_formats():
    x = fastnet.arange(120.0).reshape(2, 3, 4, 5)
    y = x.contiguous(memory_format=fastnet.channels_last)
    assert y.stride() == (60, 1, 15, 3) and (y.numpy() == x.numpy()).all()
    assert y.is_contiguous(memory_format=fastnet.channels_last) and not y.is_contiguous() and x.is_contiguous()
    assert y.contiguous(memory_format=fastnet.channels_last) is y and y.contiguous().is_contiguous()
    assert y.clone().stride() == y.stride() and y.clone(memory_format=fastnet.contiguous_format).is_contiguous()
    assert x.to(memory_format=fastnet.channels_last).stride() == y.stride()
    assert not fastnet.zeros(2, 3).is_contiguous(memory_format=fastnet.channels_last)
    assert fastnet.zeros(2, 3, 1, 1).is_contiguous(memory_format=fastnet.channels_last)
    z = fastnet.zeros(1, 2, 3, 4, 5).contiguous(memory_format=fastnet.channels_last_3d)
    assert z.is_contiguous(memory_format=fastnet.channels_last_3d) and z.stride()[1] == 1
    with pytest.raises(RuntimeError, match="contiguous: memory_format channels_last is for tensors of 4 axes"):
        fastnet.zeros(2, 3).contiguous(memory_format=fastnet.channels_last)
    assert pickle.loads(pickle.dumps(fastnet.channels_last)) is not None and repr(fastnet.channels_last) == "fastnet.channels_last"
    w = x.requires_grad_()
    w.contiguous(memory_format=fastnet.channels_last).backward(y)
    assert (w.grad.numpy() == y.numpy()).all()


def test_random_chains_of_views():
    rng = np.random.default_rng(0)
    for _ in range(400):
        shape = tuple(int(n) for n in rng.integers(1, 4, rng.integers(1, 5)))
        a = rng.standard_normal(shape)
        x = fastnet.from_numpy(a).requires_grad_()
        y, b, at = x, a, np.arange(a.size).reshape(shape)
        for _ in range(rng.integers(1, 6)):
            kind = rng.integers(6)
            n = b.ndim
            if kind == 0:
                order = tuple(int(d) for d in rng.permutation(n))
                y, b, at = y.permute(order), b.transpose(order), at.transpose(order)
            elif kind == 1:
                d = int(rng.integers(n + 1))
                y, b, at = y.unsqueeze(d), np.expand_dims(b, d), np.expand_dims(at, d)
            elif kind == 2 and n > 1:
                d = int(rng.integers(n))
                i = int(rng.integers(b.shape[d]))
                y, b, at = y.select(d, i), b.take(i, d), at.take(i, d)
            elif kind == 3 and n:
                index = tuple(slice(None, None, int(rng.choice([-1, 1, 2]))) for _ in range(n))
                y, b, at = y[index], b[index], at[index]
            elif kind == 4:
                y, b, at = y.reshape(-1), b.reshape(-1), at.reshape(-1)
            elif n and n < 6:
                y, b, at = y.expand(2, *y.shape), np.broadcast_to(b, (2, *b.shape)), np.broadcast_to(at, (2, *at.shape))
            if b.ndim > 6:
                break
        assert tuple(y.shape) == b.shape and (y.detach().numpy() == b).all()
        gy = rng.standard_normal(b.shape)
        y.backward(fastnet.from_numpy(np.asarray(gy)))
        right = np.zeros(a.size)
        np.add.at(right, at.ravel(), gy.ravel())
        np.testing.assert_allclose(x.grad.numpy(), right.reshape(shape), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_transposed_copies(dtype, split, isa):
    rng = np.random.default_rng(0)
    for shape, order in (((64, 100), (1, 0)), ((37, 53), (1, 0)), ((3, 35, 18), (0, 2, 1)), ((2, 3, 17, 40), (0, 2, 3, 1)),
                         ((2, 17, 5, 7), (0, 2, 3, 1)), ((16, 15), (1, 0)), ((2, 19, 3, 33), (2, 0, 3, 1))):
        a = rng.standard_normal(shape).astype(dtype)
        for threads in (1, 2, 3, 8):
            fastnet.set_num_threads(threads)
            x = fastnet.from_numpy(a).permute(order)
            assert (x.contiguous().numpy() == a.transpose(order)).all()
            w = fastnet.from_numpy(a.copy()).requires_grad_()
            g = rng.standard_normal(a.transpose(order).shape).astype(dtype)
            w.permute(order).backward(fastnet.from_numpy(g))
            w.permute(order).backward(fastnet.from_numpy(g))
            assert (w.grad.numpy().transpose(order) == g + g).all()
            y = fastnet.from_numpy(a[..., ::-1]).permute(order)
            assert (y.contiguous().numpy() == a[..., ::-1].transpose(order)).all()


def of_a_layer(n=2):
    """An image that a layer made: channels last in memory."""
    weight = fastnet.tensor(np.random.default_rng(0).standard_normal((4, 3, 3, 3)), dtype=fastnet.float32, requires_grad=True)
    image = fastnet.tensor(np.random.default_rng(1).standard_normal((n, 3, 6, 5)), dtype=fastnet.float32)
    return weight, fastnet.nn.functional.conv2d(image, weight).relu()


def test_view_of_what_a_layer_made_shares_memory_in_row_major_order():
    """The idiom x.view(len(x), -1) behind convolutions."""
    for in_place in (False, True):
        (w, x), (other, flat) = of_a_layer(), of_a_layer()
        assert not x.is_contiguous()
        want = np.ascontiguousarray(x.detach().numpy()).reshape(2, -1) * (1 + in_place)
        rows = x.view(x.size(0), -1)
        flat = flat.flatten(1)
        if in_place:
            rows *= 2
            flat = flat * 2
        assert x.is_contiguous() and rows.data_ptr() == x.data_ptr() and np.array_equal(rows.detach().numpy(), want)
        assert np.array_equal(x.detach().numpy().reshape(2, -1), want)
        scale = fastnet.arange(flat.numel()).view(2, -1)
        (x.view(2, -1) ** 2 * scale).sum().backward()
        (flat ** 2 * scale).sum().backward()
        assert np.allclose(w.grad.numpy(), other.grad.numpy(), rtol=1e-5)
    with fastnet.no_grad():
        assert of_a_layer()[1].view(2, -1).shape == (2, 48)
    _, x = of_a_layer()
    x.mul_(2)
    version = x._version
    assert x.view(2, -1)._version == x._version == version > 0


def test_view_moves_nothing_that_others_count_on():
    def refused(x):
        before = x.stride()
        with pytest.raises(RuntimeError, match=r"view: shape \(2, \d+\) needs a copy of x, .*use reshape"):
            x.view(2, -1)
        assert x.stride() == before
    _, x = of_a_layer()
    part = x[:, 1]
    refused(x)
    part *= 1                                             # the view is alive until here
    refused(x[:, :2])
    refused(fastnet.zeros(2, 4, 5, 3).permute(0, 3, 1, 2))
    refused(fastnet.from_numpy(np.zeros((2, 4, 5, 3), np.float32).transpose(0, 3, 1, 2)))
    with fastnet.no_grad():
        _, x = of_a_layer()
        part = x[0]
        refused(x)
        assert part.shape == (4, 4, 3)
        array = of_a_layer()[1]
        held = array.numpy()
        refused(array)
        assert held.shape == (2, 4, 4, 3)


def test_view_moves_nothing_that_has_another_name():
    def no_grad_view(x):
        with fastnet.no_grad():
            return x[0]

    def handed_over(x):
        y = fastnet.zeros(1)
        y.data = x
        return y
    for name in (fastnet.Tensor.detach, lambda x: x.data, lambda x: x.detach().numpy(), no_grad_view, handed_over, memoryview_of):
        _, x = of_a_layer()
        other = name(x)
        with pytest.raises(RuntimeError, match="use reshape"):
            x.view(2, -1)
        with fastnet.no_grad():
            x.zero_()
        assert not np.asarray(other).any()
        del other                                         # the name was all that was in the way
        assert x.view(2, -1).shape == (2, 48)


def test_view_of_what_a_module_with_backward_hooks_made():
    seen = []
    layer = fastnet.nn.Conv2d(3, 4, 3)
    layer.register_full_backward_hook(lambda module, gx, gy: seen.append(gy[0].shape))
    x = fastnet.randn(2, 3, 6, 5)
    y = layer(x)
    assert y.view(2, -1).shape == (2, 48)
    (y.view(2, -1) ** 2).sum().backward()
    assert seen == [(2, 4, 4, 3)]
    w = layer.weight.detach().clone().requires_grad_()
    (fastnet.conv2d(x, w, layer.bias.detach()) ** 2).sum().backward()
    assert np.allclose(layer.weight.grad.numpy(), w.grad.numpy(), rtol=1e-5)


def memoryview_of(x):
    return memoryview(x.detach())


def test_view_leaves_leaves():
    """What an optimizer keeps for a parameter has its strides."""
    w = fastnet.randn(2, 3, 4, 4).contiguous(memory_format=fastnet.channels_last).requires_grad_()
    optimizer = fastnet.optim.Adam([w])
    w.sum().backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match="use reshape"):
        w.view(2, -1)
    optimizer.step()


def test_a_recorded_gradient_keeps_its_history():
    w = fastnet.randn(2, 3, 4, 4).contiguous(memory_format=fastnet.channels_last).requires_grad_()
    (w ** 3).sum().backward(create_graph=True)
    try:
        w.grad.view(2, -1)
    except RuntimeError:                                  # either way the history stays
        pass
    assert w.grad.requires_grad
    w.grad = None


def test_data_of_read_only_memory_stays_read_only():
    array = np.zeros(3, np.float32)
    array.flags.writeable = False
    x = fastnet.ones(3)
    x.data = fastnet.from_numpy(array)
    with pytest.raises(ValueError, match="read-only"):
        x.add_(1)
    assert not array.any()
