"""Attention beyond its table: additive masks without gradients, dropout, memory, long rows, the order of its output."""
import numpy as np
import pytest

import fastnet
from fastnet.nn.functional import scaled_dot_product_attention as attention


def draw(*shape, seed=0, dtype="float64"):
    return fastnet.from_numpy(np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype))


def plain(q, k, v, mask=0.0, keep=1.0):
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + mask
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) * keep @ v


@pytest.mark.parametrize("length", [1, 63, 64, 65, 191, 193, 400])
def test_lengths_around_the_blocks(length, isa):
    q, k, v = draw(1, 2, length, 20), draw(1, 2, length, 20, seed=1), draw(1, 2, length, 24, seed=2)
    mask = np.where(np.tri(length, dtype=bool), 0.0, -np.inf)
    expected = plain(q.numpy(), k.numpy(), v.numpy(), mask)
    np.testing.assert_allclose(attention(q, k, v, is_causal=True).numpy(), expected, rtol=1e-11, atol=1e-12)
    added = attention(q, k, v, attn_mask=fastnet.from_numpy(mask))
    np.testing.assert_allclose(added.numpy(), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_keeps_the_mean_and_is_drawn_again_backward(dtype):
    q, k = draw(1, 1, 4, 8, dtype=dtype), draw(1, 1, 150, 8, seed=1, dtype=dtype)
    v = fastnet.eye(150, dtype=q.dtype).reshape(1, 1, 150, 150).requires_grad_()
    fastnet.manual_seed(3)
    weights = attention(q, k, v, dropout_p=0.25)                  # v is the identity: these are the weights themselves
    full = attention(q, k, v).detach().numpy()
    kept = weights.detach().numpy() / full
    assert np.isclose(kept[kept > 0], 4 / 3, rtol=1e-5).all() and 0.6 < (kept > 0).mean() < 0.9
    gy = draw(1, 1, 4, 150, seed=2, dtype=dtype)
    weights.backward(gy)
    np.testing.assert_allclose(v.grad.numpy(), np.swapaxes(full * kept, -1, -2) @ gy.numpy(), rtol=1e-5, atol=1e-6)
    fastnet.manual_seed(3)
    assert np.array_equal(attention(q, k, v, dropout_p=0.25).detach().numpy(), weights.detach().numpy())
    assert not attention(q, k, v, dropout_p=1.0).detach().numpy().any()


def test_gradients_under_dropout():
    inputs = [draw(1, 2, 5, 4, seed=s).requires_grad_() for s in range(3)]

    def function(q, k, v):
        fastnet.manual_seed(1)
        return attention(q, k, v, dropout_p=0.5)
    assert fastnet.autograd.gradcheck(function, inputs)


def test_the_matrix_of_scores_is_never_stored():
    peaks = []
    for length in (1024, 2048):
        q = fastnet.randn(1, 1, length, 32, requires_grad=True)
        attention(q, q, q).sum().backward()                        # the arena's own room is there from now on
        fastnet.reset_peak_memory_stats()
        attention(q, q, q, is_causal=True).sum().backward()
        peaks.append(fastnet.memory_stats()["peak_bytes"])
        del q
    assert peaks[1] < 2.5 * peaks[0] and peaks[1] < 2048 * 2048 * 4


def test_heads_that_came_from_a_transpose_go_back_without_a_copy():
    x = draw(2, 5, 3, 4)
    q = x.transpose(1, 2)
    y = attention(q, q, q).transpose(1, 2)
    assert y.is_contiguous() and np.shares_memory(y.reshape(2, 5, 12).numpy(), y.numpy())
    np.testing.assert_allclose(y.transpose(1, 2).numpy(), plain(*[q.numpy()] * 3), rtol=1e-12)


def test_a_mask_that_learns_with_hidden_keys():
    q = draw(1, 2, 3, 4).requires_grad_()
    hidden = fastnet.tensor([[0.0, -np.inf, 0.5], [-np.inf] * 3, [0.0, 1.0, 2.0]], dtype=fastnet.float64)
    learned = attention(q, q, q, attn_mask=hidden.clone().requires_grad_())
    np.testing.assert_allclose(learned.detach().numpy(), attention(q, q, q, attn_mask=hidden).detach().numpy(), rtol=1e-12)
    learned.sum().backward()
    assert np.isfinite(q.grad.numpy()).all()
    k, bias = draw(1, 1, 5, 4, seed=1).requires_grad_(), draw(2, 3, 5, seed=2).requires_grad_()
    assert fastnet.autograd.gradcheck(lambda q, k, m: attention(q, k, k, attn_mask=m, enable_gqa=True), (q, k, bias))


def test_packed_attention_is_attention_of_its_parts():
    """With the same dropout; the gradients of two uses add up; a transposed weight gets its gradient in its own order of memory."""
    from fastnet.ops.attention import packed_attention
    packed, apart = (draw(2, 70, 3, 2, 8).requires_grad_() for _ in range(2))
    fastnet.manual_seed(3)
    a = packed_attention(packed, 0.2, True)
    fastnet.manual_seed(3)
    b = attention(*(apart[:, :, i].transpose(1, 2) for i in range(3)), dropout_p=0.2, is_causal=True)
    assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    for x, y in ((packed, a), (apart, b)):
        ((y * y).sum() + (x * 3.0).sum()).backward()
    np.testing.assert_allclose(packed.grad.numpy(), apart.grad.numpy(), rtol=1e-12)
    with fastnet.no_grad():
        assert not packed_attention(packed).requires_grad
    w = fastnet.nn.Parameter(draw(4, 3))
    fastnet.nn.functional.linear(draw(5, 4), w.t()).sum().backward()
    assert w.grad.is_contiguous()
