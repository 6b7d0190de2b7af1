"""Attention layers against PyTorch, from the same state_dict: results, weights, gradients.  Skipped where PyTorch is not installed."""
import itertools

import numpy as np
import pytest

import fastnet as fn

torch = pytest.importorskip("torch", reason="comparison with PyTorch: torch is not installed")


def both(name, *args, **kwargs):
    """The same module in both libraries, float64, with PyTorch's random parameters."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args, **kwargs, dtype=torch.float64)
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.3)
    ours = getattr(fn.nn, name)(*args, **kwargs, dtype=fn.float64)
    ours.load_state_dict({key: fn.from_numpy(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    return ours, theirs


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def compare(ours, theirs, inputs, same=(), **kwargs):
    """Results and all gradients; `same`: positions that are one object with input 0."""
    results = []
    for library, module, wrap in ((fn, ours, fn.from_numpy), (torch, theirs, torch.from_numpy)):
        xs = [wrap(x.copy()) for x in inputs]
        for x in xs:
            x.requires_grad_()
        args = [xs[0] if i in same else x for i, x in enumerate(xs)]
        given = {key: wrap(value.copy()) if isinstance(value, np.ndarray) else value for key, value in kwargs.items()}
        out = module(*args, **given)
        out = out if isinstance(out, tuple) else (out,)
        loss = sum((y * wrap(draw(*y.shape, seed=9))).sum() for y in out if y is not None)
        loss.backward()
        wanted = [x.grad for i, x in enumerate(xs) if i not in same] + [p.grad for _, p in sorted(module.named_parameters())]
        results.append([None if t is None else t.detach().numpy() for t in (*out, *wanted)])
    assert len(results[0]) == len(results[1])
    for mine, its in zip(*results):
        assert (mine is None) == (its is None)
        if mine is not None:
            np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-10)


FLAGS = [dict(zip(("bias", "add_bias_kv", "add_zero_attn", "batch_first"), flags)) for flags in itertools.product((True, False), repeat=4)]


@pytest.mark.parametrize("flags", FLAGS, ids=lambda f: "-".join(k for k, v in f.items() if v) or "plain")
@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention(flags, need_weights):
    ours, theirs = both("MultiheadAttention", 8, 2, **flags)
    n, length, source = 3, 4, 5
    shape = (lambda t: (n, t, 8)) if flags["batch_first"] else (lambda t: (t, n, 8))
    q, k, v = draw(*shape(length)), draw(*shape(source), seed=1), draw(*shape(source), seed=2)
    padding = np.zeros((n, source), bool)
    padding[1, 3:] = True
    mask = np.triu(np.ones((length, source), bool), 2)
    compare(ours, theirs, (q, k, v), need_weights=need_weights)
    compare(ours, theirs, (q, k, v), need_weights=need_weights, key_padding_mask=padding, attn_mask=mask)
    compare(ours, theirs, (q, k, v), need_weights=need_weights, attn_mask=draw(n * 2, length, source), average_attn_weights=False)
    compare(ours, theirs, (q, q, q), same=(1, 2), need_weights=need_weights)
    compare(ours, theirs, (q[0], k[0], v[0]) if flags["batch_first"] else (q[:, 0], k[:, 0], v[:, 0]), need_weights=need_weights)


def test_other_sizes_of_keys_and_values():
    ours, theirs = both("MultiheadAttention", 8, 4, kdim=5, vdim=3)
    compare(ours, theirs, (draw(4, 2, 8), draw(6, 2, 5), draw(6, 2, 3)), key_padding_mask=np.log(np.random.default_rng(0).random((2, 6))))


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder(norm_first, activation):
    ours, theirs = both("TransformerEncoderLayer", 8, 2, 12, dropout=0.0, activation=activation, norm_first=norm_first, batch_first=True)
    causal = np.triu(np.full((5, 5), -np.inf), 1)
    compare(ours, theirs, (draw(3, 5, 8),))
    compare(ours, theirs, (draw(3, 5, 8),), src_mask=causal, is_causal=True)
    padding = np.zeros((3, 5), bool)
    padding[0, 2:] = True
    compare(ours, theirs, (draw(3, 5, 8),), src_key_padding_mask=padding)


def test_decoder():
    ours, theirs = both("TransformerDecoderLayer", 8, 2, 12, dropout=0.0)
    compare(ours, theirs, (draw(5, 3, 8), draw(7, 3, 8, seed=1)), tgt_mask=np.triu(np.full((5, 5), -np.inf), 1))


def test_transformer():
    ours, theirs = both("Transformer", 8, 2, 2, 2, 12, dropout=0.0)
    causal = np.triu(np.full((5, 5), -np.inf), 1)
    compare(ours, theirs, (draw(7, 3, 8), draw(5, 3, 8, seed=1)), tgt_mask=causal)
    ours, theirs = both("Transformer", 8, 2, 1, 2, 12, dropout=0.0, batch_first=True, norm_first=True)
    padding = np.zeros((3, 7), bool)
    padding[2, 4:] = True
    compare(ours, theirs, (draw(3, 7, 8), draw(3, 5, 8, seed=1)), tgt_mask=causal, src_key_padding_mask=padding,
            memory_key_padding_mask=padding)
